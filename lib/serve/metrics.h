/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SERVE_METRICS_H
#define MCKUBE_SERVE_METRICS_H

#include <stdint.h>

#include "base/str.h"

/* Prometheus' text format, 0.0.4.
 *
 *	metric_head(&out, "mckube_pods", "gauge", "Pods by state.");
 *	metric_add(&out, "mckube_pods", METRIC_LABELS("state", "bound"), 7);
 */

struct metric_label {
	const char *name, *value; /* any text; the row without a name is the last */
};

/* Pairs of name and value. */
#define METRIC_LABELS(...) \
	((const struct metric_label *)(const char *const[]){ __VA_ARGS__, NULL, NULL })
#define METRIC_NO_LABELS NULL

void metric_head(struct str *out, const char *name, const char *kind, const char *help);
void metric_add(struct str *out, const char *name, const struct metric_label *labels,
		uint64_t value);

/* A ratio of parts per million, or seconds of microseconds: value / 1,000,000. */
void metric_add_millionths(struct str *out, const char *name, const struct metric_label *labels,
			   uint64_t value);
/* The same of what may be negative. */
void metric_add_signed(struct str *out, const char *name, const struct metric_label *labels,
		       int64_t value);

/* Head and value of one that has no labels. */
void metric_one(struct str *out, const char *name, const char *kind, const char *help,
		uint64_t value);

/* 1, with what the program is; the commit may be "", which is not known. */
void metric_build_info(struct str *out, const char *name, const char *version, const char *commit);

/* Durations, counted in classes that are each wide twice the one before: from 1 ms to 64 s. */
enum { METRIC_CLASSES = 17 };
struct metric_durations {
	uint64_t counts[METRIC_CLASSES + 1], n, sum_us; /* the last class has no end */
};

void metric_observe(struct metric_durations *d, uint64_t us);

/* The lines of a histogram; the head is the caller's. */
void metric_add_durations(struct str *out, const char *name, const struct metric_label *labels,
			  const struct metric_durations *d);

#endif
