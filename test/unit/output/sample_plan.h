/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_SAMPLE_PLAN_H
#define MCKUBE_TEST_SAMPLE_PLAN_H

#include "base/array.h"
#include "plan/plan.h"

/* A plan as plan_make() could have made it: brake comes to edge-1, for which logger moves and batch
 * goes; video cannot be placed; a McKube is bad. */

static inline struct target sample_pod(const char *name)
{
	return (struct target){
		.kind = "Pod", .ns = "default", .name = name, .uid = "u-1", .version = "812"
	};
}

static inline struct place sample_place(const char *node, const char *cores, int32_t runtime)
{
	return (struct place){
		.node = node,
		.cores = cores,
		.period = 1000000,
		.runtime = runtime,
		.level = LEVEL_LOW,
		.has_level = true,
		.enforcement = runtime ? ENFORCE_WATCH : ENFORCE_NONE,
	};
}

static inline void sample_actions(struct plan *p)
{
	static uint32_t after[] = { 1, 2 };

	*array_add(&p->actions) = (struct action){
		.id = 1,
		.kind = ACTION_MOVE,
		.reason = REASON_PREEMPTED,
		.on = sample_pod("logger"),
		.from = sample_place("edge-1", "2", 0),
		.to = sample_place("edge-1", "3", 350000),
		.by = sample_pod("brake"),
		.budget = { .criticality = LEVEL_LOW },
		.message = "core 2 would be at 1.000 of 0.900; moving logger leaves 0.650",
	};
	*array_add(&p->actions) = (struct action){
		.id = 2,
		.kind = ACTION_EVICT,
		.reason = REASON_PREEMPTED,
		.on = sample_pod("batch"),
		.from = sample_place("edge-1", "2-3", 0),
		.replacement = sample_place("edge-2", "0,4", 0),
		.by = sample_pod("brake"),
		.message = "no other core has room for 0.400",
	};
	*array_add(&p->actions) = (struct action){
		.id = 3,
		.kind = ACTION_BIND,
		.reason = REASON_PLACED,
		.on = sample_pod("brake"),
		.to = sample_place("edge-1", "2", 250000),
		.after = after,
		.n_after = 2,
		.budget = { .criticality = LEVEL_HIGH },
		.message = "core 2 is then at 0.900 of 0.900",
	};
	*array_add(&p->actions) = (struct action){
		.id = 4,
		.kind = ACTION_FINALIZER,
		.reason = REASON_FINALIZER_REMOVED,
		.on = { .kind = "McKube", .ns = "lab", .name = "old", .uid = "u-9" },
		.message = "nothing is left to clean up",
	};
}

static inline struct plan sample_plan(void)
{
	struct plan p = { .name = "3f9c2e0011223344", .server = "", .digest = "sha256:00" };

	sample_actions(&p);
	*array_add(&p.unplaced) = (struct unplaced){
		.on = sample_pod("video"),
		.reason = REASON_NO_ROOM,
		.message = "0/3 nodes are available: 2 core budget, 1 taint",
	};
	*array_add(&p.warnings) = (struct warning){
		.object = "McKube default/x",
		.reason = "BadBudget",
		.message = "spec.rtSettings.runtime_hi: 1200000 is more than the period 1000000",
	};
	return p;
}

#endif
