/* SPDX-License-Identifier: Apache-2.0 */
#include "state/redact_rows.h"

#include <stddef.h>
#include <string.h>

/* The fields here are those of objects/objects_*.c; what a plan comes to read is added in both. */

/* Metadata. */

static const struct redact_rule annotations[] = {
	RULE(ANNOTATION_MIRROR, REDACT_PRESENT, NULL, 0),
	POD_ANNOTATIONS(ROW) NODE_ANNOTATIONS(ROW) NAMESPACE_ANNOTATIONS(ROW){ 0 },
};

static const struct redact_rule owner[] = {
	KEY("apiVersion"), SCALAR("controller"), KEY("kind"), WORD("name"), WORD("uid"), { 0 },
};

#define METADATA_RULES                                                                            \
	OBJECT("annotations", annotations), TIME("creationTimestamp"), TIME("deletionTimestamp"), \
		KEY("finalizers"), SCALAR("generation"), LABELS("labels"), WORD("name"),          \
		WORD("namespace"), OBJECT("ownerReferences", owner), VERSION("resourceVersion"),  \
		WORD("uid")
const struct redact_rule redact_metadata[] = { METADATA_RULES, { 0 } };

static const struct redact_rule managed_spec[] = {
	RULE("f:replicas", REDACT_PRESENT, NULL, 0),
	{ 0 },
};

static const struct redact_rule managed[] = {
	OBJECT("f:spec", managed_spec),
	{ 0 },
};

static const struct redact_rule manager[] = {
	OBJECT("fieldsV1", managed),
	WORD("manager"),
	ENUM("operation"),
	{ 0 },
};

const struct redact_rule redact_scalable_metadata[] = {
	METADATA_RULES,
	OBJECT("managedFields", manager),
	{ 0 },
};

/* Selectors, affinities, and what else says where a pod may run. */

static const struct redact_rule requirement[] = {
	KEY("key"),
	ENUM("operator"),
	VALUE("values"),
	{ 0 },
};

static const struct redact_rule field_requirement[] = {
	KEY("key"),
	ENUM("operator"),
	WORD("values"),
	{ 0 },
};

const struct redact_rule redact_selector[] = {
	OBJECT("matchExpressions", requirement),
	LABELS("matchLabels"),
	{ 0 },
};

const struct redact_rule redact_node_term[] = {
	OBJECT("matchExpressions", requirement),
	OBJECT("matchFields", field_requirement),
	{ 0 },
};

const struct redact_rule redact_node_terms[] = {
	OBJECT("nodeSelectorTerms", redact_node_term),
	{ 0 },
};

static const struct redact_rule node_affinity[] = {
	OBJECT("requiredDuringSchedulingIgnoredDuringExecution", redact_node_terms),
	{ 0 },
};

static const struct redact_rule pod_term[] = {
	OBJECT("labelSelector", redact_selector),
	KEY("matchLabelKeys"),
	KEY("mismatchLabelKeys"),
	OBJECT("namespaceSelector", redact_selector),
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
	ENUM("effect"), KEY("key"), ENUM("operator"), VALUE("value"), { 0 },
};

static const struct redact_rule spread[] = {
	OBJECT("labelSelector", redact_selector),
	KEY("matchLabelKeys"),
	SCALAR("maxSkew"),
	SCALAR("minDomains"),
	ENUM("nodeAffinityPolicy"),
	ENUM("nodeTaintsPolicy"),
	KEY("topologyKey"),
	ENUM("whenUnsatisfiable"),
	{ 0 },
};

/* Pods. */

static const struct redact_rule resources[] = {
	AMOUNTS("limits"),
	AMOUNTS("requests"),
	{ 0 },
};

static const struct redact_rule port[] = {
	SCALAR("containerPort"),
	RULE("hostIP", REDACT_ADDRESS, NULL, 0),
	SCALAR("hostPort"),
	ENUM("protocol"),
	{ 0 },
};

static const struct redact_rule restart_rule[] = {
	ENUM("action"),
	{ 0 },
};

static const struct redact_rule probe[] = {
	SCALAR("failureThreshold"),
	RULE("httpGet", REDACT_PRESENT, NULL, 0),
	SCALAR("periodSeconds"),
	RULE("tcpSocket", REDACT_PRESENT, NULL, 0),
	{ 0 },
};

static const struct redact_rule container[] = {
	OBJECT("livenessProbe", probe),
	WORD("name"),
	OBJECT("ports", port),
	OBJECT("resources", resources),
	ENUM("restartPolicy"),
	OBJECT("restartPolicyRules", restart_rule),
	{ 0 },
};

static const struct redact_rule gate[] = {
	KEY("name"),
	{ 0 },
};

static const struct redact_rule device[] = {
	WORD("name"),
	WORD("resourceClaimName"),
	{ 0 },
};

static const struct redact_rule pod_spec[] = {
	OBJECT("affinity", affinity),
	OBJECT("containers", container),
	SCALAR("hostNetwork"),
	SCALAR("hostPID"),
	SCALAR("hostUsers"),
	OBJECT("initContainers", container),
	WORD("nodeName"),
	LABELS("nodeSelector"),
	AMOUNTS("overhead"),
	ENUM("preemptionPolicy"),
	SCALAR("priority"),
	KEY("priorityClassName"),
	OBJECT("resourceClaims", device),
	OBJECT("resources", resources),
	WORD("runtimeClassName"),
	KEY("schedulerName"),
	OBJECT("schedulingGates", gate),
	OBJECT("tolerations", taint),
	OBJECT("topologySpreadConstraints", spread),
	RULE("volumes", REDACT_VOLUME, NULL, 0),
	{ 0 },
};

static const struct redact_rule condition[] = {
	TIME("lastTransitionTime"), KEY("reason"), ENUM("status"), KEY("type"), { 0 },
};

static const struct redact_rule container_status[] = {
	AMOUNTS("allocatedResources"),
	WORD("name"),
	OBJECT("resources", resources),
	{ 0 },
};

static const struct redact_rule pod_status[] = {
	AMOUNTS("allocatedResources"),
	OBJECT("conditions", condition),
	OBJECT("containerStatuses", container_status),
	OBJECT("initContainerStatuses", container_status),
	WORD("nominatedNodeName"),
	ENUM("phase"),
	ENUM("qosClass"),
	OBJECT("resourceClaimStatuses", device),
	OBJECT("resources", resources),
	TIME("startTime"),
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
	SCALAR("unschedulable"),
	{ 0 },
};

static const struct redact_rule node_status[] = {
	AMOUNTS("allocatable"),
	AMOUNTS("capacity"),
	ENUM("declaredFeatures"),
	{ 0 },
};

static const struct redact_rule node[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", node_spec),
	OBJECT("status", node_status),
	{ 0 },
};

/* McKubes. */

static const struct redact_rule rt_settings[] = { MCKUBE_RT_SETTINGS(ROW){ 0 } };

static const struct redact_rule recovery[] = { MCKUBE_RECOVERY(ROW){ 0 } };

static const struct redact_rule mckube_spec[] = {
	MCKUBE_SPEC(ROW) WORD("node"),	     WORD("podname"),
	OBJECT("recovery", recovery),	     OBJECT("rtSettings", rt_settings),
	OBJECT("selector", redact_selector), { 0 },
};

static const struct redact_rule mckube_status[] = { MCKUBE_STATUS(ROW){ 0 } };

static const struct redact_rule mckube[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", mckube_spec),
	OBJECT("status", mckube_status),
	{ 0 },
};

/* The others. */

static const struct redact_rule pdb_spec[] = {
	OBJECT("selector", redact_selector),
	ENUM("unhealthyPodEvictionPolicy"),
	{ 0 },
};

static const struct redact_rule pdb_status[] = {
	SCALAR("currentHealthy"),
	SCALAR("desiredHealthy"),
	SCALAR("disruptionsAllowed"),
	SCALAR("observedGeneration"),
	{ 0 },
};

static const struct redact_rule pdb[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", pdb_spec),
	OBJECT("status", pdb_status),
	{ 0 },
};

static const struct redact_rule class_metadata[] = {
	TIME("creationTimestamp"), KEY("name"), VERSION("resourceVersion"), WORD("uid"), { 0 },
};

static const struct redact_rule priority_class[] = {
	VERSION("apiVersion"),
	SCALAR("globalDefault"),
	ENUM("kind"),
	OBJECT("metadata", class_metadata),
	ENUM("preemptionPolicy"),
	SCALAR("value"),
	{ 0 },
};

static const struct redact_rule volume_affinity[] = {
	OBJECT("required", redact_node_terms),
	{ 0 },
};

static const struct redact_rule csi[] = {
	WORD("driver"),
	WORD("volumeHandle"),
	{ 0 },
};

static const struct redact_rule volume_spec[] = {
	OBJECT("csi", csi),
	OBJECT("nodeAffinity", volume_affinity),
	{ 0 },
};

static const struct redact_rule volume[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", volume_spec),
	{ 0 },
};

static const struct redact_rule claim_spec[] = {
	ENUM("accessModes"),
	WORD("volumeName"),
	{ 0 },
};

static const struct redact_rule claim_status[] = {
	ENUM("phase"),
	{ 0 },
};

static const struct redact_rule claim[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", claim_spec),
	OBJECT("status", claim_status),
	{ 0 },
};

static const struct redact_rule driver_allocatable[] = {
	SCALAR("count"),
	{ 0 },
};

static const struct redact_rule driver[] = {
	OBJECT("allocatable", driver_allocatable),
	WORD("name"),
	{ 0 },
};

static const struct redact_rule csi_node_spec[] = {
	OBJECT("drivers", driver),
	{ 0 },
};

static const struct redact_rule csi_node[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", csi_node_spec),
	{ 0 },
};

static const struct redact_rule allocation[] = {
	OBJECT("nodeSelector", redact_node_terms),
	{ 0 },
};

static const struct redact_rule reserved[] = {
	WORD("uid"),
	{ 0 },
};

static const struct redact_rule resource_claim_status[] = {
	OBJECT("allocation", allocation),
	OBJECT("reservedFor", reserved),
	{ 0 },
};

static const struct redact_rule resource_claim[] = {
	TYPE_AND_METADATA,
	OBJECT("status", resource_claim_status),
	{ 0 },
};

static const struct redact_rule namespace[] = {
	TYPE_AND_METADATA,
	{ 0 },
};

static const struct redact_rule lease_metadata[] = {
	LABELS("labels"),  RULE("name", REDACT_LEASE, NULL, 0),
	WORD("namespace"), VERSION("resourceVersion"),
	WORD("uid"),	   { 0 },
};

static const struct redact_rule lease_spec[] = {
	SCALAR("leaseDurationSeconds"),
	TIME("renewTime"),
	{ 0 },
};

static const struct redact_rule lease[] = {
	VERSION("apiVersion"),	    ENUM("kind"), OBJECT("metadata", lease_metadata),
	OBJECT("spec", lease_spec), { 0 },
};

static const struct redact_rule node_metrics[] = {
	TYPE_AND_METADATA,
	TIME("timestamp"),
	AMOUNTS("usage"),
	RULE("window", REDACT_FORM, NULL, FORM_DURATION),
	{ 0 },
};

static const struct redact_rule container_metrics[] = {
	AMOUNTS("usage"),
	{ 0 },
};

static const struct redact_rule pod_metrics[] = {
	TYPE_AND_METADATA,
	OBJECT("containers", container_metrics),
	TIME("timestamp"),
	RULE("window", REDACT_FORM, NULL, FORM_DURATION),
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
		{ "apps/", { "Deployment", true, redact_scalable } },
		{ "apps/", { "StatefulSet", true, redact_scalable } },
		{ "autoscaling/", { "HorizontalPodAutoscaler", true, redact_autoscaler } },
		{ KEDA_GROUP "/", { "ScaledObject", true, redact_autoscaler } },
		{ MCKUBE_DOMAIN "/", { "MetricSample", true, redact_sample } },
		{ MCKUBE_DOMAIN "/", { "ScaleTarget", true, redact_scale_target } },
		{ KCLOUD_GROUP "/", { "CostPolicy", true, redact_cost_policy } },
		{ KCLOUD_GROUP "/", { "PowerPolicy", true, redact_power_policy } },
		{ KCLOUD_GROUP "/", { "WorkloadOptimizer", true, redact_optimizer } },
		{ MCKUBE_GROUP "/", { "MCKube", true, mckube } },
		{ MCKUBE_GROUP "/", { "McKube", true, mckube } },
		{ "resource.k8s.io/", { "ResourceClaim", true, resource_claim } },
		{ "storage.k8s.io/", { "CSINode", false, csi_node } },
		{ "policy/", { "PodDisruptionBudget", true, pdb } },
		{ "coordination.k8s.io/", { "Lease", true, lease } },
		{ "metrics.k8s.io/", { "NodeMetrics", false, node_metrics } },
		{ "metrics.k8s.io/", { "PodMetrics", true, pod_metrics } },
		{ "scheduling.k8s.io/", { "PriorityClass", false, priority_class } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].kind.kind, kind) == 0 &&
		    strncmp(rows[i].group, api_version, strlen(rows[i].group)) == 0)
			return &rows[i].kind;
	return NULL;
}
