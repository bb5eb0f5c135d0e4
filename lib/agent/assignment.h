/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_ASSIGNMENT_H
#define MCKUBE_AGENT_ASSIGNMENT_H

#include "base/arena.h"
#include "base/json.h"
#include "node/engine/engine.h"

/* What a Pod object asks of this node: its annotations as an assignment. The same for pods from the
 * API server and from a file (mckube-node run --static), where a container may also say where it is
 * by `cgroup` or `pid`.
 *
 *	mckube.io/rt-period, rt-runtime-low, rt-runtime-medium, rt-runtime-hi, rt-core, rt-current,
 *	criticality: see model/request_value.h
 *	mckube.io/rt-runtime-floor, mckube.io/rt-enforcement (watch|raise), mckube.io/rt-recovery
 *	(budget/recovery.h): optional
 *	mckube.io/rt-degraded: if present, the pod has its floor at any level
 *	mckube.io/rt-containers: names of the containers, also init ones, among which the budget is
 *	divided: "app", "app,logger" (equal parts), "app=70,logger=30" (per cent). Without it the
 *	first container has all of it.
 *	mckube.io/rt-policy, rt-priority: what the threads of these containers get, see
 *	budget/thread_class.h
 *	realtime: "true", rt_runtime_us: rt-operator's; period 1 s, Guaranteed pods only
 *	kubernetes.io/config.hash: of a static pod, names its cgroup */

enum { ASSIGNMENT_CONTAINERS = 16 };

struct assignment {
	struct arena arena; /* holds the strings of `want` */
	struct pod_want want;
	struct container_want containers[ASSIGNMENT_CONTAINERS];
	pid_t pids[ASSIGNMENT_CONTAINERS]; /* 0: not given */
};

enum assignment_kind {
	ASSIGNMENT_NONE, /* the pod asks for nothing, or was not assigned yet */
	ASSIGNMENT_VALID,
	ASSIGNMENT_INVALID, /* err says which field, and why */
};

/* What a Pod object's source may grant. */
enum assignment_trust {
	TRUST_ASSIGNED, /* the API server: only what the planner assigned, with rt-core and
			 * rt-source
			 */
	TRUST_DIRECT,	/* also rt-operator's realtime and rt_runtime_us, which any creator of a pod
			 * may write: for clusters without a planner */
	TRUST_ALL,	/* a file of the node */
};

/* `n_cpus` is how many CPUs
 * a pod without cores may use. An assignment is released with assignment_done() in any case. */
enum assignment_kind assignment_read(const cJSON *pod, enum assignment_trust trust, unsigned n_cpus,
				     struct assignment *ret, struct error *err);
void assignment_done(struct assignment *w);

#endif
