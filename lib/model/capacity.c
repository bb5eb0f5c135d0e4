/* SPDX-License-Identifier: Apache-2.0 */
#include "model/capacity.h"

#include <stdlib.h>
#include <string.h>

struct node_reading {
	const struct cluster *c;
	const struct node *node;
	struct node_capacity *to;
	struct warnings *warnings;
};

static const char *text_of(const struct node_reading *r, str_id id)
{
	return cluster_str(r->c, id);
}

static void warn(const struct node_reading *r, enum node_annotation which, const char *rule)
{
	const struct member_row *row = &node_annotation_rows[which];
	const void *id = (const char *)&r->node->annotations + row->offset;
	bool is_known_without = which == NODE_ANNOTATION_topology;

	r->to->is_unread |= !is_known_without;
	warning_add(r->warnings, "Node", "", text_of(r, r->node->meta.name), "BadNodeAnnotation",
		    "%s: '%s' is not %s; %s", row->path, text_of(r, *(const str_id *)id), rule,
		    is_known_without ? "each core counts as one of its own"
				     : "the node takes no more pods");
}

static uint8_t read_scope(const struct node_reading *r)
{
	str_id id = r->node->annotations.capacity_scope;
	const char *text = text_of(r, id);

	if (id == NONE || strcmp(text, "core") == 0)
		return SCOPE_CORE;
	if (strcmp(text, "node") == 0)
		return SCOPE_NODE;
	warn(r, NODE_ANNOTATION_capacity_scope, "core or node");
	return SCOPE_CORE;
}

static bool parse_ppm(const char *text, uint32_t *ret)
{
	uint32_t ppm = 0;

	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9' || ppm > PPM)
			return false;
		ppm = ppm * 10 + (uint32_t)(*s - '0');
	}
	*ret = ppm;
	return ppm >= 1 && ppm <= PPM;
}

static uint32_t read_ppm(const struct node_reading *r, enum node_annotation annotation, str_id id,
			 uint32_t by_default)
{
	uint32_t ppm;

	if (id == NONE)
		return by_default;
	if (parse_ppm(text_of(r, id), &ppm))
		return ppm;
	warn(r, annotation, "a whole number from 1 to 1000000 (parts per million of a CPU)");
	return by_default;
}

static void read_cores(const struct node_reading *r, struct cpuset *ret)
{
	const struct node *node = r->node;

	*ret = (struct cpuset){ 0 };
	if (node->annotations.rt_cores != NONE) {
		const char *text = text_of(r, node->annotations.rt_cores);

		if (cpuset_parse(text, strlen(text), ret, NULL) == 0)
			return;
		warn(r, NODE_ANNOTATION_rt_cores, "a list of CPUs such as 0-3,8");
	}
	int64_t milli = node->capacity_cpu_milli ? node->capacity_cpu_milli : node->cpu_milli;
	for (int64_t cpu = 0; cpu < milli / 1000 && cpu < CPUSET_MAX; cpu++)
		cpuset_add(ret, (unsigned)cpu);
}

/* Places every CPU of one list on a physical core. */
static bool read_siblings(struct core *cores, uint32_t n, const char *s, size_t len,
			  const struct core *where)
{
	struct cpuset siblings;

	if (cpuset_parse(s, len, &siblings, NULL) < 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (!cpuset_has(&siblings, cores[i].cpu))
			continue;
		cores[i].physical = where->physical;
		cores[i].numa = where->numa;
		cores[i].socket = where->socket;
	}
	return true;
}

static bool read_topology(struct core *cores, uint32_t n, const char *s)
{
	struct core where = { 0 };

	for (;;) {
		s += strspn(s, " ");
		if (!*s)
			return true;
		if (*s == '|' || *s == '/') {
			where.numa++;
			where.socket = (uint16_t)(where.socket + (*s == '/'));
			s++;
			continue;
		}
		size_t len = strcspn(s, " |/");
		if (!read_siblings(cores, n, s, len, &where))
			return false;
		where.physical++;
		s += len;
	}
}

/* A core that no topology names stands alone: its number is beyond those of named ones. */
static void spread_cores(struct core *cores, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cores[i].physical = (uint16_t)(CPUSET_MAX + i);
		cores[i].numa = cores[i].socket = 0;
	}
}

static void read_node(const struct cluster *c, node_id id, const struct settings *settings,
		      struct capacity *cap, struct warnings *warnings)
{
	const struct node *node = &c->nodes.items[id];
	const struct node_annotations *a = &node->annotations;
	struct node_capacity *nc = array_add(&cap->nodes);
	const struct node_reading r = { c, node, nc, warnings };
	uint32_t low = settings->core_utilization_threshold;
	struct cpuset cpus;

	*nc = (struct node_capacity){
		.is_assumed =
			a->rt_cores == NONE && a->rt_capacity == NONE && a->capacity_scope == NONE,
		.cores = { .at = (uint32_t)cap->cores.n },
	};
	uint32_t ppm =
		read_ppm(&r, NODE_ANNOTATION_rt_capacity, a->rt_capacity, settings->rt_capacity);
	nc->retained = read_ppm(&r, NODE_ANNOTATION_rt_retained, a->rt_retained, 0);
	nc->cap[LEVEL_LOW] = low < ppm ? low : ppm;
	nc->cap[LEVEL_MIDDLE] = nc->cap[LEVEL_HIGH] = ppm;
	nc->scope = read_scope(&r);
	read_cores(&r, &cpus);
	cpuset_each(cpu, &cpus)
		*array_add(&cap->cores) = (struct core){ .node = id, .cpu = (uint16_t)cpu };
	nc->cores.n = (uint32_t)cap->cores.n - nc->cores.at;
	if (!cap->cores.n)
		return;

	struct core *cores = cap->cores.items + nc->cores.at;
	spread_cores(cores, nc->cores.n);
	if (a->topology != NONE &&
	    !read_topology(cores, nc->cores.n, cluster_str(c, a->topology))) {
		spread_cores(cores, nc->cores.n);
		warn(&r, NODE_ANNOTATION_topology, "a list of cores such as \"0,4 1,5 | 2,6 3,7\"");
	}
}

void capacity_read(const struct cluster *c, const struct settings *settings, struct capacity *ret,
		   struct warnings *warnings)
{
	*ret = (struct capacity){ 0 };
	for (node_id id = 0; id < c->nodes.n; id++)
		read_node(c, id, settings, ret, warnings);
}

void capacity_done(struct capacity *cap)
{
	array_done(&cap->nodes);
	array_done(&cap->cores);
}

void capacity_cpuset(const struct capacity *cap, node_id node, struct cpuset *ret)
{
	struct range cores = cap->nodes.items[node].cores;

	*ret = (struct cpuset){ 0 };
	for (uint32_t i = 0; i < cores.n; i++)
		cpuset_add(ret, cap->cores.items[cores.at + i].cpu);
}

uint32_t capacity_core(const struct capacity *cap, node_id node, unsigned cpu)
{
	struct range cores = cap->nodes.items[node].cores;
	uint32_t low = cores.at, high = cores.at + cores.n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (cap->cores.items[mid].cpu == cpu)
			return mid;
		if (cap->cores.items[mid].cpu < cpu)
			low = mid + 1;
		else
			high = mid;
	}
	return NONE;
}
