/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_INFORMER_H
#define MCKUBE_STATE_INFORMER_H

#include "state/store.h"

/* Keeps a store of an API server's objects: lists and then watches every kind that a plan reads,
 * side by side over one connection pool (kube/watch.h says what happens when a stream breaks).
 *
 *	struct informer *f = informer_start(&k, server, 0, &(struct informer_polls){ 0 });
 *	for (;;) {
 *		int wait = informer_step(f, &err);	negative: it is over
 *		http_run(k.http, wait);
 *		if (informer_is_current(f) && store_is_dirty(informer_store(f)))
 *			store_commit(informer_store(f), time(NULL));
 *	}
 */
struct informer;

/* How often metrics are read, which cannot be watched. */
struct informer_polls {
	uint32_t all_ms;     /* those of nodes and pods; 0: only those of pods, as follows */
	uint32_t scaling_ms; /* from when a WorkloadOptimizer scales; 0: as autoscalers do, 15 s */
};

struct informer *informer_start(struct kube *k, const char *server, uint32_t chunk,
				const struct informer_polls *polls);
void informer_free(struct informer *f);

/* To be called between http_run()s. Returns the milliseconds until it wants to be called again
 * though nothing happens, or a negative code when a kind can never be read (403). */
int informer_step(struct informer *f, struct error *err);

/* Puts objects of a kind that no server has (watched_kinds.is_ours), each as JSON, in the place of
 * those that were put before. */
int informer_put(struct informer *f, const struct delta_kind *rows, const char *const *objects,
		 size_t n, struct error *err);

/* True when every kind has been listed and no list is under way: only then may the store be
 * committed. A stream that is broken does not show here. */
bool informer_is_current(const struct informer *f);

struct store *informer_store(const struct informer *f);

/* The watch of watched_kinds[kind], for its counters. */
const struct kube_watch *informer_watch(const struct informer *f, unsigned kind);

#endif
