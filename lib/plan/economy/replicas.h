/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_REPLICAS_H
#define MCKUBE_PLAN_ECONOMY_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many replicas a metric asks for: the numbers of the HorizontalPodAutoscaler of
 * Kubernetes 1.36 (pkg/controller/podautoscaler, replica_calculator.go and horizontal.go), with its
 * defaults: a tolerance of a tenth, 300 s in which a new pod's CPU use may not count, 30 s in which
 * it may not have been ready yet, and the rates of behavior that it has when none is given. Ratios
 * are doubles, as there. */

struct replica_pod {
	int64_t used, requested; /* thousandths of cores or bytes; requested < 0: not given */
	/* Seconds since 1970, 0 where there is none: status.startTime, the last transition of
	 * condition Ready, the sample. */
	int64_t started, ready_since, sampled;
	int32_t window;		   /* seconds that the sample was measured over */
	bool is_sampled;	   /* there is a sample */
	bool is_ending;		   /* being deleted */
	bool is_pending;	   /* its phase */
	bool has_condition;	   /* Ready, */
	bool is_ready, is_unready; /* ... which is True or False; neither: Unknown */
};

struct replica_state {
	const struct replica_pod *pods; /* all of the target's selector */
	size_t n;
	int32_t current; /* that are asked for now */
	int64_t now;
};

/* By the mean use in per cent of what the pods request. Only of CPU it matters whether a sample is
 * older than the pod's readiness. False: a pod requests nothing, or no sample counts. */
bool replicas_by_use(const struct replica_state *s, int32_t target, bool is_cpu, int32_t *ret);

/* By one value for all of them, which is to be `target`. */
bool replicas_by_value(const struct replica_state *s, int64_t value, int64_t target, int32_t *ret);

/* The most that there may be now: twice as many as `start`, or four more, and no fewer than
 * `current`. `start` is the number before the changes of the last RATE_SECONDS. */
enum { RATE_SECONDS = 15, STABLE_SECONDS = 300 };
int32_t replicas_rate_limit(int32_t start, int32_t current);

#endif
