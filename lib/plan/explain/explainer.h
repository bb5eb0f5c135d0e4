/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EXPLAIN_EXPLAINER_H
#define MCKUBE_PLAN_EXPLAIN_EXPLAINER_H

#include "plan/emit/emit.h"
#include "plan/explain/explain.h"
#include "plan/planner.h"

/* What the parts of one explanation share. */
struct explainer {
	struct planner p;
	struct emitter emit; /* for its texts: p, trial and plan are set */
	struct explanation *out;
	pod_id pod;
	unit_id unit;	/* NONE: the plan does not decide about the pod */
	place_id place; /* where the plan has it in the end, NONE */
	/* The units that load each cell, the pod itself left out. */
	struct range *of_cell;
	unit_id *holders;
};

static inline struct unit *explainer_unit(struct explainer *x)
{
	return &x->p.trial.units.items[x->unit];
}

static inline struct request *explainer_request(struct explainer *x)
{
	return &x->p.trial.req.list.items[explainer_unit(x)->request];
}

static inline const char *explainer_node(const struct explainer *x, node_id node)
{
	return cluster_str(x->p.trial.c, x->p.trial.c->nodes.items[node].meta.name);
}

/* plan/explain/words.c: "core 2 of front", "cores 2-3 of front", "no core of front" */
const char *explain_cores_of(struct explainer *x, const struct place *place);
const char *explain_place_words(struct explainer *x, place_id id);

/* The fields that hold the budgets of a source; NULL: it cannot ask for that one. */
struct budget_fields {
	const char *source;
	const struct member_row *low, *medium, *hi, *floor;
};
const struct budget_fields *explain_budget_fields(const char *source);

/* plan/explain/migration.c: fills out->migration; before the pod is removed from the trial. */
void explain_migration(struct explainer *x);

/* plan/explain/nodes.c: fills out->nodes; the pod must have been removed from the trial. */
void explain_nodes(struct explainer *x);

/* Why a fixed unit is never touched: "it is terminating". */
const char *explain_fixed_words(const struct trial *t, const struct unit *u);

/* Would this unit make room for the pod? *ret_why is the reason. */
bool explain_yields(struct explainer *x, const struct unit *holder, const char **ret_why);

/* "300m of cpu and 64Mi of memory": what the pod's requests lack on a node; *ret_share is the sum
 * of the lacks in ppm of what the node has. */
const char *explain_lack(struct explainer *x, node_id node, uint64_t *ret_share);

/* plan/explain/economy.c: a pod that is placed, or moved, for cost and power. `refusal`: why it has
 * no place. */
bool explain_is_for_money(const struct explainer *x);
void explain_for_money(struct explainer *x, const char *refusal);

/* plan/explain/advice.c: fills out->advice; the pod must have been removed from the trial. */
void explain_advice(struct explainer *x);

/* plan/explain/suggestions.c: fills out->changes, after the nodes. */
void explain_changes(struct explainer *x);
/* For a raised budget that is not granted: how much of it would be. */
void explain_lower_budget(struct explainer *x);

#endif
