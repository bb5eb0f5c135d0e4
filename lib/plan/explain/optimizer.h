/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EXPLAIN_OPTIMIZER_H
#define MCKUBE_PLAN_EXPLAIN_OPTIMIZER_H

#include "plan/economy/report.h"
#include "plan/plan.h"

/* Why the pods of a WorkloadOptimizer cost what they do once the plan is done, and where they would
 * cost less. Needs neither snapshot nor planner once it is made; strings are never NULL. */

/* Of one pod. Shares are micro-USD per hour, power mW. */
struct pod_cost {
	const char *ns, *name;
	const char *node; /* ""; after the plan */
	const char *was;  /* the node that it leaves; "": it does not */
	int64_t price;	  /* of that node */
	int64_t share, power;
	const char *cheaper; /* node with the least share of all that its rules allow; "": none */
	int64_t cheaper_share;
	const char *why_not; /* why it is not there; "" without such a node */
};

struct optimizer_explanation {
	struct plan plan;
	struct optimizer_report report;
	ARRAY(struct pod_cost) pods; /* by name */
	ARRAY(uint32_t) actions;     /* in the plan: about its pods */
	ARRAY(uint32_t) unplaced;    /* likewise */
	ARRAY(uint32_t) warnings;    /* likewise, about itself */
};

/* Pure, like plan_make(); the same arguments and errors. */
int explain_optimizer(const struct cluster *c, const struct policy *const *policies,
		      const struct settings *settings, uint32_t optimizer,
		      struct optimizer_explanation *ret, struct error *err);
void optimizer_explanation_done(struct optimizer_explanation *e);

#endif
