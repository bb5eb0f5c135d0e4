/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_OPTIMIZER_METRICS_H
#define MCKUBE_RECONCILE_OPTIMIZER_METRICS_H

#include "base/array.h"
#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* The numbers of WorkloadOptimizers and CostPolicies, under the names of KCloud. Gauges are what
 * their status says; passes are counted since the start. Of each kind METRIC_OPTIMIZERS objects are
 * told, the first by namespace and name. */

enum { METRIC_OPTIMIZERS = 500 };

/* What became of the actions of one pass for one optimizer. */
enum optimized { OPTIMIZED_DONE, OPTIMIZED_PARTIAL, OPTIMIZED_REFUSED, OPTIMIZED };

struct optimizer_passes {
	char *ns, *name;
	uint64_t n[OPTIMIZED];
	bool is_done, is_not; /* some of what the present pass was to do */
};

struct optimizer_metrics {
	ARRAY(struct optimizer_passes) passes; /* METRIC_OPTIMIZERS at most */
};

/* Counts a pass, by the plan's results. Optimizers that the snapshot no longer has are forgotten
 * when there are too many. */
void optimizer_metrics_count(struct optimizer_metrics *m, const struct cluster *c,
			     const struct plan *p);
void optimizer_metrics_write(const struct optimizer_metrics *m, const struct cluster *c,
			     struct str *out);
void optimizer_metrics_done(struct optimizer_metrics *m);

#endif
