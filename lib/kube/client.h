/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_CLIENT_H
#define MCKUBE_KUBE_CLIENT_H

#include "base/names.h"
#include "kube/http.h"

/* The API server's verbs over a table of resources. A request is prepared by a function that is
 * named after what it does, and then either done at once or started, to run beside others:
 *
 *	struct kube_request r = { 0 };
 *	kube_bind(&r, &pod, "node1", annotations, n);
 *	kube_do(&k, &r, &err);		or kube_start(&k, &r), http_run(k.http, ...)
 *	kube_request_done(&r);
 *
 * Writes name the object's uid, and where it is known its resourceVersion: what was deleted and
 * made again, or changed in between, is refused with 409 (-EBUSY). They hold our own fields only;
 * nothing is read, changed and sent back whole. A write is never repeated after a broken
 * connection: whether it was done is for the caller to look up. */

#define KUBE_CONTROLLER MCKUBE_DOMAIN "/planner"

struct kube {
	struct http *http;
	const char *manager;	/* fieldManager, also before the '/' of the User-Agent */
	const char *controller; /* that Events of plans name; NULL: KUBE_CONTROLLER */
	const char *holder;	/* of Leases, before what makes it unique; NULL: host and process */
	bool is_dry_run;	/* every write says dryRun=All: all checks, nothing stored */
};

struct kube_resource {
	const char *api_version; /* "v1", "policy/v1" */
	const char *kind, *plural;
	bool is_namespaced;
};

extern const struct kube_resource kube_pods, kube_nodes, kube_namespaces, kube_pdbs,
	kube_priority_classes, kube_volumes, kube_claims, kube_csi_nodes, kube_resource_claims,
	kube_mckubes, kube_leases, kube_optimizers, kube_cost_policies, kube_power_policies,
	kube_config_maps, kube_deployments, kube_stateful_sets, kube_autoscalers,
	kube_scaled_objects, kube_node_metrics, kube_pod_metrics, kube_metric_samples,
	kube_scale_targets, kube_events, kube_access_reviews, kube_token_reviews,
	kube_subject_reviews;

/* Names one object. uid and version are optional. */
struct kube_ref {
	const struct kube_resource *resource;
	const char *ns, *name, *uid, *version;
};

struct kube_request {
	struct http_call call;
	struct str path, body;
};

/* The path of a collection (name NULL), an object, or a subresource of it. */
void kube_path(struct str *out, const struct kube_resource *r, const char *ns, const char *name,
	       const char *subresource);
/* Adds "?key=value", or "&key=value" behind the first one, escaped. */
void kube_query(struct str *path, const char *key, const char *value);

void kube_get(struct kube_request *r, const struct kube_ref *ref);

/* POST of a whole object, as JSON text. */
void kube_create(struct kube_request *r, const struct kube *k, const struct kube_resource *resource,
		 const char *ns, struct slice json);

/* PUT of a whole object of ours (a Lease); the text holds its resourceVersion. */
void kube_replace(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		  struct slice json);

/* DELETE; what belongs to the object goes before it. */
void kube_delete(struct kube_request *r, const struct kube *k, const struct kube_ref *ref);

/* Kinds of patches. A strategic one knows how lists merge, and is for built-in kinds only. */
enum kube_patch { KUBE_PATCH_MERGE, KUBE_PATCH_STRATEGIC };

/* `json` is the members of an object without the braces, such as "\"spec\":{...}"; the metadata
 * with uid and resourceVersion and, where given, annotations come from here. An annotation with
 * value NULL is removed. `subresource` may be NULL, "status", "resize" or "scale". */
struct kube_change {
	enum kube_patch kind;
	const char *subresource;
	const struct kube_pair *annotations;
	size_t n_annotations;
	const char *metadata; /* further members of metadata, as JSON */
	const char *json;
};

void kube_patch(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		const struct kube_change *change);

/* Server-side apply; `json` is the object. Conflicts with other managers are 409, each named by
 * field and manager, unless force takes the fields over. */
void kube_apply(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		const char *subresource, struct slice json, bool force);

/* Puts a pending pod on a node. The annotations land on the pod together with nodeName. */
void kube_bind(struct kube_request *r, const struct kube *k, const struct kube_ref *pod,
	       const char *node, const struct kube_pair *annotations, size_t n);

/* Asks for a pod's eviction. 429 means that a PodDisruptionBudget forbids it now: where the server
 * is busy, that is retried below. 500: several budgets cover the pod. */
void kube_evict(struct kube_request *r, const struct kube *k, const struct kube_ref *pod);

int kube_do(struct kube *k, struct kube_request *r, struct error *err);
void kube_start(struct kube *k, struct kube_request *r);
void kube_request_done(struct kube_request *r);

#endif
