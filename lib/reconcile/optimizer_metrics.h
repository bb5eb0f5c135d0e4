/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_OPTIMIZER_METRICS_H
#define MCKUBE_RECONCILE_OPTIMIZER_METRICS_H

#include "base/array.h"
#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* The numbers of WorkloadOptimizers, under the names of KCloud. Gauges are what their status says;
 * passes are counted since the start. METRIC_OPTIMIZERS of them are told, the first by namespace
 * and name. */

enum { METRIC_OPTIMIZERS = 500 };

/* What became of the actions of one pass for one optimizer. */
enum optimized { OPTIMIZED_DONE, OPTIMIZED_PARTIAL, OPTIMIZED_REFUSED, OPTIMIZED };

struct optimizer_passes {
	char *ns, *name;
	uint64_t n[OPTIMIZED];
	bool is_done, is_not; /* some of what the present pass was to do */
};

/* What an optimizer saves by its status, summed up over the time that this process leads. */
struct optimizer_savings {
	char *ns, *name;
	int64_t rate; /* micro-USD per hour, not below 0 */
	uint64_t micro;
	uint64_t rest; /* of micro, in parts of an hour's milliseconds */
};

struct optimizer_metrics {
	ARRAY(struct optimizer_passes) passes;	 /* METRIC_OPTIMIZERS at most */
	ARRAY(struct optimizer_savings) savings; /* the same, by namespace and name */
	int64_t summed_ms;			 /* until when; 0: not yet */
};

/* Adds up what was saved until now at the rates that were known, and takes those of the snapshot:
 * to be called when that has changed, and before metrics are written. The clock is monotonic.
 * `counts`: false where another process acts, which counts then. */
void optimizer_metrics_sum(struct optimizer_metrics *m, const struct cluster *c,
			   const struct settings *settings, int64_t now_ms, bool counts);

/* Counts a pass, by the plan's results. Optimizers that the snapshot no longer has are forgotten
 * when there are too many. */
void optimizer_metrics_count(struct optimizer_metrics *m, const struct cluster *c,
			     const struct plan *p);
/* Of the namespaces of optimise.namespaces; the numbers of policies, too. */
void optimizer_metrics_write(const struct optimizer_metrics *m, const struct cluster *c,
			     const struct settings *settings, struct str *out);
void optimizer_metrics_done(struct optimizer_metrics *m);

/* How many of those that have a status are too many to be told. */
uint64_t optimizer_metrics_left_out(const struct cluster *c, const struct settings *settings);

#endif
