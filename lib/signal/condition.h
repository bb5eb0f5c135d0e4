/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SIGNAL_CONDITION_H
#define MCKUBE_SIGNAL_CONDITION_H

#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* Conditions (metav1.Condition, v1.PodCondition) as texts: what a round has to say of an object,
 * and whether the object says it already. Pure. */

struct condition {
	bool is_true;
	const char *reason;
	const char *message;
};

/* The reason of condition PodScheduled for a pod without a place. A cluster autoscaler adds a node
 * for Unschedulable alone, so a request that no node would help is SchedulerError. */
const char *condition_pod_reason(enum reason why);

/* Does the pod's condition PodScheduled say that? */
bool condition_pod_says(const struct cluster *c, const struct pod *pod, const char *reason,
			const char *message);

/* Members of a pod, without its braces: the condition for a strategic merge patch of its status.
 * `is_first`: it was not False before; `now` is the time then. */
void condition_pod_json(const char *reason, const char *message, bool is_first, int64_t now,
			struct str *out);

/* Does the McKube's condition say that? */
bool condition_mckube_says(const struct cluster *c, const struct mckube *m,
			   enum mckube_condition_type type, const struct condition *wanted);

/* The last try to move a pod of the McKube to another node. */
struct mckube_move {
	const char *pod, *from, *to; /* `from` "": that node is gone */
	const char *method, *result; /* "Restart", "MigrationDenied" */
	uint32_t downtime_ms;	     /* as it was measured; 0: not known */
	int32_t period_us;	     /* of its budget; 0: it has none */
};

/* What one round reports of a McKube; conditions[i].reason NULL: nothing of that type. */
struct mckube_report {
	struct condition conditions[MCKUBE_CONDITION_TYPES];
	const char *pods, *level;	/* NULL: none */
	const char *overrun;		/* RFC 3339; NULL: none */
	const struct mckube_move *move; /* NULL: none */
};

/* A whole object for a server-side apply of subresource status, `now` for what changes. */
void condition_mckube_json(const struct cluster *c, const struct mckube *m,
			   const struct mckube_report *w, int64_t now, struct str *out);

/* Does the WorkloadOptimizer's condition Progressing say that its plan is refused? */
bool condition_optimizer_is_refused(const struct cluster *c, const struct target *on);

/* That it is: a whole object for a server-side apply of subresource status. */
void condition_optimizer_json(const struct target *on, const char *why, int64_t now,
			      struct str *out);

#endif
