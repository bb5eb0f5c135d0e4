/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_METRICS_SERVER_H
#define MCKUBE_RECONCILE_METRICS_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* What `watch` answers over HTTP:
 *
 *	/healthz	200 while the main loop turns at least once a minute
 *	/readyz		200 once every kind of object is listed
 *	/metrics	the text that the main loop published last
 *
 * A thread of its own answers. The numbers belong to the main loop, so /metrics asks it for new
 * ones and waits a little; while it is busy (a plan, a write) the last ones are served. */
struct watch_serve;

int watch_serve_start(const char *address, struct watch_serve **ret, struct error *err);
void watch_serve_stop(struct watch_serve *s);

/* For the main loop, at each turn: it lives. True when numbers are asked for. */
bool watch_serve_turn(struct watch_serve *s, bool is_ready);

/* Takes the text. */
void watch_serve_publish(struct watch_serve *s, struct str *text);

const char *watch_serve_address(const struct watch_serve *s);

#endif
