/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SEARCH_SEARCH_INTERNAL_H
#define MCKUBE_PLAN_SEARCH_SEARCH_INTERNAL_H

#include "plan/candidate.h"
#include "plan/search/search.h"

/* The inside of search_region(): one depth-first search. Each step calls the next one and undoes
 * what it did when that returns; the last one saves what is better than before.
 *
 *	branch.c	the steps, one criticality after the other
 *	accept.c	the end of a branch: is it right, is it better
 *	bound.c		a lower bound of what every continuation costs
 *	needless.c	rule 4: no pod is displaced that could be back where it was
 *	parts.c		what they share */

/* What a unit was before the search. */
struct saved {
	place_id at;
	bool is_evicted;
};

struct search {
	struct planner *p;
	struct trial *trial;
	const struct region *region;
	unit_list running;     /* bound in the region, by node, then by turn */
	unit_list to_place;    /* region->to_place */
	unit_list incoming;    /* placed and to_place */
	unit_list order;       /* the pending ones of them, as they can come in one by one */
	ARRAY(uint32_t) pins;  /* the core sets that pods of the region ask for, in requests.sets */
	candidates choices;    /* of all decisions that are open, each behind those before it */
	bool *stays_displaced; /* by position in running */
	struct saved *before;  /* likewise */
	struct cost cost, best;
	struct search_result *found;
	struct bound *bound;
	uint64_t steps;
	uint32_t discrepancies; /* how many more times this branch may depart from the first choice
				 */
	bool has_non_evictable; /* a pod that may not be evicted runs here */
	bool has_broken;	/* a node of the region needs repair */
	bool is_late;		/* needless displacements show only at the end of a branch */
	bool was_cut;		/* something was left out for want of discrepancies */
	bool is_reversed;	/* worst score first */
};

/* Alternatives of one decision in their order: the first is free, any other takes a discrepancy. */
struct choice {
	uint32_t taken;
};

static inline struct unit *search_unit(const struct search *s, const unit_list *list, size_t i)
{
	return &s->trial->units.items[list->items[i]];
}

/* One more trial; false when the search is over. */
static inline bool search_step(struct search *s)
{
	if (s->steps >= s->region->max_steps) {
		s->found->is_exact = false;
		return false;
	}
	s->steps++;
	return true;
}

/* Is the next choice to be tried? Afterwards search_unchoose(). */
static inline bool search_choose(struct search *s, struct choice *c)
{
	if (c->taken++ == 0)
		return true;
	if (s->discrepancies == 0) {
		s->was_cut = true;
		return false;
	}
	s->discrepancies--;
	return true;
}

static inline void search_unchoose(struct search *s, const struct choice *c)
{
	if (c->taken > 1)
		s->discrepancies++;
}

/* The cost without what comes off again when displaced pods of broken nodes are left after all: a
 * lower bound for the branch. */
struct cost search_least_cost(const struct search *s);

/* Does this branch cost as much already as the best found? */
static inline bool search_is_pruned(const struct search *s)
{
	if (cost_is_less(&s->cost, &s->best))
		return false;
	if (!s->has_broken)
		return true;
	struct cost least = search_least_cost(s);
	return !cost_is_less(&least, &s->best);
}

/* The same, counting what cannot have room any more: with the new pods of this rank from the i-th
 * on still to be placed, and everything below open. */
void search_bound_init(struct search *s);
bool search_bound_prunes(const struct search *s, int rank, size_t i);

/* The same on one node, counting those of this rank and below that no core has a slot for. With the
 * ranks above in their places, and those of this one that had to leave on their way. */
bool search_bound_must_evict(const struct search *s, int rank);

/* A node where a more critical new pod misses requests as long as this rank stays, or NONE. */
node_id search_crowded_node(const struct search *s, int rank);

/* Decides about this rank and all below. */
void search_clear_rank(struct search *s, int rank);
/* Saves what the branch has come to, if it is right and better than before. */
void search_finish(struct search *s);

/* Two cores of a node with the same figures, without a less critical pod, and that no request
 * names, are interchangeable: only the first is tried. */
bool search_is_interchangeable(const struct search *s, const struct candidate *list, size_t i,
			       unsigned rank);

/* Does a more critical new pod take its host ports or its claim, or do the two keep each other
 * away? */
bool search_is_driven_out(const struct search *s, const struct unit *u);

/* May it be evicted, as things are? */
bool search_may_evict(const struct search *s, const struct unit *u);

/* Will its replacement find a place, as far as is known before the end of a branch? */
bool search_has_replacement_node(const struct search *s, unit_id id);

/* The cost of a unit that was taken off (sign 1) or put back (-1): a move at least. */
void search_mark_displaced(struct search *s, const struct unit *u, int sign);

/* Evicts a unit that was taken off, or takes that back; all but its budget. */
void search_mark_evicted(struct search *s, unit_id id, bool is_evicted);

/* Does the node miss requests for a more critical new pod as long as this rank stays? */
bool search_is_crowded(const struct search *s, node_id node, int rank);

/* With the more critical pods and those of this rank where they are now, could some of the
 * displaced ones of this rank be where they were? Before the end of a branch it is not known which
 * less critical pods their PodDisruptionBudgets will protect: all that have one count then. */
bool search_is_needless(struct search *s, int rank, bool is_final);

/* Does the cell hold this rank and above, and the pods below that may not be evicted? With
 * `and_getting` also those that others' evictions could bring to that. */
bool search_holds_non_evictable(const struct search *s, cell_id id, int rank, bool and_getting);
bool search_has_cell(const struct trial *t, place_id place, cell_id cell);

/* Adds the pods on cores over their capacity to the cost: they do not count as running. */
void search_charge_overcommitted(const struct search *s, struct cost *cost);

/* Is a displacement needless, now that all is decided, and the replacements are found? */
bool search_has_needless(struct search *s);

#endif
