/* SPDX-License-Identifier: Apache-2.0 */
#include "state/redact_rules.h"

#include <stddef.h>
#include <string.h>

/* The fields here are those of kube/objects_*.c; what a plan comes to read is added in both. */

#define ROW(key, how, members)    \
	{                         \
		key, how, members \
	}
#define KEEP(key)	     ROW(key, REDACT_KEEP, NULL)
#define WORD(key)	     ROW(key, REDACT_WORD, NULL)
#define KEY(key)	     ROW(key, REDACT_KEY, NULL)
#define VALUE(key)	     ROW(key, REDACT_VALUE, NULL)
#define LABELS(key)	     ROW(key, REDACT_LABELS, NULL)
#define AMOUNTS(key)	     ROW(key, REDACT_AMOUNTS, NULL)
#define OBJECT(key, members) ROW(key, REDACT_OBJECT, members)

/* Metadata. */

static const struct redact_rule annotations[] = {
	ROW("kubernetes.io/config.mirror", REDACT_PRESENT, NULL),
	KEEP("mckube.io/backend"),
	KEEP("mckube.io/capacity-scope"),
	KEEP("mckube.io/criticality"),
	KEEP("mckube.io/rt-applied"),
	KEEP("mckube.io/rt-capacity"),
	KEEP("mckube.io/rt-core"),
	KEEP("mckube.io/rt-core-request"),
	KEEP("mckube.io/rt-cores"),
	KEEP("mckube.io/rt-current"),
	KEEP("mckube.io/rt-degraded"),
	KEEP("mckube.io/rt-enforcement"),
	KEEP("mckube.io/rt-period"),
	KEEP("mckube.io/rt-recovery"),
	KEEP("mckube.io/rt-runtime-floor"),
	KEEP("mckube.io/rt-runtime-hi"),
	KEEP("mckube.io/rt-runtime-low"),
	KEEP("mckube.io/rt-runtime-medium"),
	KEEP("mckube.io/rt-source"),
	KEEP("mckube.io/topology"),
	KEEP("mckube.sdv.com/cpu-over90-duration-s"),
	KEEP("mckube.sdv.com/cpu-usage"),
	KEEP("mckube.sdv.com/isCpuBusy"),
	KEEP("realtime"),
	KEEP("rt_runtime_us"),
	{ 0 },
};

static const struct redact_rule owner[] = {
	KEY("apiVersion"), KEEP("controller"), KEY("kind"), WORD("name"), WORD("uid"), { 0 },
};

static const struct redact_rule metadata[] = {
	OBJECT("annotations", annotations),
	KEEP("creationTimestamp"),
	KEEP("deletionTimestamp"),
	KEY("finalizers"),
	LABELS("labels"),
	WORD("name"),
	WORD("namespace"),
	OBJECT("ownerReferences", owner),
	KEEP("resourceVersion"),
	WORD("uid"),
	{ 0 },
};

#define TYPE_AND_METADATA KEEP("apiVersion"), KEEP("kind"), OBJECT("metadata", metadata)

/* Selectors, affinities, and what else says where a pod may run. */

static const struct redact_rule requirement[] = {
	KEY("key"),
	KEEP("operator"),
	VALUE("values"),
	{ 0 },
};

static const struct redact_rule field_requirement[] = {
	KEEP("key"),
	KEEP("operator"),
	WORD("values"),
	{ 0 },
};

static const struct redact_rule selector[] = {
	OBJECT("matchExpressions", requirement),
	LABELS("matchLabels"),
	{ 0 },
};

static const struct redact_rule node_term[] = {
	OBJECT("matchExpressions", requirement),
	OBJECT("matchFields", field_requirement),
	{ 0 },
};

static const struct redact_rule node_terms[] = {
	OBJECT("nodeSelectorTerms", node_term),
	{ 0 },
};

static const struct redact_rule node_affinity[] = {
	OBJECT("requiredDuringSchedulingIgnoredDuringExecution", node_terms),
	{ 0 },
};

static const struct redact_rule pod_term[] = {
	OBJECT("labelSelector", selector),
	KEY("matchLabelKeys"),
	KEY("mismatchLabelKeys"),
	OBJECT("namespaceSelector", selector),
	WORD("namespaces"),
	KEY("topologyKey"),
	{ 0 },
};

static const struct redact_rule pod_affinity[] = {
	OBJECT("requiredDuringSchedulingIgnoredDuringExecution", pod_term),
	{ 0 },
};

static const struct redact_rule affinity[] = {
	OBJECT("nodeAffinity", node_affinity),
	OBJECT("podAffinity", pod_affinity),
	OBJECT("podAntiAffinity", pod_affinity),
	{ 0 },
};

static const struct redact_rule taint[] = {
	KEEP("effect"), KEY("key"), KEEP("operator"), VALUE("value"), { 0 },
};

static const struct redact_rule spread[] = {
	OBJECT("labelSelector", selector),
	KEY("matchLabelKeys"),
	KEEP("maxSkew"),
	KEEP("minDomains"),
	KEEP("nodeAffinityPolicy"),
	KEEP("nodeTaintsPolicy"),
	KEY("topologyKey"),
	KEEP("whenUnsatisfiable"),
	{ 0 },
};

/* Pods. */

static const struct redact_rule resources[] = {
	AMOUNTS("limits"),
	AMOUNTS("requests"),
	{ 0 },
};

static const struct redact_rule port[] = {
	KEEP("containerPort"),
	ROW("hostIP", REDACT_ADDRESS, NULL),
	KEEP("hostPort"),
	KEEP("protocol"),
	{ 0 },
};

static const struct redact_rule container[] = {
	OBJECT("ports", port),
	OBJECT("resources", resources),
	KEEP("restartPolicy"),
	{ 0 },
};

static const struct redact_rule gate[] = {
	KEY("name"),
	{ 0 },
};

static const struct redact_rule pod_spec[] = {
	OBJECT("affinity", affinity),
	OBJECT("containers", container),
	KEEP("hostNetwork"),
	OBJECT("initContainers", container),
	WORD("nodeName"),
	LABELS("nodeSelector"),
	AMOUNTS("overhead"),
	KEEP("priority"),
	KEY("priorityClassName"),
	OBJECT("resources", resources),
	KEY("schedulerName"),
	OBJECT("schedulingGates", gate),
	OBJECT("tolerations", taint),
	OBJECT("topologySpreadConstraints", spread),
	ROW("volumes", REDACT_VOLUME, NULL),
	{ 0 },
};

static const struct redact_rule pod_status[] = {
	KEEP("phase"),
	KEEP("qosClass"),
	{ 0 },
};

static const struct redact_rule pod[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", pod_spec),
	OBJECT("status", pod_status),
	{ 0 },
};

/* Nodes. */

static const struct redact_rule node_spec[] = {
	OBJECT("taints", taint),
	KEEP("unschedulable"),
	{ 0 },
};

static const struct redact_rule node_status[] = {
	AMOUNTS("allocatable"),
	AMOUNTS("capacity"),
	{ 0 },
};

static const struct redact_rule node[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", node_spec),
	OBJECT("status", node_status),
	{ 0 },
};

/* McKubes. */

static const struct redact_rule mckube_spec[] = {
	KEEP("criticality"),
	KEEP("migration"),
	WORD("node"),
	WORD("podname"),
	KEEP("recovery"),
	KEEP("rtSettings"),
	OBJECT("selector", selector),
	{ 0 },
};

static const struct redact_rule mckube_status[] = {
	KEEP("allocatedCore"),
	KEEP("currentRuntime"),
	KEEP("lastOverrunTime"),
	WORD("podUID"),
	{ 0 },
};

static const struct redact_rule mckube[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", mckube_spec),
	OBJECT("status", mckube_status),
	{ 0 },
};

/* The others. */

static const struct redact_rule pdb_spec[] = {
	OBJECT("selector", selector),
	{ 0 },
};

static const struct redact_rule pdb_status[] = {
	KEEP("disruptionsAllowed"),
	{ 0 },
};

static const struct redact_rule pdb[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", pdb_spec),
	OBJECT("status", pdb_status),
	{ 0 },
};

static const struct redact_rule class_metadata[] = {
	KEEP("creationTimestamp"), KEY("name"), KEEP("resourceVersion"), WORD("uid"), { 0 },
};

static const struct redact_rule priority_class[] = {
	KEEP("apiVersion"), KEEP("globalDefault"),
	KEEP("kind"),	    OBJECT("metadata", class_metadata),
	KEEP("value"),	    { 0 },
};

static const struct redact_rule volume_affinity[] = {
	OBJECT("required", node_terms),
	{ 0 },
};

static const struct redact_rule volume_spec[] = {
	OBJECT("nodeAffinity", volume_affinity),
	{ 0 },
};

static const struct redact_rule volume[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", volume_spec),
	{ 0 },
};

static const struct redact_rule claim_spec[] = {
	WORD("volumeName"),
	{ 0 },
};

static const struct redact_rule claim[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", claim_spec),
	{ 0 },
};

static const struct redact_rule namespace[] = {
	TYPE_AND_METADATA,
	{ 0 },
};

const struct redact_kind *redact_kind(const char *kind, const char *api_version)
{
	static const struct {
		const char *group; /* with its '/', "v1" for the one without a name */
		struct redact_kind kind;
	} rows[] = {
		{ "v1", { "Namespace", false, namespace } },
		{ "v1", { "Node", false, node } },
		{ "v1", { "PersistentVolume", false, volume } },
		{ "v1", { "PersistentVolumeClaim", true, claim } },
		{ "v1", { "Pod", true, pod } },
		{ "mcoperator.sdv.com/", { "MCKube", true, mckube } },
		{ "mcoperator.sdv.com/", { "McKube", true, mckube } },
		{ "policy/", { "PodDisruptionBudget", true, pdb } },
		{ "scheduling.k8s.io/", { "PriorityClass", false, priority_class } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].kind.kind, kind) == 0 &&
		    strncmp(rows[i].group, api_version, strlen(rows[i].group)) == 0)
			return &rows[i].kind;
	return NULL;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* "kubernetes.io", or a domain that ends so. */
static bool has_domain(const char *key, size_t n)
{
	static const char *const domains[] = { "kubernetes.io", "k8s.io", "sdv.com", "mckube.io" };

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		size_t len = strlen(domains[i]);

		if (n >= len && memcmp(key + n - len, domains[i], len) == 0 &&
		    (n == len || key[n - len - 1] == '.'))
			return true;
	}
	return false;
}

bool redact_is_public_key(const char *key)
{
	static const char *const words[] = {
		/* API versions and kinds of owners */
		"v1",
		"apps/v1",
		"batch/v1",
		"DaemonSet",
		"Deployment",
		"Job",
		"Node",
		"ReplicaSet",
		"StatefulSet",
		/* schedulers, priority classes */
		"default-scheduler",
		"mckube",
		"system-cluster-critical",
		"system-node-critical",
		/* the only taint without a domain */
		"McKubeRTDeadlinePressure",
		"",
		NULL,
	};
	const char *slash = strchr(key, '/');

	return is_one_of(key, words) ||
	       has_domain(key, slash ? (size_t)(slash - key) : strlen(key));
}

bool redact_is_public_resource(const char *name)
{
	return !strchr(name, '/') || redact_is_public_key(name);
}
