/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_RELIEVE_H
#define MCKUBE_PLAN_RELIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/trial.h"

struct planner;

/* Step 6: nodes that are short of CPU, and nodes whose real-time guarantee is broken.
 *
 * A node is busy when all of its annotations that speak of it say so: mckube.sdv.com/isCpuBusy,
 * cpu-usage (per cent, against settings.pressure.busy) and cpu-over90-duration-s. It is calm when
 * none speaks against it (cpu-usage against settings.pressure.calm). In between nothing happens:
 * that is the hysteresis.
 *
 * While it is busy, pods less critical than the most critical one there are degraded to their
 * floors, the least important first and as few as the usage seems to need; a step is given
 * pressure.stepSeconds to help. When all are, the node is tainted and they are evicted, one a step,
 * within their PodDisruptionBudgets. A pod keeps its place in the admission test while it is
 * degraded, so that its budget can always be given back: when the node is calm, or no pod there is
 * more critical, and pressure.holdSeconds have passed.
 *
 * The taint McKubeRTDeadlinePressure=True:NoSchedule also stands on a node while it cannot keep
 * what was granted: a core is over its rtCapacity and the plan does not repair it, or the node
 * helper says that the kernel refused a budget (mckube.io/rt-applied: "false").
 *
 * State is in the API alone: mckube.io/rt-degraded on a pod and timeAdded of the taint say since
 * when. Where the snapshot has no time, one step is done and no second one. */

enum relief {
	RELIEF_NONE,
	RELIEF_DEGRADE,
	RELIEF_RESTORE, /* it was degraded, and gets its budget back */
	RELIEF_EVICT,
};

enum node_relief {
	NODE_RELIEF_NONE,
	NODE_RELIEF_TAINT,     /* or the taint's time is written again */
	NODE_RELIEF_GUARANTEE, /* tainted, since the guarantee is broken */
	NODE_RELIEF_UNTAINT,
};

struct reliefs {
	uint8_t *of_unit;	/* enum relief */
	unit_id *protected_on;	/* by node_id: the most critical pod, NONE */
	uint8_t *of_node;	/* enum node_relief */
	uint32_t requeue_after; /* seconds until a wait of some node is over; 0: none waits */
};

/* A node's CPU time by its annotations. SOON: it is busy, but has not been for delaySeconds. */
enum pressure { PRESSURE_CALM, PRESSURE_BETWEEN, PRESSURE_SOON, PRESSURE_BUSY };
enum pressure relieve_pressure(const struct cluster *c, const struct node *node,
			       const struct settings *settings);
/* Its usage in ppm; -1 where it does not say. */
int64_t relieve_usage(const struct cluster *c, const struct node *node);

static inline enum relief relief_of(const struct reliefs *r, unit_id id)
{
	return r->of_unit ? (enum relief)r->of_unit[id] : RELIEF_NONE;
}

/* Decides for the trial as the steps before have left it; evicts, and finds replacements. */
void relieve(struct planner *p);
void reliefs_done(struct reliefs *r);

/* Since when the pod is degraded; -1: it is not, 0: unknown. */
int64_t relieve_degraded_since(const struct cluster *c, const struct pod *pod);

#endif
