/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/objects_internal.h"

/* Rules as text: strings as JSON, so that no content can look like another's. */

static void add_id(const struct cluster *c, str_id id, struct str *out)
{
	str_add_json(out, cluster_str(c, id));
}

static void add_names(const struct cluster *c, struct range run, struct str *out)
{
	str_addc(out, '(');
	for (uint32_t i = 0; i < run.n; i++)
		add_id(c, c->names.items[run.at + i], out);
	str_addc(out, ')');
}

static void add_requirements(const struct cluster *c, struct range run, struct str *out)
{
	static const char *const ops[] = { " in ", " notin ", " exists ", " absent ", ">", "<" };

	str_addc(out, '[');
	for (uint32_t i = 0; i < run.n; i++) {
		const struct requirement *r = &c->requirements.items[run.at + i];

		add_id(c, r->key, out);
		str_add(out, ops[r->op]);
		add_names(c, r->values, out);
	}
	str_addc(out, ']');
}

void selector_write(const struct cluster *c, const struct selector *s, struct str *out)
{
	if (s->is_set)
		add_requirements(c, s->all, out);
	else
		str_addc(out, '-');
}

void node_terms_write(const struct cluster *c, struct range run, struct str *out)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct node_term *t = &c->node_terms.items[run.at + i];

		str_addc(out, '{');
		add_requirements(c, t->expressions, out);
		add_requirements(c, t->fields, out);
		str_addc(out, '}');
	}
}

static void add_tolerations(const struct cluster *c, struct range run, struct str *out)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct toleration *t = &c->tolerations.items[run.at + i];

		str_addc(out, '{');
		add_id(c, t->key, out);
		str_addc(out, "=*><"[t->op]);
		add_id(c, t->value, out);
		str_addf(out, "%u}", t->effect);
	}
}

static void add_pod_terms(const struct cluster *c, struct range run, struct str *out)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct pod_term *t = &c->inter_pod.items[run.at + i];

		str_addc(out, '{');
		selector_write(c, &t->pods, out);
		selector_write(c, &t->namespaces_by_label, out);
		add_names(c, t->namespaces, out);
		add_names(c, t->match_keys, out);
		add_names(c, t->mismatch_keys, out);
		add_id(c, t->topology_key, out);
		str_addc(out, '}');
	}
}

static void add_spreads(const struct cluster *c, struct range run, struct str *out)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct spread *s = &c->spreads.items[run.at + i];

		str_addc(out, '{');
		selector_write(c, &s->pods, out);
		add_names(c, s->match_keys, out);
		add_id(c, s->topology_key, out);
		str_addf(out, "%d,%d,%d,%d}", s->max_skew, s->min_domains, s->ignores_affinity,
			 s->honors_taints);
	}
}

static void add_ports(const struct cluster *c, struct range run, struct str *out)
{
	for (uint32_t i = 0; i < run.n; i++) {
		const struct host_port *p = &c->ports.items[run.at + i];

		add_id(c, p->ip, out);
		str_addf(out, ":%u/%u", p->port, p->protocol);
	}
}

void rules_write(const struct cluster *c, const struct rules *r, struct str *out)
{
	add_id(c, r->ns, out);
	add_requirements(c, r->node_selector, out);
	str_addc(out, r->has_node_affinity ? '+' : '-');
	node_terms_write(c, r->node_terms, out);
	str_add(out, " tolerates ");
	add_tolerations(c, r->tolerations, out);
	str_add(out, " near ");
	add_pod_terms(c, r->affinity, out);
	str_add(out, " away from ");
	add_pod_terms(c, r->anti_affinity, out);
	str_add(out, " spread ");
	add_spreads(c, r->spreads, out);
	str_add(out, " ports ");
	add_ports(c, r->ports, out);
	str_add(out, " claims ");
	add_names(c, r->claims, out);
	if (r->devices.n) {
		str_add(out, " devices ");
		add_names(c, r->devices, out);
	}
	if (r->restarts_all)
		str_add(out, " restarts all");
	if (r->has_in_tree_volume)
		str_add(out, " in-tree");
}
