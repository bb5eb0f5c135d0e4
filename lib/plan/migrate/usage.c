/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/usage.h"

#include "base/auto.h"
#include "base/units.h"
#include "model/heartbeat.h"
#include "plan/relief/pressure.h"
#include "plan/trial.h"

static const struct metrics *fresh(const struct cluster *c, const struct metrics *m)
{
	bool is_old =
		m && m->measured && c->taken_at && c->taken_at - m->measured > USAGE_AGE_SECONDS;

	return m && !m->is_unread && !is_old ? m : NULL;
}

static void measure(struct usage *u, const struct metrics *m)
{
	*u = (struct usage){
		.amount = { m->cpu_milli, m->memory },
		.source = { USAGE_METRICS, USAGE_METRICS },
		.since = m->measured ? m->measured - m->window : 0,
	};
}

static struct usage requested(const struct trial *t, node_id id)
{
	const int64_t *used = t->nodes[id].used[0];

	return (struct usage){ .amount = { used[RES_CPU], used[RES_MEMORY] },
			       .source = { USAGE_REQUESTS, USAGE_REQUESTS } };
}

static struct usage usage_of_node(const struct trial *t, node_id id)
{
	const struct cluster *c = t->c;
	const struct node *node = &c->nodes.items[id];
	const struct metrics *row = cluster_node_metrics(c, node->meta.name);
	const struct metrics *m = fresh(c, row);
	struct usage u = requested(t, id);
	int64_t share = helper_state(c, node) == HELPER_SILENT ? -1 : pressure_usage(c, node);

	u.is_stale = row && !m;
	if (m) {
		measure(&u, m);
	} else if (share >= 0) {
		u.amount[USAGE_CPU] = node->cpu_milli * share / PPM;
		u.source[USAGE_CPU] = USAGE_ANNOTATION;
	}
	return u;
}

static void add_coming(struct usage *u, const struct pod *pod)
{
	u->coming[USAGE_CPU] += pod->cpu_milli;
	u->coming[USAGE_MEMORY] += pod->memory;
}

/* What a reading cannot know of yet: pods that have come since. */
static void add_young(const struct trial *t, struct usage *nodes)
{
	const struct cluster *c = t->c;
	AUTO_FREE int64_t *measured = xmalloc((c->nodes.n + (size_t)1) * sizeof(*measured));

	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct metrics *m = cluster_node_metrics(c, c->nodes.items[id].meta.name);

		measured[id] = m && nodes[id].source[USAGE_MEMORY] == USAGE_METRICS ? m->measured
										    : INT64_MAX;
	}
	for (pod_id id = 0; c->node_metrics.n && id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];

		if (pod->node != NONE && pod->meta.created &&
		    pod->meta.created >= measured[pod->node])
			add_coming(&nodes[pod->node], pod);
	}
}

/* Pending pods that the plan binds, of which requests know already, and replacements of those that
 * it evicts. */
static void add_planned(const struct trial *t, struct usage *nodes)
{
	array_each(unit, &t->units) {
		const struct pod *pod = unit_pod(t, unit);
		bool is_placed = unit->kind == UNIT_PENDING && unit->at != NONE;
		place_id place = is_placed	    ? unit->at
				 : unit->is_evicted ? unit->replacement
						    : (place_id)NONE;

		if (place == NONE)
			continue;
		struct usage *u = &nodes[t->places.items[place].node];
		add_coming(u, pod);
		if (!is_placed)
			continue;
		if (u->source[USAGE_CPU] == USAGE_REQUESTS)
			u->amount[USAGE_CPU] -= pod->cpu_milli;
		if (u->source[USAGE_MEMORY] == USAGE_REQUESTS)
			u->amount[USAGE_MEMORY] -= pod->memory;
	}
}

struct usage *usage_of_nodes(const struct trial *t)
{
	struct usage *nodes = xcalloc(t->c->nodes.n, sizeof(*nodes));

	for (node_id id = 0; id < t->c->nodes.n; id++)
		nodes[id] = usage_of_node(t, id);
	add_young(t, nodes);
	add_planned(t, nodes);
	return nodes;
}

struct usage usage_of_pod(const struct cluster *c, const struct pod *pod)
{
	const struct metrics *m = fresh(c, cluster_pod_metrics(c, pod->meta.ns, pod->meta.name));
	struct usage u = { .amount = { pod->cpu_milli, pod->memory },
			   .source = { USAGE_REQUESTS, USAGE_REQUESTS } };

	if (m)
		measure(&u, m);
	return u;
}

int64_t usage_capacity(const struct node *node, enum usage_resource resource)
{
	return resource == USAGE_CPU ? node->cpu_milli : node->memory;
}

uint32_t usage_share_with(const struct usage *u, const struct node *node,
			  enum usage_resource resource, int64_t more)
{
	return usage_share(u->amount[resource] + u->coming[resource] + more,
			   usage_capacity(node, resource));
}

uint32_t usage_share(int64_t amount, int64_t have)
{
	__int128 share = have > 0 ? (__int128)amount * PPM / have : UINT32_MAX;

	return share > UINT32_MAX ? UINT32_MAX : (uint32_t)share;
}

const char *usage_resource_name(enum usage_resource resource)
{
	return resource == USAGE_CPU ? "CPU" : "memory";
}

const char *usage_source_word(enum usage_source source)
{
	static const char *const words[] = { "measured", "reported", "requested" };

	return words[source];
}
