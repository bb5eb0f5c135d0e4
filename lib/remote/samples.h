/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_SAMPLES_H
#define MCKUBE_REMOTE_SAMPLES_H

#include "kube/client.h"
#include "model/cluster.h"
#include "model/settings.h"

/* Reads what nodes cost and draw, by the queries of metrics_settings, and the values of metrics
 * that WorkloadOptimizers scale by, each as a MetricSample: those of latency and gpu, from
 * Prometheus, or by metricName from custom.metrics.k8s.io, and where that does not have it from
 * external.metrics.k8s.io. Of a custom metric the mean over the pods counts, of an external one the
 * sum over its series.
 *
 * Nothing here fails: what could not be read is a sample without a value, with the reason, and a
 * warning in the log, which is not said again while it stays so. A source that does not answer is
 * one warning, however many values are missing.
 *
 *	struct samples *s = samples_new(&settings->metrics, &kube);
 *	samples_ask(s, &cluster, time(NULL));
 *	while (samples_run(s, 100)) {}
 *	const char *const *objects = samples_objects(s, &n);
 *	samples_free(s);
 */
struct samples;

/* Does a WorkloadOptimizer of these have a metric whose value is to be asked for, or is there any,
 * and a query for nodes? */
bool samples_are_wanted(const struct cluster *c, const struct metrics_settings *settings);

/* `settings` and `k`, for the metrics APIs, must outlive it. */
struct samples *samples_new(const struct metrics_settings *settings, struct kube *k);
void samples_free(struct samples *s);

/* Asks for all values at once; what was asked before is dropped. The cluster may be one that is
 * still being loaded. `now` is in seconds since 1970. */
void samples_ask(struct samples *s, const struct cluster *c, int64_t now);

/* Works for at most timeout_ms; with 0 it only takes what has come. False: all are answered, and
 * the objects are there until samples_ask() is called again. */
bool samples_run(struct samples *s, int timeout_ms);

/* MetricSamples as JSON: those of nodes, then in the order of the WorkloadOptimizers. */
const char *const *samples_objects(const struct samples *s, size_t *ret_n);

#endif
