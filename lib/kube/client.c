/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include <string.h>

#include "base/auto.h"
#include "base/json_out.h"

#include "base/names.h"

const struct kube_resource kube_pods = { "v1", "Pod", "pods", true };
const struct kube_resource kube_nodes = { "v1", "Node", "nodes", false };
const struct kube_resource kube_namespaces = { "v1", "Namespace", "namespaces", false };
const struct kube_resource kube_pdbs = { "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets",
					 true };
const struct kube_resource kube_priority_classes = { "scheduling.k8s.io/v1", "PriorityClass",
						     "priorityclasses", false };
const struct kube_resource kube_volumes = { "v1", "PersistentVolume", "persistentvolumes", false };
const struct kube_resource kube_claims = { "v1", "PersistentVolumeClaim", "persistentvolumeclaims",
					   true };
const struct kube_resource kube_csi_nodes = { "storage.k8s.io/v1", "CSINode", "csinodes", false };
const struct kube_resource kube_resource_claims = { "resource.k8s.io/v1", "ResourceClaim",
						    "resourceclaims", true };
const struct kube_resource kube_mckubes = { MCKUBE_GROUP "/v1", "McKube", "mckubes", true };
const struct kube_resource kube_leases = { "coordination.k8s.io/v1", "Lease", "leases", true };
const struct kube_resource kube_optimizers = { KCLOUD_API_VERSION, "WorkloadOptimizer",
					       "workloadoptimizers", true };
const struct kube_resource kube_cost_policies = { KCLOUD_API_VERSION, "CostPolicy", "costpolicies",
						  true };
const struct kube_resource kube_power_policies = { KCLOUD_API_VERSION, "PowerPolicy",
						   "powerpolicies", true };
const struct kube_resource kube_config_maps = { "v1", "ConfigMap", "configmaps", true };
const struct kube_resource kube_deployments = { "apps/v1", "Deployment", "deployments", true };
const struct kube_resource kube_stateful_sets = { "apps/v1", "StatefulSet", "statefulsets", true };
const struct kube_resource kube_autoscalers = { "autoscaling/v2", "HorizontalPodAutoscaler",
						"horizontalpodautoscalers", true };
const struct kube_resource kube_scaled_objects = { KEDA_GROUP "/v1alpha1", "ScaledObject",
						   "scaledobjects", true };
const struct kube_resource kube_node_metrics = { "metrics.k8s.io/v1beta1", "NodeMetrics", "nodes",
						 false };
const struct kube_resource kube_pod_metrics = { "metrics.k8s.io/v1beta1", "PodMetrics", "pods",
						true };
const struct kube_resource kube_metric_samples = { MCKUBE_API_VERSION, "MetricSample",
						   "metricsamples", true };
const struct kube_resource kube_scale_targets = { MCKUBE_API_VERSION, "ScaleTarget", "scaletargets",
						  true };
const struct kube_resource kube_events = { "events.k8s.io/v1", "Event", "events", true };
const struct kube_resource kube_access_reviews = { "authorization.k8s.io/v1",
						   "SelfSubjectAccessReview",
						   "selfsubjectaccessreviews", false };
const struct kube_resource kube_token_reviews = { "authentication.k8s.io/v1", "TokenReview",
						  "tokenreviews", false };
const struct kube_resource kube_subject_reviews = { "authorization.k8s.io/v1",
						    "SubjectAccessReview", "subjectaccessreviews",
						    false };

/* Paths. */

static void add_escaped(struct str *out, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			str_addc(out, *s);
		else
			str_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void add_segment(struct str *out, const char *s)
{
	str_addc(out, '/');
	add_escaped(out, s);
}

void kube_path(struct str *out, const struct kube_resource *r, const char *ns, const char *name,
	       const char *subresource)
{
	str_addf(out, "%s/%s", strchr(r->api_version, '/') ? "/apis" : "/api", r->api_version);
	if (r->is_namespaced && ns && *ns) {
		str_add(out, "/namespaces");
		add_segment(out, ns);
	}
	add_segment(out, r->plural);
	if (name)
		add_segment(out, name);
	if (subresource)
		add_segment(out, subresource);
}

void kube_query(struct str *path, const char *key, const char *value)
{
	str_addf(path, "%c%s=", strchr(path->s, '?') ? '&' : '?', key);
	add_escaped(path, value);
}

/* Requests. */

static void begin(struct kube_request *r, const char *method)
{
	*r = (struct kube_request){ .path = STR_INIT, .body = STR_INIT, .call.method = method };
}

static void begin_write(struct kube_request *r, const struct kube *k, const char *method,
			const struct kube_ref *ref, const char *subresource)
{
	begin(r, method);
	kube_path(&r->path, ref->resource, ref->ns, ref->name, subresource);
	kube_query(&r->path, "fieldManager", k->manager);
	if (k->is_dry_run)
		kube_query(&r->path, "dryRun", "All");
	r->call.content_type = "application/json";
}

void kube_get(struct kube_request *r, const struct kube_ref *ref)
{
	begin(r, "GET");
	kube_path(&r->path, ref->resource, ref->ns, ref->name, NULL);
}

void kube_create(struct kube_request *r, const struct kube *k, const struct kube_resource *resource,
		 const char *ns, struct slice json)
{
	const struct kube_ref ref = { .resource = resource, .ns = ns };

	begin_write(r, k, "POST", &ref, NULL);
	str_addn(&r->body, json.s, json.n);
}

void kube_replace(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		  struct slice json)
{
	begin_write(r, k, "PUT", ref, NULL);
	str_addn(&r->body, json.s, json.n);
}

void kube_delete(struct kube_request *r, const struct kube *k, const struct kube_ref *ref)
{
	begin(r, "DELETE");
	kube_path(&r->path, ref->resource, ref->ns, ref->name, NULL);
	kube_query(&r->path, "propagationPolicy", "Foreground");
	if (k->is_dry_run)
		kube_query(&r->path, "dryRun", "All");
}

static void add_annotations(struct json_out *o, const struct kube_pair *pairs, size_t n)
{
	if (!n)
		return;
	json_out_key(o, "annotations");
	json_out_object(o);
	for (size_t i = 0; i < n; i++) {
		json_out_key(o, pairs[i].name);
		if (pairs[i].value)
			json_out_text(o, pairs[i].value);
		else
			json_out_null(o);
	}
	json_out_end(o);
}

void kube_patch(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		const struct kube_change *change)
{
	static const char *const types[] = {
		[KUBE_PATCH_MERGE] = "application/merge-patch+json",
		[KUBE_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
	};

	begin_write(r, k, "PATCH", ref, change->subresource);
	r->call.content_type = types[change->kind];
	AUTO(json_out_done) struct json_out o = { .out = &r->body, .is_compact = true };
	json_out_object(&o);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_given(&o, "uid", ref->uid);
	json_out_given(&o, "resourceVersion", ref->version);
	add_annotations(&o, change->annotations, change->n_annotations);
	json_out_members(&o, change->metadata);
	json_out_end(&o);
	json_out_members(&o, change->json);
	json_out_end(&o);
}

void kube_apply(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		const char *subresource, struct slice json, bool force)
{
	begin_write(r, k, "PATCH", ref, subresource);
	if (force)
		kube_query(&r->path, "force", "true");
	r->call.content_type = "application/apply-patch+yaml";
	str_addn(&r->body, json.s, json.n);
}

static void begin_object(struct json_out *o, const char *api_version, const char *kind)
{
	json_out_object(o);
	json_out_member(o, "apiVersion", api_version);
	json_out_member(o, "kind", kind);
}

void kube_bind(struct kube_request *r, const struct kube *k, const struct kube_ref *pod,
	       const char *node, const struct kube_pair *annotations, size_t n)
{
	begin_write(r, k, "POST", pod, "binding");
	AUTO(json_out_done) struct json_out o = { .out = &r->body, .is_compact = true };
	begin_object(&o, "v1", "Binding");
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", pod->name);
	json_out_given(&o, "uid", pod->uid);
	add_annotations(&o, annotations, n);
	json_out_end(&o);
	json_out_key(&o, "target");
	begin_object(&o, "v1", "Node");
	json_out_member(&o, "name", node);
	json_out_end(&o);
	json_out_end(&o);
}

void kube_evict(struct kube_request *r, const struct kube *k, const struct kube_ref *pod)
{
	begin_write(r, k, "POST", pod, "eviction");
	AUTO(json_out_done) struct json_out o = { .out = &r->body, .is_compact = true };
	begin_object(&o, "policy/v1", "Eviction");
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", pod->name);
	json_out_given(&o, "namespace", pod->ns);
	json_out_end(&o);
	json_out_key(&o, "deleteOptions");
	json_out_object(&o);
	json_out_key(&o, "preconditions");
	json_out_object(&o);
	json_out_given(&o, "uid", pod->uid);
	json_out_given(&o, "resourceVersion", pod->version);
	json_out_end(&o);
	json_out_end(&o);
	json_out_end(&o);
}

/* The texts are fixed from here on. */
static void aim(struct kube_request *r)
{
	r->call.path = r->path.s;
	if (r->body.n)
		r->call.body = (struct slice){ r->body.s, r->body.n };
}

int kube_do(struct kube *k, struct kube_request *r, struct error *err)
{
	aim(r);
	return http_do(k->http, &r->call, err);
}

void kube_start(struct kube *k, struct kube_request *r)
{
	aim(r);
	http_start(k->http, &r->call);
}

void kube_request_done(struct kube_request *r)
{
	http_call_done(&r->call);
	if (r->path.s)
		str_done(&r->path);
	if (r->body.s)
		str_done(&r->body);
}
