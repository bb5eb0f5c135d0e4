/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/score.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/fleet.h"

enum { NUMBERS = UINT16_MAX + 1 }; /* of NUMA nodes and physical cores, see model/capacity.h */

/* Cores that have something in common, and those of them with a pod. */
struct tally {
	uint32_t n, used;
};

/* Of the node that is looked at; between two looks all zero. */
struct tallies {
	struct tally numa[NUMBERS], physical[NUMBERS], node;
};

static bool needs_rates(const struct planner *p)
{
	for (uint32_t i = 0; i < p->n_policies; i++)
		if (p->policies[i]->needs_fleet && p->weights[i])
			return true;
	return false;
}

/* Of one CPU, in micro-USD per hour and mW. */
static int64_t cost_of_cpu(const struct fleet_node *n)
{
	return fleet_share(n, (struct load){ .cpu_milli = 1000 });
}

static int64_t power_of_cpu(const struct fleet_node *n, const struct node *node)
{
	int64_t cpu = node->capacity_cpu_milli;

	return cpu > 0 ? fleet_power(n, cpu, cpu) * 1000 / cpu : 0;
}

static uint32_t part_of(int64_t v, int64_t most)
{
	return most > 0 ? (uint32_t)((__int128)v * PPM / most) : 0;
}

/* Where there are optimizers, their part of the plan warns of bad prices; else this does. */
static void read_rates(struct planner *p)
{
	const struct cluster *c = p->trial.c;
	bool is_warned = c->optimizers.n + c->cost_policies.n + c->power_policies.n > 0;
	struct arena arena = { 0 };
	struct warnings unused = { .arena = &arena };
	int64_t most_cost = 0, most_power = 0;
	struct fleet f;

	fleet_read(&f, c, p->trial.settings, is_warned ? &unused : &p->trial.warnings);
	for (node_id id = 0; id < c->nodes.n; id++) {
		int64_t cost = cost_of_cpu(&f.nodes[id]);
		int64_t power = power_of_cpu(&f.nodes[id], &c->nodes.items[id]);

		most_cost = cost > most_cost ? cost : most_cost;
		most_power = power > most_power ? power : most_power;
	}
	p->rates = xcalloc(c->nodes.n + 1, sizeof(*p->rates));
	for (node_id id = 0; id < c->nodes.n; id++)
		p->rates[id] = (struct node_rates){
			.cost = part_of(cost_of_cpu(&f.nodes[id]), most_cost),
			.power = part_of(power_of_cpu(&f.nodes[id], &c->nodes.items[id]),
					 most_power),
			.renewable = (uint32_t)f.nodes[id].green_ppm,
		};
	fleet_done(&f);
	array_done(&unused.list);
	arena_done(&arena);
}

void scores_init(struct planner *p)
{
	size_t n = p->trial.cap.cores.n;

	p->score = xcalloc(n, sizeof(*p->score));
	p->best = xcalloc(n, sizeof(*p->best));
	for (uint32_t i = 0; i < n; i++)
		p->best[i] = i;
	p->tallies = xcalloc(1, sizeof(*p->tallies));
	if (needs_rates(p))
		read_rates(p);
}

void scores_done(struct planner *p)
{
	free(p->score);
	free(p->best);
	free(p->tallies);
	free(p->rates);
	p->rates = NULL;
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

static struct core_view view_core(const struct trial *trial, const struct tallies *t,
				  const struct node_rates *rates, uint32_t i)
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
	if (rates) {
		v.cost = rates->cost;
		v.power = rates->power;
		v.renewable = rates->renewable;
	}
	return v;
}

/* The weighted mean of the policies, 0 to SCORE_MAX. */
static uint32_t score_core(const struct planner *p, node_id node, uint32_t core)
{
	const struct node_rates *rates = p->rates ? &p->rates[node] : NULL;
	struct core_view v = view_core(&p->trial, p->tallies, rates, core);
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
		p->score[i] = score_core(p, node, i);
	clear_counts(&p->trial, cores, p->tallies);
	sort_cores(p, p->best + cores.at, cores.n);
}
