/* SPDX-License-Identifier: Apache-2.0 */
#include "state/watched_kinds.h"

#include "base/names.h"

/* Pods that ended hold nothing, so they are left with the server. */
const struct watched_kinds watched_kinds[N_WATCHED_KINDS] = {
	{ .resource = &kube_nodes, .rows = &delta_of_nodes },
	{ .resource = &kube_pods,
	  .rows = &delta_of_pods,
	  .field_selector = "status.phase!=Succeeded,status.phase!=Failed" },
	{ .resource = &kube_mckubes, .rows = &delta_of_mckubes, .is_optional = true },
	{ .resource = &kube_pdbs, .rows = &delta_of_pdbs },
	{ .resource = &kube_priority_classes, .rows = &delta_of_priority_classes },
	{ .resource = &kube_volumes, .rows = &delta_of_volumes },
	{ .resource = &kube_claims, .rows = &delta_of_claims },
	{ .resource = &kube_csi_nodes, .rows = &delta_of_csi_nodes },
	{ .resource = &kube_resource_claims,
	  .rows = &delta_of_resource_claims,
	  .is_optional = true },
	{ .resource = &kube_namespaces, .rows = &delta_of_namespaces },
	{ .resource = &kube_leases,
	  .rows = &delta_of_helper_leases,
	  .label_selector = HELPER_LABEL_KEY "=" HELPER_LABEL_VALUE,
	  .is_optional = true,
	  .is_forgiving = true },
	{ .resource = &kube_optimizers, .rows = &delta_of_optimizers, .is_optional = true },
	{ .resource = &kube_cost_policies, .rows = &delta_of_cost_policies, .is_optional = true },
	{ .resource = &kube_power_policies, .rows = &delta_of_power_policies, .is_optional = true },
	/* Only those of this name: the right to read them is no right to read other ConfigMaps. */
	{ .resource = &kube_config_maps,
	  .rows = &delta_of_price_tables,
	  .field_selector = "metadata.name=" KCLOUD_PRICES,
	  .is_optional = true,
	  .is_forgiving = true },
	{ .resource = &kube_deployments, .rows = &delta_of_deployments },
	{ .resource = &kube_stateful_sets, .rows = &delta_of_stateful_sets },
	{ .resource = &kube_autoscalers, .rows = &delta_of_autoscalers },
	{ .resource = &kube_scaled_objects,
	  .rows = &delta_of_scaled_objects,
	  .is_optional = true,
	  .is_forgiving = true },
	{ .resource = &kube_node_metrics, .rows = &delta_of_node_metrics, .is_measured = true },
	{ .resource = &kube_pod_metrics, .rows = &delta_of_pod_metrics, .is_measured = true },
	{ .resource = &kube_metric_samples, .rows = &delta_of_metric_samples, .is_ours = true },
	{ .resource = &kube_scale_targets, .rows = &delta_of_scale_targets, .is_ours = true },
};
