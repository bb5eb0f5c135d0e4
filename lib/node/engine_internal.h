/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_INTERNAL_H
#define MCKUBE_NODE_ENGINE_INTERNAL_H

#include "node/engine.h"

/* Between engine.c (what is wanted) and react.c (what happens). The lock is held. */

enum { SECOND_US = 1000000 };

struct engine_pod *engine_find(struct engine *e, const char *uid);
struct escalation_pod *engine_state(struct engine *e, const struct engine_pod *p);

/* A container's part of its pod's budget. */
int32_t engine_share(const struct engine_container *c, int32_t runtime_us);

void engine_note(struct engine *e, enum note_kind kind, const struct engine_pod *p,
		 const char *text);
void engine_want_all(struct engine *e);
void engine_watch(struct engine *e, struct engine_pod *p);
void engine_drop_gone(struct engine *e);
void engine_retry_refused(struct engine *e);

/* The handler of the overrun source. */
void engine_on_overrun(const struct overrun_event *event, void *arg);

#endif
