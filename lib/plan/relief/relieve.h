/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_RELIEF_RELIEVE_H
#define MCKUBE_PLAN_RELIEF_RELIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/relief/pressure.h"
#include "plan/trial.h"

struct planner;
struct pdb_cover;

/* Step 6: nodes under pressure (plan/relief/pressure.h), and nodes whose real-time guarantee is
 * broken.
 *
 * settings.pressure.onBusy: degrade. While a node is under pressure, pods less critical than the
 * one to be protected are degraded to their floors, the least important first and as few as the
 * reading seems to need; a step is given pressure.stepSeconds to help. When all are, the node is
 * tainted. The protected pod is the most critical one there, or the one whose budget was refused. A
 * pod keeps its place in the admission test while it is degraded, so that its budget can always be
 * given back: when the node is calm, or no pod there is more critical, and pressure.holdSeconds
 * have passed.
 *
 * Evictions are off unless pressure.evict allows them, one a step and within PodDisruptionBudgets.
 * With trigger cpu, pods without real time are evicted first, BestEffort before Burstable; then, as
 * with trigger realTime, degraded pods. "controlled" are those that a controller recreates and that
 * fit on another node now, "all" also bare pods and those that fit on no other node.
 *
 * onBusy: raise is the first controller's rule. The pods of a busy node go to level hi, the most
 * critical first as far as the cores' limit in mode High allows with the floors of the others;
 * those for which neither hi nor low fits are degraded. When the node is calm all return to low. (A
 * helper lowers a pod by itself unless its spec.recovery.mode is nodeCpu.)
 *
 * The taint McKubeRTDeadlinePressure=True:NoSchedule also stands on a node while it cannot keep its
 * pods' budgets: a core is over its rtCapacity and the plan does not repair it, or the kernel
 * refused a budget.
 *
 * With pressure.enabled false nothing of this is done, and what was done before is reverted.
 *
 * State is in the API alone: mckube.io/rt-degraded on a pod and timeAdded of the taint say since
 * when. Where the snapshot has no time, one step is done and no second one. */

enum relief {
	RELIEF_NONE,
	RELIEF_DEGRADE,
	RELIEF_RESTORE, /* it was degraded, and gets its budget back */
	RELIEF_EVICT,
	RELIEF_RAISE,	/* to level hi */
	RELIEF_LOWER,	/* to level low */
	RELIEF_MIGRATE, /* to another node: plan/migrate */
};

enum node_relief {
	NODE_RELIEF_NONE,
	NODE_RELIEF_TAINT,	 /* or the taint's time is written again */
	NODE_RELIEF_TAINT_FIRST, /* the same, before pods are degraded */
	NODE_RELIEF_GUARANTEE,	 /* tainted, since the guarantee is broken */
	NODE_RELIEF_UNTAINT,
};

struct reliefs {
	uint8_t *of_unit;	  /* enum relief */
	uint8_t *of_node;	  /* enum node_relief */
	uint8_t *pressure_of;	  /* by node_id, enum pressure */
	unit_id *protected_on;	  /* by node_id: the pod that the others yield to, NONE */
	pod_id *cfs_on;		  /* by node_id: the pod without real time that is evicted, NONE */
	struct pdb_cover *covers; /* of all pods, if such pods may be evicted; else NULL */
	uint32_t requeue_after;	  /* seconds until a wait of some node is over, or the Lease of its
				   * helper expires; 0: neither */
};

static inline enum relief relief_of(const struct reliefs *r, unit_id id)
{
	return r->of_unit ? (enum relief)r->of_unit[id] : RELIEF_NONE;
}

/* Is a core of the node over its rtCapacity, as things are? Where the plan leaves it so, relieve()
 * taints the node. */
bool relieve_breaks_guarantee(const struct trial *t, node_id node);

/* Decides for the trial as the steps before have left it; evicts, and finds replacements. */
void relieve(struct planner *p);
void reliefs_done(struct reliefs *r);

/* Since when the pod is degraded; -1: it is not, 0: unknown. */
int64_t relieve_degraded_since(const struct cluster *c, const struct pod *pod);

#endif
