/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "plan/economy/savings.h"

/* Where kube-scheduler would put the pods that wait. It puts one after the other; whatever it does
 * leaves less on the nodes, so a score never grows, and the first of a heap whose score has not
 * changed is the best of all. */

enum { WHOLE = 100, TRIES = 64 };

struct choice {
	node_id node;
	int32_t score;
	int64_t share;
};

/* Pods that ask the same, and the nodes that are large enough. */
struct group {
	ARRAY(struct choice) heap;
	bool is_listed;
};

struct spreader {
	struct economy *e;
	struct intern keys;
	ARRAY(struct group) groups; /* by id of keys */
	ARRAY(struct choice) aside; /* refused this pod */
	ARRAY(uint32_t) placed;
};

/* ---- LeastAllocated ---- */

static int64_t part_left(int64_t have, int64_t used)
{
	return have > 0 ? (have - used) * WHOLE / have : 0;
}

/* The mean of what is left of CPU and memory, per cent; negative: it does not fit. */
static int32_t score_of(const struct economy *e, const struct pod *pod, node_id node)
{
	const struct node_load *load = &e->p->trial.nodes[node];
	int64_t cpu = load->used[0][RES_CPU] + pod->cpu_milli;
	int64_t memory = load->used[0][RES_MEMORY] + pod->memory;

	if (cpu > load->have[RES_CPU] || memory > load->have[RES_MEMORY])
		return -1;
	return (int32_t)((part_left(load->have[RES_CPU], cpu) +
			  part_left(load->have[RES_MEMORY], memory)) /
			 2);
}

/* Of equal nodes the cheaper one: what chance might have given is no saving. */
static bool is_before(const struct choice *a, const struct choice *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	return a->share != b->share ? a->share < b->share : a->node < b->node;
}

/* ---- Heaps ---- */

static void sink(struct group *g, size_t at)
{
	struct choice *heap = g->heap.items;

	for (;;) {
		size_t first = at, child = 2 * at + 1;

		for (size_t k = child; k < child + 2 && k < g->heap.n; k++)
			if (is_before(&heap[k], &heap[first]))
				first = k;
		if (first == at)
			return;
		struct choice c = heap[at];
		heap[at] = heap[first];
		heap[first] = c;
		at = first;
	}
}

static struct choice pop(struct group *g)
{
	struct choice first = g->heap.items[0];

	g->heap.items[0] = g->heap.items[--g->heap.n];
	sink(g, 0);
	return first;
}

static void push(struct group *g, struct choice c)
{
	size_t at = g->heap.n;

	*array_add(&g->heap) = c;
	while (at && is_before(&g->heap.items[at], &g->heap.items[(at - 1) / 2])) {
		struct choice up = g->heap.items[(at - 1) / 2];

		g->heap.items[(at - 1) / 2] = g->heap.items[at];
		g->heap.items[at] = up;
		at = (at - 1) / 2;
	}
}

static void list_nodes(struct economy *e, uint32_t cargo, struct group *g)
{
	const struct cargo *pod = &e->cargo.items[cargo];
	const uint64_t *allowed = economy_allowed(e, cargo);

	g->is_listed = true;
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		struct choice c = {
			.node = node,
			.score = score_of(e, &e->c->pods.items[pod->pod], node),
			.share = fleet_share(&e->fleet.nodes[node], pod->load),
		};

		if (c.score >= 0 && filter_bit(allowed, node))
			*array_add(&g->heap) = c;
	}
	for (size_t i = g->heap.n / 2; i-- > 0;)
		sink(g, i);
}

static struct group *group_of(struct spreader *s, uint32_t cargo)
{
	const struct cargo *g = &s->e->cargo.items[cargo];
	const struct pod *pod = &s->e->c->pods.items[g->pod];
	const int64_t key[] = { (intptr_t)economy_allowed(s->e, cargo), pod->cpu_milli, pod->memory,
				g->load.accelerators };
	str_id id = intern_add(&s->keys, key, sizeof(key));

	while (s->groups.n <= id)
		*array_add(&s->groups) = (struct group){ 0 };
	struct group *group = &s->groups.items[id];
	if (!group->is_listed)
		list_nodes(s->e, cargo, group);
	return group;
}

static node_id find_node(struct spreader *s, uint32_t cargo)
{
	struct economy *e = s->e;
	const struct cargo *g = &e->cargo.items[cargo];
	const struct unit as_unit = { .pod = g->pod, .kind = UNIT_PENDING };
	struct group *group = group_of(s, cargo);
	node_id found = NONE;

	array_clear(&s->aside);
	while (found == NONE && group->heap.n && s->aside.n < TRIES) {
		struct choice *first = &group->heap.items[0];
		int32_t score = score_of(e, &e->c->pods.items[g->pod], first->node);

		if (score < 0) {
			pop(group);
		} else if (score != first->score) {
			first->score = score;
			sink(group, 0);
		} else if (filter_node_now(&e->p->trial, &as_unit, first->node, 0, NULL, 0) ==
			   REFUSE_NOTHING) {
			found = first->node;
		} else {
			*array_add(&s->aside) = pop(group);
		}
	}
	array_each(c, &s->aside)
		push(group, *c);
	return found;
}

/* ---- Baselines ---- */

/* With all of them where they would be, then without. */
static void note_placed(struct spreader *s)
{
	struct economy *e = s->e;

	array_each(i, &s->placed) {
		struct cargo *g = &e->cargo.items[*i];
		const struct fleet_node *n = &e->fleet.nodes[g->node];

		g->baseline_cost = n->is_price_assumed ? 0 : g->share;
		g->baseline_power = n->is_power_assumed ? 0 : economy_power_on(e, g, g->node);
	}
	while (s->placed.n)
		economy_drop(e, s->placed.items[--s->placed.n]);
}

static void take_moved(const struct economy *e, struct cargo *g)
{
	const struct optimizer *o = &e->c->optimizers.items[g->of];

	g->baseline_cost = o->moved_cost;
	g->baseline_power = o->moved_power;
}

void economy_find_baselines(struct economy *e)
{
	struct spreader s = { .e = e };

	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++) {
		struct cargo *g = &e->cargo.items[i];

		if (e->accounts[g->of].is_suspended)
			continue;
		if (economy_replaces_moved(e, g)) {
			take_moved(e, g);
			continue;
		}
		node_id node = find_node(&s, i);
		if (node == NONE)
			continue;
		economy_add(e, i, node);
		*array_add(&s.placed) = i;
	}
	note_placed(&s);
	intern_done(&s.keys);
	array_each(group, &s.groups)
		array_done(&group->heap);
	array_done(&s.groups);
	array_done(&s.aside);
	array_done(&s.placed);
}

static int64_t read_note(const struct economy *e, str_id note)
{
	int64_t micro = 0;

	if (note == NONE)
		return 0;
	const char *text = cluster_str(e->c, note);
	return decimal_parse(text, strlen(text), &micro, NULL) && micro > 0 ? micro : 0;
}

void economy_read_baseline(const struct economy *e, struct cargo *g)
{
	const struct pod *pod = &e->c->pods.items[g->pod];

	if (g->of == NONE || pod->annotations == NONE || !pod->node_name)
		return;
	const struct pod_annotations *notes = &e->c->annotations.items[pod->annotations];
	g->baseline_cost = read_note(e, notes->baseline_cost);
	g->baseline_power = read_note(e, notes->baseline_watts) / 1000;
}
