/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_ESCALATION_H
#define MCKUBE_BUDGET_ESCALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "budget/budget.h"
#include "budget/cpuset.h"
#include "budget/recovery.h"

/* What to do when a container uses more than its C_low, and when that is over. Pure; decides in the
 * helper on the node, between the overrun and the new budget: nothing is allocated after
 * escalation_settle().
 *
 * - A pod goes up to the next level at which it gets more, if its criticality has one. Where its
 *   cores (or the node) have no room, it is taken, in this order and never more than needed: from
 *   boosts; from what less important pods hold above their level, watched or as headroom; by
 * cutting pods of lower criticality than it and than the mode of its cores to their floors, the
 * least important first; from what the other watched pods hold. The planner's admission test means
 * that this is always enough for a High pod; where it is not enough, nothing changes.
 * - A pod at raise that can go up holds, where there is free room, headroom above the budget of its
 * level: so it still runs when its new budget is written, where the kernel would else have stopped
 * it for the rest of the period. The kernel's own throttle is late by up to a tick (4 ms at
 *   HZ=250), but a switch to the helper's thread on that CPU charges at once.
 * - A Low pod has no higher level: its overrun takes from no other pod. It is boosted to its hi
 * while there is free room, and the boost ends before any pod is cut.
 * - A pod comes down one level when it has stayed below C_low for some periods, and for its delay;
 *   or, in nodeCpu mode, when the node has been calm for its delay since it went up; in any case
 * not before a dwell time, which doubles when overruns come back soon. Then cut pods are restored
 * as far as there is room, the most important first.
 *
 * Loads are those of the budgets that the kernel holds, in parts per million, each rounded up. */

struct escalation_rules {
	int64_t dwell_ns, dwell_max_ns; /* shortest stay on a level; how far it may grow */
	int32_t calm_periods;		/* RECOVERY_CONSUMPTION */
	int64_t calm_ns;		/* RECOVERY_NODE_CPU, where a pod has no delay of its own */
	uint32_t busy_above;		/* the same, the share of CPU time, ppm */
	int32_t headroom_us;		/* twice the slowest overrun_threads seen, 0.25 ms */
};

#define ESCALATION_RULES_DEFAULT                                                         \
	{                                                                                \
		.dwell_ns = 1000000000, .dwell_max_ns = 60000000000, .calm_periods = 10, \
		.calm_ns = 5000000000, .busy_above = 900000, .headroom_us = 500          \
	}

/* What decisions look at stands first, in one or two lines of the cache. */
struct escalation_pod {
	struct budget budget;
	int32_t priority; /* importance among pods of one criticality */
	uint32_t order;	  /* last tie, different for all: the higher is cut first */
	uint8_t wanted;	  /* enum enforcement; RAISE: it is never watched; else it is where there is
			     spare room */
	/* State. */
	uint8_t enforcement;
	uint8_t level;	     /* enum level */
	bool is_cut;	     /* has its floor */
	bool is_boosted;     /* a Low pod with hi */
	bool wants_boost;    /* during a rebalance */
	bool is_touched;     /* by the last decision */
	int32_t headroom_us; /* above the budget of its level, never above that of the next */
	int32_t held_us;     /* escalation_runtime(), ... */
	int64_t load;	     /* ... and as a load */
	uint32_t place;	     /* in `ranked` */
	/* Before the last decision. */
	struct {
		int32_t runtime_us, headroom_us;
		uint8_t level, enforcement;
		bool is_cut, is_boosted;
	} was;
	struct cpuset cores;
	struct recovery recovery;
	int64_t changed_ns, overrun_ns, dwell_ns;
	int64_t calm_since_ns; /* the node is not too busy for it since then; 0: it is */
};

/* The caller adds, removes and changes pods, then calls escalation_settle(). */
struct escalation {
	enum scope scope;
	uint32_t cap; /* ppm of a core */
	struct escalation_rules rules;
	ARRAY(struct escalation_pod) pods;
	/* Between decisions, too: the sums of the loads by CPU (CPU 0 stands for the node where the
	 * scope is the node), and the CPUs on which they are above the cap. */
	int64_t used[CPUSET_MAX];
	struct cpuset overfull;
	ARRAY(uint32_t) ranked;	 /* pods, the most important one first */
	ARRAY(uint8_t) marks;	 /* of the same: what they can give, and whether they are cut */
	ARRAY(uint32_t) touched; /* pods, by the last decision; in no order */
	bool is_counted;	 /* these six are right */
};

void escalation_done(struct escalation *e);

/* A change of one pod. Cuts come before raises. */
struct escalation_change {
	uint32_t pod;
	int32_t from_us, to_us; /* of the kernel's budget; equal where only the level changes */
	uint8_t from_level, to_level;
	bool was_cut, is_cut;
};

enum escalation_result {
	ESCALATION_NONE,    /* nothing to do: known already, or no higher level */
	ESCALATION_CHANGED, /* see the changes */
	ESCALATION_NO_ROOM, /* the pod stays where it is */
};

/* The budget that the kernel holds for the pod now. */
int32_t escalation_runtime(const struct escalation_pod *p);

/* The consumptions that must be reported, 0 where there is none: [0] is C_low, [1] the budget of
 * the present level where a higher one exists. */
void escalation_limits(const struct escalation_pod *p, int32_t ret_us[2]);

/* The index of the limit that takes it up when it is passed; -1: none does. */
int escalation_limit_up(const struct escalation_pod *p);

/* A pod passed limit `limit`. `changes` has room for all pods. */
enum escalation_result escalation_overrun(struct escalation *e, uint32_t pod, unsigned limit,
					  int64_t now_ns, struct escalation_change *changes,
					  size_t *ret_n);

/* What escalation_overrun() would decide of its limit up; decides nothing. */
enum escalation_result escalation_preview(struct escalation *e, uint32_t pod,
					  struct escalation_change *changes, size_t *ret_n);

/* Sets a level that was requested from outside. ESCALATION_NONE: the pod has the budget of that
 * level. Up as with an overrun, down as when it has calmed, and from then on by the usual rules: a
 * pod that goes on overrunning comes up again. */
enum escalation_result escalation_set_level(struct escalation *e, uint32_t pod, enum level level,
					    int64_t now_ns, struct escalation_change *changes,
					    size_t *ret_n);

/* The share of the node's CPU time that was used lately, ppm: for the pods that wait for it to be
 * calm. */
void escalation_set_usage(struct escalation *e, uint32_t used, int64_t now_ns);

/* Brings down what has calmed. Returns the number of changes, 0 for most calls. */
size_t escalation_recover(struct escalation *e, int64_t now_ns, struct escalation_change *changes);

/* When escalation_recover() will bring something down, if nothing happens before; INT64_MAX: not by
 * the passing of time alone. Of pods with RECOVERY_NODE_CPU it says nothing. */
int64_t escalation_due_ns(const struct escalation *e);

/* After pods were added, removed or changed: restores cut pods as far as there is room, then
 * headroom, and chooses watch or raise for each, watch for the most important ones as far as there
 * is room. */
size_t escalation_settle(struct escalation *e, struct escalation_change *changes);

/* The kernel refused what the last call decided: everything is as it was before it. */
void escalation_undo(struct escalation *e);

/* The room left on a CPU, or on the node where the scope is the node; negative: it is overfull. */
int64_t escalation_room(const struct escalation *e, unsigned cpu);

#endif
