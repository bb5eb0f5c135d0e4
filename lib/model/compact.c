/* SPDX-License-Identifier: Apache-2.0 */
#include "model/compact.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* The shared arrays as they were, and where a run that was moved begins now, plus 1. */
struct move {
	struct cluster *c;
	struct cluster old;
	uint32_t *labels, *amounts, *rules;
};

/* Copies a run of one array to its end; with memcpy(), because padding is part of shared_find()'s
 * keys (objects/objects_internal.h). */
#define MOVE_RUN(m, member, run)                                                             \
	({                                                                                   \
		struct range from_ = (run);                                                  \
		uint32_t at_ = (uint32_t)(m)->c->member.n;                                   \
		array_reserve(&(m)->c->member, from_.n);                                     \
		if (from_.n)                                                                 \
			memcpy((m)->c->member.items + at_, (m)->old.member.items + from_.at, \
			       from_.n * sizeof(*(m)->c->member.items));                     \
		(m)->c->member.n += from_.n;                                                 \
		(struct range){ from_.n ? at_ : 0, from_.n };                                \
	})

/* The same for runs that several rows share. */
#define MOVE_SHARED(m, member, run)                                                       \
	({                                                                                \
		struct range shared_ = (run);                                             \
		if (shared_.n && !(m)->member[shared_.at])                                \
			(m)->member[shared_.at] = MOVE_RUN(m, member, shared_).at + 1;    \
		(struct range){ shared_.n ? (m)->member[shared_.at] - 1 : 0, shared_.n }; \
	})

static struct range move_requirements(struct move *m, struct range run)
{
	struct range to = MOVE_RUN(m, requirements, run);

	for (uint32_t i = 0; i < to.n; i++) {
		struct requirement *r = &m->c->requirements.items[to.at + i];

		r->values = MOVE_RUN(m, names, r->values);
	}
	return to;
}

static void move_selector(struct move *m, struct selector *s)
{
	s->all = move_requirements(m, s->all);
}

static struct range move_node_terms(struct move *m, struct range run)
{
	struct range to = MOVE_RUN(m, node_terms, run);

	for (uint32_t i = 0; i < to.n; i++) {
		struct node_term *t = &m->c->node_terms.items[to.at + i];

		t->expressions = move_requirements(m, t->expressions);
		t->fields = move_requirements(m, t->fields);
	}
	return to;
}

static struct range move_pod_terms(struct move *m, struct range run)
{
	struct range to = MOVE_RUN(m, inter_pod, run);

	for (uint32_t i = 0; i < to.n; i++) {
		struct pod_term *t = &m->c->inter_pod.items[to.at + i];

		move_selector(m, &t->pods);
		move_selector(m, &t->namespaces_by_label);
		t->namespaces = MOVE_RUN(m, names, t->namespaces);
		t->match_keys = MOVE_RUN(m, names, t->match_keys);
		t->mismatch_keys = MOVE_RUN(m, names, t->mismatch_keys);
	}
	return to;
}

static struct range move_spreads(struct move *m, struct range run)
{
	struct range to = MOVE_RUN(m, spreads, run);

	for (uint32_t i = 0; i < to.n; i++) {
		struct spread *s = &m->c->spreads.items[to.at + i];

		move_selector(m, &s->pods);
		s->match_keys = MOVE_RUN(m, names, s->match_keys);
	}
	return to;
}

static rules_id move_rules(struct move *m, rules_id id)
{
	if (m->rules[id])
		return m->rules[id] - 1;

	struct rules r = m->old.rules.items[id];
	r.node_selector = move_requirements(m, r.node_selector);
	r.node_terms = move_node_terms(m, r.node_terms);
	r.tolerations = MOVE_RUN(m, tolerations, r.tolerations);
	r.affinity = move_pod_terms(m, r.affinity);
	r.anti_affinity = move_pod_terms(m, r.anti_affinity);
	r.spreads = move_spreads(m, r.spreads);
	r.ports = MOVE_RUN(m, ports, r.ports);
	r.claims = MOVE_RUN(m, names, r.claims);
	r.devices = MOVE_RUN(m, names, r.devices);
	*array_add(&m->c->rules) = r;
	m->rules[id] = (rules_id)m->c->rules.n;
	return m->rules[id] - 1;
}

static void move_pods(struct move *m)
{
	array_each(pod, &m->c->pods) {
		pod->labels = MOVE_SHARED(m, labels, pod->labels);
		pod->extended = MOVE_SHARED(m, amounts, pod->extended);
		pod->rules = move_rules(m, pod->rules);
		if (pod->annotations == NONE)
			continue;
		*array_add(&m->c->annotations) = m->old.annotations.items[pod->annotations];
		pod->annotations = (annotations_id)m->c->annotations.n - 1;
	}
}

static void move_optimizers(struct move *m)
{
	array_each(o, &m->c->optimizers) {
		o->labels = MOVE_SHARED(m, labels, o->labels);
		o->node_selector = move_requirements(m, o->node_selector);
		o->node_terms = move_node_terms(m, o->node_terms);
		o->preferences = MOVE_RUN(m, preferences, o->preferences);
		for (uint32_t i = 0; i < o->preferences.n; i++) {
			struct node_term *t = &m->c->preferences.items[o->preferences.at + i].term;

			t->expressions = move_requirements(m, t->expressions);
			t->fields = move_requirements(m, t->fields);
		}
		o->metrics = MOVE_RUN(m, scaling_metrics, o->metrics);
		o->history = MOVE_RUN(m, names, o->history);
		o->status_nodes = MOVE_RUN(m, names, o->status_nodes);
		o->avoid = MOVE_RUN(m, avoids, o->avoid);
		o->past_savings = MOVE_RUN(m, past_savings, o->past_savings);
		o->conditions = MOVE_RUN(m, conditions, o->conditions);
	}
}

static void move_note(struct move *m, struct policy_note *n)
{
	n->conditions = MOVE_RUN(m, conditions, n->conditions);
	n->alerts = MOVE_RUN(m, alert_notes, n->alerts);
}

static void move_policies(struct move *m)
{
	array_each(p, &m->c->cost_policies) {
		p->alerts = MOVE_RUN(m, alerts, p->alerts);
		move_note(m, &p->note);
		move_selector(m, &p->namespaces);
		move_selector(m, &p->workloads);
	}
	array_each(p, &m->c->power_policies) {
		p->alerts = MOVE_RUN(m, alerts, p->alerts);
		p->peak_hours = MOVE_RUN(m, day_spans, p->peak_hours);
		move_note(m, &p->note);
		move_selector(m, &p->namespaces);
		move_selector(m, &p->workloads);
	}
}

static void move_scalables(struct move *m, struct scalable *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		move_selector(m, &items[i].pods);
		items[i].template_labels = MOVE_SHARED(m, labels, items[i].template_labels);
	}
}

static void move_rows(struct move *m)
{
	move_pods(m);
	move_scalables(m, m->c->deployments.items, m->c->deployments.n);
	move_scalables(m, m->c->stateful_sets.items, m->c->stateful_sets.n);
	move_scalables(m, m->c->scale_targets.items, m->c->scale_targets.n);
	move_optimizers(m);
	move_policies(m);
	array_each(node, &m->c->nodes) {
		node->labels = MOVE_SHARED(m, labels, node->labels);
		node->extended = MOVE_SHARED(m, amounts, node->extended);
		node->capacity_extended = MOVE_SHARED(m, amounts, node->capacity_extended);
		node->taints = MOVE_RUN(m, taints, node->taints);
	}
	array_each(namespace, &m->c->namespaces)
	namespace->labels = MOVE_SHARED(m, labels, namespace->labels);
	array_each(mckube, &m->c->mckubes)
		move_selector(m, &mckube->selector);
	array_each(pdb, &m->c->pdbs)
		move_selector(m, &pdb->pods);
	array_each(volume, &m->c->volumes) {
		volume->labels = MOVE_SHARED(m, labels, volume->labels);
		volume->node_terms = move_node_terms(m, volume->node_terms);
	}
	array_each(csi_node, &m->c->csi_nodes)
		csi_node->limits = MOVE_RUN(m, amounts, csi_node->limits);
	array_each(claim, &m->c->resource_claims)
		claim->node_terms = move_node_terms(m, claim->node_terms);
}

/* Empties a shared array; what was in it is only in the old ones. */
#define START_AGAIN(m, member)                                \
	do {                                                  \
		(m)->old.member.items = (m)->c->member.items; \
		(m)->old.member.n = (m)->c->member.n;         \
		(m)->c->member.items = NULL;                  \
		(m)->c->member.n = (m)->c->member.cap = 0;    \
	} while (0)

static void compact_runs(struct cluster *c)
{
	struct move m = { .c = c };

	START_AGAIN(&m, rules);
	START_AGAIN(&m, annotations);
	START_AGAIN(&m, names);
	START_AGAIN(&m, labels);
	START_AGAIN(&m, requirements);
	START_AGAIN(&m, node_terms);
	START_AGAIN(&m, taints);
	START_AGAIN(&m, tolerations);
	START_AGAIN(&m, inter_pod);
	START_AGAIN(&m, spreads);
	START_AGAIN(&m, ports);
	START_AGAIN(&m, amounts);
	START_AGAIN(&m, preferences);
	START_AGAIN(&m, scaling_metrics);
	START_AGAIN(&m, avoids);
	START_AGAIN(&m, past_savings);
	START_AGAIN(&m, conditions);
	START_AGAIN(&m, alerts);
	START_AGAIN(&m, alert_notes);
	START_AGAIN(&m, day_spans);
	m.labels = xcalloc(m.old.labels.n + 1, sizeof(*m.labels));
	m.amounts = xcalloc(m.old.amounts.n + 1, sizeof(*m.amounts));
	m.rules = xcalloc(m.old.rules.n + 1, sizeof(*m.rules));
	move_rows(&m);
	free(m.labels);
	free(m.amounts);
	free(m.rules);
	cluster_done(&m.old);
}

/* Strings. */

static void mark(bool *live, str_id id)
{
	if (id != NONE)
		live[id] = true;
}

static void mark_meta(bool *live, const struct meta *m)
{
	mark(live, m->ns);
	mark(live, m->name);
	mark(live, m->uid);
	mark(live, m->version);
}

/* A struct of nothing but ids. */
static void mark_ids(bool *live, const void *ids, size_t size)
{
	for (size_t i = 0; i < size / sizeof(str_id); i++)
		mark(live, ((const str_id *)ids)[i]);
}
_Static_assert(sizeof(struct pod_annotations) == POD_ANNOTATIONS_N * sizeof(str_id), "ids alone");
_Static_assert(sizeof(struct node_annotations) == NODE_ANNOTATIONS_N * sizeof(str_id), "ids alone");

static void mark_pods(const struct cluster *c, bool *live)
{
	array_each(pod, &c->pods) {
		mark_meta(live, &pod->meta);
		mark(live, pod->node_name);
		mark(live, pod->nominated_name);
		mark(live, pod->owner_kind);
		mark(live, pod->owner_uid);
		mark(live, pod->owner_name);
		mark(live, pod->priority_class);
		mark(live, pod->unscheduled);
		mark(live, pod->bar_names);
	}
	array_each(annotations, &c->annotations)
		mark_ids(live, annotations, sizeof(*annotations));
}

static void mark_nodes(const struct cluster *c, bool *live)
{
	array_each(node, &c->nodes) {
		mark_meta(live, &node->meta);
		mark_ids(live, &node->annotations, sizeof(node->annotations));
	}
}

static void mark_mckubes(const struct cluster *c, bool *live)
{
	array_each(m, &c->mckubes) {
		mark_meta(live, &m->meta);
		mark(live, m->kind);
		mark(live, m->api_version);
		mark(live, m->podname);
		mark(live, m->node);
#define ROW(member, ...) mark(live, m->member.text);
		MCKUBE_MEMBERS(ROW)
#undef ROW
#define ROW(member, ...) mark(live, m->member);
		MCKUBE_STATUS(ROW)
#undef ROW
		mark_ids(live, m->said, sizeof(m->said));
	}
}

static void mark_scalables(bool *live, const struct scalable *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mark_meta(live, &list[i].meta);
		mark(live, list[i].applied_by);
		mark(live, list[i].kind);
		mark(live, list[i].version);
		mark(live, list[i].name);
		mark(live, list[i].resource);
	}
}

static void mark_autoscalers(bool *live, const struct autoscaler *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mark_meta(live, &list[i].meta);
		mark(live, list[i].target_version);
		mark(live, list[i].target_kind);
		mark(live, list[i].target_name);
	}
}

static void mark_economy(const struct cluster *c, bool *live)
{
	array_each(o, &c->optimizers) {
		mark_meta(live, &o->meta);
		mark(live, o->target_version);
		mark(live, o->target_kind);
		mark(live, o->target_name);
		mark(live, o->phase);
		mark(live, o->status_node);
		mark(live, o->scaled_kind);
		mark(live, o->scaled_name);
		mark(live, o->moved_from);
		mark(live, o->moved_to);
		mark(live, o->moved_pod);
		mark(live, o->scaled_kind);
		mark(live, o->scaled_name);
	}
	array_each(p, &c->cost_policies) {
		mark_meta(live, &p->meta);
		mark(live, p->note.phase);
	}
	array_each(p, &c->power_policies) {
		mark_meta(live, &p->meta);
		mark(live, p->note.phase);
	}
	array_each(t, &c->price_tables) {
		mark_meta(live, &t->meta);
		mark(live, t->text);
	}
	mark_scalables(live, c->deployments.items, c->deployments.n);
	mark_scalables(live, c->stateful_sets.items, c->stateful_sets.n);
	mark_scalables(live, c->scale_targets.items, c->scale_targets.n);
	mark_autoscalers(live, c->autoscalers.items, c->autoscalers.n);
	mark_autoscalers(live, c->scaled_objects.items, c->scaled_objects.n);
	array_each(s, &c->metric_samples) {
		mark_meta(live, &s->meta);
		mark(live, s->query);
		mark(live, s->optimizer);
		mark(live, s->node);
	}
	array_each(m, &c->scaling_metrics) {
		mark(live, m->query);
		mark(live, m->metric_name);
	}
	array_each(a, &c->avoids)
		mark(live, a->node);
	array_each(s, &c->past_savings)
		mark(live, s->node);
	array_each(n, &c->conditions) {
		mark(live, n->type);
		mark(live, n->status);
		mark(live, n->reason);
	}
}

static void mark_small_kinds(const struct cluster *c, bool *live)
{
	array_each(pdb, &c->pdbs)
		mark_meta(live, &pdb->meta);
	array_each(class, &c->priority_classes)
		mark_meta(live, &class->meta);
	array_each(volume, &c->volumes) {
		mark_meta(live, &volume->meta);
		mark(live, volume->driver);
		mark(live, volume->handle);
	}
	array_each(namespace, &c->namespaces) {
		mark_meta(live, &namespace->meta);
		mark_ids(live, &namespace->annotations, sizeof(namespace->annotations));
	}
	array_each(claim, &c->claims) {
		mark_meta(live, &claim->meta);
		mark(live, claim->volume);
	}
	array_each(csi_node, &c->csi_nodes)
		mark_meta(live, &csi_node->meta);
	array_each(resource_claim, &c->resource_claims)
		mark_meta(live, &resource_claim->meta);
	array_each(lease, &c->helper_leases) {
		mark_meta(live, &lease->meta);
		mark(live, lease->node);
	}
	array_each(metrics, &c->node_metrics)
		mark_meta(live, &metrics->meta);
	array_each(metrics, &c->pod_metrics)
		mark_meta(live, &metrics->meta);
	array_each(problem, &c->problems) {
		mark(live, problem->object);
		mark(live, problem->reason);
		mark(live, problem->message);
	}
}

static void mark_shared(const struct cluster *c, bool *live)
{
	array_each(name, &c->names)
		mark(live, *name);
	array_each(label, &c->labels) {
		mark(live, label->key);
		mark(live, label->value);
	}
	array_each(requirement, &c->requirements)
		mark(live, requirement->key);
	array_each(taint, &c->taints) {
		mark(live, taint->key);
		mark(live, taint->value);
	}
	array_each(toleration, &c->tolerations) {
		mark(live, toleration->key);
		mark(live, toleration->value);
	}
	array_each(term, &c->inter_pod)
		mark(live, term->topology_key);
	array_each(spread, &c->spreads)
		mark(live, spread->topology_key);
	array_each(port, &c->ports)
		mark(live, port->ip);
	array_each(amount, &c->amounts)
		mark(live, amount->name);
	array_each(rules, &c->rules) {
		mark(live, rules->ns);
		mark(live, rules->text);
	}
}

void cluster_compact(struct cluster *c, const str_id *keep, size_t n_keep)
{
	compact_runs(c);

	AUTO_FREE bool *live = xcalloc(c->strings.n + 1, sizeof(*live));
	mark(live, c->server);
	mark_pods(c, live);
	mark_nodes(c, live);
	mark_mckubes(c, live);
	mark_small_kinds(c, live);
	mark_economy(c, live);
	mark_shared(c, live);
	for (size_t i = 0; i < n_keep; i++)
		mark(live, keep[i]);
	intern_sweep(&c->strings, live);
}
