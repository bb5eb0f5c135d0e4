/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SCORE_H
#define MCKUBE_PLAN_SCORE_H

#include "plan/planner.h"

/* How good each core is for the next pod: the weighted mean of what the policies say of it, in
 * planner.score, and each node's cores in that order, in planner.best. */
void scores_init(struct planner *p);
void scores_done(struct planner *p);

/* Works them out again for the cores of a node. */
void scores_refresh(struct planner *p, node_id node);

#endif
