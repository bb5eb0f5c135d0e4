/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_FLIGHT_H
#define MCKUBE_PLAN_MIGRATE_FLIGHT_H

#include "model/cluster.h"

/* Pods that a move which was begun is about, as their annotations say. A plan leaves them to that
 * move, and goes on with it. */
enum flight {
	FLIGHT_NONE,
	FLIGHT_SOURCE,	 /* a checkpoint of it is on its way (MIGRATE_ID and MIGRATE_TO) */
	FLIGHT_TARGET,	 /* ... to this one (MIGRATE_ID, and the label MIGRATING) */
	FLIGHT_WAITING,	 /* pending, and the ReplicaSet made it for a pod that is being moved */
	FLIGHT_ARRIVING, /* its StatefulSet made it for a pod that was moved: NODE_ARRIVALS */
	FLIGHT_COPY,	 /* of a bare pod that is still there, which waits for us (MIGRATE_FROM) */
	FLIGHT_ORPHAN,	 /* ... that is gone */
	FLIGHT_COPIED,	 /* the bare pod itself */
};

struct flights {
	uint8_t *of_pod; /* enum flight; NULL: no pod is on the way */
	pod_id *copy_of; /* of a FLIGHT_COPIED */
	node_id *to;	 /* of a FLIGHT_ARRIVING: whose Node names it */
};

void flights_read(const struct cluster *c, struct flights *ret);
void flights_done(struct flights *f);

static inline enum flight flight_of(const struct flights *f, pod_id pod)
{
	return f->of_pod ? (enum flight)f->of_pod[pod] : FLIGHT_NONE;
}

/* Is it left alone by all other steps of a plan? */
static inline bool flight_holds(enum flight f)
{
	return f >= FLIGHT_SOURCE && f <= FLIGHT_COPY;
}

#endif
