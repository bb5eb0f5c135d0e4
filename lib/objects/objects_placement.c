/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "objects/objects_internal.h"

static int read_name(struct decoder *d, void *arg)
{
	str_id id;
	int r = decode_id(d, &id);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->names) = id;
	return r;
}

int read_names(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->names.n;
	int r = decode_list(d, read_name, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->names.n - at };
	return r;
}

/* In the order of enum match_op; a label selector knows the first four. */
static const char *const label_ops[] = { "In", "NotIn", "Exists", "DoesNotExist", NULL };
static const char *const node_ops[] = { "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", NULL };

enum { NO_OP = UINT8_MAX };

static const struct field label_requirement_fields[] = {
	FIELD("key", read_text, struct requirement, key),
	FIELD_MORE("operator", read_choice, struct requirement, op, label_ops),
	FIELD("values", read_names, struct requirement, values),
	{ 0 },
};

static const struct field node_requirement_fields[] = {
	FIELD("key", read_text, struct requirement, key),
	FIELD_MORE("operator", read_choice, struct requirement, op, node_ops),
	FIELD("values", read_names, struct requirement, values),
	{ 0 },
};

/* What the API server would have refused does not come from one that we know. */
static bool is_complete(const struct requirement *r)
{
	switch ((enum match_op)r->op) {
	case MATCH_IN:
	case MATCH_NOT_IN:
		return r->key && r->values.n > 0;
	case MATCH_GT:
	case MATCH_LT:
		return r->key && r->values.n == 1;
	case MATCH_EXISTS:
	case MATCH_NOT_EXISTS:
		return r->key && r->values.n == 0;
	}
	return false;
}

static int read_requirement(struct decoder *d, void *arg)
{
	const struct field *fields = arg;
	struct requirement req = { .op = NO_OP };
	int r = decode_object(d, fields, &req);

	if (r == 0 && !is_complete(&req))
		return decode_refuse(d, "key, operator or values are missing");
	if (r == 0)
		*array_add(&objects_of(d)->c->requirements) = req;
	return r;
}

/* One name must be in one value: how maps of labels are matched. */
static int read_equality(struct decoder *d, struct slice key, void *arg)
{
	struct cluster *c = objects_of(d)->c;
	struct requirement req = { .op = MATCH_IN, .values = { (uint32_t)c->names.n, 1 } };
	str_id value;

	(void)arg;
	req.key = intern_add(d->strings, key.s, key.n);
	int r = decode_id(d, &value);
	if (r == 0) {
		*array_add(&c->names) = value;
		*array_add(&c->requirements) = req;
	}
	return r;
}

static int cmp_values(const struct cluster *c, struct range a, struct range b)
{
	for (uint32_t i = 0; i < a.n && i < b.n; i++) {
		int order = cluster_cmp(c, c->names.items[a.at + i], c->names.items[b.at + i]);

		if (order)
			return order;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int cmp_requirements(const void *a, const void *b, void *arg)
{
	const struct requirement *x = a, *y = b;
	const struct cluster *c = arg;
	int order = cluster_cmp(c, x->key, y->key);

	if (order == 0)
		order = x->op - y->op;
	return order ? order : cmp_values(c, x->values, y->values);
}

void sort_requirements(struct cluster *c, struct range run)
{
	if (run.n > 1)
		qsort_r(c->requirements.items + run.at, run.n, sizeof(*c->requirements.items),
			cmp_requirements, c);
}

static struct range requirements_since(struct cluster *c, uint32_t at)
{
	struct range run = { at, (uint32_t)c->requirements.n - at };

	sort_requirements(c, run);
	return run;
}

/* `more` is the table of a requirement. */
static int read_requirements(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->requirements.n;
	int r = decode_list(d, read_requirement, (void *)f->more);

	if (r == 0)
		*(struct range *)into = requirements_since(c, at);
	return r;
}

int read_equalities(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->requirements.n;
	int r = decode_map(d, read_equality, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = requirements_since(c, at);
	return r;
}

/* The two parts of a label selector, one run behind the other. */
struct selector_draft {
	struct range labels, expressions;
};

static const struct field selector_fields[] = {
	FIELD_MORE("matchExpressions", read_requirements, struct selector_draft, expressions,
		   label_requirement_fields),
	FIELD("matchLabels", read_equalities, struct selector_draft, labels),
	{ 0 },
};

int read_selector(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	struct selector_draft draft = { 0 };
	uint32_t at = (uint32_t)c->requirements.n;
	int r = decode_object(d, selector_fields, &draft);

	(void)f;
	if (r == 0)
		*(struct selector *)into = (struct selector){
			.all = requirements_since(c, at),
			.is_set = true,
		};
	return r;
}

static const struct field node_term_fields[] = {
	FIELD_MORE("matchExpressions", read_requirements, struct node_term, expressions,
		   node_requirement_fields),
	FIELD_MORE("matchFields", read_requirements, struct node_term, fields,
		   node_requirement_fields),
	{ 0 },
};

static int read_node_term(struct decoder *d, void *arg)
{
	struct node_term term = { 0 };
	int r = decode_object(d, node_term_fields, &term);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->node_terms) = term;
	return r;
}

int read_node_term_alone(struct decoder *d, const struct field *f, void *into)
{
	uint32_t at = (uint32_t)objects_of(d)->c->node_terms.n;
	int r = read_node_term(d, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, 1 };
	return r;
}

int read_node_terms(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->node_terms.n;
	int r = decode_list(d, read_node_term, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->node_terms.n - at };
	return r;
}

#define TERM(key, read, member) FIELD(key, read, struct pod_term, member, UNREAD_RULES)
static const struct field pod_term_fields[] = {
	TERM("labelSelector", read_selector, pods),
	TERM("matchLabelKeys", read_names, match_keys),
	TERM("mismatchLabelKeys", read_names, mismatch_keys),
	TERM("namespaceSelector", read_selector, namespaces_by_label),
	TERM("namespaces", read_names, namespaces),
	TERM("topologyKey", read_text, topology_key),
	{ 0 },
};
#undef TERM

/* A term that cannot be read is one about all pods: as anti-affinity it keeps away more than it
 * says, not less. (A pod with such a term is not placed.) */
static void widen_term(struct decoder *d, struct pod_term *t)
{
	const struct selector all = { .is_set = true };
	str_id key = t->topology_key ? t->topology_key
				     : intern_cstr(d->strings, "kubernetes.io/hostname");

	if (!t->topology_key)
		d->unread |= UNREAD_TAKEN | UNREAD_AVOIDED;
	*t = (struct pod_term){ .pods = all, .namespaces_by_label = all, .topology_key = key };
}

static int read_pod_term(struct decoder *d, void *arg)
{
	const char *from = d->scan.at;
	unsigned before = d->unread, depth = d->depth, scan_depth = d->scan.depth;
	struct pod_term term = { 0 };

	(void)arg;
	d->unread = 0;
	int r = decode_object(d, pod_term_fields, &term);
	if (r == DECODE_REFUSED)
		r = decode_pass(d, from, depth, scan_depth, UNREAD_RULES);
	if (r == 0 && !term.topology_key && !d->unread)
		decode_note(d, UNREAD_RULES, "topologyKey is missing");
	if (d->unread)
		widen_term(d, &term);
	d->unread |= before;
	if (r == 0)
		*array_add(&objects_of(d)->c->inter_pod) = term;
	return r;
}

static int read_pod_terms(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->inter_pod.n;
	int r = decode_list(d, read_pod_term, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->inter_pod.n - at };
	return r;
}

/* In the order of enum taint_effect. */
static const char *const effects[] = { "", "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
/* In the order of enum toleration_op. */
static const char *const toleration_ops[] = { "Equal", "Exists", "Gt", "Lt", NULL };

static const struct field toleration_fields[] = {
	FIELD_MORE("effect", read_choice, struct toleration, effect, effects),
	FIELD("key", read_text, struct toleration, key),
	FIELD_MORE("operator", read_default_choice, struct toleration, op, toleration_ops),
	FIELD("value", read_text, struct toleration, value),
	{ 0 },
};

static int read_toleration(struct decoder *d, void *arg)
{
	struct toleration t = { 0 };
	int r = decode_object(d, toleration_fields, &t);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->tolerations) = t;
	return r;
}

static int read_tolerations(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->tolerations.n;
	int r = decode_list(d, read_toleration, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->tolerations.n - at };
	return r;
}

struct spread_draft {
	struct spread spread;
	uint8_t when; /* 1: DoNotSchedule */
};
enum { NO_WHEN = UINT8_MAX };

static const char *const spread_when[] = { "ScheduleAnyway", "DoNotSchedule", NULL };
static const char *const affinity_policies[] = { "Honor", "Ignore", NULL };
static const char *const taints_policies[] = { "Ignore", "Honor", NULL };

static const struct field spread_fields[] = {
	FIELD("labelSelector", read_selector, struct spread_draft, spread.pods),
	FIELD("matchLabelKeys", read_names, struct spread_draft, spread.match_keys),
	FIELD("maxSkew", read_i32, struct spread_draft, spread.max_skew),
	FIELD("minDomains", read_i32, struct spread_draft, spread.min_domains),
	FIELD_MORE("nodeAffinityPolicy", read_default_choice, struct spread_draft,
		   spread.ignores_affinity, affinity_policies),
	FIELD_MORE("nodeTaintsPolicy", read_default_choice, struct spread_draft,
		   spread.honors_taints, taints_policies),
	FIELD("topologyKey", read_text, struct spread_draft, spread.topology_key),
	FIELD_MORE("whenUnsatisfiable", read_choice, struct spread_draft, when, spread_when),
	{ 0 },
};

static int read_spread(struct decoder *d, void *arg)
{
	struct spread_draft draft = { .when = NO_WHEN };
	int r = decode_object(d, spread_fields, &draft);

	(void)arg;
	if (r == 0 &&
	    (draft.when == NO_WHEN || !draft.spread.topology_key || draft.spread.max_skew < 1))
		return decode_refuse(d, "maxSkew, topologyKey or whenUnsatisfiable is missing");
	if (r == 0 && draft.when == 1)
		*array_add(&objects_of(d)->c->spreads) = draft.spread;
	return r;
}

static int read_spreads(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->spreads.n;
	int r = decode_list(d, read_spread, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->spreads.n - at };
	return r;
}

static const struct field required_nodes_fields[] = {
	FIELD("nodeSelectorTerms", read_node_terms, struct rules, node_terms),
	{ 0 },
};

static int read_required_nodes(struct decoder *d, const struct field *f, void *into)
{
	struct rules *rules = into;

	rules->has_node_affinity = true;
	return read_object(d, f, into);
}

static const struct field node_affinity_fields[] = {
	FIELD_WHOLE("requiredDuringSchedulingIgnoredDuringExecution", read_required_nodes,
		    required_nodes_fields),
	{ 0 },
};

static const struct field pod_affinity_fields[] = {
	FIELD("requiredDuringSchedulingIgnoredDuringExecution", read_pod_terms, struct rules,
	      affinity),
	{ 0 },
};

static const struct field pod_anti_affinity_fields[] = {
	FIELD("requiredDuringSchedulingIgnoredDuringExecution", read_pod_terms, struct rules,
	      anti_affinity),
	{ 0 },
};

/* What keeps other pods away counts as taken of the node where it cannot be read. */
static const struct field affinity_fields[] = {
	FIELD_SUB("nodeAffinity", node_affinity_fields, UNREAD_RULES),
	FIELD_SUB("podAffinity", pod_affinity_fields, UNREAD_RULES),
	FIELD_SUB("podAntiAffinity", pod_anti_affinity_fields,
		  UNREAD_RULES | UNREAD_TAKEN | UNREAD_AVOIDED),
	{ 0 },
};

int read_placement(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = read_slice(d, f, &text);

	if (r == 0)
		*(str_id *)into = intern_add(&objects_of(d)->placements, text.s, text.n);
	return r;
}

/* The four parts of a placement, each read on its own. */
static const struct part {
	struct field field;
	size_t id;
} parts[] = {
	{ FIELD_SUB("affinity", affinity_fields, UNREAD_RULES | UNREAD_TAKEN | UNREAD_AVOIDED),
	  offsetof(struct placement, affinity) },
	{ FIELD("nodeSelector", read_equalities, struct rules, node_selector, UNREAD_RULES),
	  offsetof(struct placement, node_selector) },
	{ FIELD("tolerations", read_tolerations, struct rules, tolerations, UNREAD_RULES),
	  offsetof(struct placement, tolerations) },
	{ FIELD("topologySpreadConstraints", read_spreads, struct rules, spreads, UNREAD_RULES),
	  offsetof(struct placement, spreads) },
};

static struct slice part_text(const struct objects *o, const struct placement *p, size_t part)
{
	str_id id = *(const str_id *)(const void *)((const char *)p + parts[part].id);

	return (struct slice){ intern_str(&o->placements, id), intern_len(&o->placements, id) };
}

static int decode_part(struct decoder *d, const struct part *part, struct slice text,
		       struct rules *rules)
{
	const struct field *f = &part->field;

	d->scan = scan_of(text);
	d->depth = 0;
	decoder_enter(d, "spec");
	decoder_enter(d, f->key);
	int r = f->read(d, f, (char *)rules + f->offset);
	if (r != DECODE_REFUSED)
		return r;
	d->unread |= f->unread;
	return 0;
}

static int decode_template(struct objects *o, const struct placement *placement,
			   struct rules *rules)
{
	struct decoder *d = &o->d;
	struct scan whole = d->scan;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		struct slice text = part_text(o, placement, i);

		if (text.n)
			r = decode_part(d, &parts[i], text, rules);
	}
	d->scan = whole;
	d->depth = 0;
	return r == 0 && d->has_duplicate ? DECODE_DUPLICATE : r;
}

int placement_template(struct objects *o, const struct placement *placement, uint32_t *ret)
{
	const struct range *known = shared_find(&o->terms, placement, sizeof(*placement));
	unsigned unread = o->d.unread;

	if (known) {
		*ret = known->at;
		return 0;
	}

	struct rules rules = { 0 };
	int r = decode_template(o, placement, &rules);
	if (r < 0)
		return r;
	*ret = (uint32_t)o->templates.n;
	*array_add(&o->templates) = rules;
	if (o->d.unread == unread) /* else each pod is to say why */
		shared_add(&o->terms, placement, sizeof(*placement), (struct range){ *ret, 1 });
	return 0;
}
