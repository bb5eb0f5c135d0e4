/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/inter_pod.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/match.h"

/* Nodes by the value of one label. */
struct topology {
	str_id key;
	uint32_t *domain; /* by node_id; NONE: the node has no such label, or it is unread */
	uint32_t n_domains;
	bool has_unknown; /* a node may be in any domain */
};

enum counter_kind {
	COUNT_AFFINITY, /* pods that match all affinity terms of the rules */
	COUNT_ANTI,	/* pods that match the term */
	COUNT_OWNERS,	/* pods that have the term: they keep matching pods away */
	COUNT_SPREAD,	/* pods that match the constraint, on nodes that count for it */
};

struct counter {
	uint8_t kind; /* enum counter_kind */
	rules_id rules;
	uint32_t term;	     /* in cluster.inter_pod, or cluster.spreads */
	pod_id example;	     /* a pod with these rules: matchLabelKeys reads its labels */
	bool is_per_example; /* there are matchLabelKeys: other labels, other counter */
	uint32_t topology;
	uint32_t *count; /* by domain */
	uint32_t *maybe; /* SPREAD: by domain, pods of which the labels are unread */
	uint32_t total;
	uint32_t n_anywhere; /* of the total, pods that may be in any domain */
	bool *is_eligible;   /* SPREAD: by domain, has a node that counts */
	bool *node_counts;   /* SPREAD: by node */
	uint32_t n_eligible;
};

struct inter_pod {
	ARRAY(struct topology) topologies;
	ARRAY(struct counter) counters;
	node_id *node_of; /* by pod_id */
	bool has_ports;
	pod_ids *ports;	 /* by node_id: its pods with host ports */
	pod_ids *claims; /* by node_id: its pods with claims */
	size_t n_nodes;
};

/* ---- Which pods a term selects ---- */

/* What cannot be read of labels matches `or_else`. */
static bool in_namespaces(const struct cluster *c, const struct pod_term *t, str_id owner_ns,
			  str_id ns, bool or_else)
{
	if (t->namespaces.n == 0 && !t->namespaces_by_label.is_set)
		return ns == owner_ns;
	for (uint32_t i = 0; i < t->namespaces.n; i++)
		if (c->names.items[t->namespaces.at + i] == ns)
			return true;
	if (!t->namespaces_by_label.is_set)
		return false;
	if (t->namespaces_by_label.all.n == 0)
		return true;
	array_each(n, &c->namespaces)
		if (n->meta.name == ns)
			return n->has_unread_labels
				       ? or_else
				       : selector_matches(c, t->namespaces_by_label, n->labels);
	return or_else && (c->lacks & LACKS_NAMESPACE);
}

/* matchLabelKeys narrow the selector to pods with the owner's own value of each key. */
static bool keys_match(const struct cluster *c, struct range keys, struct range owner,
		       struct range labels, bool must_equal)
{
	for (uint32_t i = 0; i < keys.n; i++) {
		str_id key = c->names.items[keys.at + i];
		str_id own = cluster_label(c, owner, key);

		if (own != INTERN_NONE && (own == cluster_label(c, labels, key)) != must_equal)
			return false;
	}
	return true;
}

static bool term_matches(const struct cluster *c, const struct pod_term *t, const struct pod *owner,
			 const struct pod *pod, bool or_else)
{
	if (!in_namespaces(c, t, owner->meta.ns, pod->meta.ns, or_else))
		return false;
	if (pod->has_unread_labels)
		return or_else;
	return selector_matches(c, t->pods, pod->labels) &&
	       keys_match(c, t->match_keys, owner->labels, pod->labels, true) &&
	       keys_match(c, t->mismatch_keys, owner->labels, pod->labels, false);
}

static bool all_terms_match(const struct cluster *c, struct range terms, const struct pod *owner,
			    const struct pod *pod)
{
	for (uint32_t i = 0; i < terms.n; i++)
		if (!term_matches(c, &c->inter_pod.items[terms.at + i], owner, pod, false))
			return false;
	return true;
}

static bool spread_matches(const struct cluster *c, const struct spread *s, const struct pod *owner,
			   const struct pod *pod)
{
	if (owner->meta.ns != pod->meta.ns)
		return false;
	return pod->has_unread_labels ||
	       (selector_matches(c, s->pods, pod->labels) &&
		keys_match(c, s->match_keys, owner->labels, pod->labels, true));
}

/* kube-scheduler counts no pod for a constraint whose selector is empty, its keys included, though
 * the new pod itself matches. */
static bool spread_counts(const struct cluster *c, const struct spread *s, const struct pod *owner)
{
	bool is_empty = s->pods.all.n == 0;

	for (uint32_t i = 0; i < s->match_keys.n && is_empty; i++)
		is_empty = cluster_label(c, owner->labels, c->names.items[s->match_keys.at + i]) ==
			   INTERN_NONE;
	return !is_empty;
}

static bool counts(const struct counter *k, const struct cluster *c, const struct pod *pod)
{
	const struct pod *owner = &c->pods.items[k->example];

	switch ((enum counter_kind)k->kind) {
	case COUNT_AFFINITY:
		return all_terms_match(c, c->rules.items[k->rules].affinity, owner, pod);
	case COUNT_ANTI:
		return term_matches(c, &c->inter_pod.items[k->term], owner, pod, true);
	case COUNT_OWNERS:
		return pod->rules == k->rules &&
		       (!k->is_per_example || pod->labels.at == owner->labels.at);
	case COUNT_SPREAD:
		return !pod->is_terminating &&
		       spread_counts(c, &c->spreads.items[k->term], owner) &&
		       spread_matches(c, &c->spreads.items[k->term], owner, pod);
	}
	return false;
}

/* ---- Counters ---- */

static uint32_t topology_of(struct inter_pod *t, const struct cluster *c, str_id key)
{
	struct intern values = { 0 };

	for (uint32_t i = 0; i < t->topologies.n; i++)
		if (t->topologies.items[i].key == key)
			return i;

	struct topology *topo = array_add(&t->topologies);
	*topo = (struct topology){ .key = key,
				   .domain = xcalloc(c->nodes.n, sizeof(*topo->domain)),
				   .has_unknown = c->lacks & LACKS_NODE };
	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct node *node = &c->nodes.items[id];
		str_id value =
			node->has_unread_labels ? INTERN_NONE : cluster_label(c, node->labels, key);

		topo->has_unknown |= node->has_unread_labels;
		topo->domain[id] =
			value == INTERN_NONE ? NONE : intern_add(&values, &value, sizeof(value));
	}
	topo->n_domains = values.n + 1;
	intern_done(&values);
	return (uint32_t)t->topologies.n - 1;
}

static void count(struct inter_pod *t, struct counter *k, const struct cluster *c, pod_id pod,
		  node_id node, int by)
{
	bool is_unread = c->pods.items[pod].has_unread_labels;

	if (node == NONE || c->nodes.items[node].has_unread_labels) {
		k->n_anywhere += (uint32_t)by;
		k->total += (uint32_t)by;
		return;
	}
	uint32_t domain = t->topologies.items[k->topology].domain[node];

	if (domain == NONE || (k->node_counts && !k->node_counts[node]))
		return;
	(is_unread && k->maybe ? k->maybe : k->count)[domain] += (uint32_t)by;
	k->total += (uint32_t)by;
}

static bool node_is_eligible(const struct cluster *c, const struct rules *rules,
			     const struct spread *s, const struct node *node)
{
	for (uint32_t i = 0; i < rules->spreads.n; i++)
		if (cluster_label(c, node->labels,
				  c->spreads.items[rules->spreads.at + i].topology_key) ==
		    INTERN_NONE)
			return false;
	if (s->honors_taints && match_untolerated(c, rules, node))
		return false;
	return s->ignores_affinity || match_node(c, rules, node);
}

static void find_eligible(struct inter_pod *t, struct counter *k, const struct cluster *c)
{
	const struct topology *topo = &t->topologies.items[k->topology];

	k->maybe = xcalloc(topo->n_domains, sizeof(*k->maybe));
	k->node_counts = xcalloc(c->nodes.n, sizeof(*k->node_counts));
	k->is_eligible = xcalloc(topo->n_domains, sizeof(*k->is_eligible));
	for (node_id id = 0; id < c->nodes.n; id++) {
		if (!node_is_eligible(c, &c->rules.items[k->rules], &c->spreads.items[k->term],
				      &c->nodes.items[id]))
			continue;
		k->node_counts[id] = true;
		k->n_eligible += !k->is_eligible[topo->domain[id]];
		k->is_eligible[topo->domain[id]] = true;
	}
}

static struct counter *add_counter(struct inter_pod *t, const struct cluster *c, struct counter k,
				   str_id topology_key)
{
	k.topology = topology_of(t, c, topology_key);
	k.count = xcalloc(t->topologies.items[k.topology].n_domains, sizeof(*k.count));
	if (k.kind == COUNT_SPREAD)
		find_eligible(t, &k, c);
	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];
		bool is_astray = pod->node_name && pod->node == NONE && (c->lacks & LACKS_NODE);

		if ((is_astray || t->node_of[id] != NONE) && counts(&k, c, pod))
			count(t, &k, c, id, t->node_of[id], 1);
	}

	struct counter *kept = array_add(&t->counters);
	*kept = k;
	return kept;
}

static struct counter *find_counter(struct inter_pod *t, const struct cluster *c, uint8_t kind,
				    uint32_t term, pod_id pod)
{
	array_each(k, &t->counters)
		if (k->kind == kind && k->term == term && k->rules == c->pods.items[pod].rules &&
		    (!k->is_per_example ||
		     c->pods.items[k->example].labels.at == c->pods.items[pod].labels.at))
			return k;
	return NULL;
}

/* The counter of what these rules have as their term, made when it is asked for first. */
static const struct counter *counter_of(struct inter_pod *t, const struct cluster *c,
					struct counter want, pod_id pod, str_id topology_key)
{
	struct counter *k = find_counter(t, c, want.kind, want.term, pod);

	want.rules = c->pods.items[pod].rules;
	want.example = pod;
	return k ? k : add_counter(t, c, want, topology_key);
}

static const struct counter *term_counter(struct inter_pod *t, const struct cluster *c,
					  uint8_t kind, uint32_t term, pod_id pod)
{
	const struct pod_term *pt = &c->inter_pod.items[term];
	struct counter want = {
		.kind = kind,
		.term = term,
		.is_per_example = pt->match_keys.n || pt->mismatch_keys.n,
	};

	return counter_of(t, c, want, pod, pt->topology_key);
}

static const struct counter *spread_counter(struct inter_pod *t, const struct cluster *c,
					    uint32_t spread, pod_id pod)
{
	const struct spread *s = &c->spreads.items[spread];
	struct counter want = {
		.kind = COUNT_SPREAD,
		.term = spread,
		.is_per_example = s->match_keys.n > 0,
	};

	return counter_of(t, c, want, pod, s->topology_key);
}

/* Every pod with anti-affinity has its owner counters before anything is asked. */
static void add_owner_counters(struct inter_pod *t, const struct cluster *c)
{
	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];

		if (pod->rules == NONE)
			continue;
		struct range anti = c->rules.items[pod->rules].anti_affinity;
		for (uint32_t i = 0; i < anti.n; i++)
			term_counter(t, c, COUNT_OWNERS, anti.at + i, id);
	}
}

/* ---- Entering and leaving ---- */

static bool has_ports(const struct cluster *c, const struct pod *pod)
{
	return pod->rules != NONE && c->rules.items[pod->rules].ports.n > 0;
}

static bool has_claims(const struct cluster *c, const struct pod *pod)
{
	return pod->rules != NONE && c->rules.items[pod->rules].claims.n > 0;
}

static bool limits_volumes(const struct cluster *c)
{
	array_each(claim, &c->claims)
		if (claim->is_for_one_pod)
			return true;
	array_each(csi_node, &c->csi_nodes)
		if (csi_node->limits.n || csi_node->is_unread)
			return true;
	return c->lacks & LACKS_CSI_NODE;
}

struct inter_pod *inter_pod_new(const struct cluster *c)
{
	bool is_needed = limits_volumes(c);

	array_each(r, &c->rules)
		if (r->ports.n || r->affinity.n || r->anti_affinity.n || r->spreads.n)
			is_needed = true;
	if (!is_needed)
		return NULL;

	struct inter_pod *t = xcalloc(1, sizeof(*t));
	t->n_nodes = c->nodes.n;
	t->ports = xcalloc(c->nodes.n, sizeof(*t->ports));
	t->claims = xcalloc(c->nodes.n, sizeof(*t->claims));
	t->node_of = xmalloc(c->pods.n * sizeof(*t->node_of));
	memset(t->node_of, 0xff, c->pods.n * sizeof(*t->node_of));
	add_owner_counters(t, c);
	return t;
}

void inter_pod_free(struct inter_pod *t)
{
	if (!t)
		return;
	array_each(topo, &t->topologies)
		free(topo->domain);
	array_each(k, &t->counters) {
		free(k->count);
		free(k->maybe);
		free(k->is_eligible);
		free(k->node_counts);
	}
	for (size_t i = 0; i < t->n_nodes; i++) {
		array_done(&t->ports[i]);
		array_done(&t->claims[i]);
	}
	array_done(&t->topologies);
	array_done(&t->counters);
	free(t->ports);
	free(t->claims);
	free(t->node_of);
	free(t);
}

void inter_pod_charge(struct inter_pod *t, const struct cluster *c, pod_id pod, node_id node)
{
	t->node_of[pod] = node;
	if (has_ports(c, &c->pods.items[pod]))
		*array_add(&t->ports[node]) = pod;
	if (has_claims(c, &c->pods.items[pod]))
		*array_add(&t->claims[node]) = pod;
	array_each(k, &t->counters)
		if (counts(k, c, &c->pods.items[pod]))
			count(t, k, c, pod, node, 1);
}

static void take_out(pod_ids *list, pod_id pod)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i] == pod)
			list->items[i--] = list->items[--list->n];
}

void inter_pod_uncharge(struct inter_pod *t, const struct cluster *c, pod_id pod, node_id node)
{
	t->node_of[pod] = NONE;
	take_out(&t->ports[node], pod);
	take_out(&t->claims[node], pod);
	array_each(k, &t->counters)
		if (counts(k, c, &c->pods.items[pod]))
			count(t, k, c, pod, node, -1);
}

/* ---- Asking ---- */

const pod_ids *inter_pod_with_claims(const struct inter_pod *t, node_id node)
{
	return &t->claims[node];
}

const pod_ids *inter_pod_with_ports(const struct inter_pod *t, node_id node)
{
	return &t->ports[node];
}

static uint32_t count_at(const struct inter_pod *t, const struct counter *k, node_id node)
{
	uint32_t domain = t->topologies.items[k->topology].domain[node];

	if (domain == NONE)
		return 0;
	return k->count[domain] + (k->maybe ? k->maybe[domain] : 0) + k->n_anywhere;
}

static bool has_topology(const struct inter_pod *t, const struct counter *k, node_id node)
{
	return t->topologies.items[k->topology].domain[node] != NONE;
}

/* The first pod of a group that wants to be near its own kind is let in anywhere. */
bool inter_pod_affinity_refuses(struct inter_pod *t, const struct cluster *c, pod_id id,
				node_id node)
{
	const struct pod *pod = &c->pods.items[id];
	struct range terms = c->rules.items[pod->rules].affinity;
	bool is_near = true, is_alone = all_terms_match(c, terms, pod, pod);

	if (terms.n == 0)
		return false;

	for (uint32_t i = 0; i < terms.n; i++) {
		const struct counter *k = term_counter(t, c, COUNT_AFFINITY, terms.at + i, id);

		if (!has_topology(t, k, node))
			return true;
		is_near = is_near && count_at(t, k, node) > k->n_anywhere;
		is_alone = is_alone && k->total == 0;
	}
	return !is_near && !is_alone;
}

bool inter_pod_anti_affinity_refuses(struct inter_pod *t, const struct cluster *c, pod_id id,
				     node_id node)
{
	const struct pod *pod = &c->pods.items[id];
	struct range terms = c->rules.items[pod->rules].anti_affinity;

	for (uint32_t i = 0; i < terms.n; i++)
		if (count_at(t, term_counter(t, c, COUNT_ANTI, terms.at + i, id), node) > 0)
			return true;
	array_each(k, &t->counters)
		if (k->kind == COUNT_OWNERS && count_at(t, k, node) > 0 &&
		    term_matches(c, &c->inter_pod.items[k->term], &c->pods.items[k->example], pod,
				 true))
			return true;
	return false;
}

bool inter_pod_wants(const struct cluster *c, const struct pod *pod, const struct pod *other)
{
	return pod->rules != NONE &&
	       all_terms_match(c, c->rules.items[pod->rules].affinity, pod, other);
}

static bool keeps_away(const struct cluster *c, const struct pod *pod, const struct pod *other)
{
	struct range terms = { 0 };

	if (pod->rules != NONE)
		terms = c->rules.items[pod->rules].anti_affinity;
	for (uint32_t i = 0; i < terms.n; i++)
		if (term_matches(c, &c->inter_pod.items[terms.at + i], pod, other, true))
			return true;
	return false;
}

static bool forbids(const struct cluster *c, pod_id id, pod_id other, node_id node)
{
	const struct pod *pod = &c->pods.items[id];
	struct range terms = { 0 };

	if (pod->rules != NONE)
		terms = c->rules.items[pod->rules].anti_affinity;
	for (uint32_t i = 0; i < terms.n; i++) {
		const struct pod_term *t = &c->inter_pod.items[terms.at + i];

		if (cluster_label(c, c->nodes.items[node].labels, t->topology_key) != INTERN_NONE &&
		    term_matches(c, t, pod, &c->pods.items[other], true))
			return true;
	}
	return false;
}

bool inter_pod_clash(const struct cluster *c, pod_id a, pod_id b, node_id node)
{
	return forbids(c, a, b, node) || forbids(c, b, a, node);
}

bool inter_pod_avoids(const struct cluster *c, const struct pod *pod, const struct pod *other)
{
	return keeps_away(c, pod, other) || keeps_away(c, other, pod);
}

static uint32_t least_count(const struct inter_pod *t, const struct counter *k,
			    const struct spread *s)
{
	const struct topology *topo = &t->topologies.items[k->topology];
	uint32_t least = UINT32_MAX;

	if (topo->has_unknown) /* perhaps a domain of its own */
		return 0;
	if (s->min_domains > 0 && k->n_eligible < (uint32_t)s->min_domains)
		return 0;
	for (uint32_t d = 0; d < topo->n_domains; d++)
		if (k->is_eligible[d] && k->count[d] < least)
			least = k->count[d];
	return least == UINT32_MAX ? 0 : least;
}

bool inter_pod_spread_refuses(struct inter_pod *t, const struct cluster *c, pod_id id, node_id node)
{
	const struct pod *pod = &c->pods.items[id];
	struct range spreads = c->rules.items[pod->rules].spreads;

	for (uint32_t i = 0; i < spreads.n; i++) {
		const struct spread *s = &c->spreads.items[spreads.at + i];
		const struct counter *k = spread_counter(t, c, spreads.at + i, id);
		int64_t self = spread_matches(c, s, pod, pod);

		if (!has_topology(t, k, node))
			return true;
		if ((int64_t)count_at(t, k, node) + self - (int64_t)least_count(t, k, s) >
		    s->max_skew)
			return true;
	}
	return false;
}
