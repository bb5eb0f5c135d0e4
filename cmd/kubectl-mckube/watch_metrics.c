/* SPDX-License-Identifier: Apache-2.0 */
#include "watch_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "model/level.h"
#include "output/coremap.h"

void watch_metrics_init(struct watch_metrics *m)
{
	*m = (struct watch_metrics){ .snapshot = STR_INIT };
}

void watch_metrics_done(struct watch_metrics *m)
{
	str_done(&m->snapshot);
	intern_done(&m->seen_keys);
	array_done(&m->seen);
}

/* Requests. */

static const char *const verbs[API_VERBS] = { "GET", "POST", "PUT", "PATCH", "DELETE", "WATCH" };
static const char *const classes[API_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

static unsigned verb_of(const struct http_call *call)
{
	unsigned i = 0;

	if (call->is_stream)
		return API_VERBS - 1;
	while (i < API_VERBS - 1 && strcmp(verbs[i], call->method) != 0)
		i++;
	return i;
}

/* How long a stream lasts says nothing. */
void watch_metrics_observe(const struct http_call *call, int64_t ms, void *arg)
{
	struct watch_metrics *m = arg;
	unsigned verb = verb_of(call), class = (unsigned)call->code / 100;

	m->api[verb].replies[class < API_CLASSES ? class : 0]++;
	if (!call->is_stream)
		metric_observe(&m->api[verb].durations, (uint64_t)ms * 1000);
}

static void add_requests(const struct watch_metrics *m, struct str *out)
{
	static const char count[] = "mckube_api_requests_total";
	static const char duration[] = "mckube_api_request_duration_seconds";

	metric_head(out, count, "counter", "Requests to the API server, by what came back.");
	for (unsigned i = 0; i < API_VERBS; i++)
		for (unsigned k = 0; k < API_CLASSES; k++)
			if (m->api[i].replies[k])
				metric_add(out, count,
					   METRIC_LABELS("verb", verbs[i], "status", classes[k]),
					   m->api[i].replies[k]);
	metric_head(out, duration, "histogram", "How long requests took, streams left out.");
	for (unsigned i = 0; i < API_VERBS - 1; i++)
		metric_add_durations(out, duration, METRIC_LABELS("verb", verbs[i]),
				     &m->api[i].durations);
}

/* Passes. */

static void add_last_pass(const struct pass_counts *n, struct str *out)
{
	metric_one(out, "mckube_run_status", "gauge", "1 if the last pass did all it wanted.",
		   n->passes && !n->has_failed);
	metric_head(out, "mckube_run_duration_seconds", "gauge", "How long the last pass took.");
	metric_add_millionths(out, "mckube_run_duration_seconds", METRIC_NO_LABELS,
			      (uint64_t)n->last_us);
	metric_one(out, "mckube_last_success_timestamp_seconds", "gauge",
		   "When a pass last did all it wanted.", (uint64_t)n->last_success);
	metric_head(out, "mckube_plan_changes", "gauge", "Actions of the last plan.");
	for (unsigned i = 0; i < ACTION_KINDS; i++)
		metric_add(out, "mckube_plan_changes", METRIC_LABELS("action", action_kind_name(i)),
			   n->wanted[i]);
	metric_head(out, "mckube_unplaced_pods", "gauge",
		    "Pods that the last plan found no place for.");
	for (unsigned i = REASON_NO_REQUEST; i < REASONS; i++)
		metric_add(out, "mckube_unplaced_pods", METRIC_LABELS("reason", reason_name(i)),
			   n->unplaced[i]);
	metric_one(out, "mckube_plan_warnings", "gauge", "Warnings of the last plan.", n->warnings);
}

static void add_actions(const struct pass_counts *n, struct str *out)
{
	static const char name[] = "mckube_actions_total";

	metric_head(out, name, "counter", "Actions that were begun, by what became of them.");
	for (unsigned i = 0; i < ACTION_KINDS; i++)
		for (unsigned k = RESULT_DONE; k <= RESULT_SKIPPED; k++)
			if (n->actions[i][k])
				metric_add(out, name,
					   METRIC_LABELS("action", action_kind_name(i), "result",
							 result_state_name(k)),
					   n->actions[i][k]);
}

static void add_passes(const struct pass_counts *n, struct str *out)
{
	metric_one(out, "mckube_passes_total", "counter", "Passes.", n->passes);
	metric_one(out, "mckube_pass_failures_total", "counter",
		   "Passes that could not do all they wanted.", n->failures);
	metric_head(out, "mckube_plan_duration_seconds", "histogram", "Time to make a plan.");
	metric_add_durations(out, "mckube_plan_duration_seconds", METRIC_NO_LABELS, &n->plan);
	metric_head(out, "mckube_pass_duration_seconds", "histogram",
		    "Time of a whole pass, with its writes.");
	metric_add_durations(out, "mckube_pass_duration_seconds", METRIC_NO_LABELS, &n->whole);
	add_actions(n, out);
	add_last_pass(n, out);
}

/* Streams. */

static void add_streams(const struct follow *f, struct str *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{ "mckube_watch_lists_total", "Full lists.", offsetof(struct kube_watch, n_lists) },
		{ "mckube_watch_streams_total", "Streams; all but the first are restarts.",
		  offsetof(struct kube_watch, n_streams) },
		{ "mckube_watch_events_total", "Events that came.",
		  offsetof(struct kube_watch, n_events) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		metric_head(out, rows[i].name, "counter", rows[i].help);
		for (unsigned k = 0; k < N_WANTED; k++) {
			const char *w = (const char *)follow_watch(f, k);

			metric_add(out, rows[i].name,
				   METRIC_LABELS("resource", wanted[k].resource->plural),
				   *(const uint64_t *)(const void *)(w + rows[i].offset));
		}
	}
	metric_one(out, "mckube_watch_current", "gauge",
		   "1 while no kind of object waits for its list.", follow_is_current(f));
}

/* The snapshot. */

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

static int by_fullness(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	uint32_t full_x = fullness(arg, *x), full_y = fullness(arg, *y);

	if (full_x != full_y)
		return full_x < full_y ? 1 : -1;
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

/* Cores that somebody is on; returns how many of them were left out. */
static size_t add_cores(struct coremap *m, struct str *out)
{
	AUTO_FREE uint32_t *used = xcalloc(m->cores.n + 1, sizeof(*used));
	size_t n = 0;

	for (uint32_t i = 0; i < m->cores.n; i++)
		if (m->cores.items[i].seats.n)
			used[n++] = i;
	metric_head(out, "mckube_cores", "gauge", "Cores that take real-time pods.");
	metric_add(out, "mckube_cores", METRIC_LABELS("state", "used"), n);
	metric_add(out, "mckube_cores", METRIC_LABELS("state", "free"), m->cores.n - n);
	qsort_r(used, n, sizeof(*used), by_fullness, m);
	metric_head(out, "mckube_core_utilization_ratio", "gauge",
		    "Load of a core by mode, of one CPU; the fullest cores.");
	for (size_t i = 0; i < n && i < METRIC_CORES; i++)
		add_core(m, used[i], out);
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

/* Levels: those that run above their normal one by name, the others counted. */
static size_t add_levels(const struct coremap *m, struct str *out)
{
	uint64_t counts[LEVELS] = { 0 };
	size_t n = 0;

	metric_head(out, "mckube_pod_level", "gauge",
		    "Level of the pods above low: 1 medium, 2 hi.");
	array_each(pod, &m->pods) {
		counts[pod->level]++;
		if (pod->level == LEVEL_LOW || ++n > METRIC_PODS)
			continue;
		metric_add(out, "mckube_pod_level",
			   METRIC_LABELS("namespace", pod->ns, "pod", pod->name), pod->level);
	}
	metric_head(out, "mckube_pods", "gauge", "Real-time pods by level.");
	for (int level = 0; level < LEVELS; level++)
		metric_add(out, "mckube_pods", METRIC_LABELS("level", level_name(level)),
			   counts[level]);
	return n > METRIC_PODS ? n - METRIC_PODS : 0;
}

/* What was seen last of an object; false: it is new. */
static bool look_up(const struct watch_metrics *m, const struct str *key, uint32_t *ret)
{
	str_id id = intern_find(&m->seen_keys, key->s, key->n);

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

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static void see_pods(struct watch_metrics *m, const struct coremap *map, struct sight *now)
{
	AUTO(str_done) struct str key = STR_INIT;
	uint32_t before;

	array_each(pod, &map->pods) {
		str_clear(&key);
		str_addf(&key, "pod %s/%s", pod->ns, pod->name);
		if (look_up(m, &key, &before)) {
			m->escalations += pod->level > before;
			m->recoveries += pod->level < before;
		}
		note(now, &key, pod->level);
	}
}

static void see_mckubes(struct watch_metrics *m, const struct cluster *c, struct sight *now)
{
	AUTO(str_done) struct str key = STR_INIT;
	uint32_t before;

	array_each(mckube, &c->mckubes) {
		uint32_t overrun = hash_of(cluster_str(c, mckube->status_overrun));

		str_clear(&key);
		str_addf(&key, "mckube %s/%s", cluster_str(c, mckube->meta.ns),
			 cluster_str(c, mckube->meta.name));
		if (look_up(m, &key, &before))
			m->overruns += overrun != before;
		note(now, &key, overrun);
	}
}

static void see(struct watch_metrics *m, const struct cluster *c, const struct coremap *map)
{
	struct sight now = { 0 };

	see_pods(m, map, &now);
	see_mckubes(m, c, &now);
	intern_done(&m->seen_keys);
	array_done(&m->seen);
	m->seen_keys = now.keys;
	m->seen.items = now.values.items;
	m->seen.n = now.values.n;
	m->seen.cap = now.values.cap;
}

static void write_snapshot(struct watch_metrics *m, const struct watch_view *v)
{
	AUTO(coremap_done) struct coremap map;
	size_t cores, pods;

	str_clear(&m->snapshot);
	coremap_make(v->cluster, v->settings, NULL, &map);
	see(m, v->cluster, &map);
	add_objects(v->cluster, &m->snapshot);
	add_sums(&map, &m->snapshot);
	cores = add_cores(&map, &m->snapshot);
	pods = add_levels(&map, &m->snapshot);
	metric_head(&m->snapshot, "mckube_series_left_out", "gauge",
		    "Cores and pods that are too many to be named.");
	metric_add(&m->snapshot, "mckube_series_left_out", METRIC_LABELS("of", "cores"), cores);
	metric_add(&m->snapshot, "mckube_series_left_out", METRIC_LABELS("of", "pods"), pods);
}

/* This process. */

static uint64_t resident_bytes(void)
{
	AUTO_FILE FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long size, resident = 0;

	if (!f || fscanf(f, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_process(struct str *out)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	metric_head(out, "process_cpu_seconds_total", "counter", "CPU time of this process.");
	metric_add_millionths(out, "process_cpu_seconds_total", METRIC_NO_LABELS,
			      (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
				      (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
	metric_one(out, "process_resident_memory_bytes", "gauge", "Memory of this process.",
		   resident_bytes());
}

void watch_metrics_write(struct watch_metrics *m, const struct watch_view *v, struct str *out)
{
	if (v->has_changed || !m->snapshot.n)
		write_snapshot(m, v);
	add_passes(v->passes, out);
	metric_one(out, "mckube_leader", "gauge", "1 while this process holds the Lease.",
		   v->is_leader);
	metric_one(out, "mckube_lease_acquired_total", "counter", "Times the Lease was got.",
		   m->lease_acquired);
	metric_one(out, "mckube_lease_lost_total", "counter", "Times the Lease was lost.",
		   m->lease_lost);
	if (v->follow)
		add_streams(v->follow, out);
	add_requests(m, out);
	str_addn(out, m->snapshot.s, m->snapshot.n);
	metric_one(out, "mckube_overruns_seen_total", "counter",
		   "Changes of a McKube's lastOverrunTime.", m->overruns);
	metric_one(out, "mckube_escalations_seen_total", "counter", "Pods that went up a level.",
		   m->escalations);
	metric_one(out, "mckube_recoveries_seen_total", "counter", "Pods that came down a level.",
		   m->recoveries);
	add_process(out);
}
