/* SPDX-License-Identifier: Apache-2.0 */
#include "model/match.h"

#include <errno.h>
#include <stdlib.h>

/* A 64-bit integer without a sign of plus or leading zeros. */
static bool read_integer(const char *text, int64_t *ret)
{
	const char *digits = text + (*text == '-');
	char *end;

	if (*digits < '0' || *digits > '9' || (*digits == '0' && (digits[1] || *text == '-')))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return !errno && !*end;
}

static bool compares(const struct cluster *c, const struct toleration *t, str_id value)
{
	int64_t limit, have;

	if (!read_integer(cluster_str(c, t->value), &limit) ||
	    !read_integer(cluster_str(c, value), &have))
		return false;
	return t->op == TOLERATE_GT ? have > limit : have < limit;
}

static bool value_matches(const struct cluster *c, const struct toleration *t, str_id value)
{
	if (t->op == TOLERATE_EXISTS)
		return true;
	return t->op == TOLERATE_EQUAL ? t->value == value : compares(c, t, value);
}

bool match_tolerates(const struct cluster *c, struct range tolerations, str_id key, str_id value,
		     enum taint_effect effect)
{
	for (uint32_t i = 0; i < tolerations.n; i++) {
		const struct toleration *t = &c->tolerations.items[tolerations.at + i];

		if (t->effect != EFFECT_ANY && t->effect != effect)
			continue;
		if (t->key != key && !(t->key == 0 && t->op == TOLERATE_EXISTS))
			continue;
		if (value_matches(c, t, value))
			return true;
	}
	return false;
}

bool match_tolerates_taint(const struct cluster *c, const struct rules *rules,
			   const struct taint *t)
{
	return t->effect == EFFECT_PREFER_NO_SCHEDULE ||
	       match_tolerates(c, rules->tolerations, t->key, t->value, t->effect);
}

const struct taint *match_untolerated(const struct cluster *c, const struct rules *rules,
				      const struct node *node)
{
	for (uint32_t i = 0; i < node->taints.n; i++) {
		const struct taint *t = &c->taints.items[node->taints.at + i];

		if (!match_tolerates_taint(c, rules, t))
			return t;
	}
	return NULL;
}

static bool all_match(const struct cluster *c, struct range requirements, struct range labels)
{
	return selector_matches(c, (struct selector){ requirements, true }, labels);
}

static bool term_matches(const struct cluster *c, const struct node_term *t,
			 const struct node *node)
{
	if (t->expressions.n == 0 && t->fields.n == 0)
		return false;
	if (!all_match(c, t->expressions, node->labels))
		return false;
	for (uint32_t i = 0; i < t->fields.n; i++)
		if (!requirement_matches(c, &c->requirements.items[t->fields.at + i],
					 node->meta.name))
			return false;
	return true;
}

bool match_node_terms(const struct cluster *c, struct range terms, const struct node *node)
{
	for (uint32_t i = 0; i < terms.n; i++)
		if (term_matches(c, &c->node_terms.items[terms.at + i], node))
			return true;
	return false;
}

bool match_node_selector(const struct cluster *c, const struct rules *rules,
			 const struct node *node)
{
	return all_match(c, rules->node_selector, node->labels);
}

bool match_node(const struct cluster *c, const struct rules *rules, const struct node *node)
{
	return match_node_selector(c, rules, node) &&
	       (!rules->has_node_affinity || match_node_terms(c, rules->node_terms, node));
}

static bool ports_collide(const struct host_port *a, const struct host_port *b)
{
	return a->port == b->port && a->protocol == b->protocol &&
	       (a->ip == b->ip || a->ip == 0 || b->ip == 0);
}

static struct range ports_of(const struct cluster *c, const struct pod *pod)
{
	return pod->rules == NONE ? (struct range){ 0 } : c->rules.items[pod->rules].ports;
}

bool match_ports_collide(const struct cluster *c, const struct pod *a, const struct pod *b)
{
	struct range p = ports_of(c, a), q = ports_of(c, b);

	for (uint32_t i = 0; i < p.n; i++)
		for (uint32_t j = 0; j < q.n; j++)
			if (ports_collide(&c->ports.items[p.at + i], &c->ports.items[q.at + j]))
				return true;
	return false;
}

bool match_mckube(const struct cluster *c, const struct mckube *m, const struct pod *pod)
{
	if (m->meta.ns != pod->meta.ns)
		return false;
	return m->podname ? m->podname == pod->meta.name
			  : selector_matches(c, m->selector, pod->labels);
}
