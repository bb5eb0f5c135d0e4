/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "objects/objects_internal.h"

/* What is scaled, what else scales it, and by which values: model/economy.h. */

struct scalable_draft {
	struct object_meta meta;
	struct selector pods;
	struct range template_labels;
	int32_t replicas;
};

#define SCALABLE(key, read, member, ...) \
	FIELD(key, read, struct scalable_draft, member, ##__VA_ARGS__)

static const struct field template_meta_fields[] = {
	SCALABLE("labels", read_labels, template_labels, UNREAD_TARGET),
	{ 0 },
};

static const struct field template_fields[] = {
	FIELD_SUB("metadata", template_meta_fields, UNREAD_TARGET),
	{ 0 },
};

static const struct field scalable_spec_fields[] = {
	SCALABLE("replicas", read_i32, replicas, UNREAD_TARGET),
	SCALABLE("selector", read_selector, pods, UNREAD_TARGET),
	FIELD_SUB("template", template_fields, UNREAD_TARGET),
	{ 0 },
};

static const struct field scalable_fields[] = {
	FIELD_META_BY(struct scalable_draft, scalable_meta_fields),
	FIELD_SUB("spec", scalable_spec_fields, UNREAD_TARGET),
	{ 0 },
};

int decode_scalable(struct objects *o, str_id kind, str_id version)
{
	struct scalable_draft s = { .replicas = 1 };
	struct cluster *c = o->c;
	int r = decode_whole(o, scalable_fields, &s, &s.meta, SCOPE_NAMESPACE);

	if (r < 0)
		return r;
	const struct scalable row = {
		.meta = s.meta.meta,
		.kind = kind,
		.version = version,
		.name = s.meta.meta.name,
		.pods = s.pods,
		.template_labels = s.template_labels,
		.replicas = s.replicas,
		.applied_by = s.meta.replicas_applied_by,
		.is_unread = s.meta.is_terminating || (o->d.unread & ~(unsigned)UNREAD_DETAIL),
	};
	if (strcmp(cluster_str(c, kind), "StatefulSet") == 0)
		*array_add(&c->stateful_sets) = row;
	else
		*array_add(&c->deployments) = row;
	return 0;
}

struct scale_target_draft {
	struct object_meta meta;
	struct scalable s;
};

#define SCALE_TARGET(key, read, member) \
	FIELD(key, read, struct scale_target_draft, s.member, UNREAD_TARGET)

static const struct field scale_target_ref_fields[] = {
	SCALE_TARGET("apiVersion", read_text, version),
	SCALE_TARGET("kind", read_text, kind),
	SCALE_TARGET("name", read_text, name),
	{ 0 },
};

static const struct field scale_target_spec_fields[] = {
	FIELD_MORE("reason", read_choice, struct scale_target_draft, s.no_scale, no_scale_words,
		   UNREAD_DETAIL),
	SCALE_TARGET("replicas", read_i32, replicas),
	SCALE_TARGET("resource", read_text, resource),
	SCALE_TARGET("selector", read_selector, pods),
	FIELD_SUB("targetRef", scale_target_ref_fields, UNREAD_TARGET),
	{ 0 },
};

static const struct field scale_target_fields[] = {
	FIELD_META(struct scale_target_draft),
	FIELD_SUB("spec", scale_target_spec_fields, UNREAD_TARGET),
	{ 0 },
};

int decode_scale_target(struct objects *o, str_id kind, str_id version)
{
	struct scale_target_draft t = { 0 };
	int r = decode_whole(o, scale_target_fields, &t, &t.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	t.s.meta = t.meta.meta;
	t.s.is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL;
	if (!t.s.no_scale && (o->d.unread & UNREAD_DETAIL))
		t.s.no_scale = NO_SCALE_UNKNOWN;
	*array_add(&o->c->scale_targets) = t.s;
	return 0;
}

struct autoscaler_draft {
	struct object_meta meta;
	struct autoscaler a;
};

#define AUTOSCALER(key, member) \
	FIELD(key, read_text, struct autoscaler_draft, a.member, UNREAD_TARGET)

static const struct field scale_ref_fields[] = {
	AUTOSCALER("apiVersion", target_version),
	AUTOSCALER("kind", target_kind),
	AUTOSCALER("name", target_name),
	{ 0 },
};

static const struct field autoscaler_spec_fields[] = {
	FIELD_SUB("scaleTargetRef", scale_ref_fields, UNREAD_TARGET),
	{ 0 },
};

static const struct field autoscaler_fields[] = {
	FIELD_META(struct autoscaler_draft),
	FIELD_SUB("spec", autoscaler_spec_fields, UNREAD_TARGET),
	{ 0 },
};

static int read_autoscaler(struct objects *o, struct autoscaler *ret)
{
	struct autoscaler_draft a = { 0 };
	int r = decode_whole(o, autoscaler_fields, &a, &a.meta, SCOPE_NAMESPACE);

	if (r < 0)
		return r;
	*ret = a.a;
	ret->meta = a.meta.meta;
	ret->is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL;
	return 0;
}

int decode_autoscaler(struct objects *o, str_id kind, str_id version)
{
	struct autoscaler a;
	int r = read_autoscaler(o, &a);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->autoscalers) = a;
	return r;
}

int decode_scaled_object(struct objects *o, str_id kind, str_id version)
{
	struct autoscaler a;
	int r = read_autoscaler(o, &a);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	if (!a.target_kind)
		a.target_kind = intern_cstr(&o->c->strings, "Deployment");
	*array_add(&o->c->scaled_objects) = a;
	return 0;
}

struct sample_draft {
	struct object_meta meta;
	struct metric_sample s;
};

/* Prometheus answers with text, in which "NaN" and "+Inf" are no values. */
static int read_sample_value(struct decoder *d, const struct field *f, void *into)
{
	struct sample_draft *s = into;
	struct slice text;
	char first;
	int r = decode_token(d, &text, &first);

	(void)f;
	if (r < 0)
		return r;
	if (!decimal_parse(text.s, text.n, &s->s.value, NULL))
		return decode_refuse(d, "'%.*s' is not a decimal number",
				     (int)(text.n > 40 ? 40 : text.n), text.s);
	if (s->s.value < 0)
		return decode_refuse(d, "must not be negative");
	s->s.has_value = true;
	return 0;
}

static const struct field sample_spec_fields[] = {
	FIELD("at", read_time, struct sample_draft, s.at, UNREAD_TAKEN),
	FIELD_MORE("metric", read_choice, struct sample_draft, s.metric, metric_type_words,
		   UNREAD_TAKEN),
	FIELD("node", read_text, struct sample_draft, s.node, UNREAD_TAKEN),
	FIELD_MORE("nodeMetric", read_choice, struct sample_draft, s.node_metric, node_metric_words,
		   UNREAD_TAKEN),
	FIELD("optimizer", read_text, struct sample_draft, s.optimizer, UNREAD_TAKEN),
	FIELD("query", read_text, struct sample_draft, s.query, UNREAD_TAKEN),
	FIELD_MORE("reason", read_choice, struct sample_draft, s.reason, no_value_words,
		   UNREAD_DETAIL),
	FIELD_WHOLE("value", read_sample_value, NULL, UNREAD_TAKEN),
	{ 0 },
};

static const struct field sample_fields[] = {
	FIELD_META(struct sample_draft),
	FIELD_SUB("spec", sample_spec_fields, UNREAD_TAKEN),
	{ 0 },
};

int decode_metric_sample(struct objects *o, str_id kind, str_id version)
{
	struct sample_draft s = { .s.metric = METRIC_TYPES };
	int r = decode_whole(o, sample_fields, &s, &s.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	s.s.meta = s.meta.meta;
	s.s.has_value &= !(o->d.unread & UNREAD_TAKEN);
	*array_add(&o->c->metric_samples) = s.s;
	return 0;
}
