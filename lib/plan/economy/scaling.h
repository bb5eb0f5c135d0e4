/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_SCALING_H
#define MCKUBE_PLAN_ECONOMY_SCALING_H

#include "plan/economy/economy.h"
#include "plan/plan.h"

/* How many replicas a WorkloadOptimizer with autoScaling gives its Deployment or StatefulSet, or
 * the object of another kind that targetRef names, by its subresource scale. Its pods are those of
 * the selector that the subresource tells of.
 *
 * Metrics of demand (cpu, memory, gpu, latency) propose numbers, as a HorizontalPodAutoscaler does
 * (plan/economy/replicas.h); the largest counts. Where one has no value, there is no scale-down.
 * Down goes only to the highest proposal of the last 300 s, which status.history keeps from when
 * one is below the number that is asked for. Metrics of cost and power are ceilings: the largest
 * number that their threshold pays for. The number is within minReplicas and maxReplicas; hard
 * limits keep it from growing, and what a PodDisruptionBudget wants stays.
 *
 * What a HorizontalPodAutoscaler, a ScaledObject of KEDA or a second optimizer scales too is left
 * alone; what another client has set to another number UNDONE_MAX times within UNDONE_SECONDS, for
 * as long. That one applies spec.replicas server-side, as GitOps does, is a warning from the
 * start. */

enum { PROPOSALS_MAX = 20, UNDONE_MAX = 3, UNDONE_SECONDS = 3600 };

struct proposal {
	int64_t at;
	int32_t n;
};

struct scaling {
	const struct scalable *target; /* NULL: it is not known */
	int32_t from, to;	       /* replicas; equal: it is not scaled */
	enum reason reason;
	const char *message; /* the trial's, of the action */
	uint32_t action;     /* that does it, once the plan has it; 0 */
	/* Condition ScalingActive is True, or False for this reason; NULL: autoScaling is not given
	 */
	const char *inactive, *active_message;
	/* Condition ScalingLimited is True for this reason; NULL: False. */
	const char *limited, *limited_message;
	struct proposal history[PROPOSALS_MAX];
	uint32_t n_history;
	int64_t scaled_at;
	int32_t scaled_from, scaled_to, undone;
};

static inline bool scaling_is_known(const struct scaling *s)
{
	return s->inactive || s->active_message;
}

static inline bool scaling_changes(const struct scaling *s)
{
	return s->target && s->to != s->from;
}

/* How much of their accelerators its pods use, ppm: by the value of its gpu metric, else as assumed
 * of its type. */
int32_t economy_accelerator_use(const struct economy *e, optimizer_id id);

/* After the pods that wait have places: fills economy.scalings. */
void economy_scale(struct economy *e);

/* A text of the trial's. */
const char *economy_text(struct economy *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* plan/economy/target.c: fills target, or why there is none. */
void economy_find_target(struct economy *e, optimizer_id id, struct scaling *ret);

/* plan/economy/ceilings.c: the number of replicas that soft ceilings pay for, INT32_MAX. The reason
 * is that of condition ScalingLimited. */
int32_t economy_ceiling(struct economy *e, optimizer_id id, const char **ret_reason,
			const char **ret_message);
/* What one more replica adds on a node. */
struct extra {
	int64_t cost, power; /* micro-USD per hour, mW */
	__int128 carbon;     /* mW mg/kWh */
};
struct extra economy_extra_on(const struct economy *e, uint32_t cargo, node_id node);
/* One of its pods, whose replicas ask the same; NONE: it has none. */
uint32_t economy_any_replica(const struct economy *e, optimizer_id id);
int32_t replicas_at_most(__int128 n);

/* plan/economy/room.c: how many more replicas the hard limits allow, up to those that are wanted,
 * so that none is made which would have to wait. An alert that scales down counts as a limit: else
 * what demand adds it would take away, and so on. */
int32_t economy_room(struct economy *e, optimizer_id id, int32_t wanted, const char **ret_reason,
		     const char **ret_message);

#endif
