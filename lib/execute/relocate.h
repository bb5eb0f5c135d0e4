/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_RELOCATE_H
#define MCKUBE_EXECUTE_RELOCATE_H

#include "kube/client.h"
#include "plan/plan.h"

/* A Migrate by Restart on an API server, request by request; the caller sends them:
 *
 *	Copy	a bare pod is read, and created again under another name. The copy waits for us (its
 *		schedulerName), with MIGRATE_FROM and MIGRATE_TO: the next planning round goes on
 *	Evict	by the Eviction API, so within PodDisruptionBudgets; then until the pod is gone
 *	Await	until the owner has made a pod that the snapshot does not know
 *	Bind	that pod, or the copy, gets the target and its assignment in one request
 *
 * A pod is never gone before its copy, or a controller that makes one, is there. */

enum relocation_state {
	RELOCATE_READ, /* the pod, to be copied */
	RELOCATE_COPY,
	RELOCATE_EVICT,
	RELOCATE_GONE, /* asked again and again until it is */
	RELOCATE_FIND, /* ... until there is a replacement */
	RELOCATE_BIND,
	RELOCATE_CLEAN, /* the copy's annotations */
	RELOCATE_REFUSE,
};

enum relocation_next {
	RELOCATE_SEND, /* the request is the next one */
	RELOCATE_WAIT, /* call relocate_again() after RELOCATE_POLL_MS */
	RELOCATE_DONE,
	RELOCATE_FAILED,
};

enum { RELOCATE_POLL_MS = 300, RELOCATE_FIND_S = 30, RELOCATE_WHY = 512 };

struct relocation {
	const struct kube *k;
	const struct action *a;
	const struct cluster *c;
	const char *version; /* of the pod, see api_request() */
	uint32_t gone_seconds;
	int64_t deadline_ms;
	enum relocation_state state;
	char *name, *uid; /* of the new pod */
	bool has_gate, has_node_affinity;
	char why[RELOCATE_WHY]; /* done: what has become of it; failed: why */
};

/* The caller has filled in all up to gone_seconds. The first request. */
int relocate_begin(struct relocation *x, struct kube_request *r, struct error *err);

/* It is not moved: that is written on the pod. */
void relocate_refuse(struct relocation *x, struct kube_request *r, const char *why, int64_t now);

/* `r` is over: released, and perhaps the next one. */
enum relocation_next relocate_next(struct relocation *x, struct kube_request *r, int64_t now_ms);
void relocate_again(struct relocation *x, struct kube_request *r);
void relocate_done(struct relocation *x);

#endif
