/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/objects.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/names.h"
#include "objects/objects_internal.h"

/* The kinds that are read, with the API version of the group, "" for all of them. */
static const struct kind {
	const char *kind, *group, *version;
	int (*decode)(struct objects *o, str_id kind, str_id version);
	const char *unread; /* what is done about one that cannot be read in full */
	unsigned lacks;	    /* cluster.lacks without it */
} kinds[] = {
	{ "Pod", "", "v1", decode_pod, "it is neither placed nor moved" },
	{ "Node", "", "v1", decode_node, "it takes no more pods", LACKS_NODE },
	{ "McKube", MCKUBE_GROUP, "", decode_mckube, "what it asks for is not granted" },
	{ "MCKube", MCKUBE_GROUP, "", decode_mckube, "what it asks for is not granted" },
	{ "PodDisruptionBudget", "policy", "", decode_pdb, "it allows no eviction" },
	{ "PriorityClass", "scheduling.k8s.io", "", decode_priority_class,
	  "its pods are not evicted", LACKS_PRIORITY_CLASS },
	{ "PersistentVolume", "", "v1", decode_volume, "its pods are not placed", LACKS_VOLUME },
	{ "PersistentVolumeClaim", "", "v1", decode_claim, "its pods are not placed",
	  LACKS_VOLUME },
	{ "CSINode", "storage.k8s.io", "", decode_csi_node, "its node takes no more volumes",
	  LACKS_CSI_NODE },
	{ "ResourceClaim", "resource.k8s.io", "", decode_resource_claim,
	  "its pods are not placed" },
	{ "Namespace", "", "v1", decode_namespace, "its labels may be any", LACKS_NAMESPACE },
	{ "Lease", "coordination.k8s.io", "", decode_lease, "its node's helper counts as silent" },
	{ "NodeMetrics", "metrics.k8s.io", "", decode_node_metrics,
	  "its node counts as not measured" },
	{ "PodMetrics", "metrics.k8s.io", "", decode_pod_metrics,
	  "its pod counts as not measured" },
	{ "WorkloadOptimizer", KCLOUD_GROUP, "", decode_optimizer,
	  "its pods are neither placed nor moved" },
	{ "CostPolicy", KCLOUD_GROUP, "", decode_cost_policy,
	  "the pods that it covers are neither placed nor moved" },
	{ "PowerPolicy", KCLOUD_GROUP, "", decode_power_policy,
	  "the pods that it covers are neither placed nor moved" },
	{ "ConfigMap", "", "v1", decode_config_map, "it is no table of prices" },
	{ "Deployment", "apps", "", decode_scalable, "it is not scaled" },
	{ "StatefulSet", "apps", "", decode_scalable, "it is not scaled" },
	{ "HorizontalPodAutoscaler", "autoscaling", "", decode_autoscaler,
	  "nothing in its namespace is scaled" },
	{ "ScaledObject", KEDA_GROUP, "", decode_scaled_object,
	  "nothing in its namespace is scaled" },
	{ "MetricSample", MCKUBE_DOMAIN, "", decode_metric_sample, "its value counts as missing" },
	{ "ScaleTarget", MCKUBE_DOMAIN, "", decode_scale_target, "it is not scaled" },
};

struct objects *objects_new(struct cluster *c)
{
	struct objects *o = xcalloc(1, sizeof(*o));

	o->c = c;
	decoder_init(&o->d, &c->strings);
	o->d.memory = xcalloc(1, sizeof(*o->d.memory));
	o->key = (struct str)STR_INIT;
	intern_cstr(&c->strings, "");
	o->id_cpu = intern_cstr(&c->strings, "cpu");
	o->id_memory = intern_cstr(&c->strings, "memory");
	o->id_ephemeral = intern_cstr(&c->strings, "ephemeral-storage");
	o->id_pods = intern_cstr(&c->strings, "pods");
	o->id_sdv = intern_cstr(&c->strings, MCKUBE_LABEL);
	return o;
}

void objects_free(struct objects *o)
{
	if (!o)
		return;
	free(o->d.memory);
	decoder_done(&o->d);
	shared_runs_done(o);
	array_done(&o->templates);
	array_done(&o->pairs);
	array_done(&o->ports);
	array_done(&o->claims);
	array_done(&o->containers);
	array_done(&o->statuses);
	array_done(&o->devices);
	array_done(&o->made_claims);
	array_done(&o->generic_volumes);
	array_done(&o->empty_dirs);
	array_done(&o->host_paths);
	arena_done(&o->arena);
	str_done(&o->key);
	free(o);
}

/* Splits "policy/v1" into group and version; "v1" has the group "". */
static bool is_kind(const struct kind *k, const char *kind, const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	size_t group = slash ? (size_t)(slash - api_version) : 0;
	const char *version = slash ? slash + 1 : api_version;

	return strcmp(k->kind, kind) == 0 && strlen(k->group) == group &&
	       memcmp(k->group, api_version, group) == 0 &&
	       (!*k->version || strcmp(k->version, version) == 0);
}

static const struct kind *search_kind(const char *kind, const char *api_version)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (is_kind(&kinds[i], kind, api_version))
			return &kinds[i];
	return NULL;
}

struct type {
	str_id kind, version;
	bool is_list;
};

/* Most objects are of the same kind as the one before. */
static const struct kind *find_kind(struct objects *o, const struct type *t)
{
	const struct intern *strings = &o->c->strings;

	if (t->kind != o->last_kind_id || t->version != o->last_version_id) {
		o->last_kind_id = t->kind;
		o->last_version_id = t->version;
		o->last_kind =
			search_kind(intern_str(strings, t->kind), intern_str(strings, t->version));
	}
	return o->last_kind;
}

static bool ends_with_list(const char *kind)
{
	size_t n = strlen(kind);

	return n >= 4 && strcmp(kind + n - 4, "List") == 0;
}

/* Reads no further than it must: both names usually stand in front. As for kubectl, what has
 * "items" is a list. */
static int read_type(struct objects *o, struct slice text, struct type *t)
{
	struct decoder *d = &o->d;
	struct slice key;

	decoder_start(d, text);
	int r = scan_open(&d->scan, '{');
	while (r == 0 && (r = scan_member(&d->scan, &key)) > 0) {
		bool is_text = *d->scan.at == '"';

		r = 0;
		if (is_text && slice_eq(key, "kind"))
			r = decode_id(d, &t->kind);
		else if (is_text && slice_eq(key, "apiVersion"))
			r = decode_id(d, &t->version);
		else if (*d->scan.at == '[' && slice_eq(key, "items"))
			t->is_list = true;
		else
			r = scan_skip(&d->scan);
		if (t->is_list ||
		    (t->kind && t->version && !ends_with_list(intern_str(&o->c->strings, t->kind))))
			break;
	}
	return r;
}

/* What begins as the object before did, up to where its type was known, is of that type. */
static int find_type(struct objects *o, struct slice text, struct type *t)
{
	struct object_head *head = &o->head;

	if (head->n && head->n <= text.n && memcmp(head->text, text.s, head->n) == 0) {
		*t = (struct type){ .kind = head->kind, .version = head->version };
		return 0;
	}
	int r = read_type(o, text, t);
	size_t n = (size_t)(o->d.scan.at - text.s);
	if (r == 0 && !t->is_list && t->kind && t->version && n <= sizeof(head->text)) {
		*head = (struct object_head){ t->kind, t->version, (uint16_t)n, { 0 } };
		memcpy(head->text, text.s, n);
	}
	return r;
}

/* The items of a PodList are Pods, whether they say so or not. */
static bool type_from_list(struct objects *o, const struct object_origin *origin, struct type *t)
{
	size_t n = strlen(origin->list_kind);

	if (n <= 4 || !ends_with_list(origin->list_kind))
		return false;
	t->kind = intern_add(&o->c->strings, origin->list_kind, n - 4);
	t->version = intern_cstr(&o->c->strings, origin->list_version);
	return true;
}

/* Where the arrays that belong to single objects end, to forget an object that failed. Shared runs
 * are not among them: another object may use them next. */
struct mark {
	size_t names, requirements, node_terms, taints, tolerations, inter_pod, spreads;
	size_t preferences, scaling_metrics, avoids, past_savings, conditions, alerts, alert_notes,
		day_spans;
};

static struct mark mark_now(const struct cluster *c)
{
	return (struct mark){
		c->names.n,	      c->requirements.n, c->node_terms.n,   c->taints.n,
		c->tolerations.n,     c->inter_pod.n,	 c->spreads.n,	    c->preferences.n,
		c->scaling_metrics.n, c->avoids.n,	 c->past_savings.n, c->conditions.n,
		c->alerts.n,	      c->alert_notes.n,	 c->day_spans.n,
	};
}

static void roll_back(struct cluster *c, const struct mark *m)
{
	c->names.n = m->names;
	c->requirements.n = m->requirements;
	c->node_terms.n = m->node_terms;
	c->taints.n = m->taints;
	c->tolerations.n = m->tolerations;
	c->inter_pod.n = m->inter_pod;
	c->spreads.n = m->spreads;
	c->preferences.n = m->preferences;
	c->scaling_metrics.n = m->scaling_metrics;
	c->avoids.n = m->avoids;
	c->past_savings.n = m->past_savings;
	c->conditions.n = m->conditions;
	c->alerts.n = m->alerts;
	c->alert_notes.n = m->alert_notes;
	c->day_spans.n = m->day_spans;
}

/* What can be said about an object that failed. */
struct name_draft {
	str_id ns, name;
};

static const struct field name_fields[] = {
	FIELD("namespace", read_token, struct name_draft, ns),
	FIELD("name", read_token, struct name_draft, name),
	{ 0 },
};

static const struct field named_fields[] = {
	FIELD_SUB("metadata", name_fields),
	{ 0 },
};

static void add_place(const struct object_origin *origin, struct str *out)
{
	str_add(out, origin->file);
	if (origin->document)
		str_addf(out, ", document %u", origin->document);
	if (origin->item)
		str_addf(out, ", item %u", origin->item);
}

/* Makes the problem of an object that was refused or not read in full; d->problem says why. */
static int report(struct objects *o, struct slice text, const struct type *t,
		  const struct object_origin *origin, const char *consequence)
{
	AUTO(str_done) struct str object = STR_INIT;
	char problem[sizeof(o->d.problem)];
	const struct intern *strings = &o->c->strings;
	str_id ns, name;

	memcpy(problem, o->d.problem, sizeof(problem));
	if (objects_name(o, text, &ns, &name))
		str_addf(&object, "%s %s%s%s", intern_str(strings, t->kind),
			 intern_str(strings, ns), ns ? "/" : "", intern_str(strings, name));
	else
		add_place(origin, &object);
	cluster_problem(o->c, object.s, "Unsupported", "%s%s%s", problem, *consequence ? "; " : "",
			consequence);
	return 0;
}

bool objects_name(struct objects *o, struct slice text, str_id *ret_ns, str_id *ret_name)
{
	struct name_draft draft = { 0 };

	decoder_start(&o->d, text);
	if (decode_object(&o->d, named_fields, &draft) < 0 || !draft.name)
		return false;
	*ret_ns = draft.ns;
	*ret_name = draft.name;
	return true;
}

/* The length of the object at the start of the text. */
static int measure(struct objects *o, struct slice text, size_t *ret)
{
	struct scan *s = &o->d.scan;

	*s = scan_of(text);
	int r = scan_skip(s);
	*ret = (size_t)(s->at - text.s);
	return r;
}

static int decode_typed(struct objects *o, struct slice text, const struct type *t,
			const struct kind *k, const struct object_origin *origin, size_t *ret_used);

/* An object with a member twice: cJSON's tree keeps the last of them. */
static int decode_without_duplicates(struct objects *o, struct slice text, const struct type *t,
				     const struct kind *k, const struct object_origin *origin)
{
	AUTO_JSON cJSON *tree = NULL;
	struct error err;
	size_t used;

	if (json_parse(text.s, text.n, &tree, &err) < 0) {
		decode_refuse(&o->d, "%s", err.msg);
		return report(o, text, t, origin, "");
	}
	AUTO_FREE char *clean = cJSON_PrintUnformatted(tree);
	return clean ? decode_typed(o, slice_of(clean), t, k, origin, &used) : -ENOMEM;
}

static int decode_typed(struct objects *o, struct slice text, const struct type *t,
			const struct kind *k, const struct object_origin *origin, size_t *ret_used)
{
	struct mark mark = mark_now(o->c);

	decoder_start(&o->d, text);
	int r = k->decode(o, t->kind, t->version);
	*ret_used = (size_t)(o->d.scan.at - text.s);
	if (r == 0 && !o->d.unread)
		return 0;
	if (r == 0)
		return report(o, (struct slice){ text.s, *ret_used }, t, origin,
			      o->d.unread == UNREAD_DETAIL ? "" : k->unread);

	roll_back(o->c, &mark);
	if (r == DECODE_REFUSED || r == DECODE_DUPLICATE) {
		int rest = measure(o, text, ret_used);

		if (rest < 0)
			return rest;
		text.n = *ret_used;
	}
	if (r == DECODE_REFUSED) {
		o->c->lacks |= k->lacks;
		return report(o, text, t, origin, "");
	}
	return r == DECODE_DUPLICATE ? decode_without_duplicates(o, text, t, k, origin) : r;
}

/* An object that is none of ours, or does not say what it is. */
static int pass_over(struct objects *o, struct slice text, const struct type *t,
		     const struct object_origin *origin, size_t *ret_used)
{
	int r = measure(o, text, ret_used);

	if (r < 0)
		return r;
	if (t->kind && t->version) {
		o->c->n_skipped++;
		return 0;
	}
	decoder_start(&o->d, text);
	decode_refuse(&o->d, "%s is missing", t->kind ? "apiVersion" : "kind");
	return report(o, (struct slice){ text.s, *ret_used }, t, origin, "");
}

/* Two spellings of McKube are one kind. */
static bool may_come(const struct kind *k, const struct object_origin *origin)
{
	return k && (!origin->only || strcasecmp(k->kind, origin->only) == 0);
}

int objects_add(struct objects *o, struct slice text, const struct object_origin *origin,
		size_t *ret_used, struct error *err)
{
	struct type t = { 0 };
	int r = type_from_list(o, origin, &t) ? 0 : find_type(o, text, &t);

	*ret_used = (size_t)(o->d.scan.at - text.s);
	if (r == 0 && t.is_list)
		return OBJECT_IS_LIST;
	if (r == 0) {
		const struct kind *k = find_kind(o, &t);

		r = may_come(k, origin) ? decode_typed(o, text, &t, k, origin, ret_used)
					: pass_over(o, text, &t, origin, ret_used);
	}
	if (r == SCAN_BAD)
		return error_set(err, SCAN_BAD, "%s", o->d.scan.why);
	return r;
}
