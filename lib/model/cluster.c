/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"

const char *cluster_str(const struct cluster *c, str_id id)
{
	return intern_str(&c->strings, id);
}

int cluster_cmp(const struct cluster *c, str_id a, str_id b)
{
	return a == b ? 0 : strcmp(cluster_str(c, a), cluster_str(c, b));
}

void cluster_problem(struct cluster *c, const char *object, const char *reason, const char *fmt,
		     ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	*array_add(&c->problems) = (struct problem){
		.object = intern_cstr(&c->strings, object),
		.reason = intern_cstr(&c->strings, reason),
		.message = intern_cstr(&c->strings, message),
	};
}

/* Every object's struct begins with its meta, so one sort serves all kinds. */
struct sorting {
	const struct cluster *c;
	const unsigned char *base;
	size_t size;
};

static int cmp_meta(const struct cluster *c, const struct meta *a, const struct meta *b)
{
	int order = cluster_cmp(c, a->ns, b->ns);

	return order ? order : cluster_cmp(c, a->name, b->name);
}

static const struct meta *meta_at(const struct sorting *s, uint32_t i)
{
	return (const struct meta *)(const void *)(s->base + i * s->size);
}

static int cmp_index(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = cmp_meta(s->c, meta_at(s, x), meta_at(s, y));

	return order ? order : (x > y) - (x < y);
}

/* Sorts *items by name and keeps the last of those that have the same; returns how many stay. */
static size_t sort_unique(const struct cluster *c, void *items, size_t n, size_t size)
{
	struct sorting s = { c, items, size };
	bool is_sorted = true;

	/* A server's lists are in order already. */
	for (size_t i = 1; i < n && is_sorted; i++)
		is_sorted = cmp_meta(c, meta_at(&s, (uint32_t)i - 1), meta_at(&s, (uint32_t)i)) < 0;
	if (is_sorted)
		return n;

	AUTO_FREE uint32_t *index = xmalloc(n * sizeof(*index));
	AUTO_FREE unsigned char *sorted = xmalloc(n * size);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		index[i] = (uint32_t)i;
	qsort_r(index, n, sizeof(*index), cmp_index, &s);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && cmp_meta(c, meta_at(&s, index[i]), meta_at(&s, index[i + 1])) == 0)
			continue;
		memcpy(sorted + kept++ * size, s.base + index[i] * size, size);
	}
	memcpy(items, sorted, kept * size);
	return kept;
}

#define SORT_UNIQUE(c, array) \
	((array)->n = sort_unique((c), (array)->items, (array)->n, sizeof(*(array)->items)))

static void drop_ended_pods(struct cluster *c)
{
	size_t kept = 0;

	array_each(pod, &c->pods)
		if (pod->phase != POD_ENDED)
			c->pods.items[kept++] = *pod;
	c->pods.n = kept;
}

/* The pod's PriorityClass as the API server's Priority admission finds it, NULL. */
static const struct priority_class *class_of(const struct cluster *c, const struct pod *pod)
{
	const struct priority_class *by_default = NULL;

	array_each(class, &c->priority_classes) {
		if (class->meta.name == pod->priority_class)
			return class;
		if (class->is_default)
			by_default = class;
	}
	return by_default;
}

/* What that admission would have written. */
static void resolve_class(const struct cluster *c, struct pod *pod)
{
	const struct priority_class *class = class_of(c, pod);
	const char *name = cluster_str(c, pod->priority_class);
	bool is_named = class && class->meta.name == pod->priority_class;

	if (!pod->has_preemption)
		pod->never_preempts = class && class->never_preempts;
	if (!is_named && pod->priority_class && (c->lacks & LACKS_PRIORITY_CLASS)) {
		pod->never_preempts |= !pod->has_preemption;
		pod->priority = pod->has_priority ? pod->priority : INT32_MAX;
		return; /* it may have been that one */
	}
	if (pod->has_priority)
		return;
	pod->priority = class ? class->value : 0;
	/* The two classes that every cluster has. */
	if (!is_named && strcmp(name, "system-cluster-critical") == 0)
		pod->priority = 2000000000;
	if (!is_named && strcmp(name, "system-node-critical") == 0)
		pod->priority = 2000001000;
}

/* Where the node of each name is, plus 1, by the name's id. */
static uint32_t *nodes_by_name(const struct cluster *c)
{
	uint32_t *found = xcalloc(c->strings.n + 1, sizeof(*found));

	for (size_t i = 0; i < c->nodes.n; i++)
		found[c->nodes.items[i].meta.name] = (uint32_t)i + 1;
	return found;
}

void cluster_resolve(struct cluster *c)
{
	AUTO_FREE uint32_t *nodes = nodes_by_name(c);

	array_each(pod, &c->pods) {
		pod->node = pod->node_name ? nodes[pod->node_name] - 1 : NONE;
		pod->nominated = pod->nominated_name ? nodes[pod->nominated_name] - 1 : NONE;
		resolve_class(c, pod);
	}
}

static node_id node_named(const struct cluster *c, str_id name)
{
	return name ? cluster_node(c, cluster_str(c, name)) : NONE;
}

void cluster_resolve_pod(const struct cluster *c, struct pod *pod)
{
	pod->node = node_named(c, pod->node_name);
	pod->nominated = node_named(c, pod->nominated_name);
	resolve_class(c, pod);
}

void cluster_resolve_heartbeats(struct cluster *c)
{
	AUTO_FREE uint32_t *nodes = c->helper_leases.n ? nodes_by_name(c) : NULL;

	array_each(node, &c->nodes)
		node->heartbeat = node->heartbeat_seconds = 0;
	c->has_heartbeats = false;
	array_each(lease, &c->helper_leases) {
		uint32_t found = lease->node ? nodes[lease->node] : 0;

		c->has_heartbeats |= lease->node != 0;
		if (!found || lease->renewed <= c->nodes.items[found - 1].heartbeat)
			continue;
		c->nodes.items[found - 1].heartbeat = lease->renewed;
		c->nodes.items[found - 1].heartbeat_seconds = lease->seconds;
	}
}

void cluster_finish(struct cluster *c)
{
	SORT_UNIQUE(c, &c->nodes);
	SORT_UNIQUE(c, &c->pods);
	SORT_UNIQUE(c, &c->mckubes);
	SORT_UNIQUE(c, &c->pdbs);
	SORT_UNIQUE(c, &c->priority_classes);
	SORT_UNIQUE(c, &c->volumes);
	SORT_UNIQUE(c, &c->claims);
	SORT_UNIQUE(c, &c->csi_nodes);
	SORT_UNIQUE(c, &c->resource_claims);
	SORT_UNIQUE(c, &c->namespaces);
	SORT_UNIQUE(c, &c->helper_leases);
	SORT_UNIQUE(c, &c->node_metrics);
	SORT_UNIQUE(c, &c->pod_metrics);
	SORT_UNIQUE(c, &c->optimizers);
	SORT_UNIQUE(c, &c->cost_policies);
	SORT_UNIQUE(c, &c->power_policies);
	SORT_UNIQUE(c, &c->price_tables);
	SORT_UNIQUE(c, &c->deployments);
	SORT_UNIQUE(c, &c->stateful_sets);
	SORT_UNIQUE(c, &c->scale_targets);
	SORT_UNIQUE(c, &c->autoscalers);
	SORT_UNIQUE(c, &c->scaled_objects);
	SORT_UNIQUE(c, &c->metric_samples);
	drop_ended_pods(c);
	cluster_resolve(c);
	cluster_resolve_heartbeats(c);
}

void cluster_done(struct cluster *c)
{
	array_done(&c->nodes);
	array_done(&c->pods);
	array_done(&c->mckubes);
	array_done(&c->pdbs);
	array_done(&c->priority_classes);
	array_done(&c->volumes);
	array_done(&c->claims);
	array_done(&c->csi_nodes);
	array_done(&c->resource_claims);
	array_done(&c->namespaces);
	array_done(&c->helper_leases);
	array_done(&c->node_metrics);
	array_done(&c->pod_metrics);
	array_done(&c->optimizers);
	array_done(&c->cost_policies);
	array_done(&c->power_policies);
	array_done(&c->price_tables);
	array_done(&c->deployments);
	array_done(&c->stateful_sets);
	array_done(&c->scale_targets);
	array_done(&c->autoscalers);
	array_done(&c->scaled_objects);
	array_done(&c->metric_samples);
	array_done(&c->preferences);
	array_done(&c->scaling_metrics);
	array_done(&c->avoids);
	array_done(&c->past_savings);
	array_done(&c->conditions);
	array_done(&c->alerts);
	array_done(&c->alert_notes);
	array_done(&c->day_spans);
	array_done(&c->problems);
	array_done(&c->rules);
	array_done(&c->annotations);
	array_done(&c->names);
	array_done(&c->labels);
	array_done(&c->requirements);
	array_done(&c->node_terms);
	array_done(&c->taints);
	array_done(&c->tolerations);
	array_done(&c->inter_pod);
	array_done(&c->spreads);
	array_done(&c->ports);
	array_done(&c->amounts);
	intern_done(&c->strings);
	arena_done(&c->arena);
}

static uint32_t find(const struct cluster *c, const void *items, size_t n, size_t size,
		     const char *ns, const char *name)
{
	struct sorting s = { c, items, size };
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct meta *m = meta_at(&s, (uint32_t)mid);
		int order = strcmp(cluster_str(c, m->ns), ns);

		if (order == 0)
			order = strcmp(cluster_str(c, m->name), name);
		if (order == 0)
			return (uint32_t)mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NONE;
}

node_id cluster_node(const struct cluster *c, const char *name)
{
	return find(c, c->nodes.items, c->nodes.n, sizeof(struct node), "", name);
}

pod_id cluster_pod(const struct cluster *c, const char *ns, const char *name)
{
	return find(c, c->pods.items, c->pods.n, sizeof(struct pod), ns, name);
}

/* find(), and the row. */
#define FIND_ROW(c, member, ns, name)                                                         \
	({                                                                                    \
		uint32_t id_ =                                                                \
			find(c, (c)->member.items, (c)->member.n, sizeof(*(c)->member.items), \
			     cluster_str(c, ns), cluster_str(c, name));                       \
		id_ == NONE ? NULL : &(c)->member.items[id_];                                 \
	})

const struct claim *cluster_claim(const struct cluster *c, str_id ns, str_id name)
{
	return FIND_ROW(c, claims, ns, name);
}

const struct volume *cluster_volume(const struct cluster *c, str_id name)
{
	return FIND_ROW(c, volumes, 0, name);
}

const struct csi_node *cluster_csi_node(const struct cluster *c, str_id name)
{
	return FIND_ROW(c, csi_nodes, 0, name);
}

const struct resource_claim *cluster_resource_claim(const struct cluster *c, str_id ns, str_id name)
{
	return FIND_ROW(c, resource_claims, ns, name);
}

bool cluster_scales(const struct cluster *c)
{
	array_each(o, &c->optimizers)
		if (o->has_scaling && !o->is_scaling_off)
			return true;
	return false;
}

static size_t group_length(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash ? (size_t)(slash - api_version) : 0;
}

bool same_group(const char *a, const char *b)
{
	size_t n = group_length(a);

	return n == group_length(b) && memcmp(a, b, n) == 0;
}

const char *optimizer_target_version(const struct cluster *c, const struct optimizer *o)
{
	const char *version = cluster_str(c, o->target_version);

	return *version ? version : "apps/v1";
}

bool optimizer_target_is_listed(const struct cluster *c, const struct optimizer *o)
{
	const char *kind = cluster_str(c, o->target_kind);

	return (strcmp(kind, "Deployment") == 0 || strcmp(kind, "StatefulSet") == 0) &&
	       same_group(optimizer_target_version(c, o), "apps/v1");
}

static bool is_scale_target(const struct cluster *c, const struct scalable *s, const char *kind,
			    const char *ns, const char *name)
{
	return strcmp(cluster_str(c, s->name), name) == 0 &&
	       strcmp(cluster_str(c, s->kind), kind) == 0 &&
	       strcmp(cluster_str(c, s->meta.ns), ns) == 0;
}

const struct scalable *cluster_scale_target(const struct cluster *c, const char *api_version,
					    const char *kind, const char *ns, const char *name)
{
	array_each(s, &c->scale_targets)
		if (is_scale_target(c, s, kind, ns, name) &&
		    same_group(cluster_str(c, s->version), api_version))
			return s;
	return NULL;
}

const struct meta *cluster_object(const struct cluster *c, const char *kind, const char *ns,
				  const char *name)
{
	const struct {
		const char *kind;
		const void *items;
		size_t n, size;
	} tables[] = {
		{ "Pod", c->pods.items, c->pods.n, sizeof(struct pod) },
		{ "Node", c->nodes.items, c->nodes.n, sizeof(struct node) },
		{ "McKube", c->mckubes.items, c->mckubes.n, sizeof(struct mckube) },
		{ "MCKube", c->mckubes.items, c->mckubes.n, sizeof(struct mckube) },
		{ "WorkloadOptimizer", c->optimizers.items, c->optimizers.n,
		  sizeof(struct optimizer) },
		{ "CostPolicy", c->cost_policies.items, c->cost_policies.n,
		  sizeof(struct cost_policy) },
		{ "PowerPolicy", c->power_policies.items, c->power_policies.n,
		  sizeof(struct power_policy) },
		{ "Deployment", c->deployments.items, c->deployments.n, sizeof(struct scalable) },
		{ "StatefulSet", c->stateful_sets.items, c->stateful_sets.n,
		  sizeof(struct scalable) },
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (strcmp(tables[i].kind, kind) != 0)
			continue;
		uint32_t id = find(c, tables[i].items, tables[i].n, tables[i].size, ns, name);

		/* Each row begins with its meta. */
		return id == NONE ? NULL
				  : (const void *)((const unsigned char *)tables[i].items +
						   id * tables[i].size);
	}
	array_each(s, &c->scale_targets)
		if (is_scale_target(c, s, kind, ns, name))
			return &s->meta;
	return NULL;
}

const struct metrics *cluster_node_metrics(const struct cluster *c, str_id name)
{
	return FIND_ROW(c, node_metrics, 0, name);
}

const struct metrics *cluster_pod_metrics(const struct cluster *c, str_id ns, str_id name)
{
	return FIND_ROW(c, pod_metrics, ns, name);
}

struct slice cluster_bar_names(const struct cluster *c, const struct pod *pod, enum bar_kind kind)
{
	const char *line = cluster_str(c, pod->bar_names);

	for (int k = 0; k < (int)kind && *line; k++)
		line += strcspn(line, "\n"), line += *line == '\n';
	return (struct slice){ line, strcspn(line, "\n") };
}

str_id cluster_label(const struct cluster *c, struct range labels, str_id key)
{
	for (uint32_t i = 0; i < labels.n; i++)
		if (c->labels.items[labels.at + i].key == key)
			return c->labels.items[labels.at + i].value;
	return INTERN_NONE;
}

const struct taint *cluster_taint(const struct cluster *c, const struct node *node, const char *key)
{
	for (uint32_t i = 0; i < node->taints.n; i++) {
		const struct taint *t = &c->taints.items[node->taints.at + i];

		if (strcmp(cluster_str(c, t->key), key) == 0)
			return t;
	}
	return NULL;
}

/* The operand of Gt and Lt, and the label's value, must be whole numbers; else there is no match.
 */
static bool compares(const struct cluster *c, const struct requirement *r, str_id value)
{
	if (value == INTERN_NONE || r->values.n != 1)
		return false;

	const char *have = cluster_str(c, value);
	const char *want = cluster_str(c, c->names.items[r->values.at]);
	char *have_end, *want_end;

	errno = 0;
	long long a = strtoll(have, &have_end, 10);
	long long b = strtoll(want, &want_end, 10);
	if (errno || !*have || !*want || *have_end || *want_end)
		return false;
	return r->op == MATCH_GT ? a > b : a < b;
}

bool requirement_matches(const struct cluster *c, const struct requirement *r, str_id value)
{
	bool is_in = false;

	if (r->op == MATCH_EXISTS)
		return value != INTERN_NONE;
	if (r->op == MATCH_NOT_EXISTS)
		return value == INTERN_NONE;
	if (r->op == MATCH_GT || r->op == MATCH_LT)
		return compares(c, r, value);

	for (uint32_t i = 0; i < r->values.n && !is_in; i++)
		is_in = c->names.items[r->values.at + i] == value;
	return is_in == (r->op == MATCH_IN);
}

bool selector_matches(const struct cluster *c, struct selector sel, struct range labels)
{
	if (!sel.is_set)
		return false;
	for (uint32_t i = 0; i < sel.all.n; i++) {
		const struct requirement *r = &c->requirements.items[sel.all.at + i];

		if (!requirement_matches(c, r, cluster_label(c, labels, r->key)))
			return false;
	}
	return true;
}
