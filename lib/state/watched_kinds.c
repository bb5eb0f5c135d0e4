/* SPDX-License-Identifier: Apache-2.0 */
#include "state/watched_kinds.h"

/* Pods that ended hold nothing, so they are left with the server. */
const struct wanted wanted[N_WANTED] = {
	{ .resource = &kube_nodes, .rows = &rows_of_nodes },
	{ .resource = &kube_pods,
	  .rows = &rows_of_pods,
	  .field_selector = "status.phase!=Succeeded,status.phase!=Failed" },
	{ .resource = &kube_mckubes, .rows = &rows_of_mckubes, .is_optional = true },
	{ .resource = &kube_pdbs, .rows = &rows_of_pdbs },
	{ .resource = &kube_priority_classes, .rows = &rows_of_priority_classes },
	{ .resource = &kube_volumes, .rows = &rows_of_volumes },
	{ .resource = &kube_claims, .rows = &rows_of_claims },
	{ .resource = &kube_namespaces, .rows = &rows_of_namespaces },
};
