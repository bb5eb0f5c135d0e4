/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_REPLAY_H
#define MCKUBE_OUTPUT_REPLAY_H

#include "base/json_out.h"
#include "budget/replay.h"
#include "output/style.h"

/* The replay of a history. `shown` says which pods; NULL: all. */
typedef bool (*replay_filter)(const struct replay_pod *p, void *arg);

void replay_text(const struct replay *r, replay_filter shown, void *arg, const struct style *style,
		 struct str *out);
/* An object of kind Replay, two spaces of indent, a newline at the end. */
void replay_json(const struct replay *r, replay_filter shown, void *arg, struct str *out);

/* The parts of both that explain shows, too: when and where it was recorded; a pod. */
void replay_where_text(const struct replay *r, const struct style *style, struct str *out);
void replay_pod_text(const struct replay_pod *p, const struct style *style, struct str *out);
void replay_where_json(const struct replay *r, struct json_out *o);
void replay_pod_json(const struct replay_pod *p, struct json_out *o);

#endif
