/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_MIGRATE_H
#define MCKUBE_PLAN_MIGRATE_MIGRATE_H

#include "base/arena.h"
#include "base/error.h"
#include "plan/migrate/usage.h"
#include "plan/plan.h"

struct planner;

/* Pods that move to another node.
 *
 * Unasked, where settings.migration is enabled: a node that uses more than `threshold` of its CPU
 * or memory (plan/migrate/usage.h) gets the taint MCKUBE_PRESSURE with the effect PreferNoSchedule,
 * whose time says since when. When that has lasted for checkSeconds, and a measurement that began
 * after that time says so, one pod of it is moved, and the time is written again: the next one has
 * to wait as long. The taint goes when the use is `hysteresis` below the threshold. Without a clock
 * in the snapshot nothing is moved.
 *
 * Which pod: the least critical (without real time, then Low to High), of these the one of the
 * lowest priority, of these the smallest whose move ends the pressure, else the largest. One that
 * would free less than a hundredth of the node stays, as those of plan/migrate/method.h do. A
 * workload of which a pod is younger than cooldownSeconds stays too, so nothing moves on or back at
 * once.
 *
 * Where to: the node with the most room, measured as above, that all filters and, for a pod with a
 * budget, the admission test in every mode allow, and that stays `hysteresis` below the threshold
 * with the pod and what is coming there. A pod whose use was measured goes to no node whose use was
 * not. In a pass each node takes part in one move.
 *
 * A move that was begun (plan/migrate/flight.h) is gone on with, whatever the settings. */

enum node_mark {
	MARK_NONE,
	MARK_PRESSED,  /* the taint is put on, or its time written again */
	MARK_RELIEVED, /* the taint is taken off */
};

struct migration {
	pod_id pod;
	uint32_t unit; /* unit_id; NONE: it has no real-time request */
	node_id from;  /* NONE: a copy that waits, and its node is gone */
	node_id to;
	uint32_t place;	  /* place_id: the cores of a unit */
	uint8_t method;	  /* enum migration_method */
	uint8_t reason;	  /* enum reason */
	uint8_t resource; /* NodePressure: enum usage_resource */
	bool exceeds;	  /* on demand: the target will be above the threshold */
	uint32_t steps;
	struct usage use;		    /* of the pod */
	uint32_t before, after, target_use; /* shares of that resource in ppm: of the node, and of
					     * the target in the end */
	uint8_t source;			    /* enum usage_source of `before` */
};

/* A pod that a user wants moved, and why it is not: a text of the migrations. */
struct stayer {
	pod_id pod;
	const char *why;
};

struct migrations {
	ARRAY(struct migration) list;
	ARRAY(struct stayer) stayers;
	struct arena texts;
	uint8_t *mark_of; /* by node_id, enum node_mark; NULL: none */
	struct usage *usage;
	uint32_t requeue_after; /* seconds; 0: nothing waits */
};

/* What is done to move the pod: STAGE_BIT()s. */
struct pod;
uint32_t migration_steps(const struct planner *p, const struct pod *pod,
			 enum migration_method method);

/* The last step of a planner's run. */
void migrate_relieve(struct planner *p);
void migrations_done(struct migrations *m);

/* On demand: one pod, or all pods of a node; `to` or NULL. */
struct migration_demand {
	const char *ns, *pod;
	const char *node;
	const char *to;
};

/* A plan of these moves alone. Pods that stay are its warnings, but for those of DaemonSets and
 * static ones, which belong to their node. Errors: -ENOENT: no such object; those of plan_make().
 */
struct policy;
int migrate_plan(const struct cluster *c, const struct policy *const *policies,
		 const struct settings *settings, const struct migration_demand *demand,
		 struct plan *ret_plan, struct error *err);

#endif
