/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_CLUSTER_METRICS_H
#define MCKUBE_RECONCILE_CLUSTER_METRICS_H

#include "base/array.h"
#include "base/intern.h"
#include "base/str.h"
#include "model/cluster.h"
#include "model/settings.h"

/* The numbers of a snapshot: how full its cores are, at which levels its pods run.
 *
 * Labels cannot grow without bounds: at most METRIC_CORES cores, the fullest, and METRIC_PODS pods,
 * only such as are above their normal level; mckube_series_left_out says how many are missing. What
 * is counted of overruns and levels is what was seen in the API between two renewals; the node
 * helpers count exactly. */

enum { METRIC_CORES = 1000, METRIC_PODS = 500 };

struct snapshot_metrics {
	struct str text;
	struct intern keys;   /* pods and McKubes */
	ARRAY(uint32_t) seen; /* by key: the level, or what tells the last overrun from others */
	uint64_t overruns, escalations, recoveries;
};

void snapshot_metrics_renew(struct snapshot_metrics *m, const struct cluster *c,
			    const struct settings *settings);
void snapshot_metrics_write(const struct snapshot_metrics *m, struct str *out);
void snapshot_metrics_done(struct snapshot_metrics *m);

#endif
