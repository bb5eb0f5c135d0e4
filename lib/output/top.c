/* SPDX-License-Identifier: Apache-2.0 */
#include "output/top.h"

#include <string.h>

#include "base/auto.h"
#include "base/units.h"
#include "model/pod_level.h"
#include "model/request.h"
#include "output/coremap.h"

const char *const top_views[] = { "pods", "nodes", "cores", NULL };

static const struct column pod_columns[] = {
	{ "NAMESPACE", "namespace", .rank = 6 },
	{ "NAME", "name", .is_name = true, .kind = "pod" },
	{ "NODE", "node", .rank = 2 },
	{ "CORES", "cores", .rank = 3 },
	{ "CRITICALITY", "criticality", .rank = 8 },
	{ "LEVEL", "level" },
	{ "PERIOD", "periodUs", .rank = 7 },
	{ "BUDGET", "budgetUs", .rank = 1 },
	{ "USED", "usedUs", .rank = 1 },
	{ "USED%", "usedPpm" },
	{ "P99", "p99Us", .rank = 5 },
	{ "P99%", "p99Ppm", .rank = 1 },
	{ "OVERRUNS", "overruns", .rank = 1 },
	{ "CHANGED", "changedSecondsAgo", .rank = 4 },
	{ "UID", "uid", .is_wide = true },
	{},
};

static const struct column node_columns[] = {
	{ "NODE", "node", .is_name = true, .kind = "node" },
	{ "CORES", "cores", .rank = 5 },
	{ "PODS", "pods", .rank = 1 },
	{ "ABOVE-LOW", "aboveLow", .rank = 4 },
	{ "LOAD", "loadPpm", .rank = 1 },
	{ "LIMIT", "limitPpm", .rank = 3 },
	{ "USED", "usedPpm" },
	{ "OVERRUNS", "overruns", .rank = 1 },
	{ "MISSED", "missedUsPerSecond", .rank = 2 },
	{ "BACKEND", "backend", .rank = 6 },
	{},
};

static const struct column core_columns[] = {
	{ "NODE", "node" },
	{ "CORE", "core" },
	{ "PODS", "pods", .rank = 1 },
	{ "LOAD", "loadPpm", .rank = 1 },
	{ "USED", "usedPpm" },
	{ "LOW", "lowPpm", .rank = 2 },
	{ "MIDDLE", "middlePpm", .rank = 3 },
	{ "HIGH", "highPpm", .rank = 3 },
	{ "LIMIT", "limitPpm", .rank = 1 },
	{},
};

static const struct column *const columns_of[] = {
	[TOP_PODS] = pod_columns, [TOP_NODES] = node_columns, [TOP_CORES] = core_columns
};

/* Of a core or a node. */
struct sum {
	uint64_t load, used; /* ppm of a CPU */
	int64_t n_pods, n_above, n_known, overruns;
};

struct top {
	const struct top_input *in;
	struct requests requests;
	struct coremap map;
	struct sum *nodes, *cores; /* by index in the map */
};

/* A pod with cores. */
struct seen {
	const struct request *request;
	const struct pod *pod;
	const struct pod_used *used; /* NULL: not known */
	int32_t budget_us, period_us;
};

static bool see(const struct top *t, const struct request *r, struct seen *ret)
{
	const struct cluster *c = t->in->c;
	const struct pod *pod = &c->pods.items[r->pod];
	const struct budget *held = request_held(r);

	if (!r->has_cores || !r->has_budget || pod->node == NONE || held->period <= 0 ||
	    (t->in->node != NONE && t->in->node != pod->node))
		return false;
	*ret = (struct seen){
		.request = r,
		.pod = pod,
		.used = node_uses_find(t->in->uses, cluster_str(c, pod->node_name),
				       cluster_str(c, pod->meta.uid)),
		.period_us = held->period,
		.budget_us = pod_is_at_floor(c, pod) ? held->floor
						     : budget_runtime(held, (enum level)r->level),
	};
	return true;
}

static int64_t used_us(const struct seen *s)
{
	return s->used ? pod_used_us(s->used) : -1;
}

static void count(struct sum *sum, const struct seen *s, unsigned n_cores)
{
	int64_t us = used_us(s);
	uint64_t period = (uint64_t)s->period_us;

	sum->n_pods++;
	sum->n_known += us >= 0;
	sum->n_above += s->request->level > LEVEL_LOW;
	sum->load += (uint64_t)s->budget_us * PPM / period * n_cores;
	sum->used +=
		us > 0 ? (uint64_t)(us < s->period_us ? us : s->period_us) * PPM / period * n_cores
		       : 0;
	sum->overruns += s->used ? s->used->overruns : 0;
}

static void add_sums(struct top *t)
{
	struct seen s;

	array_each(r, &t->requests.list) {
		if (!see(t, r, &s))
			continue;
		const struct cpuset *set = &t->requests.sets.items[r->cores];
		struct range cores = t->map.nodes.items[s.pod->node].cores;

		count(&t->nodes[s.pod->node], &s, cpuset_count(set));
		for (uint32_t i = cores.at; i < cores.at + cores.n; i++)
			if (cpuset_has(set, t->map.cores.items[i].cpu))
				count(&t->cores[i], &s, 1);
	}
}

static struct cell used_cell(int64_t us)
{
	return us < 0 ? CELL_NULL : CELL_USED(us);
}

static enum color_role role_of_use(int64_t ppm)
{
	return ppm > PPM ? COLOR_BAD : ppm > PPM * 9 / 10 ? COLOR_CHANGE : COLOR_NONE;
}

static struct cell share_cell(int64_t us, int32_t of_us)
{
	if (us < 0 || of_us <= 0)
		return CELL_NULL;
	if (us > INT32_MAX)
		us = INT32_MAX;
	struct cell c = CELL_SHARE(us * PPM / of_us);
	c.role = (uint8_t)role_of_use(c.n);
	return c;
}

static void add_pod(const struct top *t, const struct seen *s, struct table *ret)
{
	const struct cluster *c = t->in->c;
	const struct request *r = s->request;
	int64_t p99 = s->used ? pod_p99_us(s->used) : -1;
	int64_t changed = s->used ? s->used->changed : 0;
	const char *level = pod_level_name(c, s->pod, (enum level)r->level);
	char cores[CPUSET_TEXT];

	table_row(ret, CELL_TEXT(cluster_str(c, s->pod->meta.ns)),
		  CELL_TEXT(cluster_str(c, s->pod->meta.name)),
		  CELL_TEXT(cluster_str(c, s->pod->node_name)),
		  CELL_TEXT(cpuset_format(&t->requests.sets.items[r->cores], cores)),
		  CELL_TEXT(criticality_name(request_held(r)->criticality)),
		  CELL_ROLE(r->level > LEVEL_LOW || pod_is_at_floor(c, s->pod) ? COLOR_CHANGE
									       : COLOR_NONE,
			    level),
		  CELL_US(s->period_us), CELL_US(s->budget_us), used_cell(used_us(s)),
		  share_cell(used_us(s), s->budget_us), used_cell(p99),
		  share_cell(p99, s->budget_us), s->used ? CELL_INT(s->used->overruns) : CELL_NULL,
		  changed && t->in->now >= changed ? CELL_AGE(t->in->now - changed) : CELL_NULL,
		  CELL_TEXT(cluster_str(c, s->pod->meta.uid)));
}

static void list_pods(const struct top *t, struct table *ret)
{
	struct seen s;

	array_each(r, &t->requests.list)
		if (see(t, r, &s) &&
		    (!t->in->ns || strcmp(t->in->ns, cluster_str(t->in->c, s.pod->meta.ns)) == 0))
			add_pod(t, &s, ret);
}

/* Of pods of which nothing is known the sum is not, either. */
static struct cell used_sum(const struct sum *sum)
{
	return sum->n_pods && !sum->n_known ? CELL_NULL : CELL_RATIO((int64_t)sum->used);
}

static void list_nodes(const struct top *t, struct table *ret)
{
	for (uint32_t i = 0; i < t->map.nodes.n; i++) {
		const struct map_node *node = &t->map.nodes.items[i];
		const struct sum *sum = &t->nodes[i];
		uint32_t n = node->is_one_budget ? 1 : node->cores.n;

		if (t->in->node != NONE && t->in->node != i)
			continue;
		table_row(ret, CELL_TEXT(node->name), CELL_INT(node->cores.n),
			  CELL_INT(sum->n_pods), CELL_INT(sum->n_above),
			  CELL_RATIO((int64_t)sum->load),
			  CELL_RATIO((int64_t)node->cap[LEVEL_LOW] * n), used_sum(sum),
			  CELL_INT(sum->overruns), CELL_USED(node->missed_us),
			  node->is_silent ? CELL_ROLE(COLOR_BAD, "unknown")
					  : CELL_TEXT(node->backend));
	}
}

static void list_cores(const struct top *t, struct table *ret)
{
	for (uint32_t i = 0; i < t->map.cores.n; i++) {
		const struct map_core *core = &t->map.cores.items[i];
		const struct map_node *node = &t->map.nodes.items[core->node];
		char cpu[16];

		if (t->in->node != NONE && t->in->node != core->node)
			continue;
		snprintf(cpu, sizeof(cpu), "%u", core->cpu);
		table_row(ret, CELL_TEXT(node->name), CELL_TEXT(cpu), CELL_INT(t->cores[i].n_pods),
			  CELL_RATIO((int64_t)t->cores[i].load), used_sum(&t->cores[i]),
			  CELL_RATIO(core->before[LEVEL_LOW]),
			  CELL_RATIO(core->before[LEVEL_MIDDLE]),
			  CELL_RATIO(core->before[LEVEL_HIGH]), CELL_RATIO(node->cap[LEVEL_LOW]));
	}
}

static void top_make(const struct top_input *in, struct top *ret)
{
	struct warnings warnings = { 0 };
	struct arena arena = { 0 };

	*ret = (struct top){ .in = in };
	warnings.arena = &arena;
	requests_read(in->c, in->settings, &ret->requests, &warnings);
	coremap_make(in->c, in->settings, NULL, &ret->map);
	ret->nodes = xcalloc(ret->map.nodes.n + 1, sizeof(*ret->nodes));
	ret->cores = xcalloc(ret->map.cores.n + 1, sizeof(*ret->cores));
	add_sums(ret);
	array_done(&warnings.list);
	arena_done(&arena);
}

static void top_done(struct top *t)
{
	coremap_done(&t->map);
	requests_done(&t->requests);
	free(t->nodes);
	free(t->cores);
}

void top_columns(enum top_view view, struct table *ret)
{
	*ret = (struct table){ .columns = columns_of[view] };
}

void top_table(const struct top_input *in, enum top_view view, struct table *ret)
{
	AUTO(top_done) struct top t;

	top_make(in, &t);
	top_columns(view, ret);
	if (view == TOP_PODS)
		list_pods(&t, ret);
	else if (view == TOP_NODES)
		list_nodes(&t, ret);
	else
		list_cores(&t, ret);
}

static const struct column load_columns[] = {
	{ "NODE", "node" },
	{ "CORE", "core" },
	{ "PODS", "pods" },
	{ "LOAD", "loadPpm" },
	{ "LOW", "lowPpm" },
	{ "MIDDLE", "middlePpm" },
	{ "HIGH", "highPpm" },
	{ "LIMIT-LOW", "limitLowPpm" },
	{ "LIMIT-MIDDLE", "limitMiddlePpm" },
	{ "LIMIT-HIGH", "limitHighPpm" },
	{},
};

void core_table(const struct cluster *c, const struct settings *settings, node_id node,
		struct table *ret)
{
	static const struct node_uses none;
	const struct top_input in = { .c = c, .settings = settings, .uses = &none, .node = node };
	AUTO(top_done) struct top t;

	top_make(&in, &t);
	*ret = (struct table){ .columns = load_columns };
	for (uint32_t i = 0; i < t.map.cores.n; i++) {
		const struct map_core *core = &t.map.cores.items[i];
		const struct map_node *of = &t.map.nodes.items[core->node];
		char cpu[16];

		if (node != NONE && node != core->node)
			continue;
		snprintf(cpu, sizeof(cpu), "%u", core->cpu);
		table_row(ret, CELL_TEXT(of->name), CELL_TEXT(cpu), CELL_INT(t.cores[i].n_pods),
			  CELL_RATIO((int64_t)t.cores[i].load), CELL_RATIO(core->before[LEVEL_LOW]),
			  CELL_RATIO(core->before[LEVEL_MIDDLE]),
			  CELL_RATIO(core->before[LEVEL_HIGH]), CELL_RATIO(of->cap[LEVEL_LOW]),
			  CELL_RATIO(of->cap[LEVEL_MIDDLE]), CELL_RATIO(of->cap[LEVEL_HIGH]));
	}
}

static void add_count(struct str *out, int64_t n, const char *one, const char *many)
{
	str_addf(out, "%s%lld %s", out->n ? ", " : "", (long long)n, n == 1 ? one : many);
}

void top_summary(const struct top_input *in, struct str *out)
{
	AUTO(top_done) struct top t;
	int64_t n_pods = 0, n_above = 0, n_silent = 0;

	top_make(in, &t);
	for (uint32_t i = 0; i < t.map.nodes.n; i++) {
		n_pods += t.nodes[i].n_pods;
		n_above += t.nodes[i].n_above;
		n_silent += t.map.nodes.items[i].is_silent;
	}
	add_count(out, (int64_t)t.map.nodes.n, "node", "nodes");
	add_count(out, n_pods, "pod", "pods");
	if (n_above)
		add_count(out, n_above, "above level low", "above level low");
	if (n_silent)
		add_count(out, n_silent, "helper silent", "helpers silent");
}
