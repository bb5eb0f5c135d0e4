/* SPDX-License-Identifier: Apache-2.0 */
#include "output/coremap.h"

#include <stdlib.h>
#include <string.h>

#include "model/capacity.h"
#include "model/heartbeat.h"
#include "model/pod_level.h"
#include "model/request.h"

/* Where a pod is. */
struct position {
	node_id node; /* NONE: on no node */
	const struct cpuset *cores;
	struct budget budget;
};

/* What the map is made from. */
struct source_data {
	const struct cluster *c;
	struct capacity capacity;
	struct requests requests;
	struct position *before, *after; /* by index in requests.list */
	struct arena arena;		 /* cores that the plan gives, and warnings */
};

static void read_positions(struct source_data *d)
{
	size_t n = d->requests.list.n;

	d->before = xcalloc(n + 1, sizeof(*d->before));
	d->after = xcalloc(n + 1, sizeof(*d->after));
	for (size_t i = 0; i < n; i++) {
		const struct request *r = &d->requests.list.items[i];

		d->before[i].node = NONE;
		d->before[i].budget = *request_held(r);
		if (r->has_cores && r->has_budget) {
			d->before[i].node = d->c->pods.items[r->pod].node;
			d->before[i].cores = &d->requests.sets.items[r->cores];
		}
		d->after[i] = d->before[i];
	}
}

static const struct cpuset *read_cores(struct source_data *d, const char *text)
{
	struct cpuset *cores = arena_new(&d->arena, struct cpuset, 1);

	cpuset_parse(text, strlen(text), cores, NULL);
	return cores;
}

static void apply_action(struct source_data *d, const struct action *a)
{
	bool is_pod = a->on.kind && strcmp(a->on.kind, "Pod") == 0;
	pod_id pod = is_pod ? cluster_pod(d->c, a->on.ns, a->on.name) : NONE;
	uint32_t i = pod == NONE ? NONE : d->requests.of_pod[pod];

	if (i == NONE)
		return;
	if (a->budget.period)
		d->after[i].budget = a->budget;
	switch (a->kind) {
	case ACTION_BIND:
	case ACTION_ASSIGN:
	case ACTION_MOVE:
		d->after[i].node = cluster_node(d->c, a->to.node);
		d->after[i].cores = read_cores(d, a->to.cores);
		break;
	case ACTION_EVICT:
	case ACTION_STATUS:
		d->after[i].node = NONE;
		break;
	default:
		break;
	}
}

static void set_load(uint32_t *before, uint32_t *after, uint32_t load)
{
	for (int mode = 0; mode < LEVELS; mode++)
		before[mode] = after[mode] = load;
}

/* On which CPUs is not known: where budgets are per CPU, each may have it. */
static void add_retained(struct map_node *node, struct coremap *m)
{
	set_load(node->before, node->after, node->retained);
	for (uint32_t i = 0; !node->is_one_budget && i < node->cores.n; i++) {
		struct map_core *core = &m->cores.items[node->cores.at + i];

		set_load(core->before, core->after, node->retained);
	}
}

static uint32_t missed_us(const struct cluster *c, const struct node *node)
{
	if (helper_state(c, node) == HELPER_SILENT)
		return 0;
	return (uint32_t)strtoul(cluster_str(c, node->annotations.rt_pressure), NULL, 10);
}

static void add_nodes(const struct source_data *d, struct coremap *m)
{
	for (size_t i = 0; i < d->capacity.nodes.n; i++) {
		const struct node_capacity *capacity = &d->capacity.nodes.items[i];
		struct map_node *node = array_add(&m->nodes);

		*node = (struct map_node){
			.name = cluster_str(d->c, d->c->nodes.items[i].meta.name),
			.backend = helper_backend(d->c, &d->c->nodes.items[i]),
			.is_silent = helper_state(d->c, &d->c->nodes.items[i]) == HELPER_SILENT,
			.cores = capacity->cores,
			.is_one_budget = capacity->scope == SCOPE_NODE,
			.retained = capacity->retained,
			.missed_us = missed_us(d->c, &d->c->nodes.items[i]),
			.is_assumed = capacity->is_assumed,
			.is_unschedulable = d->c->nodes.items[i].is_unschedulable,
		};
		memcpy(node->cap, capacity->cap, sizeof(node->cap));
	}
	array_each(core, &d->capacity.cores)
		*array_add(&m->cores) = (struct map_core){ .node = core->node, .cpu = core->cpu };
	array_each(node, &m->nodes)
		add_retained(node, m);
}

/* A running pod may hold more than its budget: read_load() of model/request.c. */
static struct map_budget counted(const struct request *r, const struct position *p)
{
	struct map_budget b = { .budget = p->budget };
	bool is_request = budget_eq(&p->budget, &r->budget);

	for (int mode = 0; mode < LEVELS; mode++)
		b.load[mode] =
			is_request ? r->load[mode] : budget_load(&p->budget, (enum level)mode);
	return b;
}

static void add_pod(const struct source_data *d, uint32_t i, struct coremap *m)
{
	const struct request *r = &d->requests.list.items[i];
	const struct pod *of = &d->c->pods.items[r->pod];
	const struct meta *meta = &of->meta;
	struct map_pod *pod = array_add(&m->pods);

	*pod = (struct map_pod){
		.ns = cluster_str(d->c, meta->ns),
		.name = cluster_str(d->c, meta->name),
		.before = counted(r, &d->before[i]),
		.after = counted(r, &d->after[i]),
		.level = r->level,
		.is_at_floor = pod_is_at_floor(d->c, of),
		.level_name = pod_level_name(d->c, of, (enum level)r->level),
	};
	if (!budget_eq(&pod->after.budget, &r->budget))
		pod->requested = budget_load(&r->budget, LEVEL_LOW);
}

static void add_load(uint32_t *sum, const uint32_t *load)
{
	for (int mode = 0; mode < LEVELS; mode++)
		sum[mode] += load[mode];
}

/* Adds a pod where it was or is; a core that the node does not offer is not drawn. */
static void add_seat(const struct source_data *d, const struct position *s, uint32_t pod,
		     bool is_after, struct coremap *m)
{
	if (s->node == NONE)
		return;
	struct map_node *node = &m->nodes.items[s->node];
	const struct map_pod *p = &m->pods.items[pod];
	const uint32_t *load = is_after ? p->after.load : p->before.load;
	add_load(is_after ? node->after : node->before, load);
	cpuset_each(cpu, s->cores) {
		uint32_t id = capacity_core(&d->capacity, s->node, cpu);

		if (id == NONE)
			continue;
		struct map_core *core = &m->cores.items[id];
		add_load(is_after ? core->after : core->before, load);
		*array_add(&m->seats) =
			(struct seat){ .core = id, .pod = pod, .was = !is_after, .is = is_after };
	}
}

static int compare_seats(const void *a, const void *b, void *arg)
{
	const struct seat *x = a, *y = b;
	const struct coremap *m = arg;
	int rank_x = m->pods.items[x->pod].after.budget.criticality;
	int rank_y = m->pods.items[y->pod].after.budget.criticality;

	if (x->core != y->core)
		return x->core < y->core ? -1 : 1;
	if (rank_x != rank_y)
		return rank_y - rank_x;
	return x->pod < y->pod ? -1 : x->pod > y->pod;
}

bool coremap_seat_changes(const struct coremap *m, const struct seat *s)
{
	const struct map_pod *pod = &m->pods.items[s->pod];

	return s->was != s->is || !budget_eq(&pod->before.budget, &pod->after.budget);
}

/* Sorts the seats, merges those of before and after, and gives each core its range. */
static void merge_seats(struct coremap *m)
{
	size_t n = 0;

	if (m->seats.n)
		qsort_r(m->seats.items, m->seats.n, sizeof(*m->seats.items), compare_seats, m);
	array_each(s, &m->seats) {
		struct seat *last = n ? &m->seats.items[n - 1] : NULL;

		if (last && last->core == s->core && last->pod == s->pod) {
			last->was |= s->was;
			last->is |= s->is;
			continue;
		}
		struct map_core *core = &m->cores.items[s->core];
		if (!core->seats.n)
			core->seats.at = (uint32_t)n;
		core->seats.n++;
		m->seats.items[n++] = *s;
	}
	m->seats.n = n;
	array_each(s, &m->seats)
		if (coremap_seat_changes(m, s))
			m->nodes.items[m->cores.items[s->core].node].is_changed = true;
}

void coremap_make(const struct cluster *c, const struct settings *settings, const struct plan *plan,
		  struct coremap *ret)
{
	struct source_data d = { .c = c };
	struct warnings warnings = { .arena = &d.arena };

	*ret = (struct coremap){ 0 };
	capacity_read(c, settings, &d.capacity, &warnings);
	requests_read(c, settings, &d.requests, &warnings);
	read_positions(&d);
	for (size_t i = 0; plan && i < plan->actions.n; i++)
		apply_action(&d, &plan->actions.items[i]);

	add_nodes(&d, ret);
	for (size_t i = 0; i < d.requests.list.n; i++) {
		add_pod(&d, (uint32_t)i, ret);
		add_seat(&d, &d.before[i], (uint32_t)i, false, ret);
		add_seat(&d, &d.after[i], (uint32_t)i, true, ret);
	}
	merge_seats(ret);

	free(d.before);
	free(d.after);
	array_done(&warnings.list);
	arena_done(&d.arena);
	requests_done(&d.requests);
	capacity_done(&d.capacity);
}

void coremap_done(struct coremap *m)
{
	array_done(&m->nodes);
	array_done(&m->cores);
	array_done(&m->pods);
	array_done(&m->seats);
}
