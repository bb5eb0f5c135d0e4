/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_METRIC_QUERY_H
#define MCKUBE_REMOTE_METRIC_QUERY_H

#include "base/str.h"
#include "model/cluster.h"
#include "model/settings.h"

/* What is asked for the metrics of WorkloadOptimizers: a query for Prometheus, or the name of a
 * metric for custom.metrics.k8s.io and then external.metrics.k8s.io. */

/* Is the metric's value read one by one? Those of cpu and memory come with PodMetrics, those of
 * cost and power follow from the snapshot. */
static inline bool metric_is_asked(const struct scaling_metric *m)
{
	return m->type == METRIC_LATENCY || m->type == METRIC_GPU;
}

/* Does the optimizer scale by metrics now? */
bool metric_optimizer_asks(const struct optimizer *o);

/* The query for Prometheus: the metric's own, or where it has neither query nor metricName the
 * configured one, "" if there is none. {namespace}, {name} and {pods} stand for what config_keys
 * says; braces around anything else stay. */
void metric_query_expand(const struct cluster *c, const struct optimizer *o,
			 const struct scaling_metric *m, const struct metrics_settings *settings,
			 struct str *out);

/* The name of the MetricSample: OPTIMIZER.TYPE, shortened where that is too long for a name. */
void metric_sample_name(const char *optimizer, enum metric_type type, struct str *out);

#endif
