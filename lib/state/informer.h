/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_INFORMER_H
#define MCKUBE_STATE_INFORMER_H

#include "state/store.h"

/* Keeps a mirror of an API server's objects: lists and then watches every kind that a plan reads,
 * side by side over one connection pool (kube/watch.h says what happens when a stream breaks).
 *
 *	struct follow *f = follow_start(&k, server, 0);
 *	for (;;) {
 *		int wait = follow_step(f, &err);	negative: it is over
 *		http_run(k.http, wait);
 *		if (follow_is_current(f) && mirror_has_news(follow_mirror(f)))
 *			mirror_settle(follow_mirror(f), time(NULL));
 *	}
 */
struct follow;

struct follow *follow_start(struct kube *k, const char *server, uint32_t chunk);
void follow_free(struct follow *f);

/* To be called between http_run()s. Returns the milliseconds until it wants to be called again
 * though nothing happens, or a negative code when a kind can never be read (403). */
int follow_step(struct follow *f, struct error *err);

/* True when every kind has been listed and no list is under way: only then may the mirror be
 * settled. A stream that is broken does not show here. */
bool follow_is_current(const struct follow *f);

struct mirror *follow_mirror(const struct follow *f);

/* The watch of wanted[kind], for its counters. */
const struct kube_watch *follow_watch(const struct follow *f, unsigned kind);

#endif
