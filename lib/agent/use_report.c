/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/use_report.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/units.h"
#include "model/pod_use.h"

/* A pod's object, and the largest part of its budget that a container used, ppm. */
struct row {
	struct str json;
	uint64_t part;
};

struct report {
	ARRAY(struct row) rows;
	int64_t now, now_ns;
};

static int by_part(const void *a, const void *b)
{
	uint64_t x = ((const struct row *)a)->part, y = ((const struct row *)b)->part;

	return (x < y) - (x > y);
}

static uint64_t part_used(const struct engine_container *c, const struct escalation_pod *state)
{
	uint64_t us = c->use.has_p99 ? c->use.p99_us : c->use.mean_us;
	uint64_t budget_us = (uint64_t)escalation_runtime(state) * c->share / PPM;

	return budget_us ? us * PPM / budget_us : us;
}

static void add_pod(const struct engine_pod *p, const struct escalation_pod *state, void *arg)
{
	struct report *r = arg;
	AUTO_FREE struct container_used *used = xcalloc(p->n_containers + 1, sizeof(*used));
	struct row row = { .json = STR_INIT };
	AUTO(json_out_done) struct json_out o = { .out = &row.json, .is_compact = true };

	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];
		uint64_t part = part_used(c, state);

		used[i] = (struct container_used){
			.name = c->name,
			.used_us = c->use.window_ns ? (int64_t)c->use.mean_us : -1,
			.p99_us = c->use.has_p99 ? (int64_t)c->use.p99_us : -1,
		};
		if (part > row.part)
			row.part = part;
	}
	const struct pod_used pod = {
		.uid = p->uid,
		.overruns = (int64_t)p->overruns,
		.changed = p->changed_ns ? r->now - (r->now_ns - p->changed_ns) / NS_PER_S : 0,
		.containers = used,
		.n_containers = p->n_containers,
	};
	pod_use_write(&o, &pod);
	o.out = NULL;
	*array_add(&r->rows) = row;
}

void use_report(struct engine *e, int64_t now, int64_t now_ns, struct str *out)
{
	struct report r = { .now = now, .now_ns = now_ns };
	size_t n = 0;

	engine_each(e, add_pod, &r);
	if (r.rows.n)
		qsort(r.rows.items, r.rows.n, sizeof(*r.rows.items), by_part);
	str_add(out, "{\"pods\":[");
	for (; n < r.rows.n && out->n + r.rows.items[n].json.n <= POD_USE_MAX; n++) {
		str_add(out, n ? "," : "");
		str_add(out, r.rows.items[n].json.s);
	}
	str_add(out, "]");
	if (n < r.rows.n)
		str_addf(out, ",\"omitted\":%zu", r.rows.n - n);
	str_add(out, "}");
	array_each(row, &r.rows)
		str_done(&row->json);
	array_done(&r.rows);
}
