/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_STATE_CLUSTER_TEXT_H
#define MCKUBE_TEST_STATE_CLUSTER_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "model/cluster.h"

/* All that a snapshot holds as text, an object a line: equal for snapshots that say the same. */

struct text_writer {
	struct cluster *c;
	struct str out;
};

static void text_int(struct text_writer *w, int64_t value)
{
	str_addf(&w->out, "%lld,", (long long)value);
}

static void text_id(struct text_writer *w, str_id id)
{
	str_add_json(&w->out, cluster_str(w->c, id));
}

static int text_cmp_labels(const void *a, const void *b, void *arg)
{
	const struct label *x = a, *y = b;

	return cluster_cmp(arg, x->key, y->key);
}

/* Runs are sorted by ids, which differ from reading to reading. */
static void text_labels(struct text_writer *w, struct range run)
{
	size_t size = run.n * sizeof(struct label);

	text_int(w, run.n);
	if (run.n == 0)
		return;

	AUTO_FREE struct label *sorted = xmalloc(size);
	memcpy(sorted, w->c->labels.items + run.at, size);
	qsort_r(sorted, run.n, sizeof(*sorted), text_cmp_labels, w->c);
	for (uint32_t i = 0; i < run.n; i++) {
		text_id(w, sorted[i].key);
		text_id(w, sorted[i].value);
	}
}

static int text_cmp_amounts(const void *a, const void *b, void *arg)
{
	const struct amount *x = a, *y = b;

	return cluster_cmp(arg, x->name, y->name);
}

static void text_amounts(struct text_writer *w, struct range run)
{
	size_t size = run.n * sizeof(struct amount);

	text_int(w, run.n);
	if (run.n == 0)
		return;

	AUTO_FREE struct amount *sorted = xmalloc(size);
	memcpy(sorted, w->c->amounts.items + run.at, size);
	qsort_r(sorted, run.n, sizeof(*sorted), text_cmp_amounts, w->c);
	for (uint32_t i = 0; i < run.n; i++) {
		text_id(w, sorted[i].name);
		text_int(w, sorted[i].value);
	}
}

static void text_meta(struct text_writer *w, const char *kind, const struct meta *m)
{
	str_addf(&w->out, "\n%s ", kind);
	text_id(w, m->ns);
	text_id(w, m->name);
	text_id(w, m->uid);
	text_id(w, m->version);
	text_int(w, m->created);
}

static void text_names(struct text_writer *w, struct range run)
{
	text_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++)
		text_id(w, w->c->names.items[run.at + i]);
}

static void text_requirements(struct text_writer *w, struct range run)
{
	text_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++) {
		const struct requirement *r = &w->c->requirements.items[run.at + i];

		text_id(w, r->key);
		text_int(w, r->op);
		text_names(w, r->values);
	}
}

static void text_selector(struct text_writer *w, const struct selector *s)
{
	text_int(w, s->is_set);
	text_requirements(w, s->all);
}

static void text_annotations(struct text_writer *w, const void *annotations, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		str_id id = ((const str_id *)annotations)[i];

		text_int(w, id != NONE);
		text_id(w, id);
	}
}

static void text_pod(struct text_writer *w, const struct pod *p)
{
	text_meta(w, "Pod", &p->meta);
	text_id(w, p->node_name);
	text_id(w, w->c->rules.items[p->rules].text);
	text_labels(w, p->labels);
	text_int(w, p->annotations != NONE);
	if (p->annotations != NONE)
		text_annotations(w, &w->c->annotations.items[p->annotations], POD_ANNOTATIONS_N);
	text_id(w, p->owner_kind);
	text_id(w, p->owner_uid);
	text_id(w, p->owner_name);
	text_id(w, p->priority_class);
	text_int(w, p->memory);
	text_int(w, p->ephemeral);
	text_int(w, p->cpu_milli);
	text_amounts(w, p->extended);
	text_int(w, p->priority);

	text_int(w, p->phase);
	text_int(w, p->qos);
	text_int(w, p->has_priority);
	text_int(w, p->is_terminating);
	text_int(w, p->is_mirror);
	text_int(w, p->is_ours);
	text_int(w, p->has_our_gate);
	text_int(w, p->has_other_gate);
	text_int(w, p->has_label);
}

static void text_raw(struct text_writer *w, const struct raw *r)
{
	text_int(w, r->kind);
	text_id(w, r->text);
}

static void text_mckube(struct text_writer *w, const struct mckube *m)
{
	text_meta(w, "McKube", &m->meta);
	text_id(w, m->kind);
	text_id(w, m->api_version);
	text_id(w, m->podname);
	text_selector(w, &m->selector);
	text_id(w, m->node);
#define ROW(member, ...) text_raw(w, &m->member);
	MCKUBE_MEMBERS(ROW)
#undef ROW
#define ROW(member, ...) text_id(w, m->member);
	MCKUBE_STATUS(ROW)
#undef ROW
	for (int i = 0; i < MCKUBE_CONDITION_TYPES; i++) {
		text_id(w, m->said[i].text);
		text_id(w, m->said[i].since);
	}
	text_int(w, m->is_deleting);
	text_int(w, m->has_finalizer);
}

static void text_taints(struct text_writer *w, struct range run)
{
	text_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++) {
		const struct taint *t = &w->c->taints.items[run.at + i];

		text_id(w, t->key);
		text_id(w, t->value);
		text_int(w, t->effect);
		text_int(w, t->added);
	}
}

static void text_node(struct text_writer *w, const struct node *n)
{
	text_meta(w, "Node", &n->meta);
	text_labels(w, n->labels);
	text_taints(w, n->taints);
	text_int(w, n->cpu_milli);
	text_int(w, n->memory);
	text_int(w, n->ephemeral);
	text_int(w, n->max_pods);
	text_int(w, n->capacity_cpu_milli);
	text_amounts(w, n->extended);
	text_int(w, n->has_allocatable);
	text_int(w, n->is_unschedulable);
	text_int(w, n->is_unread);
	text_int(w, n->heartbeat);
	text_annotations(w, &n->annotations, NODE_ANNOTATIONS_N);
}

static void text_volume(struct text_writer *w, const struct volume *v)
{
	text_meta(w, "PersistentVolume", &v->meta);
	text_int(w, v->has_node_affinity);
	text_int(w, v->node_terms.n);
	for (uint32_t i = 0; i < v->node_terms.n; i++) {
		const struct node_term *t = &w->c->node_terms.items[v->node_terms.at + i];

		text_requirements(w, t->expressions);
		text_requirements(w, t->fields);
	}
}

static void text_small_kinds(struct text_writer *w)
{
	array_each(claim, &w->c->claims) {
		text_meta(w, "PersistentVolumeClaim", &claim->meta);
		text_id(w, claim->volume);
	}
	array_each(namespace, &w->c->namespaces) {
		text_meta(w, "Namespace", &namespace->meta);
		text_labels(w, namespace->labels);
	}
	array_each(pdb, &w->c->pdbs) {
		text_meta(w, "PodDisruptionBudget", &pdb->meta);
		text_selector(w, &pdb->pods);
		text_int(w, pdb->disruptions_allowed);
	}
	array_each(lease, &w->c->helper_leases) {
		text_meta(w, "Lease", &lease->meta);
		text_id(w, lease->node);
		text_int(w, lease->renewed);
	}
	array_each(class, &w->c->priority_classes) {
		text_meta(w, "PriorityClass", &class->meta);
		text_int(w, class->value);
		text_int(w, class->is_default);
	}
}

static void text_optimizer(struct text_writer *w, const struct optimizer *o)
{
	text_meta(w, "WorkloadOptimizer", &o->meta);
	text_int(w, o->max_cost);
	text_int(w, o->budget.spent);
	text_requirements(w, o->node_selector);
	for (uint32_t i = 0; i < o->preferences.n; i++) {
		const struct preference *p = &w->c->preferences.items[o->preferences.at + i];

		text_int(w, p->weight);
		text_requirements(w, p->term.expressions);
	}
	for (uint32_t i = 0; i < o->metrics.n; i++) {
		text_int(w, w->c->scaling_metrics.items[o->metrics.at + i].threshold);
		text_id(w, w->c->scaling_metrics.items[o->metrics.at + i].query);
	}
	for (uint32_t i = 0; i < o->avoid.n; i++)
		text_id(w, w->c->avoids.items[o->avoid.at + i].node);
	for (uint32_t i = 0; i < o->history.n; i++)
		text_id(w, w->c->names.items[o->history.at + i]);
	for (uint32_t i = 0; i < o->status_nodes.n; i++)
		text_id(w, w->c->names.items[o->status_nodes.at + i]);
	text_id(w, o->scaled_kind);
	text_id(w, o->scaled_name);
	text_id(w, o->status_node);
	text_id(w, o->moved_from);
}

static void text_scalables(struct text_writer *w, const char *kind, const struct scalable *items,
			   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_meta(w, kind, &items[i].meta);
		text_id(w, items[i].kind);
		text_id(w, items[i].name);
		text_id(w, items[i].resource);
		text_int(w, items[i].replicas);
		text_selector(w, &items[i].pods);
		text_labels(w, items[i].template_labels);
	}
}

static void text_economy(struct text_writer *w)
{
	array_each(o, &w->c->optimizers)
		text_optimizer(w, o);
	array_each(p, &w->c->cost_policies) {
		text_meta(w, "CostPolicy", &p->meta);
		text_int(w, p->per_hour);
		text_selector(w, &p->namespaces);
	}
	array_each(p, &w->c->power_policies) {
		text_meta(w, "PowerPolicy", &p->meta);
		text_int(w, p->max_power);
		text_selector(w, &p->namespaces);
	}
	text_scalables(w, "Deployment", w->c->deployments.items, w->c->deployments.n);
	text_scalables(w, "StatefulSet", w->c->stateful_sets.items, w->c->stateful_sets.n);
	text_scalables(w, "ScaleTarget", w->c->scale_targets.items, w->c->scale_targets.n);
	array_each(a, &w->c->autoscalers) {
		text_meta(w, "HorizontalPodAutoscaler", &a->meta);
		text_id(w, a->target_kind);
		text_id(w, a->target_name);
	}
	array_each(s, &w->c->scaled_objects) {
		text_meta(w, "ScaledObject", &s->meta);
		text_id(w, s->target_kind);
		text_id(w, s->target_name);
	}
	array_each(s, &w->c->metric_samples) {
		text_meta(w, "MetricSample", &s->meta);
		text_id(w, s->query);
		text_int(w, s->value);
	}
	array_each(t, &w->c->price_tables) {
		text_meta(w, "ConfigMap", &t->meta);
		text_id(w, t->text);
	}
}

static char *cluster_text(struct cluster *c)
{
	struct text_writer w = { .c = c, .out = STR_INIT };

	array_each(mckube, &c->mckubes)
		text_mckube(&w, mckube);
	array_each(node, &c->nodes)
		text_node(&w, node);
	array_each(pod, &c->pods)
		text_pod(&w, pod);
	array_each(volume, &c->volumes)
		text_volume(&w, volume);
	text_small_kinds(&w);
	text_economy(&w);
	return str_detach(&w.out);
}

#endif
