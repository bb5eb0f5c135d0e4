/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/candidate.h"
#include "plan/economy/economy.h"
#include "plan/emit/emit.h"
#include "plan/file/plan_file.h"
#include "plan/growth.h"
#include "plan/migrate/migrate_internal.h"
#include "plan/node_index.h"
#include "plan/plan.h"
#include "plan/replacement.h"
#include "plan/search/improve.h"
#include "plan/search/search.h"

/* What a search on one node may cost. */
struct effort {
	uint64_t steps;
	uint32_t discrepancies;
};

static const struct effort repair_effort = { 4000, UINT32_MAX };

/* For one pod: a short search on each node, and a longer one if the short one loses a pod. */
static const struct effort efforts[] = { { 100, 1 }, { 300, UINT32_MAX } };

/* ---- Steps 3 to 5 ---- */

/* New pods that have got a place, by node. */
struct placed {
	unit_list *of_node;
	size_t n_nodes;
};

static struct region region_of(const struct placed *placed, const node_id *node,
			       const unit_id *to_place, size_t n_to_place,
			       const struct effort *effort)
{
	return (struct region){
		.nodes = node,
		.n_nodes = 1,
		.placed = placed->of_node[*node].items,
		.n_placed = placed->of_node[*node].n,
		.to_place = to_place,
		.n_to_place = n_to_place,
		.max_steps = effort->steps,
		.max_discrepancies = effort->discrepancies,
	};
}

/* 3. Cores that are over their capacity, or that a pod may not use. */
static void repair(struct planner *p, const struct placed *placed)
{
	for (node_id node = 0; node < p->trial.c->nodes.n; node++) {
		struct region region = region_of(placed, &node, NULL, 0, &repair_effort);
		struct search_result a;
		struct cost none = { .part = { INT64_MAX } };

		if (!p->trial.nodes[node].is_broken)
			continue;
		search_region(p, &region, &none, &a);
		p->is_exact = p->is_exact && a.is_exact;
		if (a.was_found)
			search_commit(p, &region, &a);
		search_result_done(&a);
	}
}

static void take_place(struct planner *p, struct placed *placed, unit_id id, place_id place)
{
	node_id node = p->trial.places.items[place].node;

	trial_add(&p->trial, id, place);
	p->trial.units.items[id].since = ++p->now;
	*array_add(&placed->of_node[node]) = id;
	planner_refresh(p, node);
}

/* The least that a preemption costs, but for the size of the budget that moves. */
static bool is_one_move(const struct cost *c)
{
	for (int i = 0; i < COST_MOVED; i++)
		if (c->part[i] != 0)
			return false;
	return c->part[COST_MOVED] <= 1;
}

static bool loses_a_pod(const struct cost *c)
{
	for (int i = COST_LOST; i < COST_LOST + LEVELS; i++)
		if (c->part[i] > 0)
			return true;
	return false;
}

/* What has been found for a pod that needs room. */
struct finding {
	struct search_result a;
	struct cost cost; /* more than before */
	node_id node;	  /* NONE: nothing yet */
};

static void search_node(struct planner *p, struct placed *placed, unit_id id, node_id node,
			const struct effort *effort, struct finding *best)
{
	struct region without = region_of(placed, &node, NULL, 0, effort);
	struct region region = region_of(placed, &node, &id, 1, effort);
	struct cost before = search_region_cost(p, &without);
	struct cost limit = before;
	struct search_result a;

	for (int k = 0; k < COST_PARTS; k++)
		limit.part[k] += best->cost.part[k];
	search_region(p, &region, &limit, &a);
	p->is_exact = p->is_exact && a.is_exact;
	if (!a.was_found) {
		search_result_done(&a);
		return;
	}
	search_result_done(&best->a);
	*best = (struct finding){ a, cost_minus(a.cost, &before), node };
}

/* 5. Less critical pods yield: on the node where that costs least, of the most promising ones. */
static void preempt(struct planner *p, struct placed *placed, unit_id id)
{
	const struct unit *u = &p->trial.units.items[id];
	node_id nodes[MAX_PREEMPTION_NODES];
	size_t n = index_yielding(p, u, nodes, p->trial.settings->preemption_nodes);
	struct finding best = { .node = NONE };

	cost_lose(&best.cost, u->rank, 1);
	for (size_t e = 0; e < ARRAY_LEN(efforts) && loses_a_pod(&best.cost); e++)
		for (size_t i = 0; i < n && !is_one_move(&best.cost); i++)
			search_node(p, placed, id, nodes[i], &efforts[e], &best);
	if (best.node != NONE) {
		struct region region = region_of(placed, &best.node, &id, 1, &efforts[0]);

		search_commit(p, &region, &best.a);
		p->trial.units.items[id].since = ++p->now;
		*array_add(&placed->of_node[best.node]) = id;
	}
	search_result_done(&best.a);
}

/* 4. and 5. for all pods without a place; returns how many have got one. */
static size_t place_all(struct planner *p, struct placed *placed)
{
	uint32_t before = p->now;

	for (uint32_t turn = 0; turn < p->trial.units.n; turn++) {
		unit_id id = p->trial.by_turn[turn];
		const struct unit *u = &p->trial.units.items[id];

		if (!unit_is_new(u) || u->is_evicted || u->at != NONE || u->denial)
			continue;
		place_id at = index_best(p, u, NONE);
		if (at != NONE)
			take_place(p, placed, id, at);
		else if (unit_reach(&p->trial, u) > LEVEL_LOW)
			preempt(p, placed, id);
	}
	return p->now - before;
}

/* A pod may have to wait for another one: for affinity to it, or for an even spread. */
static void place(struct planner *p, struct placed *placed)
{
	while (place_all(p, placed) > 0 && p->trial.terms)
		;
}

/* The new pods by node, after improve() has placed some of them again. */
static void list_placed(const struct planner *p, struct placed *placed)
{
	for (size_t node = 0; node < placed->n_nodes; node++)
		array_clear(&placed->of_node[node]);
	for (uint32_t turn = 0; turn < p->trial.units.n; turn++) {
		unit_id id = p->trial.by_turn[turn];
		const struct unit *u = &p->trial.units.items[id];

		if (unit_is_new(u) && u->at != NONE)
			*array_add(&placed->of_node[p->trial.places.items[u->at].node]) = id;
	}
	for (size_t node = 0; node < placed->n_nodes; node++) {
		unit_list *list = &placed->of_node[node];

		if (list->n > 1)
			qsort_r(list->items, list->n, sizeof(*list->items), trial_by_since,
				(void *)&p->trial);
	}
}

/* Where the kernel counts per node a pod fits on any of its cores: a search that has placed several
 * has not looked at the loads of the cores. */
static void spread_over_cores(struct planner *p, const struct placed *placed)
{
	struct trial *t = &p->trial;
	candidates list = { 0 };

	for (node_id node = 0; node < placed->n_nodes; node++) {
		const unit_list *units = &placed->of_node[node];

		for (size_t i = 0; i < units->n && t->cap.nodes.items[node].scope == SCOPE_NODE;
		     i++)
			trial_unassign(t, units->items[i]);
		for (size_t i = 0; i < units->n && t->cap.nodes.items[node].scope == SCOPE_NODE;
		     i++) {
			array_clear(&list);
			planner_refresh(p, node);
			candidates_of(p, &t->units.items[units->items[i]], node, &list);
			trial_assign(t, units->items[i], list.items[0].place);
		}
	}
	array_done(&list);
}

/* The cores that the search has found for replacements are not for others. */
static void hold_replacements(struct planner *p, bool holds)
{
	for (unit_id id = 0; id < p->trial.units.n; id++) {
		const struct unit *u = &p->trial.units.items[id];

		if (!u->is_evicted || u->replacement == NONE)
			continue;
		if (holds)
			trial_assign(&p->trial, id, u->replacement);
		else
			trial_unassign(&p->trial, id);
	}
}

/* A node that the plan leaves over its capacity gets a taint: no replacement comes there. */
static void find_avoided(struct planner *p)
{
	size_t n = p->trial.c->nodes.n;

	p->avoided = xcalloc(n, sizeof(*p->avoided));
	for (node_id node = 0; node < n; node++)
		p->avoided[node] =
			p->trial.nodes[node].is_broken && relieve_breaks_guarantee(&p->trial, node);
}

static void find_replacements(struct planner *p)
{
	unit_list evicted = { 0 };

	for (unit_id id = 0; id < p->trial.units.n; id++)
		if (p->trial.units.items[id].is_evicted)
			*array_add(&evicted) = id;
	replacement_find(p, evicted.items, evicted.n);
	array_done(&evicted);
}

/* How many new pods their inter-pod rules, ports and claims let in, each beside all the others. */
static size_t n_admitted(struct trial *t)
{
	size_t n = 0;

	for (unit_id id = 0; t->terms && id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (u->kind != UNIT_PENDING || u->at == NONE)
			continue;
		node_id node = t->places.items[u->at].node;
		trial_uncharge(t, id, node);
		n += filter_inter_pod(t, u, node, 0) == REFUSE_NOTHING;
		trial_charge(t, id, node);
	}
	return n;
}

/* Would it, on its node, refuse a new pod that is placed, wherever that is, or a replacement that
 * comes to the node? */
static bool keeps_out(struct trial *t, unit_id id)
{
	const struct unit *u = &t->units.items[id];

	for (unit_id i = 0; i < t->units.n; i++) {
		const struct unit *other = &t->units.items[i];

		if (other->is_evicted && other->replacement != NONE &&
		    t->places.items[other->replacement].node == u->node &&
		    filter_clash(t, other->pod, u->pod, u->node))
			return true;
	}
	size_t n_without = n_admitted(t);
	trial_unevict(t, id);
	size_t n_with = n_admitted(t);
	trial_evict(t, id);
	return n_with < n_without;
}

/* A pod on cores that it may not use is evicted only where its replacement fits or a more critical
 * pod needs what it has: else it stays. */
static void rollback(struct planner *p)
{
	struct trial *t = &p->trial;

	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		unit_id id = t->by_turn[turn];
		const struct unit *u = &t->units.items[id];

		if (!u->is_evicted || !u->is_misplaced || u->replacement != NONE ||
		    !trial_fits(t, u, u->origin, 0) || !trial_has_room(t, u, u->node, 0) ||
		    keeps_out(t, id))
			continue;
		trial_unevict(t, id);
		trial_assign(t, id, u->origin);
		planner_refresh(p, u->node);
	}
}

/* The next of these that its inter-pod rules let in now; SIZE_MAX: none. */
static size_t next_admitted(const struct trial *t, const unit_list *list, const bool *is_in)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct unit *u = &t->units.items[list->items[i]];

		if (!is_in[i] &&
		    filter_inter_pod(t, u, t->places.items[u->at].node, 0) == REFUSE_NOTHING)
			return i;
	}
	return SIZE_MAX;
}

/* An eviction on one node may have changed what others' rules say of a pod that was placed before:
 * they come in another order then, and one that no order lets in is left out. */
static void admit_again(struct planner *p)
{
	struct trial *t = &p->trial;
	unit_list list = { 0 };
	size_t n = 0, i;
	bool is_same = true;

	for (unit_id id = 0; t->terms && id < t->units.n; id++)
		if (t->units.items[id].kind == UNIT_PENDING && t->units.items[id].at != NONE)
			*array_add(&list) = id;
	if (list.n > 1)
		qsort_r(list.items, list.n, sizeof(*list.items), trial_by_since, t);
	AUTO_FREE bool *is_in = xcalloc(list.n + 1, sizeof(*is_in));
	AUTO_FREE unit_id *order = xcalloc(list.n + 1, sizeof(*order));
	array_each(id, &list)
		trial_uncharge(t, *id, t->places.items[t->units.items[*id].at].node);
	while ((i = next_admitted(t, &list, is_in)) != SIZE_MAX) {
		is_same = is_same && i == n;
		is_in[i] = true;
		order[n++] = list.items[i];
		trial_charge(t, order[n - 1],
			     t->places.items[t->units.items[order[n - 1]].at].node);
	}
	for (i = 0; i < list.n; i++)
		if (!is_in[i])
			trial_unassign(t, list.items[i]);
	for (i = 0; i < n && !is_same; i++)
		t->units.items[order[i]].since = ++p->now;
	array_done(&list);
}

/* Steps 3 to 5. */
static void arrange(struct planner *p)
{
	struct placed placed = { .n_nodes = p->trial.c->nodes.n };

	placed.of_node = xcalloc(placed.n_nodes, sizeof(*placed.of_node));
	/* 3. Keep what is valid, repair what is not. */
	growth_decide(p);
	repair(p, &placed);
	/* 4. Place, and 5. preempt where that is needed. */
	place(p, &placed);
	improve(p);
	/* What an inter-pod rule waited for may have been placed. A search keeps the room of
	 * nominated pods for all new ones at once: it is not kept from one of higher priority that
	 * comes last. */
	if ((p->trial.terms && !p->is_exact) || p->trial.nominated.n) {
		list_placed(p, &placed);
		hold_replacements(p, true);
		place(p, &placed);
		hold_replacements(p, false);
	}
	admit_again(p);
	list_placed(p, &placed);
	spread_over_cores(p, &placed);
	find_avoided(p);
	find_replacements(p);
	replacement_hold(&p->trial, true);
	rollback(p);
	growth_regain(p);
	replacement_hold(&p->trial, false);
	for (size_t i = 0; i < placed.n_nodes; i++)
		array_done(&placed.of_node[i]);
	free(placed.of_node);
}

int planner_run(struct planner *p, const struct cluster *c, const struct policy *const *policies,
		const struct settings *settings, const struct plan_memory *memory,
		struct error *err)
{
	struct error local = ERROR_INIT;

	*p = (struct planner){ .is_exact = true };
	err = err ? err : &local;
	int r = planner_pick_policies(p, policies, settings, err);
	if (r < 0)
		return r;

	/* 1. Bind requests to pods. 2. Modes: where they run now, and how. */
	planner_start(p, c, settings, memory ? memory->requests : NULL);
	p->held = memory ? memory->moves : NULL;
	arrange(p);
	while (!growth_holds(p)) {
		planner_restart(p);
		arrange(p);
	}
	/* 6. Relieve nodes that are short of CPU time, or cannot keep what was granted. */
	relieve(p);
	migrate_relieve(p);
	/* 7. Cost and power, around what real time has. */
	p->economy = xcalloc(1, sizeof(*p->economy));
	economy_plan(p->economy, p);
	return 0;
}

static uint32_t sooner(uint32_t a, uint32_t b)
{
	return a && b ? (a < b ? a : b) : a + b;
}

void planner_emit(struct planner *p, struct plan *ret_plan)
{
	*ret_plan =
		(struct plan){ .settings = *p->trial.settings, .taken_at = p->trial.c->taken_at };
	ret_plan->settings.optimise.applies = p->rates;
	emit_plan(p, ret_plan); /* and 8. Clean up */
	ret_plan->search.steps = p->steps;
	ret_plan->search.is_exact = p->is_exact;
	ret_plan->requeue_after = sooner(p->reliefs.requeue_after, p->migrations.requeue_after);
	ret_plan->requeue_after =
		sooner(ret_plan->requeue_after, economy_requeue_after(p->economy));
	ret_plan->requeue_after =
		sooner(ret_plan->requeue_after, (uint32_t)p->trial.evictions.closed);
	plan_name(ret_plan);
}

int migrate_plan(const struct cluster *c, const struct policy *const *policies,
		 const struct settings *settings, const struct migration_demand *demand,
		 struct plan *ret_plan, struct error *err)
{
	struct planner p = { .is_exact = true };

	if (planner_pick_policies(&p, policies, settings, err) < 0)
		return err->code;
	planner_start(&p, c, settings, NULL);
	int r = migrate_demand(&p, demand, err);
	if (r == 0) {
		*ret_plan = (struct plan){ .settings = *settings, .taken_at = c->taken_at };
		emit_migration_plan(&p, ret_plan);
		plan_name(ret_plan);
	}
	planner_done(&p);
	return r;
}

int plan_make_again(const struct cluster *c, const struct policy *const *policies,
		    const struct settings *settings, const struct plan_memory *memory,
		    struct plan *ret_plan, struct error *err)
{
	struct planner p;
	int r = planner_run(&p, c, policies, settings, memory, err);

	if (r < 0)
		return r;
	planner_emit(&p, ret_plan);
	planner_done(&p);
	return 0;
}

int plan_make_cached(const struct cluster *c, const struct policy *const *policies,
		     const struct settings *settings, struct request_cache *memory,
		     struct plan *ret_plan, struct error *err)
{
	return plan_make_again(c, policies, settings, &(struct plan_memory){ .requests = memory },
			       ret_plan, err);
}

int plan_make(const struct cluster *c, const struct policy *const *policies,
	      const struct settings *settings, struct plan *ret_plan, struct error *err)
{
	return plan_make_cached(c, policies, settings, NULL, ret_plan, err);
}
