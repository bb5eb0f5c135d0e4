/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/api_request.h"

#include <string.h>

#include "base/json.h"
#include "base/names.h"
#include "execute/assignment.h"
#include "execute/taint.h"

struct kube_ref api_ref(const struct action *a, struct kube_resource *resource)
{
	const struct kube_resource *known = strcmp(a->on.kind, "Pod") == 0    ? &kube_pods
					    : strcmp(a->on.kind, "Node") == 0 ? &kube_nodes
									      : &kube_mckubes;

	*resource = *known;
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

static void pin_by_name(const char *node, struct str *out)
{
	str_add(out,
		"\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuring"
		"Execution\":{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name"
		"\",\"operator\":\"In\",\"values\":[");
	str_add_json(out, node);
	str_add(out, "]}]}]}}}");
}

/* A gated pod's node affinity may only grow narrower, term by term (KEP-3838), so where there is
 * one the node selector is what pins. */
static int pin_by_label(const struct cluster *c, const char *node, struct str *out,
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
	str_addf(out, "\"nodeSelector\":{\"%s\":", label);
	str_add_json(out, cluster_str(c, value));
	str_addc(out, '}');
	return 0;
}

static int open_gate(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		     const struct action *a, const struct cluster *c, const struct pod *pod,
		     struct error *err)
{
	struct annotation_change annotations = { .n = 0 };
	AUTO(str_done) struct str spec = STR_INIT;
	struct kube_change change = { .kind = KUBE_PATCH_STRATEGIC };

	str_addf(&spec, "\"spec\":{\"schedulingGates\":[{\"$patch\":\"delete\",\"name\":\"%s\"}],",
		 MCKUBE_GATE);
	if (!c->rules.items[pod->rules].has_node_affinity)
		pin_by_name(a->to.node, &spec);
	else if (pin_by_label(c, a->to.node, &spec, err) < 0)
		return -ENOTSUP;
	str_addc(&spec, '}');
	assignment_set(a, &annotations);
	change.annotations = annotations.pairs;
	change.n_annotations = annotations.n;
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

/* A binding takes no null, and what is new on a pod need not be taken off. */
static void drop_nulls(struct annotation_change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->pairs[i].value)
			c->pairs[n++] = c->pairs[i];
	c->n = n;
}

static int bind(struct kube_request *r, const struct context *x, struct error *err)
{
	const struct pod *pod = pod_of(x);
	struct annotation_change annotations = { .n = 0 };

	if (pod && pod->has_our_gate)
		return open_gate(r, x->k, &x->ref, x->a, x->c, pod, err);
	assignment_set(x->a, &annotations);
	drop_nulls(&annotations);
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

static void add_text_or_null(struct str *out, const char *text)
{
	if (text && *text)
		str_add_json(out, text);
	else
		str_add(out, "null");
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
	str_add(&json, "\"status\":{\"allocatedCore\":");
	add_text_or_null(&json, to->cores);
	str_add(&json, ",\"currentRuntime\":");
	add_text_or_null(&json, to->has_level ? level_name(to->level) : NULL);
	str_add(&json, ",\"podUID\":");
	add_text_or_null(&json, to->pod_uid);
	str_addc(&json, '}');
	kube_patch(r, x->k, &x->ref,
		   &(struct kube_change){ .subresource = "status", .json = json.s });
	return 0;
}

/* The object as it is now is needed first: its list can only be written whole. */
static int read_object(struct kube_request *r, const struct context *x, struct error *err)
{
	(void)err;
	kube_get(r, &x->ref);
	return 0;
}

/* Server-side apply adds ours to whatever finalizers there are: lists of them are merged. */
static int guard(struct kube_request *r, const struct context *x, struct error *err)
{
	AUTO_JSON cJSON *object = cJSON_CreateObject();
	cJSON *meta;

	(void)err;
	cJSON_AddStringToObject(object, "apiVersion", x->ref.resource->api_version);
	cJSON_AddStringToObject(object, "kind", x->a->on.kind);
	meta = cJSON_AddObjectToObject(object, "metadata");
	cJSON_AddStringToObject(meta, "name", x->ref.name);
	cJSON_AddStringToObject(meta, "namespace", x->ref.ns);
	cJSON_AddStringToObject(meta, "uid", x->ref.uid);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(meta, "finalizers"),
			     cJSON_CreateString(MCKUBE_FINALIZER));
	AUTO_FREE char *text = cJSON_PrintUnformatted(object);
	kube_apply(r, x->k, &x->ref, NULL, slice_of(text), false);
	return 0;
}

typedef int (*maker)(struct kube_request *r, const struct context *x, struct error *err);

static const maker makers[ACTION_KINDS] = {
	[ACTION_BIND] = bind,	      [ACTION_ASSIGN] = assign,
	[ACTION_MOVE] = assign,	      [ACTION_EVICT] = evict,
	[ACTION_DEGRADE] = degrade,   [ACTION_SET_LEVEL] = set_level,
	[ACTION_TAINT] = read_object, [ACTION_UNTAINT] = read_object,
	[ACTION_STATUS] = set_status, [ACTION_FINALIZER] = read_object,
};

static maker maker_of(const struct action *a)
{
	return a->reason == REASON_FINALIZER_ADDED ? guard : makers[a->kind];
}

int api_request(struct kube_request *r, const struct kube *k, const struct action *a,
		const char *version, const struct cluster *c, struct error *err)
{
	struct kube_resource resource;
	struct context x = { k, a, c, api_ref(a, &resource) };

	if (x.ref.resource->plural == kube_pods.plural)
		x.ref.version = version ? version : a->on.version;
	if (!maker_of(a))
		return error_set(err, -ENOTSUP, "%s cannot be carried out yet",
				 action_kind_name(a->kind));
	return maker_of(a)(r, &x, err);
}

/* The list of finalizers without ours; 1: it is so already. */
static int change_finalizers(const cJSON *object, const struct action *a, struct str *out)
{
	const cJSON *item;
	bool has_ours = false;

	(void)a;
	str_add(out, "\"finalizers\":[");
	cJSON_ArrayForEach(item, json_path(object, "metadata.finalizers")) {
		const char *name = json_text(item) ? json_text(item) : "";

		if (strcmp(name, MCKUBE_FINALIZER) == 0) {
			has_ours = true;
			continue;
		}
		if (out->s[out->n - 1] != '[')
			str_addc(out, ',');
		str_add_json(out, name);
	}
	str_addc(out, ']');
	return !has_ours;
}

static int change_taints(const cJSON *object, const struct action *a, struct str *out)
{
	AUTO_JSON cJSON *taints = taints_changed(json_path(object, "spec.taints"), a);
	AUTO_FREE char *text = cJSON_PrintUnformatted(taints);

	str_addf(out, "\"spec\":{\"taints\":%s}", text);
	return 0;
}

bool api_request_reads(const struct action *a)
{
	return maker_of(a) == read_object;
}

int api_request_after(struct kube_request *r, const struct kube *k, const struct action *a,
		      struct slice object, struct error *err)
{
	struct kube_resource resource;
	AUTO_JSON cJSON *root = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	bool is_finalizer = a->kind == ACTION_FINALIZER;

	if (json_parse(object.s, object.n, &root, err) < 0)
		return -EBADMSG;
	if ((is_finalizer ? change_finalizers : change_taints)(root, a, &text) > 0)
		return 1;
	struct kube_ref ref = api_ref(a, &resource);
	ref.version = json_text(json_path(root, "metadata.resourceVersion"));
	kube_patch(r, k, &ref,
		   &(struct kube_change){ .metadata = is_finalizer ? text.s : NULL,
					  .json = is_finalizer ? NULL : text.s });
	return 0;
}
