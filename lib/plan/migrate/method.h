/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_METHOD_H
#define MCKUBE_PLAN_MIGRATE_METHOD_H

#include "base/str.h"
#include "model/pdb.h"
#include "plan/plan.h"
#include "plan/trial.h"

/* May a pod be moved to another node, and how?
 *
 * The pod's annotation mckube.io/migration, else spec.migration of its McKube, says Never, Restart
 * or Checkpoint; anything else counts as Never. Without a word it is moved with its memory where
 * that is possible, else restarted; but not restarted unasked are bare pods, pods of a Job and
 * real-time pods of criticality Middle and High. */

/* Why a pod stays where it is. */
enum stay {
	STAY_NOT,
	STAY_SYSTEM, /* in kube-system, or system-critical */
	STAY_DAEMON_SET,
	STAY_STATIC,
	STAY_TERMINATING,
	STAY_NOT_RUNNING,
	STAY_UNREAD,
	STAY_NEVER,
	STAY_KEPT,	 /* mckube.io/do-not-evict */
	STAY_LIMIT,	 /* the settings allow no further eviction in this plan */
	STAY_WINDOW,	 /* evictions.windows is closed, for this move or for all */
	STAY_BUDGET,	 /* its PodDisruptionBudget allows no eviction */
	STAY_CRITICAL,	 /* Middle or High, and says nothing */
	STAY_BARE,	 /* no controller recreates it, and it says nothing */
	STAY_JOB,	 /* its work would begin again, and it says nothing */
	STAY_NAMED,	 /* a McKube names it, which a replacement's name would not fit */
	STAY_NOT_OURS,	 /* a real-time pod that another scheduler places */
	STAY_NO_CORES,	 /* it asks for real time and has no cores, or is displaced by this plan */
	STAY_CHECKPOINT, /* it says Checkpoint, and cannot be */
	STAY_COOLDOWN,	 /* a pod of its workload is young, or its move was refused not long ago */
	STAYS,
};

/* "it belongs to a DaemonSet" */
const char *stay_text(enum stay s);
/* ... and what keeps its memory from being moved ("": nothing), where that matters. */
void stay_write(enum stay s, const char *bar, struct str *out);

/* What is looked at besides the pod. */
struct movers {
	const struct trial *t;
	struct pdb_cover *covers;	      /* of all pods */
	str_id job, replica_set, kube_system; /* INTERN_NONE: there is none */
	bool is_demanded; /* a user names pod or node: without a word it is moved, too */
};

void movers_init(struct movers *m, const struct trial *t, bool is_demanded);
void movers_done(struct movers *m);

/* All but the cooldown. On STAY_NOT *ret_method says how. */
enum stay movers_ask(const struct movers *m, pod_id id, enum migration_method *ret_method);

/* Why it may not be moved by a restart; STAY_NOT: it may. */
enum stay movers_ask_restart(const struct movers *m, pod_id id);

/* It would be moved with its memory: may it be restarted instead? */
bool movers_may_restart(const struct movers *m, pod_id id, enum migration_method method);

/* May it go to `to` with its memory, as it is and as it says? Budgets and limits of evictions are
 * not asked. False: the reason goes to the end of `why`. */
bool movers_keep_memory(const struct movers *m, pod_id id, node_id to, struct str *why);

/* Keeps anything its containers from being moved with their memory, as far as the pod, its node and
 * `to` (which may be NONE) say? What it is goes to the end of `why`, unless that is NULL. */
bool movers_bar_checkpoint(const struct movers *m, pod_id id, node_id to, struct str *why);

/* ... on each of the other nodes? `why` names some of them. */
bool movers_bar_everywhere(const struct movers *m, pod_id id, struct str *why);

#endif
