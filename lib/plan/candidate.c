/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/candidate.h"

#include <stdlib.h>
#include <string.h>

/* Cores of one physical core lie closest, then those of one NUMA node. */
static uint32_t closeness(const struct planner *p, const uint32_t *cores, uint32_t n)
{
	const struct core *first = &p->trial.cap.cores.items[cores[0]];
	bool is_one_core = true, is_one_numa = true;

	for (uint32_t i = 1; i < n; i++) {
		const struct core *core = &p->trial.cap.cores.items[cores[i]];

		is_one_core = is_one_core && core->physical == first->physical;
		is_one_numa = is_one_numa && core->numa == first->numa;
	}
	return is_one_core ? MAX_CLOSENESS : is_one_numa ? 50 : 0;
}

static void add_set(struct planner *p, node_id node, const uint32_t *cores, uint32_t n,
		    candidates *list)
{
	bool is_one_cell = p->trial.cap.nodes.items[node].scope == SCOPE_NODE;
	uint64_t sum = 0;
	uint32_t load = 0;

	for (uint32_t i = 0; i < n; i++) {
		sum += p->score[cores[i]];
		load += is_one_cell ? p->trial.load_on_core[cores[i]] : 0;
	}
	*array_add(list) = (struct candidate){
		.place = trial_place(&p->trial, node, cores, n),
		.score = (uint32_t)(sum * 100 / n) + (n > 1 ? closeness(p, cores, n) : 0),
		.load = load,
	};
}

static void add_pinned(struct planner *p, const struct request *q, node_id node, candidates *list)
{
	const struct cpuset *pin = &p->trial.req.sets.items[q->pin];
	uint32_t cores[CPUSET_MAX], n = 0;

	cpuset_each(cpu, pin) {
		cores[n] = capacity_core(&p->trial.cap, node, cpu);
		if (cores[n++] == NONE)
			return;
	}
	if (n > 0)
		add_set(p, node, cores, n, list);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The next combination of k out of n positions in lexical order. */
static bool next_combination(uint32_t *at, uint32_t k, uint32_t n)
{
	for (uint32_t i = k; i-- > 0;) {
		if (at[i] == n - k + i)
			continue;
		at[i]++;
		for (uint32_t j = i + 1; j < k; j++)
			at[j] = at[j - 1] + 1;
		return true;
	}
	return false;
}

/* The cores at these positions, by number. */
static void pick(const uint32_t *cores, const uint32_t *at, uint32_t k, uint32_t *ret)
{
	for (uint32_t i = 0; i < k; i++)
		ret[i] = cores[at[i]];
	qsort(ret, k, sizeof(*ret), by_number);
}

static void add_sets(struct planner *p, node_id node, uint32_t k, candidates *list)
{
	struct range run = p->trial.cap.nodes.items[node].cores;
	uint32_t cores[CPUSET_MAX], at[CPUSET_MAX], set[CPUSET_MAX];

	memcpy(cores, p->best + run.at, run.n * sizeof(*cores));
	for (uint32_t i = 0; i < k; i++)
		at[i] = i;
	for (uint32_t sets = 0; sets < MAX_CORE_SETS; sets++) {
		pick(cores, at, k, set);
		add_set(p, node, set, k, list);
		if (!next_combination(at, k, run.n))
			break;
	}
}

static int best_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->load != y->load)
		return x->load < y->load ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* The one core that most pods ask for: their order is kept. */
static void add_singles(struct planner *p, struct range cores, candidates *list)
{
	array_reserve(list, cores.n);
	for (uint32_t i = cores.at; i < cores.at + cores.n; i++)
		list->items[list->n++] =
			(struct candidate){ p->best[i], p->score[p->best[i]] * 100, 0 };
}

void candidates_of(struct planner *p, const struct unit *u, node_id node, candidates *list)
{
	const struct request *q = unit_request(&p->trial, u);
	struct range cores = p->trial.cap.nodes.items[node].cores;
	size_t first = list->n;

	if (q->has_pin) {
		add_pinned(p, q, node, list);
	} else if (u->core_count <= 1) {
		add_singles(p, cores, list);
	} else if (u->core_count <= cores.n) {
		add_sets(p, node, u->core_count, list);
		qsort(list->items + first, list->n - first, sizeof(*list->items), best_first);
	}
}
