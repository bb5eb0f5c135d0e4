/* SPDX-License-Identifier: Apache-2.0 */
#include "model/measured.h"

#include "base/auto.h"
#include "model/fleet.h"

static bool is_fresh(const struct cluster *c, int64_t at)
{
	return !c->taken_at || at + SAMPLE_STALE_SECONDS >= c->taken_at;
}

static void read_samples(const struct cluster *c, struct measured *ret)
{
	AUTO_FREE int64_t *latest =
		xcalloc((c->nodes.n + (size_t)1) * NODE_METRIC_KINDS, sizeof(*latest));

	array_each(s, &c->metric_samples) {
		node_id id = s->node ? cluster_node(c, cluster_str(c, s->node)) : NONE;

		if (id == NONE || !s->has_value || !s->node_metric || !is_fresh(c, s->at))
			continue;
		int64_t *at = &latest[id * NODE_METRIC_KINDS + s->node_metric];
		if (s->at < *at)
			continue;
		*at = s->at;
		if (s->node_metric == NODE_METRIC_PRICE)
			ret[id].price = s->value;
		else
			ret[id].power = s->value / 1000;
	}
}

static void read_use(const struct cluster *c, struct measured *ret)
{
	array_each(pod, &c->pods)
		if (pod->node != NONE)
			ret[pod->node].in_use += pod->cpu_milli;
	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct metrics *m = cluster_node_metrics(c, c->nodes.items[id].meta.name);

		if (m && !m->is_unread && is_fresh(c, m->measured))
			ret[id].in_use = m->cpu_milli;
	}
}

/* Most clusters have no samples, and need nothing more. */
struct measured *measured_read(const struct cluster *c)
{
	struct measured *ret = xcalloc(c->nodes.n + (size_t)1, sizeof(*ret));

	for (node_id id = 0; id < c->nodes.n; id++)
		ret[id].price = ret[id].power = -1;
	if (c->metric_samples.n) {
		read_use(c, ret);
		read_samples(c, ret);
	}
	return ret;
}

bool measured_curve(const struct measured *m, int64_t capacity, struct power_curve *curve)
{
	const struct fleet_node shape = { .curve = *curve };
	int64_t power = fleet_power(&shape, m->in_use, capacity);

	if (m->power <= 0 || power <= 0)
		return false;
	for (uint32_t i = 0; i < curve->n; i++)
		curve->power[i] =
			(int64_t)(((__int128)curve->power[i] * m->power + power / 2) / power);
	return true;
}
