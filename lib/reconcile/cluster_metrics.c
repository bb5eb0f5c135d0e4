/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/cluster_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "budget/budget.h"
#include "output/coremap.h"
#include "reconcile/optimizer_metrics.h"
#include "reconcile/policy_metrics.h"
#include "serve/metrics.h"

static void add_objects(const struct cluster *c, struct str *out)
{
	const struct {
		const char *resource;
		size_t n;
	} rows[] = {
		{ "nodes", c->nodes.n },       { "pods", c->pods.n },
		{ "mckubes", c->mckubes.n },   { "poddisruptionbudgets", c->pdbs.n },
		{ "problems", c->problems.n },
	};

	metric_head(out, "mckube_objects", "gauge", "Objects in the snapshot.");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		metric_add(out, "mckube_objects", METRIC_LABELS("resource", rows[i].resource),
			   rows[i].n);
}

static const char *const mode_names[LEVELS] = { "low", "middle", "high" };

static uint32_t fullness(const struct coremap *m, uint32_t core)
{
	const struct map_core *c = &m->cores.items[core];
	const struct map_node *node = &m->nodes.items[c->node];
	uint64_t most = 0;

	for (int mode = 0; mode < LEVELS; mode++) {
		uint64_t share =
			node->cap[mode] ? (uint64_t)c->after[mode] * 1000000 / node->cap[mode] : 0;

		most = share > most ? share : most;
	}
	return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

/* What sorts a core, packed: the lesser comes first. */
static uint64_t rank_of(const struct coremap *m, uint32_t core)
{
	return (uint64_t)(UINT32_MAX - fullness(m, core)) << 32 | core;
}

static int by_rank(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_core(const struct coremap *m, uint32_t id, struct str *out)
{
	const struct map_core *core = &m->cores.items[id];
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%u", core->cpu);
	for (int mode = 0; mode < LEVELS; mode++)
		metric_add_millionths(out, "mckube_core_utilization_ratio",
				      METRIC_LABELS("node", m->nodes.items[core->node].name, "cpu",
						    cpu, "mode", mode_names[mode]),
				      core->after[mode]);
}

/* Cores with pods; returns how many of them were left out. */
static size_t add_cores(struct coremap *m, struct str *out)
{
	AUTO_FREE uint64_t *used = xcalloc(m->cores.n + 1, sizeof(*used));
	size_t n = 0;

	for (uint32_t i = 0; i < m->cores.n; i++)
		if (m->cores.items[i].seats.n)
			used[n++] = rank_of(m, i);
	metric_head(out, "mckube_cores", "gauge", "Cores that take real-time pods.");
	metric_add(out, "mckube_cores", METRIC_LABELS("state", "used"), n);
	metric_add(out, "mckube_cores", METRIC_LABELS("state", "free"), m->cores.n - n);
	qsort(used, n, sizeof(*used), by_rank);
	metric_head(out, "mckube_core_utilization_ratio", "gauge",
		    "Load of a core by mode, of one CPU; the fullest cores.");
	for (size_t i = 0; i < n && i < METRIC_CORES; i++)
		add_core(m, (uint32_t)used[i], out);
	return n > METRIC_CORES ? n - METRIC_CORES : 0;
}

/* The whole cluster: its load, and what it could take. Where one budget is for a whole node, that
 * is counted. */
static void add_sums(const struct coremap *m, struct str *out)
{
	uint64_t load[LEVELS] = { 0 }, cap[LEVELS] = { 0 };

	array_each(node, &m->nodes) {
		for (int mode = 0; mode < LEVELS; mode++) {
			cap[mode] += (uint64_t)node->cap[mode] *
				     (node->is_one_budget ? 1 : node->cores.n);
			load[mode] += node->is_one_budget ? node->after[mode] : 0;
		}
	}
	array_each(core, &m->cores)
		for (int mode = 0; mode < LEVELS; mode++)
			load[mode] +=
				m->nodes.items[core->node].is_one_budget ? 0 : core->after[mode];
	metric_head(out, "mckube_load_cores", "gauge", "Budgets of all pods, by mode, in CPUs.");
	for (int mode = 0; mode < LEVELS; mode++)
		metric_add_millionths(out, "mckube_load_cores",
				      METRIC_LABELS("mode", mode_names[mode]), load[mode]);
	metric_head(out, "mckube_capacity_cores", "gauge",
		    "What all cores can grant, by mode, in CPUs.");
	for (int mode = 0; mode < LEVELS; mode++)
		metric_add_millionths(out, "mckube_capacity_cores",
				      METRIC_LABELS("mode", mode_names[mode]), cap[mode]);
}

/* Levels: pods that are not at level low by name, the others counted. */
static size_t add_levels(const struct coremap *m, struct str *out)
{
	uint64_t counts[LEVELS] = { 0 }, n_at_floor = 0;
	size_t n = 0;

	metric_head(out, "mckube_pod_level", "gauge",
		    "Level of the pods above low: 1 medium, 2 hi.");
	array_each(pod, &m->pods) {
		if (pod->is_at_floor)
			continue;
		counts[pod->level]++;
		if (pod->level == LEVEL_LOW || ++n > METRIC_PODS)
			continue;
		metric_add(out, "mckube_pod_level",
			   METRIC_LABELS("namespace", pod->ns, "pod", pod->name), pod->level);
	}
	metric_head(out, "mckube_pod_at_floor", "gauge", "1 for a pod that has only its floor.");
	array_each(pod, &m->pods) {
		n_at_floor += pod->is_at_floor;
		if (pod->is_at_floor && ++n <= METRIC_PODS)
			metric_add(out, "mckube_pod_at_floor",
				   METRIC_LABELS("namespace", pod->ns, "pod", pod->name), 1);
	}
	metric_head(out, "mckube_pods", "gauge", "Real-time pods by level.");
	metric_add(out, "mckube_pods", METRIC_LABELS("level", "floor"), n_at_floor);
	for (int level = 0; level < LEVELS; level++)
		metric_add(out, "mckube_pods", METRIC_LABELS("level", level_name(level)),
			   counts[level]);
	return n > METRIC_PODS ? n - METRIC_PODS : 0;
}

/* What was seen last of an object; false: it is new. */
static bool look_up(const struct snapshot_metrics *m, const struct str *key, uint32_t *ret)
{
	str_id id = intern_find(&m->keys, key->s, key->n);

	if (id == INTERN_NONE || id >= m->seen.n)
		return false;
	*ret = m->seen.items[id];
	return true;
}

struct sight {
	struct intern keys;
	ARRAY(uint32_t) values;
};

static void note(struct sight *s, const struct str *key, uint32_t value)
{
	if (s->values.n == 0)
		*array_add(&s->values) = intern_cstr(&s->keys, "");
	if (intern_add(&s->keys, key->s, key->n) == s->values.n)
		*array_add(&s->values) = value;
}

static void set_key(struct str *key, const char *kind, const char *ns, const char *name)
{
	str_clear(key);
	str_add(key, kind);
	str_add(key, ns);
	str_addc(key, '/');
	str_add(key, name);
}

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static void see_pods(struct snapshot_metrics *m, const struct coremap *map, struct sight *now)
{
	AUTO(str_done) struct str key = STR_INIT;
	uint32_t before;

	array_each(pod, &map->pods) {
		set_key(&key, "pod ", pod->ns, pod->name);
		if (look_up(m, &key, &before)) {
			m->escalations += pod->level > before;
			m->recoveries += pod->level < before;
		}
		note(now, &key, pod->level);
	}
}

static void see_mckubes(struct snapshot_metrics *m, const struct cluster *c, struct sight *now)
{
	AUTO(str_done) struct str key = STR_INIT;
	uint32_t before;

	array_each(mckube, &c->mckubes) {
		uint32_t overrun = hash_of(cluster_str(c, mckube->status_overrun));

		set_key(&key, "mckube ", cluster_str(c, mckube->meta.ns),
			cluster_str(c, mckube->meta.name));
		if (look_up(m, &key, &before))
			m->overruns += overrun != before;
		note(now, &key, overrun);
	}
}

static void see(struct snapshot_metrics *m, const struct cluster *c, const struct coremap *map)
{
	struct sight now = { 0 };

	see_pods(m, map, &now);
	see_mckubes(m, c, &now);
	intern_done(&m->keys);
	array_done(&m->seen);
	m->keys = now.keys;
	m->seen.items = now.values.items;
	m->seen.n = now.values.n;
	m->seen.cap = now.values.cap;
}

void snapshot_metrics_renew(struct snapshot_metrics *m, const struct cluster *c,
			    const struct settings *settings)
{
	AUTO(coremap_done) struct coremap map;
	struct policy_metrics_rest policies = policy_metrics_left_out(c, settings);
	size_t cores, pods;

	str_clear(&m->text);
	coremap_make(c, settings, NULL, &map);
	see(m, c, &map);
	add_objects(c, &m->text);
	add_sums(&map, &m->text);
	cores = add_cores(&map, &m->text);
	pods = add_levels(&map, &m->text);
	metric_head(&m->text, "mckube_series_left_out", "gauge",
		    "Cores, pods, WorkloadOptimizers, and budgets and alerts of policies that are "
		    "too many to be named.");
	metric_add(&m->text, "mckube_series_left_out", METRIC_LABELS("of", "cores"), cores);
	metric_add(&m->text, "mckube_series_left_out", METRIC_LABELS("of", "pods"), pods);
	metric_add(&m->text, "mckube_series_left_out", METRIC_LABELS("of", "optimizers"),
		   optimizer_metrics_left_out(c, settings));
	metric_add(&m->text, "mckube_series_left_out", METRIC_LABELS("of", "budgets"),
		   policies.budgets);
	metric_add(&m->text, "mckube_series_left_out", METRIC_LABELS("of", "alerts"),
		   policies.alerts);
}

void snapshot_metrics_write(const struct snapshot_metrics *m, struct str *out)
{
	str_addn(out, m->text.s, m->text.n);
	metric_one(out, "mckube_overruns_seen_total", "counter",
		   "Changes of a McKube's lastOverrunTime.", m->overruns);
	metric_one(out, "mckube_escalations_seen_total", "counter", "Pods that went up a level.",
		   m->escalations);
	metric_one(out, "mckube_recoveries_seen_total", "counter", "Pods that came down a level.",
		   m->recoveries);
}

void snapshot_metrics_done(struct snapshot_metrics *m)
{
	str_done(&m->text);
	intern_done(&m->keys);
	array_done(&m->seen);
}
