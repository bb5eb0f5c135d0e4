/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include <string.h>

#include "plan/inter_pod.h"

static void try_to_place(struct search *s, size_t i, place_id place)
{
	unit_id id = s->to_place.items[i];

	trial_add(s->trial, id, place);
	search_place(s, s->trial->units.items[id].rank, i + 1);
	trial_remove(s->trial, id);
}

/* Somebody that it wants near it may still come. */
static bool awaits_company(const struct search *s, const struct unit *u)
{
	const struct cluster *c = s->trial->c;

	for (size_t i = 0; i < s->to_place.n; i++) {
		const struct unit *other = search_unit(s, &s->to_place, i);

		if (other != u && other->at == NONE &&
		    inter_pod_wants(c, unit_pod(s->trial, u), unit_pod(s->trial, other)))
			return true;
	}
	return false;
}

/* Somebody that it cannot be near may still have to leave. */
static bool awaits_leaving(const struct search *s, const struct unit *u)
{
	const struct cluster *c = s->trial->c;

	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *other = search_unit(s, &s->running, i);

		if (other->rank < u->rank && !other->is_evicted && other->can_evict &&
		    inter_pod_avoids(c, unit_pod(s->trial, u), unit_pod(s->trial, other)))
			return true;
	}
	return false;
}

enum entry {
	ENTRY_NO,
	ENTRY_YES,
	ENTRY_LATER, /* somebody else would have to come or leave: it is seen at the end */
};

static enum entry may_enter(struct search *s, const struct unit *u, node_id node)
{
	if (u->kind == UNIT_UNASSIGNED)
		return u->node == node ? ENTRY_YES : ENTRY_NO;
	enum refusal r = filter_node(&s->p->filters, u, node, u->rank, NULL, 0);
	bool may_wait =
		s->region->is_whole_cluster &&
		filter_bit(filters_allowed(&s->p->filters, unit_pod(s->trial, u)->rules), node);

	if (r == REFUSE_NOTHING)
		return ENTRY_YES;
	if ((r == REFUSE_POD_AFFINITY && may_wait && awaits_company(s, u)) ||
	    (r == REFUSE_POD_ANTI_AFFINITY && may_wait && awaits_leaving(s, u)))
		return ENTRY_LATER;
	return ENTRY_NO;
}

/* Does a pod of the region ask for this very core? */
static bool is_named(const struct search *s, uint32_t core)
{
	unsigned cpu = s->trial->cap.cores.items[core].cpu;

	array_each(pin, &s->pins)
		if (cpuset_has(&s->trial->req.sets.items[*pin], cpu))
			return true;
	return false;
}

/* Two cores of a node with the same figures, without anybody less critical, and that nobody asks
 * for by number, are as good as one another: the first will do. */
bool search_is_interchangeable(const struct search *s, const struct candidate *list, size_t i,
			       unsigned rank)
{
	const struct trial *t = s->trial;
	const struct core_set *a = &t->places.items[list[i].place];

	if (i == 0 || a->cells.n != 1 || a->cores.n != 1)
		return false;
	const struct core_set *b = &t->places.items[list[i - 1].place];
	if (a->node != b->node || b->cells.n != 1 || b->cores.n != 1)
		return false;
	const struct cell *x = &t->cells[t->place_cells.items[a->cells.at]];
	const struct cell *y = &t->cells[t->place_cells.items[b->cells.at]];
	return memcmp(x->used, y->used, sizeof(x->used)) == 0 &&
	       memcmp(x->used[0], x->used[rank], sizeof(x->used[0])) == 0 &&
	       !is_named(s, list[i].place) && !is_named(s, list[i - 1].place);
}

/* Tries the choices where nobody has to yield as things are, or the others. */
static void try_choices(struct search *s, size_t i, struct range choices, bool yields,
			struct choice *choice)
{
	const struct unit *u = search_unit(s, &s->to_place, i);

	for (uint32_t n = 0; n < choices.n && !search_is_pruned(s); n++) {
		const struct candidate *list = s->choices.items + choices.at;
		uint32_t k = s->is_reversed ? choices.n - 1 - n : n;
		place_id place = list[k].place;

		if (!trial_fits(s->trial, u, place, u->rank) ||
		    trial_fits(s->trial, u, place, 0) == yields ||
		    search_is_interchangeable(s, list, k, u->rank))
			continue;
		if (!search_step(s) || !search_choose(s, choice))
			break;
		try_to_place(s, i, place);
		search_unchoose(s, choice);
	}
}

static void try_places(struct search *s, size_t i, enum entry entry, struct choice *choice)
{
	const struct unit *u = search_unit(s, &s->to_place, i);
	struct range choices = { (uint32_t)s->choices.n, 0 };

	for (size_t n = 0; n < s->region->n_nodes; n++)
		if (may_enter(s, u, s->region->nodes[n]) == entry)
			candidates_of(s->p, u, s->region->nodes[n], &s->choices);
	choices.n = (uint32_t)s->choices.n - choices.at;
	try_choices(s, i, choices, false, choice);
	try_choices(s, i, choices, true, choice);
	s->choices.n = choices.at;
}

static void try_leaving_out(struct search *s, size_t i, struct choice *choice)
{
	unsigned rank = search_unit(s, &s->to_place, i)->rank;

	cost_lose(&s->cost, rank, 1);
	if (!search_is_pruned(s) && search_step(s) && search_choose(s, choice)) {
		search_place(s, (int)rank, i + 1);
		search_unchoose(s, choice);
	}
	cost_lose(&s->cost, rank, -1);
}

void search_place(struct search *s, int rank, size_t from)
{
	struct choice choice = { 0 };
	size_t i = from;

	while (i < s->to_place.n && (search_unit(s, &s->to_place, i)->rank != rank ||
				     search_unit(s, &s->to_place, i)->is_evicted))
		i++;
	if (i == s->to_place.n) {
		search_clear_rank(s, rank - 1);
		return;
	}
	if (search_bound_prunes(s, rank, i))
		return;
	try_places(s, i, ENTRY_YES, &choice);
	try_leaving_out(s, i, &choice);
	if (s->trial->terms)
		try_places(s, i, ENTRY_LATER, &choice);
}
