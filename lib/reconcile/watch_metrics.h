/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_WATCH_METRICS_H
#define MCKUBE_RECONCILE_WATCH_METRICS_H

#include "kube/http.h"
#include "model/settings.h"
#include "serve/metrics.h"
#include "state/informer.h"

#include "reconcile/cluster_metrics.h"
#include "reconcile/reconcile.h"

/* The numbers of `watch` in Prometheus' text form. */

enum { API_VERBS = 6, API_CLASSES = 6 };

struct watch_metrics {
	struct {
		struct metric_durations durations;
		uint64_t replies[API_CLASSES]; /* by hundreds of their status; 0: none came */
	} api[API_VERBS];
	uint64_t lease_acquired, lease_lost;
	struct snapshot_metrics snapshot;
};

void watch_metrics_init(struct watch_metrics *m);
void watch_metrics_done(struct watch_metrics *m);

/* An http_observer; `arg` is the metrics. */
void watch_metrics_observe(const struct http_call *call, int64_t ms, void *arg);

/* What they are about. */
struct watch_view {
	const struct pass_counts *passes;
	const struct optimizer_metrics *optimizers;
	const struct informer *informer; /* NULL with --once */
	const struct cluster *cluster;
	const struct settings *settings;
	bool is_leader;
	bool has_changed; /* the snapshot, since the last time */
	const char *version, *commit;
};

void watch_metrics_write(struct watch_metrics *m, const struct watch_view *v, struct str *out);

/* "  NAME (KIND)" and below it what it counts, for each metric: the help of the program. */
void watch_metrics_describe(struct str *out);

#endif
