/* SPDX-License-Identifier: Apache-2.0 */
#include "state/redact_rows.h"

/* WorkloadOptimizers and policies: objects/objects_economy.c, objects/objects_policy.c. */

static const struct redact_rule estimate[] = {
	QUANTITY("cpu"), SCALAR("gpu"), QUANTITY("memory"), SCALAR("npu"), { 0 },
};

static const struct redact_rule cost_constraints[] = {
	SCALAR("budgetLimit"),
	ENUM("budgetPeriod"),
	SCALAR("maxCostPerHour"),
	SCALAR("preferSpot"),
	{ 0 },
};

static const struct redact_rule power_constraints[] = {
	SCALAR("maxPowerUsage"),
	SCALAR("preferGreen"),
	{ 0 },
};

static const struct redact_rule affinity_rule[] = {
	KEY("key"),
	VALUE("value"),
	SCALAR("weight"),
	{ 0 },
};

static const struct redact_rule preferred[] = {
	OBJECT("preference", redact_node_term),
	SCALAR("weight"),
	{ 0 },
};

static const struct redact_rule optimizer_affinity[] = {
	OBJECT("preferredDuringSchedulingIgnoredDuringExecution", preferred),
	OBJECT("requiredDuringSchedulingIgnoredDuringExecution", redact_node_terms),
	{ 0 },
};

static const struct redact_rule placement_policy[] = {
	OBJECT("affinity", affinity_rule),
	OBJECT("nodeAffinity", optimizer_affinity),
	LABELS("nodeSelector"),
	{ 0 },
};

static const struct redact_rule scaling_metric[] = {
	WORD("metricName"), WORD("query"), SCALAR("threshold"), ENUM("type"), { 0 },
};

static const struct redact_rule auto_scaling[] = {
	SCALAR("enabled"),	SCALAR("fill"),
	SCALAR("maxReplicas"),	OBJECT("metrics", scaling_metric),
	SCALAR("minReplicas"),	SCALAR("targetCPU"),
	SCALAR("targetMemory"), { 0 },
};

static const struct redact_rule scale_target[] = {
	KEY("apiVersion"),
	KEY("kind"),
	WORD("name"),
	{ 0 },
};

static const struct redact_rule optimizer_spec[] = {
	OBJECT("autoScaling", auto_scaling),
	OBJECT("costConstraints", cost_constraints),
	OBJECT("placementPolicy", placement_policy),
	OBJECT("powerConstraints", power_constraints),
	SCALAR("priority"),
	OBJECT("resourceRequirements", estimate),
	OBJECT("resources", estimate),
	OBJECT("targetRef", scale_target),
	ENUM("workloadType"),
	{ 0 },
};

static const struct redact_rule spending[] = {
	TIME("accountedAt"), TIME("periodStart"), SCALAR("rateMicroUSD"),
	SCALAR("spent"),     SCALAR("total"),	  { 0 },
};

static const struct redact_rule avoided[] = {
	WORD("node"),
	TIME("until"),
	{ 0 },
};

static const struct redact_rule last_move[] = {
	SCALAR("costPerHour"), WORD("from"), WORD("podUID"), WORD("to"), SCALAR("watts"), { 0 },
};

static const struct redact_rule past_saving[] = {
	SCALAR("costPerHour"), WORD("node"), SCALAR("powerWatts"), TIME("since"), { 0 },
};

static const struct redact_rule savings[] = {
	SCALAR("costPerHour"),
	OBJECT("past", past_saving),
	SCALAR("powerWatts"),
	{ 0 },
};

static const struct redact_rule condition[] = {
	TIME("lastTransitionTime"), ENUM("reason"), ENUM("status"), ENUM("type"), { 0 },
};

static const struct redact_rule optimizer_status[] = {
	WORD("assignedNode"),
	OBJECT("avoid", avoided),
	OBJECT("budget", spending),
	OBJECT("conditions", condition),
	SCALAR("currentPower"),
	PROPOSALS("history"),
	OBJECT("lastMove", last_move),
	TIME("lastMoveTime"),
	TIME("lastOptimizationTime"),
	SCALAR("lastScaleFrom"),
	TIME("lastScaleTime"),
	SCALAR("lastScaleTo"),
	SCALAR("moves"),
	WORD("nodes"),
	SCALAR("observedGeneration"),
	SCALAR("optimizationScore"),
	ENUM("phase"),
	SCALAR("readyReplicas"),
	SCALAR("replicas"),
	OBJECT("savings", savings),
	SCALAR("scalesUndone"),
	OBJECT("targetRef", scale_target),
	{ 0 },
};

const struct redact_rule redact_optimizer[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", optimizer_spec),
	OBJECT("status", optimizer_status),
	{ 0 },
};

/* A list, or an object of two shapes: each member that is not of the object's shape is absent. */
static const struct redact_rule alert[] = {
	ENUM("action"),
	SCALAR("budgetUtilization"),
	SCALAR("costIncrease"),
	SCALAR("costSpike"),
	SCALAR("efficiency"),
	SCALAR("efficiencyDrop"),
	SCALAR("powerUsage"),
	SCALAR("powerUtilization"),
	ENUM("type"),
	SCALAR("value"),
	{ 0 },
};

static const struct redact_rule spot_policy[] = {
	SCALAR("enabled"),  ENUM("interruptionHandling"), SCALAR("maxInterruptionRate"),
	SCALAR("maxPrice"), SCALAR("maxSpotPercentage"),  { 0 },
};

static const struct redact_rule resource_costs[] = {
	SCALAR("cpuCostPerCore"), SCALAR("cpuCostPerCorePerHour"), SCALAR("gpuCostPerHour"),
	SCALAR("gpuCostPerUnit"), SCALAR("memoryCostPerGB"),	   SCALAR("memoryCostPerGiPerHour"),
	SCALAR("npuCostPerHour"), SCALAR("npuCostPerUnit"),	   { 0 },
};

static const struct redact_rule cost_policy_spec[] = {
	OBJECT("alertThresholds", alert),
	SCALAR("budgetLimit"),
	SCALAR("costPerHourLimit"),
	SCALAR("monthlyBudget"),
	OBJECT("namespaceSelector", redact_selector),
	OBJECT("resourceCostPolicy", resource_costs),
	OBJECT("spotInstancePolicy", spot_policy),
	OBJECT("workloadSelector", redact_selector),
	{ 0 },
};

static const struct redact_rule noted_alert[] = {
	ENUM("action"), TIME("since"), ENUM("type"), SCALAR("value"), { 0 },
};

static const struct redact_rule day[] = {
	SCALAR("lastPerHour"),
	TIME("since"),
	SCALAR("spent"),
	{ 0 },
};

static const struct redact_rule cost_policy_status[] = {
	OBJECT("alerts", noted_alert),
	OBJECT("budget", spending),
	OBJECT("conditions", condition),
	OBJECT("day", day),
	SCALAR("observedGeneration"),
	ENUM("phase"),
	{ 0 },
};

const struct redact_rule redact_cost_policy[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", cost_policy_spec),
	OBJECT("status", cost_policy_status),
	{ 0 },
};

static const struct redact_rule green_policy[] = {
	SCALAR("carbonFootprintTarget"),
	SCALAR("enabled"),
	SCALAR("minGreenEnergyPercentage"),
	SCALAR("renewablePercentage"),
	{ 0 },
};

static const struct redact_rule power_aware[] = {
	SCALAR("enabled"),
	{ 0 },
};

static const struct redact_rule power_scheduling[] = {
	SCALAR("peakPowerAvoidance"),
	HOURS("peakPowerHours"),
	SCALAR("powerAwareScheduling"),
	ENUM("powerBudgetAllocation"),
	{ 0 },
};

static const struct redact_rule power_policy_spec[] = {
	OBJECT("alertThresholds", alert),
	OBJECT("greenEnergyPolicy", green_policy),
	SCALAR("maxPowerUsage"),
	OBJECT("namespaceSelector", redact_selector),
	OBJECT("powerAlertThresholds", alert),
	OBJECT("powerAwareScheduling", power_aware),
	OBJECT("powerSchedulingPolicy", power_scheduling),
	OBJECT("workloadSelector", redact_selector),
	{ 0 },
};

static const struct redact_rule power_policy_status[] = {
	OBJECT("alerts", noted_alert),
	OBJECT("conditions", condition),
	SCALAR("currentPowerUsage"),
	SCALAR("observedGeneration"),
	ENUM("phase"),
	{ 0 },
};

const struct redact_rule redact_power_policy[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", power_policy_spec),
	OBJECT("status", power_policy_status),
	{ 0 },
};

static const struct redact_rule template_metadata[] = {
	LABELS("labels"),
	{ 0 },
};

static const struct redact_rule template[] = {
	OBJECT("metadata", template_metadata),
	{ 0 },
};

static const struct redact_rule scalable_spec[] = {
	SCALAR("replicas"),
	OBJECT("selector", redact_selector),
	OBJECT("template", template),
	{ 0 },
};

const struct redact_rule redact_scalable[] = {
	VERSION("apiVersion"),	       ENUM("kind"), OBJECT("metadata", redact_scalable_metadata),
	OBJECT("spec", scalable_spec), { 0 },
};

static const struct redact_rule autoscaler_spec[] = {
	OBJECT("scaleTargetRef", scale_target),
	{ 0 },
};

const struct redact_rule redact_autoscaler[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", autoscaler_spec),
	{ 0 },
};

static const struct redact_rule scale_target_spec[] = {
	ENUM("reason"),
	SCALAR("replicas"),
	WORD("resource"),
	OBJECT("selector", redact_selector),
	OBJECT("targetRef", scale_target),
	{ 0 },
};

const struct redact_rule redact_scale_target[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", scale_target_spec),
	{ 0 },
};

static const struct redact_rule sample_spec[] = {
	TIME("at"),    ENUM("metric"), WORD("node"),   ENUM("nodeMetric"), WORD("optimizer"),
	WORD("query"), ENUM("reason"), ENUM("source"), QUANTITY("value"),  { 0 },
};

const struct redact_rule redact_sample[] = {
	TYPE_AND_METADATA,
	OBJECT("spec", sample_spec),
	{ 0 },
};
