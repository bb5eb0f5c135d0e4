/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_DELTA_H
#define MCKUBE_MODEL_DELTA_H

#include "model/cluster.h"

/* The rows of one kind in a snapshot, changed many at a time.
 *
 * Behind the `n` rows that count, in order of their names, stand those that were added since, each
 * with a mark. Readers of the snapshot do not see them until delta_commit() puts them in their
 * places, so changes may come in while a plan is made. */

enum delta_mark { DELTA_PUT, DELTA_DELETE }; /* DELETE: of the row only namespace and name count */

struct delta_kind {
	size_t size;
	struct meta *(*first)(struct cluster *c); /* each row begins with its meta */
	size_t *(*n)(struct cluster *c);
	void (*reserve)(struct cluster *c, size_t more);
	void (*fit)(struct cluster *c); /* gives back room that is far too much */
	/* Do two rows say the same, but for their versions? */
	bool (*is_same)(const struct cluster *c, const void *a, const void *b);
};

extern const struct delta_kind delta_of_nodes, delta_of_pods, delta_of_mckubes, delta_of_pdbs,
	delta_of_priority_classes, delta_of_volumes, delta_of_claims, delta_of_csi_nodes,
	delta_of_resource_claims, delta_of_namespaces, delta_of_helper_leases, delta_of_optimizers,
	delta_of_cost_policies, delta_of_power_policies, delta_of_price_tables,
	delta_of_deployments, delta_of_stateful_sets, delta_of_autoscalers, delta_of_scaled_objects,
	delta_of_scale_targets, delta_of_metric_samples, delta_of_node_metrics,
	delta_of_pod_metrics;

void *row_at(struct cluster *c, const struct delta_kind *k, size_t i);

/* What a commit did. */
enum { DELTA_CHANGED = 1, DELTA_RESIZED = 2 };

/* Of rows with the same name the last one counts. With is_new_list they are all there is. Returns
 * flags of the enum; 0 when no row says anything else than before. */
unsigned delta_commit(struct cluster *c, const struct delta_kind *k, const uint8_t *marks,
		      size_t n_marks, bool is_new_list);

#endif
