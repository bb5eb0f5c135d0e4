/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/names.h"
#include "state/redact_rules.h"

/* Words that give nothing away. */

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

bool redact_is_public_key(const char *key)
{
	static const char *const words[] = {
		"",
		/* API versions and kinds of owners */
		"v1",
		"apps/v1",
		"batch/v1",
		"CronJob",
		"DaemonSet",
		"Deployment",
		"Job",
		"Node",
		"ReplicaSet",
		"ReplicationController",
		"StatefulSet",
		/* schedulers, priority classes, finalizers, the field of matchFields */
		"default-scheduler",
		MCKUBE_SCHEDULER,
		"system-cluster-critical",
		"system-node-critical",
		(MCKUBE_FINALIZER),
		"foregroundDeletion",
		"orphan",
		"batch.kubernetes.io/job-tracking",
		"kubernetes.io/pv-protection",
		"kubernetes.io/pvc-protection",
		"metadata.name",
		/* labels */
		MCKUBE_LABEL,
		(MCKUBE_GATE),
		"app.kubernetes.io/component",
		"app.kubernetes.io/instance",
		"app.kubernetes.io/managed-by",
		"app.kubernetes.io/name",
		"app.kubernetes.io/part-of",
		"app.kubernetes.io/version",
		"apps.kubernetes.io/pod-index",
		"batch.kubernetes.io/controller-uid",
		"batch.kubernetes.io/job-completion-index",
		"batch.kubernetes.io/job-name",
		"beta.kubernetes.io/arch",
		"beta.kubernetes.io/instance-type",
		"beta.kubernetes.io/os",
		"failure-domain.beta.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone",
		"kubernetes.io/arch",
		"kubernetes.io/hostname",
		"kubernetes.io/metadata.name",
		"kubernetes.io/os",
		"node-role.kubernetes.io/control-plane",
		"node-role.kubernetes.io/master",
		"node-role.kubernetes.io/worker",
		"node.kubernetes.io/instance-type",
		"statefulset.kubernetes.io/pod-name",
		"topology.kubernetes.io/region",
		"topology.kubernetes.io/zone",
		/* prices, power, how a node is paid for: model/fleet.h */
		KCLOUD_OPTIMIZER_LABEL,
		(KCLOUD_FINALIZER),
		"accelerator.cost-per-hour",
		"accelerator.power-watts",
		"cloud.google.com/gke-nodepool",
		"cloud.google.com/gke-preemptible",
		"cloud.google.com/gke-provisioning",
		"cloud.google.com/gke-spot",
		"cost-per-hour",
		"eks.amazonaws.com/capacityType",
		"eks.amazonaws.com/nodegroup",
		"energy-source",
		"karpenter.sh/capacity-type",
		"karpenter.sh/nodepool",
		"kubernetes.azure.com/agentpool",
		"kubernetes.azure.com/scalesetpriority",
		"lifecycle",
		"node-lifecycle",
		"node.kubernetes.io/lifecycle",
		"power-efficiency",
		"aws-node-termination-handler/asg-lifecycle-termination",
		"aws-node-termination-handler/rebalance-recommendation",
		"aws-node-termination-handler/scheduled-maintenance",
		"aws-node-termination-handler/spot-itn",
		"cloud.google.com/impending-node-termination",
		"karpenter.sh/disrupted",
		"remediator.aks.microsoft.com/unschedulable",
		/* conditions */
		"Ready",
		"PodResizePending",
		"Infeasible",
		/* taints */
		MCKUBE_TAINT,
		(MCKUBE_PRESSURE),
		"node.cloudprovider.kubernetes.io/shutdown",
		"node.cloudprovider.kubernetes.io/uninitialized",
		"node.kubernetes.io/disk-pressure",
		"node.kubernetes.io/memory-pressure",
		"node.kubernetes.io/network-unavailable",
		"node.kubernetes.io/not-ready",
		"node.kubernetes.io/out-of-service",
		"node.kubernetes.io/pid-pressure",
		"node.kubernetes.io/unreachable",
		"node.kubernetes.io/unschedulable",
		NULL,
	};

	return is_one_of(key, words);
}

bool redact_is_public_resource(const char *name)
{
	static const char *const names[] = {
		"cpu",
		"memory",
		"ephemeral-storage",
		"pods",
		"hugepages-64Ki",
		"hugepages-2Mi",
		"hugepages-32Mi",
		"hugepages-1Gi",
		"nvidia.com/gpu",
		"amd.com/gpu",
		"gpu.intel.com/i915",
		NULL,
	};

	return is_one_of(name, names);
}

bool redact_is_enum(const char *word)
{
	static const char *const words[] = {
		"",
		/* kinds */
		"CSINode",
		"ResourceClaim",
		"Lease",
		"List",
		"NodeMetrics",
		"PodMetrics",
		"MCKube",
		"McKube",
		"Namespace",
		"CostPolicy",
		"PowerPolicy",
		"WorkloadOptimizer",
		"Deployment",
		"StatefulSet",
		"HorizontalPodAutoscaler",
		"MetricSample",
		"Node",
		"PersistentVolume",
		"PersistentVolumeClaim",
		"Pod",
		"PodDisruptionBudget",
		"PriorityClass",
		/* phases, QoS classes */
		"Pending",
		"Bound",
		"Lost",
		"Running",
		"Succeeded",
		"Failed",
		"Unknown",
		"BestEffort",
		"Burstable",
		"Guaranteed",
		/* operators, effects */
		"In",
		"NotIn",
		"Exists",
		"DoesNotExist",
		"Gt",
		"Lt",
		"Equal",
		"NoSchedule",
		"PreferNoSchedule",
		"NoExecute",
		/* conditions */
		"True",
		"False",
		/* policies, protocols */
		"PreemptLowerPriority",
		"RestartAllContainers",
		"RestartAllContainersOnContainerExits",
		"ReadOnlyMany",
		"ReadWriteMany",
		"ReadWriteOnce",
		"ReadWriteOncePod",
		"AlwaysAllow",
		"IfHealthyBudget",
		"Always",
		"Never",
		"OnFailure",
		"DoNotSchedule",
		"ScheduleAnyway",
		"Honor",
		"Ignore",
		/* of WorkloadOptimizers and policies */
		"Total",
		"Day",
		"Week",
		"Month",
		"cost",
		"power",
		"latency",
		"cpu",
		"memory",
		"gpu",
		"serving",
		"training",
		"inference",
		"batch",
		"streaming",
		"budget_usage",
		"cost_increase",
		"anomaly",
		"power_usage",
		"power_efficiency",
		"carbon_footprint",
		"notify",
		"scale_down",
		"pause",
		"terminate",
		"migrate",
		"drain",
		"equal",
		"priority_based",
		"workload_based",
		"Optimized",
		"Optimizing",
		"Suspended",
		"Available",
		"Progressing",
		"Degraded",
		"CostOptimized",
		"PowerOptimized",
		"True",
		"False",
		"Unknown",
		"NoPods",
		"NotReady",
		"AsWanted",
		"ActionsPending",
		"Settled",
		"LimitRefuses",
		"MoveFailed",
		"AsExpected",
		"BudgetExhausted",
		"OverHourlyLimit",
		"OverPolicy",
		"NoPrice",
		"WithinBudget",
		"OverLimit",
		"NoPowerModel",
		"WithinLimit",
		"ScalingActive",
		"ScalingLimited",
		"ValidMetricFound",
		"MetricsMissing",
		"ConflictingAutoscaler",
		"AmbiguousTarget",
		"FailedGetScale",
		"ScalingDisabled",
		"DesiredWithinRange",
		"TooFewReplicas",
		"TooManyReplicas",
		"CostCeiling",
		"PowerCeiling",
		"ScaleUpLimit",
		"prometheus",
		"custom",
		"external",
		"TCP",
		"UDP",
		"SCTP",
		NULL,
	};

	return is_one_of(word, words);
}

bool redact_is_public_value(const char *word)
{
	static const char *const words[] = {
		/* how a node is paid for, where its energy comes from */
		"spot",		  "SPOT",     "on-demand", "ON_DEMAND", "reserved",
		"CAPACITY_BLOCK", "standard", "regular",   "normal",	"preemptible",
		"renewable",	  "low",      "medium",	   "high",	NULL,
	};

	return is_one_of(word, words);
}
