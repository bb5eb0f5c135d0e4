/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/report.h"

#include <string.h>

#include "base/auto.h"
#include "model/spending.h"
#include "plan/economy/budget.h"
#include "plan/economy/estimate.h"

static const char *const type_names[] = {
	[WORKLOAD_SERVING] = "serving",
	[WORKLOAD_TRAINING] = "training",
	[WORKLOAD_INFERENCE] = "inference",
	[WORKLOAD_BATCH] = "batch",
};

static const char *const capacity_names[] = {
	[CAPACITY_ON_DEMAND] = "on-demand",
	[CAPACITY_SPOT] = "spot",
	[CAPACITY_RESERVED] = "reserved",
};

static void report_limits(const struct economy *e, const struct account *a, struct arena *arena,
			  struct optimizer_report *ret)
{
	ret->limits = arena_new(arena, struct limit_report, a->limits.n);
	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];

		if (l->is_part)
			continue;
		ret->limits[ret->n_limits++] = (struct limit_report){
			.object = arena_strndup(arena, l->object, strlen(l->object)),
			.cost = l->cost,
			.max_cost = l->max_cost,
			.power = l->power,
			.max_power = l->max_power,
			.is_exhausted = l->is_exhausted,
		};
	}
}

static void report_budget(const struct economy *e, optimizer_id id, struct optimizer_report *ret)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	int64_t now = e->c->taken_at;

	ret->budget = o->budget_limit;
	ret->spent = e->accounts[id].spent;
	if (o->budget_limit < 0 || !now)
		return;
	ret->renews_at = spending_period_end((enum budget_period)o->period, now);
	ret->ends_at = economy_budget_end(e, id);
}

void economy_report_optimizer(const struct economy *e, uint32_t optimizer, int64_t score,
			      struct arena *arena, struct optimizer_report *ret)
{
	const struct optimizer *o = &e->c->optimizers.items[optimizer];
	const struct account *a = &e->accounts[optimizer];

	*ret = (struct optimizer_report){
		.ns = cluster_str(e->c, o->meta.ns),
		.name = cluster_str(e->c, o->meta.name),
		.type = type_names[o->type],
		.node = a->most == NONE ? ""
					: cluster_str(e->c, e->c->nodes.items[a->most].meta.name),
		.suspended = a->why ? a->why : "",
		.priority = o->priority,
		.cost = a->cost,
		.power = a->power,
		.score = score,
		.n_pods = a->n_pods,
		.n_bound = a->n_bound,
		.n_ready = a->n_ready,
		.max_cost = o->max_cost,
		.max_power = o->max_power,
	};
	struct cost_estimate one;
	if (economy_estimate(e, optimizer, &one)) {
		ret->estimate_node = cluster_str(e->c, e->c->nodes.items[one.node].meta.name);
		ret->estimate_cost = one.cost;
		ret->estimate_power = one.power;
	}
	economy_status_of(e, optimizer, score, &ret->status);
	ret->phase = ret->status.phase ? ret->status.phase : "";
	report_limits(e, a, arena, ret);
	report_budget(e, optimizer, ret);
}

/* Of all pods on a node. */
static struct load load_of_site(const struct economy *e, const struct site *site)
{
	struct load sum = { 0 };

	array_each(i, &site->cargo) {
		const struct load *one = &e->cargo.items[*i].load;

		sum.cpu_milli += one->cpu_milli;
		sum.memory += one->memory;
		sum.accelerators += one->accelerators;
	}
	return sum;
}

static void report_nodes(const struct economy *e, struct economy_report *ret)
{
	const struct cluster *c = e->c;

	ret->nodes = arena_new(&ret->arena, struct node_report, c->nodes.n);
	for (node_id node = 0; node < c->nodes.n; node++) {
		const struct fleet_node *n = &e->fleet.nodes[node];

		ret->nodes[node] = (struct node_report){
			.price = n->price,
			.power = fleet_power(n, e->sites[node].cpu,
					     c->nodes.items[node].capacity_cpu_milli),
			.idle = fleet_idle_power(n, load_of_site(e, &e->sites[node]),
						 c->nodes.items[node].capacity_cpu_milli),
			.capacity_type = capacity_names[n->capacity_type],
			.is_price_assumed = n->is_price_assumed,
			.is_power_assumed = n->is_power_assumed,
			.is_removable = n->is_removable,
		};
		array_each(i, &e->sites[node].cargo)
			ret->nodes[node].shares += e->cargo.items[*i].share;
	}
}

/* What the last plan has found, refusals included, which the snapshot alone does not show. */
static void report_written(const struct cluster *c, const struct optimizer *o,
			   struct optimizer_report *ret)
{
	if (o->phase)
		ret->phase = cluster_str(c, o->phase);
	ret->status.n_conditions = ret->status.n_history = 0; /* texts of the planner */
	for (uint32_t i = 0; i < o->conditions.n && i < ECONOMY_CONDITIONS_MAX; i++) {
		const struct condition_note *n = &c->conditions.items[o->conditions.at + i];

		ret->status.conditions[ret->status.n_conditions++] = (struct plan_condition){
			.type = cluster_str(c, n->type),
			.status = cluster_str(c, n->status),
			.reason = cluster_str(c, n->reason),
			.message = "",
			.since = n->since,
		};
	}
}

void economy_report_make(const struct cluster *c, const struct settings *settings,
			 struct economy_report *ret)
{
	struct planner p = { 0 };
	struct economy e;

	*ret = (struct economy_report){ 0 };
	planner_start(&p, c, settings, NULL);
	economy_start(&e, &p);
	if (e.is_active) {
		economy_sum_power(&e);
		economy_survey(&e);
		AUTO_FREE int64_t *scores = economy_scores(&e);
		for (optimizer_id id = 0; id < c->optimizers.n; id++) {
			struct optimizer_report *r = array_add(&ret->optimizers);

			economy_report_optimizer(&e, id, scores[id], &ret->arena, r);
			report_written(c, &c->optimizers.items[id], r);
		}
		report_nodes(&e, ret);
	}
	economy_done(&e);
	planner_done(&p);
}

void economy_report_done(struct economy_report *r)
{
	array_done(&r->optimizers);
	arena_done(&r->arena);
}
