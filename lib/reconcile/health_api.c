/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/names.h"
#include "reconcile/health_internal.h"
#include "state/load_live.h"

/* GET of a fixed path as JSON. */
static int fetch(struct kube *k, const char *path, cJSON **ret, struct error *err)
{
	struct http_call call = { .method = "GET", .path = path };
	int r = http_do(k->http, &call, err);

	if (r == 0)
		r = json_parse(call.reply.s, call.reply.n, ret, err);
	http_call_done(&call);
	return r;
}

static int check_server(struct kube *k, const char *server, struct health *h, struct error *err)
{
	AUTO_JSON cJSON *version = NULL;

	if (fetch(k, "/version", &version, err) < 0)
		return err->code;
	const char *text = json_text(json_get(version, "gitVersion"));
	health_add(h, "server", HEALTH_OK, "%s, Kubernetes %s", server,
		   text ? text : "of unknown version");
	return 0;
}

static void check_versions(struct kube *k, struct health *h)
{
	AUTO_JSON cJSON *groups = NULL;
	struct error err = ERROR_INIT;

	if (fetch(k, "/apis", &groups, &err) < 0)
		health_add(h, "api", HEALTH_NOTE, "%s", err.msg);
	else
		health_versions(h, groups);
}

/* Without permission to read definitions: is there a resource of that name? */
static void check_served(struct kube *k, struct health *h)
{
	AUTO_JSON cJSON *list = NULL;
	const cJSON *item;

	fetch(k, "/apis/" MCKUBE_GROUP "/v1", &list, NULL);
	cJSON_ArrayForEach(item, json_get(list, "resources")) {
		const char *name = json_text(json_get(item, "name"));
		const char *kind = json_text(json_get(item, "kind"));

		if (name && kind && strcmp(name, "mckubes") == 0) {
			health_add(h, "definition", HEALTH_OK,
				   "%s; no permission to read its schema", kind);
			return;
		}
	}
	health_definition(h, NULL);
}

static void check_definition(struct kube *k, struct health *h)
{
	AUTO_JSON cJSON *definition = NULL;
	struct error err = ERROR_INIT;
	int r = fetch(k, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" MCKUBE_CRD,
		      &definition, &err);

	if (r == -EACCES)
		check_served(k, h);
	else if (r < 0 && r != -ENOENT)
		health_add(h, "definition", HEALTH_NOTE, "%s", err.msg);
	else
		health_definition(h, definition);
}

/* What the commands ask the server for. */
static const struct right {
	const char *verb, *group, *resource, *subresource, *ns, *name;
} plan_rights[] = {
	{ "list", "", "nodes" },
	{ "list", "", "pods" },
	{ "list", "", "namespaces" },
	{ "list", "", "persistentvolumes" },
	{ "list", "", "persistentvolumeclaims" },
	{ "list", "resource.k8s.io", "resourceclaims" },
	{ "list", "storage.k8s.io", "csinodes" },
	{ "list", "policy", "poddisruptionbudgets" },
	{ "list", "scheduling.k8s.io", "priorityclasses" },
	{ "list", MCKUBE_GROUP, "mckubes" },
	{ "list", KCLOUD_GROUP, "workloadoptimizers" },
	{ "list", KCLOUD_GROUP, "costpolicies" },
	{ "list", KCLOUD_GROUP, "powerpolicies" },
	{ "list", "apps", "deployments" },
	{ "list", "apps", "statefulsets" },
	{ "list", "autoscaling", "horizontalpodautoscalers" },
	{},
}, apply_rights[] = {
	{ "create", "", "pods", "binding" },
	{ "create", "", "pods", "eviction" },
	{ "patch", "", "pods", "status" },
	{ "create", "events.k8s.io", "events" },
	{ "patch", "events.k8s.io", "events" },
	{ "get", "", "pods" },
	{ "patch", "", "pods" },
	{ "patch", "", "nodes" },
	{ "patch", MCKUBE_GROUP, "mckubes" },
	{ "patch", MCKUBE_GROUP, "mckubes", "status" },
	{ "get", KCLOUD_GROUP, "workloadoptimizers" },
	{ "patch", KCLOUD_GROUP, "workloadoptimizers" },
	{ "patch", KCLOUD_GROUP, "workloadoptimizers", "status" },
	{ "patch", KCLOUD_GROUP, "costpolicies", "status" },
	{ "patch", KCLOUD_GROUP, "powerpolicies", "status" },
	{ "patch", "apps", "deployments", "scale" },
	{ "patch", "apps", "statefulsets", "scale" },
	{ "assign", MCKUBE_GROUP, "mckubes" },
	{ "get", "coordination.k8s.io", "leases", NULL, "kube-system", "mckube" },
	{ "create", "coordination.k8s.io", "leases", NULL, "kube-system" },
	{ "update", "coordination.k8s.io", "leases", NULL, "kube-system", "mckube" },
	{},
};

static void add_attribute(cJSON *to, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(to, key, value);
}

/* 1: allowed, 0: not, negative: unknown. */
static int review(struct kube *k, const struct right *right, struct error *err)
{
	AUTO_JSON cJSON *review = cJSON_CreateObject(), *reply = NULL;
	struct kube_request r = { 0 };
	cJSON *what;

	cJSON_AddStringToObject(review, "apiVersion", "authorization.k8s.io/v1");
	cJSON_AddStringToObject(review, "kind", "SelfSubjectAccessReview");
	what = cJSON_AddObjectToObject(cJSON_AddObjectToObject(review, "spec"),
				       "resourceAttributes");
	add_attribute(what, "verb", right->verb);
	add_attribute(what, "group", right->group);
	add_attribute(what, "resource", right->resource);
	add_attribute(what, "subresource", right->subresource);
	add_attribute(what, "namespace", right->ns);
	add_attribute(what, "name", right->name);
	AUTO_FREE char *text = cJSON_PrintUnformatted(review);
	kube_create(&r, k, &kube_access_reviews, NULL, slice_of(text));
	int result = kube_do(k, &r, err);
	if (result == 0 && json_parse(r.call.reply.s, r.call.reply.n, &reply, err) == 0)
		result = cJSON_IsTrue(json_path(reply, "status.allowed"));
	kube_request_done(&r);
	return result;
}

static void check_rights(struct kube *k, const char *check, const char *role,
			 const struct right *rights, struct health *h)
{
	AUTO(str_done) struct str denied = STR_INIT;
	struct error err = ERROR_INIT;

	for (const struct right *right = rights; right->verb; right++) {
		int r = review(k, right, &err);

		if (r < 0) {
			health_add(h, check, HEALTH_NOTE, "%s", err.msg);
			return;
		}
		if (r == 0)
			str_addf(&denied, "%s%s %s%s%s", denied.n ? ", " : "", right->verb,
				 right->resource, right->subresource ? "/" : "",
				 right->subresource ? right->subresource : "");
	}
	if (denied.n)
		health_add(h, check, HEALTH_MISSING,
			   "permission denied: %s; ClusterRole %s grants them", denied.s, role);
	else
		health_add(h, check, HEALTH_OK, "all permissions granted");
}

/* Those of `manifests --checkpoints`, which matter once a node restores. */
static void check_checkpoint_policies(struct kube *k, struct health *h)
{
	static const char *const policies[] = { "mckube-migrate", "mckube-checkpoint-images",
						"mckube-images", "mckube-moved-pods" };
	AUTO(str_done) struct str missing = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		AUTO_FREE char *path = xasprintf("/apis/admissionregistration.k8s.io/v1/"
						 "validatingadmissionpolicies/%s",
						 policies[i]);
		AUTO_JSON cJSON *policy = NULL;

		if (fetch(k, path, &policy, NULL) == -ENOENT)
			str_addf(&missing, "%s%s", missing.n ? ", " : "", policies[i]);
	}
	if (missing.n)
		health_add(h, "admission", HEALTH_MISSING,
			   "not installed, while nodes restore checkpoints: %s: kubectl mckube "
			   "manifests --checkpoints",
			   missing.s);
}

struct admission_policy {
	const char *path; /* below the group */
	const char *lost; /* without it; NULL: said of all of them */
};

/* Lists those that are not there, each with what that means where it says so; NULL ends the
 * policies. False: that cannot be known, which is a finding. */
static bool list_missing(struct kube *k, const char *check, const struct admission_policy *policies,
			 struct str *missing, struct health *h)
{
	for (const struct admission_policy *p = policies; p->path; p++) {
		AUTO_FREE char *path =
			xasprintf("/apis/admissionregistration.k8s.io/v1/%s", p->path);
		AUTO_JSON cJSON *policy = NULL;
		struct error err = ERROR_INIT;

		if (fetch(k, path, &policy, &err) == -EACCES) {
			health_add(h, check, HEALTH_NOTE, "no permission to read policies");
			return false;
		}
		if (!policy)
			str_addf(missing, "%s%s%s%s%s", missing->n ? ", " : "",
				 strchr(p->path, '/') + 1, p->lost ? " (" : "",
				 p->lost ? p->lost : "", p->lost ? ")" : "");
	}
	return true;
}

/* Those of WorkloadOptimizers, which matter once the definition is there. */
static void check_optimizer_policies(struct kube *k, struct health *h)
{
	static const struct admission_policy policies[] = {
		{ "validatingadmissionpolicies/mckube-optimizers",
		  "limits and metrics that contradict each other are accepted" },
		{ "validatingadmissionpolicies/mckube-alerts",
		  "alerts that cannot be read are accepted" },
		{ "validatingadmissionpolicies/mckube-kcloud-hints", "no warnings are given" },
		{ "mutatingadmissionpolicies/mckube-optimizer",
		  "pods of WorkloadOptimizers do not wait at the gate: kube-scheduler places "
		  "them" },
		{ 0 },
	};
	AUTO(str_done) struct str missing = STR_INIT;
	AUTO_JSON cJSON *list = NULL;

	if (fetch(k, "/apis/" KCLOUD_API_VERSION, &list, NULL) < 0 ||
	    !list_missing(k, "optimizers", policies, &missing, h))
		return;
	if (missing.n)
		health_add(h, "optimizers", HEALTH_NOTE, "not installed: %s", missing.s);
	else
		health_add(h, "optimizers", HEALTH_OK,
			   "WorkloadOptimizers and policies are checked");
}

static void check_policies(struct kube *k, struct health *h)
{
	static const struct admission_policy policies[] = {
		{ "validatingadmissionpolicies/mckube-assignment" },
		{ "validatingadmissionpolicies/mckube-node" },
		{ "validatingadmissionpolicies/mckube-applier" },
		{ "validatingadmissionpolicies/mckube-priority" },
		{ "mutatingadmissionpolicies/mckube-scheduler-name" },
		{ 0 },
	};
	AUTO(str_done) struct str missing = STR_INIT;

	if (!list_missing(k, "admission", policies, &missing, h))
		return;
	if (missing.n)
		health_add(h, "admission", HEALTH_NOTE,
			   "not installed: %s; without them, permission to edit pods is permission "
			   "to change budgets",
			   missing.s);
	else
		health_add(h, "admission", HEALTH_OK, "assignments are protected");
}

/* GET of one object; 1: it is there, 0: not, or nothing can be said of it, which is a finding. */
static int fetch_one(struct kube *k, const char *check, const char *path, cJSON **ret,
		     struct health *h)
{
	struct error err = ERROR_INIT;
	int r = fetch(k, path, ret, &err);

	if (r < 0 && r != -ENOENT)
		health_add(h, check, HEALTH_NOTE, "%s", err.msg);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

/* The first object of a list by the label of its component, whatever a Helm release called it: its
 * item in *ret_list, NULL where there is none. Negative: nothing can be said, which is a finding.
 */
static int fetch_component(struct kube *k, const char *check, const char *list,
			   const char *component, cJSON **ret_list, const cJSON **ret,
			   struct health *h)
{
	AUTO_FREE char *path = xasprintf("%s?labelSelector=app.kubernetes.io%%2Fname%%3Dmckube%%2C"
					 "app.kubernetes.io%%2Fcomponent%%3D%s",
					 list, component);
	int r = fetch_one(k, check, path, ret_list, h);

	*ret = cJSON_GetArrayItem(json_get(*ret_list, "items"), 0);
	return r < 0 ? r : 0;
}

static void check_planner(struct kube *k, const char *ns, enum health_state absent,
			  struct health *h)
{
	AUTO_FREE char *deployments = xasprintf("/apis/apps/v1/namespaces/%s/deployments", ns);
	AUTO_FREE char *cron_jobs = xasprintf("/apis/batch/v1/namespaces/%s/cronjobs", ns);
	AUTO_JSON cJSON *list = NULL, *cron_list = NULL;
	const cJSON *deployment, *cron_job;

	if (fetch_component(k, "deployment", deployments, "watch", &list, &deployment, h) < 0)
		return;
	if (deployment) {
		health_deployment(h, deployment);
		return;
	}
	if (fetch_component(k, "cronjob", cron_jobs, "applier", &cron_list, &cron_job, h) < 0)
		return;
	if (cron_job)
		health_add(h, "cronjob", HEALTH_OK, "%s",
			   json_text(json_path(cron_job, "metadata.name")));
	else
		health_add(h, "deployment", absent,
			   "mckube-watch: not installed in %s, nothing is planned by itself", ns);
}

static void check_programs(struct kube *k, const struct health_options *o, struct health *h)
{
	const char *ns = o->ns;
	enum health_state absent = o->needs_programs ? HEALTH_MISSING : HEALTH_NOTE;
	AUTO_FREE char *helper =
		xasprintf("/apis/apps/v1/namespaces/%s/daemonsets/mckube-node", ns);
	AUTO_JSON cJSON *daemon_set = NULL, *lease = NULL;

	int r = fetch_one(k, "daemonset", helper, &daemon_set, h);
	if (r > 0)
		health_daemon_set(h, daemon_set);
	else if (r == 0)
		health_add(h, "daemonset", absent, "mckube-node: not installed in %s", ns);
	check_planner(k, ns, absent, h);
	if (fetch_one(k, "lease",
		      "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/mckube", &lease,
		      h) >= 0)
		health_lease(h, lease, time(NULL));
}

static void check_cluster(struct kube *k, const char *server, uint32_t chunk, struct health *h)
{
	struct cluster c = { 0 };
	struct loader *loader = NULL;
	struct error err = ERROR_INIT;

	if (load_live(k, server, chunk, false, &loader, &err) < 0) {
		health_add(h, "snapshot", HEALTH_MISSING, "%s", err.msg);
		return;
	}
	loader_finish(loader, &c);
	loader_free(loader);
	health_cluster(h, &c);
	if (health_any_restores(&c))
		check_checkpoint_policies(k, h);
	cluster_done(&c);
}

int health_check(struct kube *k, const struct health_options *o, struct health *h,
		 struct error *err)
{
	if (check_server(k, o->server, h, err) < 0)
		return err->code;
	check_versions(k, h);
	check_definition(k, h);
	check_rights(k, "plan", "mckube-planner", plan_rights, h);
	check_rights(k, "apply", "mckube-applier", apply_rights, h);
	check_policies(k, h);
	check_optimizer_policies(k, h);
	health_add(
		h, "trust", HEALTH_NOTE,
		"permission to create pods or McKubes includes requests of any criticality, which "
		"displace pods of other namespaces");
	check_programs(k, o, h);
	check_cluster(k, o->server, o->chunk, h);
	return 0;
}
