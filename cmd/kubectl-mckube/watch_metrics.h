/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_WATCH_METRICS_H
#define MCKUBE_CMD_WATCH_METRICS_H

#include "base/intern.h"
#include "kube/http.h"
#include "kube/lease.h"
#include "model/settings.h"
#include "serve/metrics.h"
#include "state/follow.h"

#include "reconcile.h"

/* The numbers of `watch` in Prometheus' text form.
 *
 * Labels cannot grow without bounds: at most METRIC_CORES cores, the fullest, and METRIC_PODS pods,
 * only such as are above their normal level; mckube_series_left_out says how many are missing. What
 * is counted of overruns and levels is what was seen in the API between two renderings; the node
 * helpers count exactly. */

enum { METRIC_CORES = 1000, METRIC_PODS = 500 };

enum { API_VERBS = 6, API_CLASSES = 6 };

struct watch_metrics {
	struct {
		struct metric_durations durations;
		uint64_t replies[API_CLASSES]; /* by hundreds of their status; 0: none came */
	} api[API_VERBS];
	uint64_t lease_acquired, lease_lost;

	/* Private: of the snapshot, made anew when it has changed. */
	struct str snapshot;
	struct intern seen_keys; /* pods and McKubes, and their levels and last overruns */
	ARRAY(uint32_t) seen;
	uint64_t overruns, escalations, recoveries;
};

void watch_metrics_init(struct watch_metrics *m);
void watch_metrics_done(struct watch_metrics *m);

/* An http_observer; `arg` is the metrics. */
void watch_metrics_observe(const struct http_call *call, int64_t ms, void *arg);

/* What they are about. */
struct watch_view {
	const struct pass_counts *passes;
	const struct follow *follow; /* NULL with --once */
	const struct cluster *cluster;
	const struct settings *settings;
	bool is_leader;
	bool has_changed; /* the snapshot, since the last time */
};

void watch_metrics_write(struct watch_metrics *m, const struct watch_view *v, struct str *out);

#endif
