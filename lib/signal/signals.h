/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SIGNAL_SIGNALS_H
#define MCKUBE_SIGNAL_SIGNALS_H

#include "kube/client.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* Tells the cluster what a round did and what it could not do, in Kubernetes' own terms:
 *
 * - a pod without a place: condition PodScheduled=False and Event FailedScheduling, as of
 *   kube-scheduler; a cluster autoscaler acts on reason Unschedulable;
 * - its McKube: condition Placed=False with the reason and the figures;
 * - a raised budget without room: condition Accepted=False of the McKube and Event NoRoom of the
 *   pod, until there is room;
 * - actions that were done: Events Scheduled, Moved, Preempted, Evicted, Degraded, Tainted,
 *   Untainted on the object, and on its node and McKubes where they lose by it;
 * - moves to other nodes that were done, failed or were denied: condition Migrated and
 *   status.lastMigration of the pod's McKubes;
 * - WorkloadOptimizers whose plan is refused: condition Progressing=False, PlanRefused;
 * - McKubes with a selector: how many of the selected pods are ready, the worst level, and the
 *   conditions Placed and Ready.
 *
 * What an object says already (in the snapshot) is not written again, and an object is written once
 * in SIGNAL_PAUSE_MS. Nothing here waits but signals_flush(); a write that fails is only logged,
 * and the next round writes it again. Writes and Events are each limited. */

enum {
	SIGNAL_PAUSE_MS = 30000,
	SIGNAL_QPS = 20, /* each of Events and writes */
	SIGNAL_BURST = 200,
	SIGNAL_SCHEDULED_MAX = 200, /* Events Scheduled in one round; more are only logged */
};

struct signals;

struct signals *signals_new(struct kube *k);
void signals_free(struct signals *s);

/* Says what the plan could not place. `c` is what it was made of; `now` seconds since 1970. */
void signals_plan(struct signals *s, const struct cluster *c, const struct plan *p, int64_t now);

/* Says what an action did; `c` as it was for the plan. */
void signals_result(struct signals *s, const struct cluster *c, const struct action *a,
		    const struct result *r);

/* Says how a move to another node ended; `reason` is that of its Event, such as "MigrationDenied".
 */
void signals_moved(struct signals *s, const struct cluster *c, const struct action *a,
		   const struct result *r, const char *reason, int64_t now);

/* Says of a WorkloadOptimizer that what the plan would do for it is refused. */
void signals_refused(struct signals *s, const struct cluster *c, const struct target *optimizer,
		     const char *why, int64_t now);

/* Sends what is due. Returns the milliseconds until it wants to be called again. */
int signals_step(struct signals *s);

/* Sends what is open, without a limit on its rate, and waits for it, at most timeout_ms. */
void signals_flush(struct signals *s, int timeout_ms);

#endif
