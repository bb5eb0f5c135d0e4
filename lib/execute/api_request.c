/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/api_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/json_out.h"
#include "base/names.h"
#include "execute/assignment.h"
#include "execute/object_key.h"
#include "execute/taint.h"
#include "plan/file/economy_status.h"

/* What is scaled is of any kind: its name in paths is known from when its subresource was read. */
static bool scale_resource(const struct action *a, const struct cluster *c,
			   struct kube_resource *ret)
{
	const struct scalable *s = a->kind != ACTION_SCALE
					   ? NULL
					   : cluster_scale_target(c, a->on.api_version, a->on.kind,
								  a->on.ns, a->on.name);

	if (!s || !s->resource)
		return false;
	*ret = (struct kube_resource){ cluster_str(c, s->version), a->on.kind,
				       cluster_str(c, s->resource), true };
	return true;
}

struct kube_ref api_ref(const struct action *a, const struct cluster *c,
			struct kube_resource *resource)
{
	static const struct kube_resource *const all[] = {
		&kube_pods,	      &kube_nodes,	 &kube_optimizers,   &kube_cost_policies,
		&kube_power_policies, &kube_deployments, &kube_stateful_sets
	};
	const struct kube_resource *known = &kube_mckubes; /* of either spelling */

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(a->on.kind, all[i]->kind) == 0)
			known = all[i];

	*resource = *known;
	if (scale_resource(a, c, resource))
		known = NULL;
	if (known == &kube_mckubes && a->on.api_version && *a->on.api_version)
		resource->api_version = a->on.api_version;
	return (struct kube_ref){
		.resource = resource,
		.ns = a->on.ns,
		.name = a->on.name,
		.uid = a->on.uid,
	};
}

static int patch_annotations(struct kube_request *r, const struct kube *k,
			     const struct kube_ref *ref,
			     const struct annotation_change *annotations)
{
	const struct kube_change change = { .annotations = annotations->pairs,
					    .n_annotations = annotations->n };

	kube_patch(r, k, ref, &change);
	return 0;
}

/* Binding a pod that our gate holds. */

/* An object with one member, or a list of one object, inside the last; all are closed by
 * json_out_end(). */
static void open_member(struct json_out *o, const char *key)
{
	json_out_object(o);
	json_out_key(o, key);
}

static void end_all(struct json_out *o, unsigned n)
{
	while (n--)
		json_out_end(o);
}

static void pin_by_name(const char *node, struct json_out *o)
{
	json_out_key(o, "affinity");
	open_member(o, "nodeAffinity");
	open_member(o, "requiredDuringSchedulingIgnoredDuringExecution");
	open_member(o, "nodeSelectorTerms");
	json_out_array(o);
	open_member(o, "matchFields");
	json_out_array(o);
	json_out_object(o);
	json_out_member(o, "key", "metadata.name");
	json_out_member(o, "operator", "In");
	json_out_key(o, "values");
	json_out_array(o);
	json_out_text(o, node);
	end_all(o, 8);
}

/* A gated pod's node affinity may only grow narrower, term by term (KEP-3838), so where there is
 * one the node selector is what pins. */
static int pin_by_label(const struct cluster *c, const char *node, struct json_out *o,
			struct error *err)
{
	static const char label[] = "kubernetes.io/hostname";
	node_id id = cluster_node(c, node);
	str_id key = intern_find(&c->strings, label, sizeof(label) - 1);
	str_id value = id == NONE || key == INTERN_NONE
			       ? INTERN_NONE
			       : cluster_label(c, c->nodes.items[id].labels, key);

	if (value == INTERN_NONE)
		return error_set(
			err, -ENOTSUP,
			"the pod has a node affinity, and node %s no label %s to pin it by", node,
			label);
	json_out_key(o, "nodeSelector");
	json_out_object(o);
	json_out_member(o, label, cluster_str(c, value));
	json_out_end(o);
	return 0;
}

/* "spec":{"schedulingGates":[...]: the caller goes on inside spec, and closes it. */
static void drop_gate(struct json_out *o)
{
	json_out_key(o, "spec");
	json_out_object(o);
	json_out_key(o, "schedulingGates");
	json_out_array(o);
	json_out_object(o);
	json_out_member(o, "$patch", "delete");
	json_out_member(o, "name", MCKUBE_GATE);
	end_all(o, 2);
}

int api_open_gate(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		  const struct action *a, const struct cluster *c, bool has_node_affinity,
		  const struct annotation_change *annotations, struct error *err)
{
	AUTO(str_done) struct str spec = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &spec, .is_compact = true };
	struct kube_change change = { .kind = KUBE_PATCH_STRATEGIC };

	json_out_bare_object(&o);
	drop_gate(&o);
	if (!has_node_affinity)
		pin_by_name(a->to.node, &o);
	else if (pin_by_label(c, a->to.node, &o, err) < 0)
		return -ENOTSUP;
	end_all(&o, 2);
	change.annotations = annotations->pairs;
	change.n_annotations = annotations->n;
	change.json = spec.s;
	kube_patch(r, k, ref, &change);
	return 0;
}

/* The kinds. */

struct context {
	const struct kube *k;
	const struct action *a;
	const struct cluster *c;
	struct kube_ref ref;
};

static const struct pod *pod_of(const struct context *x)
{
	pod_id id = cluster_pod(x->c, x->a->on.ns, x->a->on.name);

	return id == NONE ? NULL : &x->c->pods.items[id];
}

static int bind(struct kube_request *r, const struct context *x, struct error *err)
{
	const struct pod *pod = pod_of(x);
	struct annotation_change annotations = { .n = 0 };

	assignment_set(x->a, &annotations);
	if (pod && pod->has_our_gate)
		return api_open_gate(r, x->k, &x->ref, x->a, x->c,
				     x->c->rules.items[pod->rules].has_node_affinity, &annotations,
				     err);
	assignment_drop_nulls(&annotations);
	kube_bind(r, x->k, &x->ref, x->a->to.node, annotations.pairs, annotations.n);
	return 0;
}

static int assign(struct kube_request *r, const struct context *x, struct error *err)
{
	struct annotation_change annotations = { .n = 0 };

	(void)err;
	assignment_set(x->a, &annotations);
	return patch_annotations(r, x->k, &x->ref, &annotations);
}

static int evict(struct kube_request *r, const struct context *x, struct error *err)
{
	(void)err;
	kube_evict(r, x->k, &x->ref);
	return 0;
}

static int set_level(struct kube_request *r, const struct context *x, struct error *err)
{
	struct annotation_change annotations = { .n = 0 };

	(void)err;
	assignment_set_level(x->a, &annotations);
	return patch_annotations(r, x->k, &x->ref, &annotations);
}

static int degrade(struct kube_request *r, const struct context *x, struct error *err)
{
	struct annotation_change annotations = { .n = 0 };

	(void)err;
	assignment_degrade(x->a, &annotations);
	return patch_annotations(r, x->k, &x->ref, &annotations);
}

static int release(struct kube_request *r, const struct context *x, struct error *err)
{
	AUTO(str_done) struct str spec = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &spec, .is_compact = true };

	(void)err;
	json_out_bare_object(&o);
	drop_gate(&o);
	end_all(&o, 2);
	kube_patch(r, x->k, &x->ref,
		   &(struct kube_change){ .kind = KUBE_PATCH_STRATEGIC, .json = spec.s });
	return 0;
}

static void add_text_or_null(struct json_out *o, const char *key, const char *text)
{
	json_out_key(o, key);
	if (text && *text)
		json_out_text(o, text);
	else
		json_out_null(o);
}

static int set_status(struct kube_request *r, const struct context *x, struct error *err)
{
	const struct place *to = &x->a->to;
	struct annotation_change annotations = { .n = 0 };

	(void)err;
	if (x->ref.resource->plural == kube_pods.plural) {
		const struct pod *pod = pod_of(x);
		str_id source = pod && pod->annotations != NONE
					? x->c->annotations.items[pod->annotations].source
					: NONE;

		assignment_clear(source == NONE ? NULL : cluster_str(x->c, source), &annotations);
		return patch_annotations(r, x->k, &x->ref, &annotations);
	}
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &json, .is_compact = true };
	json_out_bare_object(&o);
	json_out_key(&o, "status");
	if (x->a->status) {
		economy_status_write(x->a->status, &o);
	} else {
		json_out_object(&o);
		add_text_or_null(&o, "allocatedCore", to->cores);
		add_text_or_null(&o, "currentRuntime",
				 to->has_level ? level_name(to->level) : NULL);
		add_text_or_null(&o, "podUID", to->pod_uid);
		add_text_or_null(&o, "node", to->node);
		json_out_end(&o);
	}
	json_out_end(&o);
	kube_patch(r, x->k, &x->ref,
		   &(struct kube_change){ .subresource = "status", .json = json.s });
	return 0;
}

static int scale(struct kube_request *r, const struct context *x, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &json, .is_compact = true };

	(void)err;
	json_out_bare_object(&o);
	json_out_key(&o, "spec");
	open_member(&o, "replicas");
	json_out_int(&o, x->a->to.replicas);
	end_all(&o, 2);
	kube_patch(r, x->k, &x->ref,
		   &(struct kube_change){ .subresource = "scale", .json = json.s });
	return 0;
}

static int set_deletion_cost(struct kube_request *r, const struct context *x, struct error *err)
{
	char text[24];
	struct annotation_change annotations = { .n = 0 };

	(void)err;
	snprintf(text, sizeof(text), "%" PRId64, x->a->deletion_cost);
	annotations.pairs[annotations.n++] =
		(struct kube_pair){ POD_ANNOTATION(deletion_cost), text };
	return patch_annotations(r, x->k, &x->ref, &annotations);
}

/* The object as it is now is needed first: its list can only be written whole. */
static int read_object(struct kube_request *r, const struct context *x, struct error *err)
{
	(void)err;
	kube_get(r, &x->ref);
	return 0;
}

/* Server-side apply adds ours to whatever finalizers there are: lists of them are merged. */
static int add_finalizer(struct kube_request *r, const struct context *x, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &json, .is_compact = true };

	(void)err;
	json_out_object(&o);
	json_out_member(&o, "apiVersion", x->ref.resource->api_version);
	json_out_member(&o, "kind", x->a->on.kind);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", x->ref.name);
	json_out_member(&o, "namespace", x->ref.ns);
	json_out_member(&o, "uid", x->ref.uid);
	json_out_key(&o, "finalizers");
	json_out_array(&o);
	json_out_text(&o, object_finalizer(&x->a->on));
	end_all(&o, 3);
	kube_apply(r, x->k, &x->ref, NULL, (struct slice){ json.s, json.n }, false);
	return 0;
}

typedef int (*maker)(struct kube_request *r, const struct context *x, struct error *err);

static const maker makers[ACTION_KINDS] = {
	[ACTION_BIND] = bind,
	[ACTION_ASSIGN] = assign,
	[ACTION_MOVE] = assign,
	[ACTION_EVICT] = evict,
	[ACTION_DEGRADE] = degrade,
	[ACTION_SET_LEVEL] = set_level,
	[ACTION_TAINT] = read_object,
	[ACTION_UNTAINT] = read_object,
	[ACTION_STATUS] = set_status,
	[ACTION_FINALIZER] = read_object,
	[ACTION_RELEASE] = release,
	[ACTION_SCALE] = scale,
	[ACTION_ANNOTATE] = set_deletion_cost,
};

static maker maker_of(const struct action *a)
{
	return a->reason == REASON_FINALIZER_ADDED ? add_finalizer : makers[a->kind];
}

int api_request(struct kube_request *r, const struct kube *k, const struct action *a,
		const char *version, const struct cluster *c, struct error *err)
{
	struct kube_resource resource;
	struct context x = { k, a, c, api_ref(a, c, &resource) };

	if (x.ref.resource->plural == kube_pods.plural || a->status || a->kind == ACTION_SCALE)
		x.ref.version = version ? version : a->on.version;
	if (!maker_of(a))
		return error_set(err, -ENOTSUP, "%s is not supported", action_kind_name(a->kind));
	if (a->kind == ACTION_SCALE && x.ref.resource->plural == kube_mckubes.plural)
		return error_set(err, -ENOTSUP, "no WorkloadOptimizer names %s %s", a->on.kind,
				 a->on.name);
	return maker_of(a)(r, &x, err);
}

/* The list of finalizers without ours; false: it is not there. */
static bool remove_finalizer(const cJSON *object, const char *ours, struct json_out *o)
{
	const cJSON *item;
	bool has_ours = false;

	json_out_key(o, "finalizers");
	json_out_array(o);
	cJSON_ArrayForEach(item, json_path(object, "metadata.finalizers")) {
		const char *name = json_text(item) ? json_text(item) : "";

		if (strcmp(name, ours) == 0)
			has_ours = true;
		else
			json_out_text(o, name);
	}
	json_out_end(o);
	return has_ours;
}

static void change_taints(const cJSON *object, const struct action *a, struct json_out *o)
{
	AUTO_JSON cJSON *taints = taints_changed(json_path(object, "spec.taints"), a);
	AUTO_FREE char *text = cJSON_PrintUnformatted(taints);

	json_out_key(o, "spec");
	open_member(o, "taints");
	json_out_raw(o, text);
	json_out_end(o);
}

bool api_request_reads(const struct action *a)
{
	return maker_of(a) == read_object;
}

int api_request_after(struct kube_request *r, const struct kube *k, const struct action *a,
		      const struct cluster *c, struct slice object, struct error *err)
{
	struct kube_resource resource;
	AUTO_JSON cJSON *root = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };
	bool is_finalizer = a->kind == ACTION_FINALIZER;

	if (json_parse(object.s, object.n, &root, err) < 0)
		return -EBADMSG;
	json_out_bare_object(&o);
	if (!is_finalizer)
		change_taints(root, a, &o);
	else if (!remove_finalizer(root, object_finalizer(&a->on), &o))
		return 1;
	json_out_end(&o);
	struct kube_ref ref = api_ref(a, c, &resource);
	ref.version = json_text(json_path(root, "metadata.resourceVersion"));
	kube_patch(r, k, &ref,
		   &(struct kube_change){ .metadata = is_finalizer ? text.s : NULL,
					  .json = is_finalizer ? NULL : text.s });
	return 0;
}

bool api_is_other(const struct action *a, struct slice object)
{
	AUTO_JSON cJSON *root = NULL;

	if (json_parse(object.s, object.n, &root, NULL) < 0)
		return false;
	const char *uid = json_text(json_path(root, "metadata.uid"));
	return uid && strcmp(uid, a->on.uid) != 0;
}
