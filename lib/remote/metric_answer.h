/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_METRIC_ANSWER_H
#define MCKUBE_REMOTE_METRIC_ANSWER_H

#include "base/str.h"
#include "model/economy.h"

/* What is answered to the question for one value, by Prometheus (HTTP API v1, /api/v1/query) and by
 * the APIs custom.metrics.k8s.io and external.metrics.k8s.io. Any text is taken: what is no value
 * is one that is missing, with the reason. */

enum { METRIC_WHY_MAX = 256 };

struct metric_value {
	int64_t value; /* millionths, not negative */
	int64_t at;    /* seconds since 1970; 0: not said */
	enum no_value reason;
	bool has_value;
	char why[METRIC_WHY_MAX]; /* without a value: what is wrong, in one line */
};

/* Sets that there is no value. */
void metric_value_missing(struct metric_value *ret, enum no_value reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A success of Prometheus: a scalar, or a vector of one element. None is not 0. */
void metric_answer_prometheus(struct slice body, struct metric_value *ret);

enum { METRIC_NODE_MAX = 253 };

struct metric_of_node {
	char node[METRIC_NODE_MAX + 1]; /* the label node, else node_name; "": neither */
	struct metric_value value;
};

/* A success of Prometheus: a vector with an element for each node, which `take` is called with in
 * the order of the answer. *ret has no value where there is none at all, or the answer is none: in
 * that case `take` may have been called for some. */
void metric_answer_nodes(struct slice body, void (*take)(const struct metric_of_node *m, void *arg),
			 void *arg, struct metric_value *ret);

/* What Prometheus says in an answer that is no success: "bad_data: ...". False: nothing. */
bool metric_answer_problem(struct slice body, char why[static METRIC_WHY_MAX]);

enum metric_fold { METRIC_MEAN, METRIC_SUM };

/* A MetricValueList (v1beta1 or v1beta2) or ExternalMetricValueList: its values as one, whose time
 * is that of the oldest. Quantities count in thousandths, as they do for an autoscaler. */
void metric_answer_list(struct slice body, enum metric_fold fold, struct metric_value *ret);

#endif
