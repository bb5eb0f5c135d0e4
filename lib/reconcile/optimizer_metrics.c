/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/optimizer_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "reconcile/policy_metrics.h"
#include "serve/metrics.h"

/* ---- Passes ---- */

static bool is_there(const struct cluster *c, const struct optimizer_passes *o)
{
	return cluster_object(c, "WorkloadOptimizer", o->ns, o->name);
}

static void forget_gone(struct optimizer_metrics *m, const struct cluster *c)
{
	size_t n = 0;

	array_each(o, &m->passes) {
		if (is_there(c, o)) {
			m->passes.items[n++] = *o;
			continue;
		}
		free(o->ns);
		free(o->name);
	}
	m->passes.n = n;
}

/* NULL: there are too many. */
static struct optimizer_passes *find(struct optimizer_metrics *m, const struct cluster *c,
				     const char *ns, const char *name)
{
	array_each(o, &m->passes)
		if (strcmp(o->ns, ns) == 0 && strcmp(o->name, name) == 0)
			return o;
	if (m->passes.n >= METRIC_OPTIMIZERS)
		forget_gone(m, c);
	if (m->passes.n >= METRIC_OPTIMIZERS)
		return NULL;
	struct optimizer_passes *o = array_add(&m->passes);

	*o = (struct optimizer_passes){ .ns = xstrdup(ns), .name = xstrdup(name) };
	return o;
}

static enum optimized outcome(const struct optimizer_passes *o)
{
	if (!o->is_not)
		return OPTIMIZED_DONE;
	return o->is_done ? OPTIMIZED_PARTIAL : OPTIMIZED_REFUSED;
}

void optimizer_metrics_count(struct optimizer_metrics *m, const struct cluster *c,
			     const struct plan *p)
{
	array_each(r, &p->results) {
		const struct action *a = &p->actions.items[r->id - 1];
		struct optimizer_passes *o =
			a->optimizer ? find(m, c, a->on.ns, a->optimizer) : NULL;

		if (!o)
			continue;
		o->is_done |= r->state == RESULT_DONE;
		o->is_not |= r->state != RESULT_DONE;
	}
	array_each(o, &m->passes) {
		if (o->is_done || o->is_not)
			o->n[outcome(o)]++;
		o->is_done = o->is_not = false;
	}
}

static bool is_told(const struct cluster *c, const struct meta *m, const struct settings *settings)
{
	return settings_optimise_in(settings, cluster_str(c, m->ns));
}

/* ---- Savings ---- */

static int by_name(const struct optimizer_savings *s, const struct cluster *c, const struct meta *m)
{
	int order = strcmp(s->ns, cluster_str(c, m->ns));

	return order ? order : strcmp(s->name, cluster_str(c, m->name));
}

static void free_savings(struct optimizer_savings *s)
{
	free(s->ns);
	free(s->name);
}

static void add_time(struct optimizer_savings *s, int64_t ms)
{
	enum { HOUR_MS = 3600000 };
	unsigned __int128 parts = (unsigned __int128)s->rate * (uint64_t)ms + s->rest;

	s->micro += (uint64_t)(parts / HOUR_MS);
	s->rest = (uint64_t)(parts % HOUR_MS);
}

/* Both are in order; those that the snapshot does not have are forgotten. */
static void take_rates(struct optimizer_metrics *m, const struct cluster *c,
		       const struct settings *settings)
{
	struct optimizer_savings *all = xcalloc(METRIC_OPTIMIZERS, sizeof(*all));
	size_t at = 0, n = 0;

	for (size_t i = 0; i < c->optimizers.n && n < METRIC_OPTIMIZERS; i++) {
		const struct optimizer *o = &c->optimizers.items[i];

		if (!is_told(c, &o->meta, settings))
			continue;
		while (at < m->savings.n && by_name(&m->savings.items[at], c, &o->meta) < 0)
			free_savings(&m->savings.items[at++]);
		if (at < m->savings.n && by_name(&m->savings.items[at], c, &o->meta) == 0)
			all[n] = m->savings.items[at++];
		else
			all[n] = (struct optimizer_savings){
				.ns = xstrdup(cluster_str(c, o->meta.ns)),
				.name = xstrdup(cluster_str(c, o->meta.name)),
			};
		all[n++].rate = o->saved_cost > 0 ? o->saved_cost : 0;
	}
	while (at < m->savings.n)
		free_savings(&m->savings.items[at++]);
	array_done(&m->savings);
	m->savings.items = all;
	m->savings.n = n;
	m->savings.cap = METRIC_OPTIMIZERS;
}

void optimizer_metrics_sum(struct optimizer_metrics *m, const struct cluster *c,
			   const struct settings *settings, int64_t now_ms, bool counts)
{
	if (counts && m->summed_ms && now_ms > m->summed_ms)
		array_each(s, &m->savings)
			add_time(s, now_ms - m->summed_ms);
	m->summed_ms = now_ms;
	take_rates(m, c, settings);
}

static void add_savings(const struct optimizer_metrics *m, struct str *out)
{
	static const char name[] = "kcloud_cost_savings_total";

	metric_head(out, name, "counter",
		    "Dollars that pods of a WorkloadOptimizer have cost less than where "
		    "kube-scheduler would have put them, or where they were before a move.");
	array_each(s, &m->savings)
		metric_add_millionths(out, name, METRIC_LABELS("namespace", s->ns, "name", s->name),
				      s->micro);
}

void optimizer_metrics_done(struct optimizer_metrics *m)
{
	array_each(s, &m->savings)
		free_savings(s);
	array_done(&m->savings);
	array_each(o, &m->passes) {
		free(o->ns);
		free(o->name);
	}
	array_done(&m->passes);
}

static void add_passes(const struct optimizer_metrics *m, struct str *out)
{
	static const char name[] = "kcloud_workload_optimizations_total";
	static const char *const words[OPTIMIZED] = { "done", "partial", "refused" };

	metric_head(out, name, "counter",
		    "Passes that had actions for a WorkloadOptimizer, by what became of them.");
	array_each(o, &m->passes)
		for (unsigned i = 0; i < OPTIMIZED; i++)
			if (o->n[i])
				metric_add(out, name,
					   METRIC_LABELS("namespace", o->ns, "name", o->name,
							 "result", words[i]),
					   o->n[i]);
}

/* ---- Status ---- */

static int64_t score_of(const struct optimizer *o)
{
	return o->status_score;
}

static int64_t cost_of(const struct optimizer *o)
{
	return o->budget.rate;
}

static int64_t watts_of(const struct optimizer *o)
{
	return o->status_power * 1000;
}

static int64_t saved_watts_of(const struct optimizer *o)
{
	return o->saved_power * 1000;
}

/* In millionths. */
static const struct {
	const char *name, *help;
	int64_t (*value)(const struct optimizer *o);
} gauges[] = {
	{ "kcloud_optimization_score",
	  "1 less the part of cost, power and preferences that the best place for the workload "
	  "would still save.",
	  score_of },
	{ "kcloud_workloadoptimizer_current_cost", "Dollars per hour of its pods.", cost_of },
	{ "kcloud_workloadoptimizer_current_power", "Watts of its pods.", watts_of },
	{ "kcloud_power_savings_watts",
	  "Watts that its pods draw less than where kube-scheduler would have put them, or where "
	  "they were before a move; negative where it is more.",
	  saved_watts_of },
};

static void add_optimizers(const struct cluster *c, const struct settings *settings,
			   struct str *out)
{
	for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
		metric_head(out, gauges[i].name, "gauge", gauges[i].help);
		for (size_t k = 0, n = 0; k < c->optimizers.n && n < METRIC_OPTIMIZERS; k++) {
			const struct optimizer *o = &c->optimizers.items[k];

			if (!is_told(c, &o->meta, settings) || !*cluster_str(c, o->phase))
				continue;
			n++;
			metric_add_signed(out, gauges[i].name,
					  METRIC_LABELS("namespace", cluster_str(c, o->meta.ns),
							"name", cluster_str(c, o->meta.name)),
					  gauges[i].value(o));
		}
	}
}

void optimizer_metrics_write(const struct optimizer_metrics *m, const struct cluster *c,
			     const struct settings *settings, struct str *out)
{
	add_passes(m, out);
	add_savings(m, out);
	add_optimizers(c, settings, out);
	policy_metrics_write(c, settings, out);
}

uint64_t optimizer_metrics_left_out(const struct cluster *c, const struct settings *settings)
{
	uint64_t n = 0;

	array_each(o, &c->optimizers)
		n += is_told(c, &o->meta, settings) && *cluster_str(c, o->phase);
	return n > METRIC_OPTIMIZERS ? n - METRIC_OPTIMIZERS : 0;
}
