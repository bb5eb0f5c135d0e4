/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "model/mckube_options.h"
#include "model/request_internal.h"
#include "model/request_value.h"

const char *request_source_name(enum request_source s)
{
	static const char *const names[] = { "", "mckube", "annotations", "rt-operator" };

	return names[s];
}

static const char *pod_ns(const struct cluster *c, const struct pod *pod)
{
	return cluster_str(c, pod->meta.ns);
}

static const char *pod_name(const struct cluster *c, const struct pod *pod)
{
	return cluster_str(c, pod->meta.name);
}

/* ---- Source 1: McKube objects ---- */

#define MCKUBE_TEXT(m, member)                   \
	{                                        \
		(m)->member, MCKUBE_PATH(member) \
	}

static struct request_text text_of_mckube(const struct mckube *m)
{
	struct request_text t = {
		.period = MCKUBE_TEXT(m, period),
		.low = MCKUBE_TEXT(m, runtime_low),
		.medium = MCKUBE_TEXT(m, runtime_medium),
		.hi = MCKUBE_TEXT(m, runtime_hi),
		.floor = MCKUBE_TEXT(m, runtime_floor),
		.core_count = MCKUBE_TEXT(m, core_count),
		.core = MCKUBE_TEXT(m, core),
		.criticality = MCKUBE_TEXT(m, criticality),
		.guarantee = MCKUBE_TEXT(m, guarantee),
		.policy = MCKUBE_TEXT(m, policy),
		.priority = MCKUBE_TEXT(m, priority),
	};

	if (!m->runtime_low.kind && m->budget_lo.kind)
		t.low = (struct text_field)MCKUBE_TEXT(m, budget_lo);
	if (!m->runtime_hi.kind && m->budget_hi.kind)
		t.hi = (struct text_field)MCKUBE_TEXT(m, budget_hi);
	return t;
}

/* ---- Sources 2 and 3, and assignments: annotations ---- */

static const struct pod_annotations *annotations_of(const struct cluster *c, const struct pod *pod)
{
	return pod->annotations == NONE ? NULL : &c->annotations.items[pod->annotations];
}

static bool annotations_take_precedence(const struct cluster *c, const struct pod *pod)
{
	const struct pod_annotations *n = annotations_of(c, pod);

	return n && n->period != NONE && pod->has_label &&
	       (n->source == NONE || strcmp(cluster_str(c, n->source), "annotations") == 0);
}

static bool rt_operator_takes_precedence(const struct cluster *c, const struct pod *pod)
{
	const struct pod_annotations *n = annotations_of(c, pod);

	return n && n->realtime != NONE && strcmp(cluster_str(c, n->realtime), "true") == 0;
}

static bool read_rt_operator(const struct cluster *c, const struct pod *pod,
			     struct request_value *v, struct value_error *err)
{
	struct request_text t = request_text_of_rt_operator(annotations_of(c, pod));

	if (pod->qos != QOS_GUARANTEED) {
		err->reason = "Unsupported";
		snprintf(err->message, sizeof(err->message),
			 "%s: rt-operator serves Guaranteed pods only",
			 POD_ANNOTATION_PATH(realtime));
		return false;
	}
	return request_value_read(c, &t, true, v, err);
}

/* ---- One pod ---- */

static uint32_t add_set(struct requests *r, const struct cpuset *set)
{
	*array_add(&r->sets) = *set;
	return (uint32_t)r->sets.n - 1;
}

static enum request_source source_of(const struct cluster *c, const struct pod *pod, mckube_id m)
{
	if (m != NONE)
		return SOURCE_MCKUBE;
	if (annotations_take_precedence(c, pod))
		return SOURCE_ANNOTATIONS;
	return rt_operator_takes_precedence(c, pod) ? SOURCE_RT_OPERATOR : SOURCE_NONE;
}

static bool read_source(const struct cluster *c, const struct pod *pod, enum request_source source,
			mckube_id m, struct request_value *v, struct value_error *err)
{
	struct request_text t;

	switch (source) {
	case SOURCE_MCKUBE:
		t = text_of_mckube(&c->mckubes.items[m]);
		return request_value_read(c, &t, false, v, err);
	case SOURCE_ANNOTATIONS:
		t = request_text_of_annotations(annotations_of(c, pod));
		return request_value_read(c, &t, true, v, err);
	case SOURCE_RT_OPERATOR:
		return read_rt_operator(c, pod, v, err);
	case SOURCE_NONE:
		break;
	}
	return false;
}

/* Warns of a source that another takes precedence of and that asks for something else. */
static void compare_sources(struct reading *r, const struct pod *pod, enum request_source first,
			    const struct request_value *v)
{
	const struct cluster *c = r->c;

	for (enum request_source s = first + 1; s <= SOURCE_RT_OPERATOR; s++) {
		bool has_request = s == SOURCE_ANNOTATIONS ? annotations_take_precedence(c, pod)
							   : rt_operator_takes_precedence(c, pod);
		struct request_value other;
		struct value_error err;

		if (!has_request || !read_source(c, pod, s, NONE, &other, &err))
			continue;
		const struct budget *a = &v->budget, *b = &other.budget;
		if (a->period == b->period && a->low == b->low && a->hi == b->hi &&
		    a->criticality == b->criticality)
			continue;
		warning_add(r->warnings, "Pod", pod_ns(c, pod), pod_name(c, pod), "SourceConflict",
			    "source %s asks for %d/%d of %d us (%s), source %s for %d/%d of %d us "
			    "(%s); the former takes precedence",
			    request_source_name(first), a->low, a->hi, a->period,
			    criticality_name(a->criticality), request_source_name(s), b->low, b->hi,
			    b->period, criticality_name(b->criticality));
	}
}

static bool parse_cores(const struct cluster *c, str_id text, struct cpuset *ret)
{
	return cpuset_parse(cluster_str(c, text), intern_len(&c->strings, text), ret, NULL) == 0;
}

/* False: it is no list of CPUs. */
static bool read_set(struct reading *r, str_id text, uint32_t *ret)
{
	size_t at = text % SETS_KNOWN;
	struct cpuset set;

	if (!text)
		return false;
	if (r->known[at].text != text) {
		if (!parse_cores(r->c, text, &set))
			return false;
		r->known[at].text = text;
		r->known[at].set = add_set(r->out, &set);
	}
	*ret = r->known[at].set;
	return true;
}

bool request_pin_is_legacy(const struct cluster *c, const struct mckube *m,
			   const struct cpuset *pin)
{
	struct cpuset chosen;

	return parse_cores(c, m->status_core, &chosen) && cpuset_eq(&chosen, pin);
}

/* Why a pin is taken as one that an older controller wrote, NULL if it is not: it is one, or it was
 * before we moved the pod away. */
static const char *legacy_reason(const struct cluster *c, const struct mckube *m,
				 const struct pod *pod, const struct cpuset *pin)
{
	const struct pod_annotations *n = annotations_of(c, pod);
	struct cpuset cores;

	if (request_pin_is_legacy(c, m, pin))
		return "status.allocatedCore says the same";
	if (pod->node_name && n && n->source != NONE && n->core != NONE &&
	    parse_cores(c, n->core, &cores) && !cpuset_eq(&cores, pin))
		return "the pod was assigned to others";
	return NULL;
}

static void read_pins(struct reading *r, struct request *q, const struct pod *pod,
		      const struct request_value *v)
{
	const struct cluster *c = r->c;
	const struct mckube *m = q->mckube == NONE ? NULL : &c->mckubes.items[q->mckube];
	bool may_be_legacy = m && v->has_cores && r->settings->ignores_legacy_pins;
	const char *legacy = may_be_legacy ? legacy_reason(c, m, pod, &v->cores) : NULL;

	q->core_count = v->core_count;
	if (legacy) {
		warning_add(r->warnings, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			    cluster_str(c, m->meta.name), "LegacyPin",
			    "spec.rtSettings.core: '%s' is taken as an older controller's choice "
			    "and ignored, spec.node too: %s",
			    cluster_str(c, m->core.text), legacy);
		return;
	}
	if (v->has_cores) {
		q->has_pin = true;
		q->pin = add_set(r->out, &v->cores);
	}
	if (!m || !m->node)
		return;
	q->has_node_pin = true;
	q->node_pin = cluster_node(c, cluster_str(c, m->node));
	if (q->node_pin == NONE)
		warning_add(r->warnings, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			    cluster_str(c, m->meta.name), "UnknownNode",
			    "spec.node: there is no node '%s'", cluster_str(c, m->node));
}

static void read_request(struct reading *r, struct request *q, const struct pod *pod)
{
	const struct cluster *c = r->c;
	struct request_value v;
	struct value_error err;

	if (q->source == SOURCE_NONE)
		return;
	if (read_source(c, pod, q->source, q->mckube, &v, &err)) {
		q->has_budget = true;
		q->budget = v.budget;
		q->guarantee = v.guarantee;
		q->policy = v.policy;
		q->priority = v.priority;
		read_pins(r, q, pod, &v);
		compare_sources(r, pod, q->source, &v);
		return;
	}
	q->is_bad = true;
	if (q->source == SOURCE_MCKUBE) {
		const struct mckube *m = &c->mckubes.items[q->mckube];

		warning_add(r->warnings, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			    cluster_str(c, m->meta.name), err.reason, "%s", err.message);
	} else {
		warning_add(r->warnings, "Pod", pod_ns(c, pod), pod_name(c, pod), err.reason, "%s",
			    err.message);
	}
}

/* The McKube whose status is about this very pod: not one that means several, nor one whose pod was
 * deleted and made again under the same name. NULL: there is none. */
static const struct mckube *status_of(const struct cluster *c, const struct request *q,
				      const struct pod *pod)
{
	const struct mckube *m = q->mckube == NONE ? NULL : &c->mckubes.items[q->mckube];
	bool is_other = m && m->status_uid && m->status_uid != pod->meta.uid;

	return !m || q->selects_many || is_other ? NULL : m;
}

/* Where the pod is: its annotation, else what the old controller wrote to the status. A pod
 * that is not bound has no place, only constraints. */
static void read_place(struct reading *r, struct request *q, const struct pod *pod)
{
	const struct cluster *c = r->c;
	const struct pod_annotations *n = annotations_of(c, pod);
	const struct mckube *m = status_of(c, q, pod);
	bool is_noted = n && n->core != NONE;
	str_id text = is_noted ? n->core : m ? m->status_core : 0;

	if (!pod->node_name || (!is_noted && !text))
		return;
	if (read_set(r, text, &q->cores)) {
		q->has_cores = true;
		return;
	}
	q->is_unread = !q->has_budget; /* else the plan assigns it again */
	if (is_noted) {
		warning_add(
			r->warnings, "Pod", pod_ns(c, pod), pod_name(c, pod), "BadCpuset",
			"%s: '%.40s' is not a list of CPUs; the pod counts as one without cores",
			POD_ANNOTATION_PATH(core), cluster_str(c, text));
	} else {
		warning_add(
			r->warnings, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			cluster_str(c, m->meta.name), "BadCpuset",
			"status.allocatedCore: '%.40s' is not a list of CPUs; the pod counts as one "
			"without cores",
			cluster_str(c, text));
	}
}

static void read_level(const struct cluster *c, struct request *q, const struct pod *pod)
{
	const struct pod_annotations *n = annotations_of(c, pod);
	const struct mckube *m = status_of(c, q, pod);
	enum level level = LEVEL_LOW;

	str_id current = !n || n->current == NONE ? 0 : n->current;
	bool is_floor = strcmp(cluster_str(c, current), LEVEL_NAME_FLOOR) == 0;

	if (!is_floor && !level_parse(cluster_str(c, current), &level) && m)
		level_parse(cluster_str(c, m->status_current), &level);
	q->level = (uint8_t)level;
	q->recovery = q->mckube == NONE ? (struct recovery)RECOVERY_DEFAULT
					: mckube_recovery(c, &c->mckubes.items[q->mckube]);
}

static bool is_from_source(const struct cluster *c, const struct request *q, str_id source)
{
	return strcmp(cluster_str(c, source),
		      request_source_name((enum request_source)q->source)) == 0;
}

/* What the annotations grant. A pod whose request is bad or gone keeps the load of that until it is
 * cleaned up. */
static void read_assignment(const struct cluster *c, struct request *q, const struct pod *pod)
{
	const struct pod_annotations *n = annotations_of(c, pod);
	struct request_value v;
	struct value_error err;

	if (!q->has_cores || !n || n->core == NONE)
		return;
	struct request_text t = request_text_of_assignment(n);
	if (!request_value_read(c, &t, true, &v, &err)) {
		q->is_unread = n->period != NONE && !q->has_budget;
		return;
	}
	q->granted = v.budget;
	if (!q->has_budget) {
		q->has_budget = true;
		q->budget = v.budget;
	} else if (n->source != NONE) {
		q->assignment = budget_eq(&v.budget, &q->budget) && is_from_source(c, q, n->source)
					? ASSIGNMENT_CURRENT
					: ASSIGNMENT_OTHER;
	}
}

static void read_load(struct request *q, const struct pod *pod)
{
	uint32_t held[LEVELS] = { 0 };

	q->shrinks = q->assignment == ASSIGNMENT_OTHER && !pod->is_terminating && !pod->is_mirror &&
		     !pod->is_unread;
	for (int k = 0; k < LEVELS; k++) {
		q->load[k] = budget_load(&q->budget, (enum level)k);
		if (q->granted.period)
			held[k] = budget_load(&q->granted, (enum level)k);
		q->shrinks = q->shrinks && q->load[k] <= held[k];
	}
	for (int k = 0; k < LEVELS && !q->shrinks; k++)
		q->load[k] = held[k] > q->load[k] ? held[k] : q->load[k];
}

/* Is there a McKube of which it cannot be read which pods it is about, and may this be one? Then
 * what the pod asks for is not known; what it was granted stays. */
static bool may_be_named(const struct reading *r, const struct pod *pod)
{
	bool is_candidate = pod->is_ours || pod->has_label || pod->annotations != NONE;

	if (!r->has_unread_mckube || !is_candidate)
		return false;
	array_each(m, &r->c->mckubes)
		if (m->is_unread && (m->is_anywhere || m->meta.ns == pod->meta.ns))
			return true;
	return false;
}

void reading_pod(struct reading *r, pod_id id, mckube_id m)
{
	const struct cluster *c = r->c;
	const struct pod *pod = &c->pods.items[id];
	bool is_unknown = m == NONE && may_be_named(r, pod);
	enum request_source source = is_unknown ? SOURCE_ANNOTATIONS : source_of(c, pod, m);
	size_t n_notices = r->warnings->list.n;

	if (source == SOURCE_NONE &&
	    (pod->annotations == NONE || !pod->node_name || annotations_of(c, pod)->core == NONE))
		return;

	struct request q = {
		.pod = id,
		.mckube = m,
		.source = (uint8_t)source,
		.selects_many = m != NONE && r->out->of_mckube[m] == REQUEST_MANY,
		.core_count = 1,
	};
	if (is_unknown)
		q.is_bad = true;
	else
		read_request(r, &q, pod);
	read_place(r, &q, pod);
	read_level(c, &q, pod);
	read_assignment(c, &q, pod);
	q.is_unread |= is_unknown && !q.has_budget;
	q.is_unread |= q.is_bad && !q.has_budget &&
		       (q.has_cores || (m != NONE && c->mckubes.items[m].holds_unknown));
	if (!q.has_budget)
		q.has_cores = false;
	else
		read_load(&q, pod);
	if (!q.has_pin && q.has_cores && (q.is_bad || source == SOURCE_NONE))
		q.core_count = (uint16_t)cpuset_count(&r->out->sets.items[q.cores]);
	q.is_noted = r->warnings->list.n > n_notices;
	reading_add(r, &q);
}

void reading_add(struct reading *r, const struct request *q)
{
	r->out->of_pod[q->pod] = (uint32_t)r->out->list.n;
	*array_add(&r->out->list) = *q;
}

uint32_t *reading_new_ids(size_t n)
{
	uint32_t *ids = xmalloc(n * sizeof(*ids));

	memset(ids, 0xff, n * sizeof(*ids)); /* NONE */
	return ids;
}

void reading_begin(struct reading *r)
{
	array_each(m, &r->c->mckubes)
		r->has_unread_mckube |= m->is_unread;
	*r->out = (struct requests){
		.of_pod = reading_new_ids(r->c->pods.n),
		.of_mckube = reading_new_ids(r->c->mckubes.n),
	};
}

void reading_words(struct reading *r)
{
	const struct cluster *c = r->c;

	for (mckube_id m = 0; m < c->mckubes.n; m++)
		if (r->out->of_mckube[m] != NONE)
			mckube_options_check(c, &c->mckubes.items[m], r->warnings);
}

void reading_all(struct reading *r)
{
	AUTO_FREE mckube_id *best = reading_new_ids(r->c->pods.n);

	reading_begin(r);
	reading_bind(r, best);
	reading_words(r);
	for (pod_id id = 0; id < r->c->pods.n; id++)
		reading_pod(r, id, best[id]);
}

void requests_read(const struct cluster *c, const struct settings *settings, struct requests *ret,
		   struct warnings *warnings)
{
	struct reading r = { .c = c, .settings = settings, .out = ret, .warnings = warnings };

	reading_all(&r);
}

void requests_done(struct requests *r)
{
	array_done(&r->list);
	array_done(&r->sets);
	free(r->of_pod);
	free(r->of_mckube);
	*r = (struct requests){ 0 };
}
