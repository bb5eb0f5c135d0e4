/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_ADVANCE_H
#define MCKUBE_MIGRATE_ADVANCE_H

#include "kube/client.h"
#include "migrate/decide.h"

/* Moves a running pod with its memory, step by step:
 *
 *	struct move m = { .ns = "default", .pod = "brake", .uid = uid, .to = "node-b" };
 *	struct move_progress p = { 0 };
 *	while (move_advance(&k, &m, &p, &err) == 0 && !move_is_over(&p))
 *		wait p.wait_ms;
 *
 * Each call reads both pods and sends at most one request. All that it knows is in the API
 * (migrate/move.h): the caller may end between any two calls, and another go on; then `to` and the
 * annotations are what was promised before. A request that was refused because an object has
 * changed, or an API server that is away, is no error here: the next call looks again. */

struct move {
	const char *ns, *pod, *uid, *to; /* `to` NULL: only go on with a move that was promised */
	/* What the new pod gets with its place, as in kube_bind(): an assignment. */
	const struct kube_pair *annotations;
	size_t n_annotations;
};

struct move_progress {
	enum move_step step;   /* what was done last, STEP_WAIT when nothing was */
	enum move_state state; /* of the source, as it was read last */
	char why[256];
	char new_pod[254];   /* "": there is none so far */
	int64_t sent_ms;     /* paused to the last byte; 0: not known, as downtime_ms */
	int64_t downtime_ms; /* paused to running, by the helpers' reports; 0: not known */
	char lost[200];	     /* what is not as it was, "": nothing is known */
	uint32_t wait_ms;
	bool has_begun;	 /* the promise was written or found */
	bool is_arrived; /* a StatefulSet's new pod runs; only its note on the Node is left */
};

/* Negative: it could not be tried (the move is as it was). */
int move_advance(struct kube *k, const struct move *m, struct move_progress *p, struct error *err);

/* STEP_DONE or STEP_FAILED. */
static inline bool move_is_over(const struct move_progress *p)
{
	return p->step == STEP_DONE || p->step == STEP_FAILED;
}

/* Asks for the way back; move_advance() then leads to STEP_FAILED, or, where it was too late, to
 * STEP_DONE. */
int move_cancel(struct kube *k, const struct move *m, const char *why, struct error *err);

#endif
