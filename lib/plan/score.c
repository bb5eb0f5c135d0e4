/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/score.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { NUMBERS = UINT16_MAX + 1 }; /* of NUMA nodes and physical cores, see model/capacity.h */

/* Cores that have something in common, and those of them with a pod. */
struct tally {
	uint32_t n, used;
};

/* Of the node that is looked at; between two looks all zero. */
struct tallies {
	struct tally numa[NUMBERS], physical[NUMBERS], node;
};

void scores_init(struct planner *p)
{
	size_t n = p->trial.cap.cores.n;

	p->score = xcalloc(n, sizeof(*p->score));
	p->best = xcalloc(n, sizeof(*p->best));
	for (uint32_t i = 0; i < n; i++)
		p->best[i] = i;
	p->tallies = xcalloc(1, sizeof(*p->tallies));
}

void scores_done(struct planner *p)
{
	free(p->score);
	free(p->best);
	free(p->tallies);
}

static void add(struct tally *t, bool is_used)
{
	t->n++;
	t->used += is_used;
}

static void count_cores(const struct trial *trial, struct range run, struct tallies *t)
{
	for (uint32_t i = run.at; i < run.at + run.n; i++) {
		const struct core *core = &trial->cap.cores.items[i];
		bool is_used = trial->pods_on_core[i] > 0;

		add(&t->node, is_used);
		add(&t->numa[core->numa], is_used);
		add(&t->physical[core->physical], is_used);
	}
}

static void clear_counts(const struct trial *trial, struct range run, struct tallies *t)
{
	for (uint32_t i = run.at; i < run.at + run.n; i++) {
		const struct core *core = &trial->cap.cores.items[i];

		t->numa[core->numa] = t->physical[core->physical] = (struct tally){ 0 };
	}
	t->node = (struct tally){ 0 };
}

static struct core_view view_core(const struct trial *trial, const struct tallies *t, uint32_t i)
{
	const struct core *core = &trial->cap.cores.items[i];
	const struct cell *cell = &trial->cells[trial->cell_of_core[i]];
	struct core_view v = {
		.n_pods = trial->pods_on_core[i],
		.node_cores = t->node.n,
		.node_used_cores = t->node.used,
		.siblings = t->physical[core->physical].n - 1,
		.busy_siblings = t->physical[core->physical].used - (trial->pods_on_core[i] > 0),
		.numa_cores = t->numa[core->numa].n,
		.numa_used_cores = t->numa[core->numa].used,
	};

	for (int k = 0; k < LEVELS; k++) {
		v.load[k] = cell->used[0][k];
		v.cap[k] = cell->cap[k];
	}
	return v;
}

/* The weighted mean of the policies, 0 to SCORE_MAX. */
static uint32_t score_core(const struct planner *p, uint32_t core)
{
	struct core_view v = view_core(&p->trial, p->tallies, core);
	uint64_t sum = 0, weights = 0;

	for (uint32_t i = 0; i < p->n_policies; i++) {
		uint32_t score = p->policies[i]->score(&v);

		sum += (uint64_t)(score < SCORE_MAX ? score : SCORE_MAX) * p->weights[i];
		weights += p->weights[i];
	}
	return weights ? (uint32_t)(sum / weights) : 0;
}

/* Where the kernel counts per node, all cores may score alike: then the least loaded one is best.
 */
static bool is_better_core(const struct planner *p, uint32_t a, uint32_t b)
{
	const struct trial *t = &p->trial;

	if (p->score[a] != p->score[b])
		return p->score[a] > p->score[b];
	if (t->cell_of_core[a] == t->cell_of_core[b] && t->load_on_core[a] != t->load_on_core[b])
		return t->load_on_core[a] < t->load_on_core[b];
	return a < b;
}

/* Best score first, equal ones by load or number: the run is nearly sorted from last time. */
static void sort_cores(const struct planner *p, uint32_t *best, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		uint32_t core = best[i], at = i;

		for (; at > 0 && is_better_core(p, core, best[at - 1]); at--)
			best[at] = best[at - 1];
		best[at] = core;
	}
}

void scores_refresh(struct planner *p, node_id node)
{
	struct range cores = p->trial.cap.nodes.items[node].cores;

	count_cores(&p->trial, cores, p->tallies);
	for (uint32_t i = cores.at; i < cores.at + cores.n; i++)
		p->score[i] = score_core(p, i);
	clear_counts(&p->trial, cores, p->tallies);
	sort_cores(p, p->best + cores.at, cores.n);
}
