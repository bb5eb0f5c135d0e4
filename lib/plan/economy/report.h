/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_REPORT_H
#define MCKUBE_PLAN_ECONOMY_REPORT_H

#include "model/settings.h"
#include "plan/plan.h"

/* What workloads and nodes cost and draw. Money is micro-USD (per hour where it is a rate), power
 * mW, a score millionths; a limit that is not given is NO_LIMIT. Strings are never NULL. */

/* A limit over the pods of one workload or of several, and what they have of it. */
struct limit_report {
	const char *object; /* "CostPolicy ml/cap" */
	int64_t cost, max_cost, power, max_power;
	bool is_exhausted; /* its budget is spent */
};

struct optimizer_report {
	const char *ns, *name, *type, *phase;
	const char *node;      /* with most of its pods; "" */
	const char *suspended; /* why it is; "" */
	int32_t priority;
	int64_t cost, power, score;
	uint32_t n_pods, n_bound, n_ready;
	/* Without pods: what one would cost and draw, and where; NULL: that is not known. */
	const char *estimate_node;
	int64_t estimate_cost, estimate_power;
	int64_t max_cost, max_power, budget, spent;
	int64_t ends_at;   /* when the budget is spent at this rate; 0: never, or it is already */
	int64_t renews_at; /* when the next period begins; 0: never */
	struct economy_status status; /* conditions only of snapshots with a time */
	struct limit_report *limits;
	uint32_t n_limits;
};

struct node_report {
	int64_t price, shares;	   /* shares: of its pods, those of no optimizer too */
	int64_t power, idle;	   /* idle: of power, what no pod asks for */
	const char *capacity_type; /* "on-demand", "spot", "reserved" */
	bool is_price_assumed, is_power_assumed, is_removable;
};

struct economy_report {
	struct arena arena;
	ARRAY(struct optimizer_report) optimizers; /* by optimizer's index in the cluster */
	struct node_report *nodes;		   /* by node_id; NULL: there is no economy */
};

/* As the snapshot has them; phase and conditions are those of their status. The caller keeps the
 * cluster. */
void economy_report_make(const struct cluster *c, const struct settings *settings,
			 struct economy_report *ret);
void economy_report_done(struct economy_report *r);

/* One optimizer as the trial has it, after economy_survey(); lists are in the arena. */
struct economy;
void economy_report_optimizer(const struct economy *e, uint32_t optimizer, int64_t score,
			      struct arena *arena, struct optimizer_report *ret);

#endif
