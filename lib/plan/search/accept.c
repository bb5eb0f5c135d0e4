/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include "base/auto.h"
#include "plan/search/move_order.h"

static bool is_broken(const struct trial *t, const struct unit *u)
{
	struct range cells = t->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (!cell_holds(&t->cells[t->place_cells.items[cells.at + i]], 0))
			return true;
	return false;
}

/* A core that was over its capacity may stay so, but no pod may be put there. */
static bool adds_to_broken(const struct search *s, const unit_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct unit *u = search_unit(s, list, i);

		if (u->at != NONE && u->at != u->origin && is_broken(s->trial, u))
			return true;
	}
	return false;
}

/* On a core that is over its capacity no pod counts as running. */
void search_charge_overcommitted(const struct search *s, struct cost *cost)
{
	for (size_t n = 0; n < s->region->n_nodes; n++) {
		const struct node_load *node = &s->trial->nodes[s->region->nodes[n]];

		for (uint32_t i = 0; node->is_broken && i < node->units.n; i++) {
			unit_id id = s->trial->node_units[node->units.at + i];
			const struct unit *u = &s->trial->units.items[id];

			if (u->at != NONE && u->may_run && is_broken(s->trial, u))
				cost_lose(cost, u->rank, 1);
		}
	}
}

/* Replacements come after the plan: they are no part of what new pods meet. */
static void uncharge_replacements(struct search *s)
{
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->is_evicted && u->at != NONE)
			trial_uncharge(s->trial, s->running.items[i],
				       s->trial->places.items[u->at].node);
	}
}

bool search_has_needless(struct search *s)
{
	for (int rank = LEVEL_HIGH; rank >= 0; rank--)
		if (search_is_needless(s, rank, true))
			return true;
	return false;
}

/* A new pod may have been put on the room of one that stays after all. */
static bool all_have_requests(const struct search *s)
{
	for (size_t i = 0; i < s->incoming.n; i++) {
		const struct unit *u = search_unit(s, &s->incoming, i);

		if (u->kind == UNIT_PENDING && u->at != NONE &&
		    !trial_keeps_room(s->trial, u, s->trial->places.items[u->at].node, 0))
			return false;
	}
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->is_evicted && u->at != NONE &&
		    !trial_keeps_room(s->trial, u, s->trial->places.items[u->at].node, 0))
			return false;
	}
	return true;
}

static bool is_coming(const struct search *s, size_t i)
{
	const struct unit *u = search_unit(s, &s->incoming, i);

	return u->kind == UNIT_PENDING && u->at != NONE;
}

static node_id node_of(const struct search *s, size_t i)
{
	return s->trial->places.items[search_unit(s, &s->incoming, i)->at].node;
}

/* Lets in the next new pod whose inter-pod rules hold. Where the region is not the whole cluster,
 * their order is given. */
static bool admit_next(struct search *s, bool *is_in)
{
	struct trial *t = s->trial;

	for (size_t i = 0; i < s->incoming.n; i++) {
		const struct unit *u = search_unit(s, &s->incoming, i);

		if (!is_coming(s, i) || is_in[i])
			continue;
		if (filter_inter_pod(t, u, node_of(s, i), 0) == REFUSE_NOTHING) {
			trial_charge(t, s->incoming.items[i], node_of(s, i));
			*array_add(&s->order) = s->incoming.items[i];
			return is_in[i] = true;
		}
		if (!s->region->is_whole_cluster)
			return false;
	}
	return false;
}

static bool is_replaced(const struct search *s, size_t i)
{
	const struct unit *u = search_unit(s, &s->running, i);

	return u->is_evicted && u->at != NONE;
}

/* Beside all the new pods, do the inter-pod rules of the replacements hold, in some order? They are
 * not charged before, and afterwards all are. */
static bool admit_replacements(struct search *s)
{
	struct trial *t = s->trial;
	AUTO_FREE bool *is_in = xcalloc(s->running.n, sizeof(*is_in));
	bool has_more = true, is_good = true;

	while (has_more) {
		has_more = false;
		for (size_t i = 0; i < s->running.n; i++) {
			const struct unit *u = search_unit(s, &s->running, i);

			if (!is_replaced(s, i) || is_in[i] ||
			    filter_inter_pod(t, u, t->places.items[u->at].node, 0) !=
				    REFUSE_NOTHING)
				continue;
			trial_charge(t, s->running.items[i], t->places.items[u->at].node);
			has_more = is_in[i] = true;
		}
	}
	for (size_t i = 0; i < s->running.n; i++) {
		if (!is_replaced(s, i) || is_in[i])
			continue;
		trial_charge(t, s->running.items[i],
			     t->places.items[search_unit(s, &s->running, i)->at].node);
		is_good = false;
	}
	return is_good;
}

/* Do the new pods' inter-pod rules hold as they come in one after the other, now that it is known
 * which pods leave? The order is in s->order then. */
static bool admit_all(struct search *s)
{
	AUTO_FREE bool *is_in = xcalloc(s->incoming.n, sizeof(*is_in));
	size_t n = 0;

	array_clear(&s->order);
	if (!s->trial->terms)
		return true;
	uncharge_replacements(s);
	for (size_t i = 0; i < s->incoming.n; i++) {
		if (!is_coming(s, i))
			continue;
		trial_uncharge(s->trial, s->incoming.items[i], node_of(s, i));
		n++;
	}
	while (admit_next(s, is_in))
		;
	for (size_t i = 0; i < s->incoming.n; i++)
		if (is_coming(s, i) && !is_in[i])
			trial_charge(s->trial, s->incoming.items[i], node_of(s, i));
	bool are_replaced = admit_replacements(s);
	return s->order.n == n && are_replaced;
}

static void save(struct search *s)
{
	struct search_result *a = s->found;

	array_clear(&a->outcomes);
	array_clear(&a->order);
	array_each(id, &s->order)
		*array_add(&a->order) = *id;
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		*array_add(&a->outcomes) = (struct outcome){ s->running.items[i], u->at,
							     u->is_evicted, s->stays_displaced[i] };
	}
	/* Those without cores are bound in the region, so they were among the running. */
	for (size_t i = 0; i < s->to_place.n; i++)
		if (search_unit(s, &s->to_place, i)->kind == UNIT_PENDING)
			*array_add(&a->outcomes) =
				(struct outcome){ s->to_place.items[i],
						  search_unit(s, &s->to_place, i)->at, false,
						  false };
	a->cost = s->best;
	a->was_found = true;
}

void search_finish(struct search *s)
{
	struct cost total = s->cost;

	search_charge_overcommitted(s, &total);
	if (!cost_is_less(&total, &s->best) || adds_to_broken(s, &s->running) ||
	    adds_to_broken(s, &s->incoming))
		return;
	if (!all_have_requests(s) || !admit_all(s))
		return;
	if (s->is_late && search_has_needless(s))
		return;

	int rests = order_rests(s->p, s->region->nodes, s->region->n_nodes);
	if (rests < 0)
		return;
	total.part[COST_MOVED] += rests;
	if (!cost_is_less(&total, &s->best))
		return;
	s->best = total;
	save(s);
}
