/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/namespace_limits.h"

#include <string.h>

#include "base/decimal.h"
#include "plan/trial.h"

struct limits {
	const struct namespace *ns;
	bool is_unread, has_criticality, has_priority, has_quota;
	enum level max_criticality;
	int64_t max_priority;
	int64_t quota, used; /* ppm of a core */
};

/* Cores, which have no sign, and no digit behind the millionths. */
static bool parse_cores(const char *text, int64_t *ret)
{
	bool is_rounded = false;

	return decimal_parse(text, strlen(text), ret, &is_rounded) && *text != '-' && !is_rounded;
}

static bool parse_priority(const struct cluster *c, str_id text, int64_t *ret)
{
	int32_t n = 0;

	if (!intern_number(&c->strings, text, &n))
		return false;
	*ret = n;
	return true;
}

static struct limits limits_of(const struct cluster *c, const struct namespace *ns)
{
	const struct namespace_annotations *a = &ns->annotations;
	struct limits g = { .ns = ns, .is_unread = ns->has_unread_annotations };

	g.has_criticality = a->max_criticality != NONE;
	g.has_priority = a->max_priority != NONE;
	g.has_quota = a->rt_quota != NONE;
	if (g.has_criticality)
		g.is_unread |=
			!criticality_parse(cluster_str(c, a->max_criticality), &g.max_criticality);
	if (g.has_priority)
		g.is_unread |= !parse_priority(c, a->max_priority, &g.max_priority);
	if (g.has_quota)
		g.is_unread |= !parse_cores(cluster_str(c, a->rt_quota), &g.quota);
	return g;
}

static bool has_any(const struct limits *g)
{
	return g->is_unread || g->has_criticality || g->has_priority || g->has_quota;
}

/* What the budget may use at most, over all cores. */
static int64_t utilisation(const struct budget *b, uint32_t n_cores)
{
	return b->period ? ((int64_t)b->hi * PPM + b->period - 1) / b->period * n_cores : 0;
}

static bool is_running(const struct unit *u)
{
	return u->kind == UNIT_FIXED || u->kind == UNIT_RUNNING;
}

static bool is_asking(const struct trial *t, const struct unit *u)
{
	return unit_is_new(u) ||
	       (u->kind == UNIT_RUNNING && unit_request(t, u)->assignment == ASSIGNMENT_OTHER);
}

static bool is_of(const struct trial *t, const struct unit *u, const struct limits *g)
{
	return unit_pod(t, u)->meta.ns == g->ns->meta.name;
}

static bool exceeds_quota(const struct trial *t, const struct unit *u, struct limits *g)
{
	int64_t more = utilisation(&unit_request(t, u)->budget, u->core_count);

	if (is_running(u))
		more -= utilisation(request_held(unit_request(t, u)), u->core_count);
	if (more > 0 && g->used + more > g->quota)
		return true;
	g->used += more > 0 ? more : 0;
	return false;
}

static enum denial denial_of(const struct trial *t, const struct unit *u, struct limits *g)
{
	const struct budget *b = &unit_request(t, u)->budget;
	bool is_raised =
		!is_running(u) || b->criticality > request_held(unit_request(t, u))->criticality;

	if (g->is_unread)
		return DENIAL_UNREAD;
	if (g->has_criticality && b->criticality > g->max_criticality && is_raised)
		return DENIAL_CRITICALITY;
	if (g->has_priority && unit_pod(t, u)->priority > g->max_priority && !is_running(u))
		return DENIAL_PRIORITY;
	return g->has_quota && exceeds_quota(t, u, g) ? DENIAL_QUOTA : DENIAL_NONE;
}

/* What pods with cores hold. */
static int64_t in_use(const struct cluster *c, const struct requests *requests, str_id ns)
{
	int64_t sum = 0;

	array_each(q, &requests->list) {
		const struct pod *pod = &c->pods.items[q->pod];

		if (pod->meta.ns == ns && pod->node != NONE && q->has_cores)
			sum += utilisation(request_held(q), q->core_count);
	}
	return sum;
}

static void decide(struct trial *t, struct limits *g)
{
	g->used = in_use(t->c, &t->req, g->ns->meta.name);
	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		struct unit *u = &t->units.items[t->by_turn[turn]];

		if (is_of(t, u, g) && is_asking(t, u))
			u->denial = (uint8_t)denial_of(t, u, g);
	}
}

void limits_decide(struct trial *t)
{
	array_each(ns, &t->c->namespaces) {
		struct limits g = limits_of(t->c, ns);

		if (has_any(&g))
			decide(t, &g);
	}
}

static const struct namespace *namespace_of(const struct trial *t, const struct unit *u)
{
	array_each(ns, &t->c->namespaces)
		if (ns->meta.name == unit_pod(t, u)->meta.ns)
			return ns;
	return NULL;
}

/* What it asks for beyond what it holds; g->used becomes what the others get, and it holds. */
static int64_t quota_requested(const struct trial *t, const struct unit *u, struct limits *g)
{
	int64_t more = utilisation(&unit_request(t, u)->budget, u->core_count);

	array_each(other, &t->units)
		if (is_of(t, other, g) && other->denial == DENIAL_NONE)
			g->used += utilisation(&unit_request(t, other)->budget, other->core_count);
		else if (is_of(t, other, g) && is_running(other))
			g->used += utilisation(request_held(unit_request(t, other)),
					       other->core_count);
	if (is_running(u))
		more -= utilisation(request_held(unit_request(t, u)), u->core_count);
	return more;
}

static const char *key_of(enum namespace_annotation annotation)
{
	return namespace_annotation_rows[annotation].key;
}

static void describe_quota(const struct trial *t, const struct unit *u, struct limits *g,
			   struct str *out)
{
	int64_t more = quota_requested(t, u, g);

	str_addf(out, "%s %s, ", key_of(NAMESPACE_ANNOTATION_rt_quota),
		 cluster_str(t->c, g->ns->annotations.rt_quota));
	decimal_add_rounded(out, g->used, 3);
	str_add(out, " in use, ");
	decimal_add_rounded(out, more, 3);
	str_add(out, " more requested");
}

void limits_describe(const struct trial *t, const struct unit *u, struct str *out)
{
	const struct namespace *ns = namespace_of(t, u);
	struct limits g;

	if (!ns)
		return;
	g = limits_of(t->c, ns);
	str_addf(out, "namespace %s: ", cluster_str(t->c, ns->meta.name));
	switch ((enum denial)u->denial) {
	case DENIAL_NONE:
		break;
	case DENIAL_UNREAD:
		str_add(out, "what it may ask for cannot be read: see its annotations");
		break;
	case DENIAL_CRITICALITY:
		str_addf(out, "criticality up to %s is allowed, %s is requested",
			 criticality_name(g.max_criticality),
			 criticality_name(unit_request(t, u)->budget.criticality));
		break;
	case DENIAL_PRIORITY:
		str_addf(out, "priority up to %lld is allowed, the pod has %d",
			 (long long)g.max_priority, unit_pod(t, u)->priority);
		break;
	case DENIAL_QUOTA:
		describe_quota(t, u, &g, out);
		break;
	}
}

void limits_advise(const struct trial *t, const struct unit *u, struct str *out)
{
	const struct namespace *ns = namespace_of(t, u);
	struct limits g;

	if (!ns)
		return;
	g = limits_of(t->c, ns);
	const char *name = cluster_str(t->c, ns->meta.name);
	switch ((enum denial)u->denial) {
	case DENIAL_NONE:
		break;
	case DENIAL_UNREAD:
		str_addf(out, "Correct the annotations of Namespace %s.", name);
		break;
	case DENIAL_CRITICALITY:
		str_addf(out, "Ask for criticality %s, or raise %s of Namespace %s to %s.",
			 criticality_name(g.max_criticality),
			 key_of(NAMESPACE_ANNOTATION_max_criticality), name,
			 criticality_name(unit_request(t, u)->budget.criticality));
		break;
	case DENIAL_PRIORITY:
		str_addf(out, "Raise %s of Namespace %s to %d.",
			 key_of(NAMESPACE_ANNOTATION_max_priority), name, unit_pod(t, u)->priority);
		break;
	case DENIAL_QUOTA: {
		int64_t more = quota_requested(t, u, &g);

		str_addf(out, "Raise %s of Namespace %s to ", key_of(NAMESPACE_ANNOTATION_rt_quota),
			 name);
		decimal_add(out, g.used + more, 0);
		str_add(out, " or more, or ask for less.");
		break;
	}
	}
}

bool limits_are_set(const struct cluster *c, const struct namespace *ns)
{
	struct limits g = limits_of(c, ns);

	return has_any(&g);
}

void limits_use(const struct cluster *c, const struct requests *requests, str_id name,
		const struct namespace *ns, struct namespace_use *ret)
{
	*ret = (struct namespace_use){ .used = in_use(c, requests, name),
				       .max_criticality = "",
				       .max_priority = "",
				       .problem = "" };
	if (!ns)
		return;
	struct limits g = limits_of(c, ns);
	ret->max_criticality = cluster_str(c, ns->annotations.max_criticality);
	ret->max_priority = cluster_str(c, ns->annotations.max_priority);
	ret->has_quota = g.has_quota && !g.is_unread;
	ret->quota = g.quota;
	if (g.is_unread)
		ret->problem = "annotations that cannot be read: nothing new is placed";
}

bool limits_summarise(const struct cluster *c, const struct requests *requests,
		      const struct namespace *ns, struct str *out)
{
	const struct namespace_annotations *a = &ns->annotations;
	struct limits g = limits_of(c, ns);

	str_clear(out);
	if (g.is_unread)
		str_add(out, "annotations that cannot be read: nothing new is placed");
	else if (g.has_criticality)
		str_addf(out, "criticality up to %s", criticality_name(g.max_criticality));
	if (!g.is_unread && g.has_priority)
		str_addf(out, "%spriority up to %lld", out->n ? ", " : "",
			 (long long)g.max_priority);
	if (!g.is_unread && g.has_quota) {
		str_add(out, out->n ? ", " : "");
		decimal_add_rounded(out, in_use(c, requests, ns->meta.name), 3);
		str_addf(out, " of %s cores in use", cluster_str(c, a->rt_quota));
	}
	return out->n > 0;
}
