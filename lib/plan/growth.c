/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/growth.h"

#include <string.h>

#include "plan/search/move_order.h"
#include "plan/search/search.h"

enum { SEARCH_STEPS = 4000 };

/* May the plan write its assignment again, and does it load more then? */
static bool grows(const struct trial *t, const struct unit *u)
{
	const struct request *q = unit_request(t, u);
	const struct pod *pod = unit_pod(t, u);

	if (u->origin == NONE || !growth_is_raised(q) || q->is_bad || q->source == SOURCE_NONE ||
	    pod->is_terminating || pod->is_mirror || pod->is_unread || t->nodes[u->node].is_closed)
		return false;
	for (int k = 0; k < LEVELS; k++)
		if (q->load[k] > budget_load(&q->granted, (enum level)k))
			return true;
	return false;
}

static void change_load(struct trial *t, unit_id id, bool keeps)
{
	struct unit *u = &t->units.items[id];
	const struct request *q = unit_request(t, u);
	place_id at = u->at;

	trial_unassign(t, id);
	u->keeps_grant = keeps;
	for (int k = 0; k < LEVELS; k++)
		u->load[k] = keeps ? budget_load(&q->granted, (enum level)k) : q->load[k];
	trial_assign(t, id, at);
}

static void set_keeps_grant(struct trial *t, unit_id id, bool keeps)
{
	change_load(t, id, keeps);
	trial_find_broken(t, t->units.items[id].node);
}

/* Requests are counted by what may be evicted. */
static void set_can_evict(struct trial *t, unit_id id, bool can_evict)
{
	struct unit *u = &t->units.items[id];

	trial_uncharge(t, id, u->node);
	u->can_evict = can_evict;
	trial_charge(t, id, u->node);
}

static bool holds(const struct trial *t, const struct unit *u)
{
	struct range cells = t->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (!cell_holds(&t->cells[t->place_cells.items[cells.at + i]], 0))
			return false;
	return true;
}

/* The best repair of the node; false: none was found. */
static bool find_repair(struct planner *p, node_id node, struct search_result *ret)
{
	struct cost none = { .part = { INT64_MAX } };
	struct region region = {
		.nodes = &node,
		.n_nodes = 1,
		.max_steps = SEARCH_STEPS,
		.max_discrepancies = UINT32_MAX,
	};

	search_region(p, &region, &none, ret);
	return ret->was_found;
}

static struct cost cost_of_repair(struct planner *p, node_id node)
{
	struct search_result a = { 0 };
	struct cost cost = { 0 };

	if (!p->trial.nodes[node].is_broken)
		return cost;
	cost = find_repair(p, node, &a) ? a.cost : (struct cost){ .part = { INT64_MAX } };
	search_result_done(&a);
	return cost;
}

/* Does the pod keep a place, without any loss of pods as critical as it or more? */
static bool is_acceptable(const struct trial *t, const struct search_result *a, unit_id id,
			  const struct cost *before)
{
	for (int r = LEVEL_HIGH; r >= (int)t->units.items[id].rank; r--)
		if (a->cost.part[COST_LOST + LEVELS - 1 - r] >
			    before->part[COST_LOST + LEVELS - 1 - r] ||
		    a->cost.part[COST_EVICTED + LEVELS - 1 - r] >
			    before->part[COST_EVICTED + LEVELS - 1 - r])
			return false;
	for (size_t i = 0; i < a->outcomes.n; i++)
		if (a->outcomes.items[i].unit == id &&
		    (a->outcomes.items[i].is_evicted || a->outcomes.items[i].stays_displaced))
			return false;
	return true;
}

static bool has_room(struct planner *p, unit_id id)
{
	struct trial *t = &p->trial;
	const struct unit *u = &t->units.items[id];
	struct cost before = cost_of_repair(p, u->node);
	struct search_result a = { 0 };
	bool could_evict = u->can_evict;

	set_keeps_grant(t, id, false);
	if (holds(t, u) && !u->is_misplaced)
		return true;
	set_can_evict(t, id, false);
	bool is_good = find_repair(p, u->node, &a) && is_acceptable(t, &a, id, &before);
	set_can_evict(t, id, could_evict);
	search_result_done(&a);
	return is_good;
}

static bool is_denied(const struct planner *p, unit_id id)
{
	array_each(denied, &p->denied)
		if (*denied == id)
			return true;
	return false;
}

void growth_decide(struct planner *p)
{
	struct trial *t = &p->trial;
	unit_list growing = { 0 };

	for (uint32_t turn = 0; turn < t->units.n; turn++)
		if (grows(t, &t->units.items[t->by_turn[turn]]))
			*array_add(&growing) = t->by_turn[turn];
	array_each(id, &growing)
		set_keeps_grant(t, *id, true);
	array_each(id, &growing) {
		if (t->units.items[*id].denial || is_denied(p, *id) || !has_room(p, *id))
			set_keeps_grant(t, *id, true);
		planner_refresh(p, t->units.items[*id].node);
	}
	array_done(&growing);
}

void growth_regain(struct planner *p)
{
	struct trial *t = &p->trial;

	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		unit_id id = t->by_turn[turn];
		const struct unit *u = &t->units.items[id];

		if (!u->keeps_grant || u->denial || u->is_evicted || u->at == NONE ||
		    (u->is_misplaced && u->at == u->origin))
			continue;
		change_load(t, id, false);
		if (!holds(t, u) || order_rests(p, &u->node, 1) < 0)
			change_load(t, id, true);
		else
			planner_refresh(p, u->node);
	}
}

bool growth_holds(struct planner *p)
{
	const struct trial *t = &p->trial;
	size_t n = p->denied.n;

	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (growth_is_raised(unit_request(t, u)) && !u->keeps_grant && grows(t, u) &&
		    (u->at == NONE || !holds(t, u)))
			*array_add(&p->denied) = id;
	}
	return p->denied.n == n;
}
