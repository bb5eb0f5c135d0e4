/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_CANDIDATE_H
#define MCKUBE_PLAN_CANDIDATE_H

#include "base/array.h"
#include "plan/planner.h"

/* Where on a node a pod could sit, whatever is there now: one core, or as many as it asks for, or
 * the ones that its request names. */
struct candidate {
	place_id place;
	uint32_t score; /* mean over its cores, times 100, and more where several lie together */
	uint32_t load;	/* of several cores of a node that is one cell: what is on them */
};

enum { MAX_CLOSENESS = 99 };

typedef ARRAY(struct candidate) candidates;

/* Up to this many sets of cores are looked at for a pod that asks for several; they are those of
 * the best cores. All of them on nodes with up to eight cores. */
enum { MAX_CORE_SETS = 70 };

/* Adds the candidates of a node, best first, equal ones by their cores. */
void candidates_of(struct planner *p, const struct unit *u, node_id node, candidates *list);

#endif
