/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include <stdio.h>
#include <string.h>

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
const struct kube_resource kube_mckubes = { MCKUBE_GROUP "/v1", "McKube", "mckubes", true };
const struct kube_resource kube_leases = { "coordination.k8s.io/v1", "Lease", "leases", true };
const struct kube_resource kube_events = { "events.k8s.io/v1", "Event", "events", true };
const struct kube_resource kube_crds = { "apiextensions.k8s.io/v1", "CustomResourceDefinition",
					 "customresourcedefinitions", false };
const struct kube_resource kube_deployments = { "apps/v1", "Deployment", "deployments", true };
const struct kube_resource kube_replica_sets = { "apps/v1", "ReplicaSet", "replicasets", true };
const struct kube_resource kube_stateful_sets = { "apps/v1", "StatefulSet", "statefulsets", true };
const struct kube_resource kube_access_reviews = { "authorization.k8s.io/v1",
						   "SelfSubjectAccessReview",
						   "selfsubjectaccessreviews", false };

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

/* A member of an object; a comma before it unless it is the first. */
static void add_member(struct str *out, const char *key, const char *value)
{
	if (out->n && out->s[out->n - 1] != '{')
		str_addc(out, ',');
	str_add_json(out, key);
	str_addc(out, ':');
	if (value)
		str_add_json(out, value);
	else
		str_add(out, "null");
}

static void add_given(struct str *out, const char *key, const char *value)
{
	if (value && *value)
		add_member(out, key, value);
}

static void add_annotations(struct str *out, const struct kube_pair *pairs, size_t n)
{
	if (!n)
		return;
	str_add(out, out->s[out->n - 1] == '{' ? "\"annotations\":{" : ",\"annotations\":{");
	for (size_t i = 0; i < n; i++)
		add_member(out, pairs[i].name, pairs[i].value);
	str_addc(out, '}');
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
	str_add(&r->body, "{\"metadata\":{");
	add_given(&r->body, "uid", ref->uid);
	add_given(&r->body, "resourceVersion", ref->version);
	add_annotations(&r->body, change->annotations, change->n_annotations);
	if (change->metadata)
		str_addf(&r->body, "%s%s", r->body.s[r->body.n - 1] == '{' ? "" : ",",
			 change->metadata);
	str_addf(&r->body, "}%s%s}", change->json ? "," : "", change->json ? change->json : "");
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

void kube_bind(struct kube_request *r, const struct kube *k, const struct kube_ref *pod,
	       const char *node, const struct kube_pair *annotations, size_t n)
{
	begin_write(r, k, "POST", pod, "binding");
	str_add(&r->body, "{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{");
	add_member(&r->body, "name", pod->name);
	add_given(&r->body, "uid", pod->uid);
	add_annotations(&r->body, annotations, n);
	str_add(&r->body, "},\"target\":{\"apiVersion\":\"v1\",\"kind\":\"Node\"");
	add_member(&r->body, "name", node);
	str_add(&r->body, "}}");
}

static void add_preconditions(struct str *out, const struct kube_ref *ref)
{
	str_add(out, "\"preconditions\":{");
	add_given(out, "uid", ref->uid);
	add_given(out, "resourceVersion", ref->version);
	str_addc(out, '}');
}

void kube_evict(struct kube_request *r, const struct kube *k, const struct kube_ref *pod)
{
	begin_write(r, k, "POST", pod, "eviction");
	str_add(&r->body, "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{");
	add_member(&r->body, "name", pod->name);
	add_given(&r->body, "namespace", pod->ns);
	str_add(&r->body, "},\"deleteOptions\":{");
	add_preconditions(&r->body, pod);
	str_add(&r->body, "}}");
}

/* The server reads the options of a delete from the body alone when there is one. */
void kube_delete(struct kube_request *r, const struct kube *k, const struct kube_ref *ref)
{
	begin_write(r, k, "DELETE", ref, NULL);
	str_add(&r->body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",");
	if (k->is_dry_run)
		str_add(&r->body, "\"dryRun\":[\"All\"],");
	add_preconditions(&r->body, ref);
	str_addc(&r->body, '}');
}

void kube_scale(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		int32_t replicas)
{
	char json[64];
	const struct kube_change change = { .subresource = "scale", .json = json };

	snprintf(json, sizeof(json), "\"spec\":{\"replicas\":%d}", replicas);
	kube_patch(r, k, ref, &change);
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
