/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_PLAN_H
#define MCKUBE_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "budget/budget.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "model/warning.h"

/* A plan is the ordered list of changes that turns one snapshot into a better one, and the list of
 * what could not be done. It is data: made by plan_make(), written and read back by
 * plan/file/plan_file.h, shown by lib/output, applied by lib/execute. It holds its own copies
 * of all names, so it outlives the snapshot, and a plan that was read from a file is the same
 * thing.
 *
 * Invariants: actions[i].id == i + 1; every id in `after` is smaller than the action's own; carried
 * out in order, no state on the way breaks the rules of "A right plan" in plan/file/FORMAT.md. */

enum action_kind {
	ACTION_BIND,	  /* pending pod: node and cores */
	ACTION_ASSIGN,	  /* running pod: it gets cores, or the grant of its own is updated */
	ACTION_MOVE,	  /* other cores of the same node */
	ACTION_EVICT,	  /* `from`; `replacement` says where its replacement would fit */
	ACTION_DEGRADE,	  /* keeps its place, and has its floor at any level: to.runtime */
	ACTION_SET_LEVEL, /* to.level, with all of its budget */
	ACTION_TAINT,	  /* a node: McKubeRTDeadlinePressure=True:NoSchedule */
	ACTION_UNTAINT,
	ACTION_STATUS,	  /* McKube: status.allocatedCore and currentRuntime become `to`; Pod: its
			   * assignment annotations are taken off, since nothing asks for them now */
	ACTION_FINALIZER, /* ours is added (FinalizerAdded) or removed (FinalizerRemoved) */
	ACTION_MIGRATE,	  /* from one node to another: by the method and steps given */
	ACTION_RELEASE, /* a waiting pod: our scheduling gate is taken off, and no place is given */
	ACTION_SCALE,	/* what has the subresource scale: from.replicas become to.replicas */
	ACTION_ANNOTATE, /* pod: which one a scale-down removes first, deletion_cost */
	ACTION_KINDS,
};

enum reason {
	REASON_NONE,
	REASON_PLACED,		  /* Bind, Assign: it fits */
	REASON_PREEMPTED,	  /* yields to a more critical pod, named in `by` */
	REASON_OVERCOMMITTED,	  /* its cores were over their capacity */
	REASON_CORES_NOT_ALLOWED, /* it sat on cores that it may not use */
	/* Assign to the cores that it has: */
	REASON_ADOPTED,		    /* its annotations do not hold its assignment */
	REASON_BUDGET_CHANGED,	    /* they grant something else than is asked for now */
	REASON_ENFORCEMENT_CHANGED, /* the other budgets on its cores have changed */
	REASON_RECOVERY_CHANGED,    /* it comes down by another rule */
	REASON_POLICY_CHANGED,	    /* its threads get another policy or priority */
	REASON_RECOVERED,	    /* SetLevel: the node is no longer busy */
	REASON_PRESSURE,	    /* Degrade, Evict, Taint: the node is short of CPU time */
	REASON_GUARANTEE_BROKEN,    /* Taint: the node cannot keep what its pods were granted */
	REASON_RELIEVED,	    /* SetLevel, Untaint: neither any more */
	REASON_STATUS,		    /* status says something else than the assignment */
	REASON_ACCOUNT,		    /* Status, of costs and power */
	REASON_FINALIZER_ADDED,	    /* Finalizer: added before the object has effects */
	REASON_FINALIZER_REMOVED,   /* Finalizer: nothing is left to clean up */
	REASON_NODE_PRESSURE,	    /* Migrate, Taint: the node uses too much CPU or memory */
	REASON_NODE_RELIEVED,	    /* Untaint: no longer */
	REASON_REQUESTED,	    /* Migrate: by a user */
	REASON_RESUMED,		    /* Migrate: it was begun, and not ended */
	/* Evict, for money: */
	REASON_CHEAPER,
	REASON_GREENER,
	REASON_NODE_CLOSED,	  /* with all other pods of its node, which is empty then */
	REASON_SPOT_INTERRUPTED,  /* its spot node is about to go */
	REASON_ROLLED_BACK,	  /* Evict: since it was moved it has not become ready */
	REASON_POWER_ALERT,	  /* an alert of a PowerPolicy asks for it */
	REASON_OPTIMIZER_DELETED, /* Release: nothing places it for money any more */
	/* Scale, and the Annotate that goes with it: */
	REASON_DEMAND,	    /* metrics ask for as many */
	REASON_CEILING,	    /* more cost, or draw, too much */
	REASON_BOUNDS,	    /* minReplicas, maxReplicas */
	REASON_POLICY,	    /* an alert of a policy: scale_down */
	REASON_NO_REQUEST,  /* unplaced, or Status of a pod: nothing asks for real time */
	REASON_NO_NODE,	    /* unplaced: a filter other than resources or budget */
	REASON_NO_ROOM,	    /* unplaced */
	REASON_BAD_REQUEST, /* unplaced */
	REASON_CRITICALITY, /* unplaced: more than its namespace may ask for */
	REASON_QUOTA,	    /* unplaced: likewise */
	/* unplaced, for money: */
	REASON_BUDGET_EXHAUSTED,
	REASON_OVER_HOURLY_LIMIT,
	REASON_OVER_POWER_LIMIT,
	REASON_SPOT_NOT_ALLOWED,
	REASON_PEAK_HOURS,
	REASON_NOT_GREEN_ENOUGH,
	REASON_OVER_CARBON_LIMIT,
	REASON_SUSPENDED,
	REASONS,
};

/* How a pod gets to another node. */
enum migration_method {
	MIGRATE_NONE,	    /* no Migrate */
	MIGRATE_RESTART,    /* it ends, and a new one starts on the target */
	MIGRATE_CHECKPOINT, /* its containers go on where they were, with their memory */
	MIGRATION_METHODS,
};

/* What a Migrate does, one after the other; several may be missing. */
enum migration_step {
	STAGE_COPY,   /* a copy of a bare pod is made, which waits */
	STAGE_EVICT,  /* the pod is evicted, and gone */
	STAGE_AWAIT,  /* its controller makes the replacement */
	STAGE_BIND,   /* the copy, or the replacement, is put on the target */
	STAGE_TARGET, /* the new pod waits on the target for the checkpoint */
	STAGE_PAUSE,
	STAGE_CHECKPOINT,
	STAGE_PULL,    /* the target has all of it */
	STAGE_REPLACE, /* the pod is deleted, and the one that its StatefulSet makes takes its place
			*/
	STAGE_RESTORE,
	STAGE_DELETE, /* the pod that was left */
	MIGRATION_STEPS,
};
#define STAGE_BIT(step) (1u << (step))

/* Names an object. `kind` is "Pod", "McKube", "MCKube", "Node", "WorkloadOptimizer", "CostPolicy",
 * "PowerPolicy", or that of what is scaled: "Deployment", "StatefulSet", any other with the
 * subresource scale. Strings are the plan's. */
struct target {
	const char *kind, *ns, *name, *uid, *version;
	const char *api_version;
};

/* A place and what is granted there. Empty strings and zeros mean "not part of this action". */
struct place {
	const char *node, *cores; /* cores as a cpuset list, ranges joined */
	int32_t period, runtime;  /* us */
	uint8_t level;		  /* enum level */
	uint8_t enforcement;	  /* enum enforcement; NONE: period, runtime, level do not count */
	bool has_level;
	uint32_t replicas;   /* of a Scale */
	const char *pod_uid; /* Status of a McKube: the pod that it is about; NULL or "": none */
};

enum {
	ECONOMY_CONDITIONS_MAX = 16,
	ECONOMY_AVOID_MAX = 8,
	ECONOMY_HISTORY_MAX = 20,
	ECONOMY_PAST_MAX = 8,
	ECONOMY_NODES_MAX = 20,
	ECONOMY_ALERTS_MAX = 16
};

/* A node where a moved pod did not become ready. */
struct plan_avoid {
	const char *node;
	int64_t until;
};

/* What is saved for a day at most: model/economy.h. */
struct plan_saving {
	const char
		*node; /* that was emptied, and counts once it is gone; "": replicas that ended */
	int64_t cost, watts;
	int64_t since;
};

struct plan_condition {
	const char *type, *status, *reason, *message;
	int64_t since;
};

/* An alert of a policy that is on. */
struct plan_alert {
	const char *type, *action;
	int64_t value; /* its threshold, millionths */
	int64_t since;
};

/* Status of a WorkloadOptimizer or of a policy: what its pods cost and draw once the plan is done.
 * Micro-USD (per hour), and watts in microwatts. Of which kind it is, follows from what is there:
 * economy_status_kind(). */
struct economy_status {
	const char *phase;
	const char *node; /* that with most of its pods; NULL: of a policy */
	int64_t cost, power, score;
	int64_t optimized_at, moved_at, generation;
	uint32_t replicas, ready, moves;
	const char *nodes[ECONOMY_NODES_MAX]; /* of its pods, by name */
	uint32_t n_nodes;
	const char *target_kind, *target_name; /* what is scaled; NULL */
	const char *moved_from, *moved_to;     /* nodes of the last move; NULL */
	const char *moved_pod;		       /* ... and the pod's uid; NULL */
	int64_t moved_cost, moved_watts;       /* the pod's share of the first one; 0: not known */
	int64_t saved_cost, saved_watts;       /* plan/economy/savings.h; may be negative */
	struct plan_saving past[ECONOMY_PAST_MAX];
	uint32_t n_past;
	bool has_past; /* the list is written, which may be empty */
	struct plan_avoid avoid[ECONOMY_AVOID_MAX];
	uint32_t n_avoid;
	bool has_avoid; /* the list is written, which may be empty */
	struct {
		int64_t spent, rate, period_start, accounted_at;
		int64_t total; /* of a CostPolicy with a budget of a month and one in all; else 0 */
	} budget;
	struct plan_condition conditions[ECONOMY_CONDITIONS_MAX];
	uint32_t n_conditions;
	/* Of one that scales: numbers that were proposed, "seconds since 1970:number"; the last
	 * scaling, the number before it and the one that was set. */
	const char *history[ECONOMY_HISTORY_MAX];
	uint32_t n_history;
	bool has_history; /* perhaps an empty one */
	int64_t scaled_at;
	uint32_t scaled_from, scaled_to;
	uint32_t undone; /* scalings that another number has taken the place of lately */
	/* Of a policy. */
	int64_t spend, utilization;	   /* ... for cost: micro-USD; per cent, millionths */
	int64_t carbon, green, efficiency; /* ... for power: mg/h; per cent; a part of 1 */
	struct {
		int64_t since, spent, last; /* model/economy.h: struct day_note */
	} day; /* of a CostPolicy with an alert of that; since 0: none */
	struct plan_alert alerts[ECONOMY_ALERTS_MAX];
	uint32_t n_alerts;
	bool has_utilization;
	bool has_alerts; /* the list is written, which may be empty */
};

enum economy_status_kind { STATUS_OPTIMIZER, STATUS_COST_POLICY, STATUS_POWER_POLICY };

/* A PowerPolicy has no budget. */
static inline enum economy_status_kind economy_status_kind(const struct economy_status *s)
{
	if (s->node)
		return STATUS_OPTIMIZER;
	return s->budget.accounted_at ? STATUS_COST_POLICY : STATUS_POWER_POLICY;
}

/* Micro-USD per hour and microwatts, before an action and after it. */
struct economy_pair {
	int64_t before, after;
};

/* Bind, Evict for money: the pod's share of its node; nothing before a Bind. */
struct action_share {
	bool is_given;
	struct economy_pair cost, watts;
};

/* What a pod would cost and draw without us: plan/economy/savings.h. Micro-USD per hour and
 * microwatts; 0: not known. */
struct action_baseline {
	int64_t cost, watts;
};

struct action {
	uint32_t id;
	enum action_kind kind;
	enum reason reason;
	struct target on;
	struct place from, to, replacement; /* a place that is not there has node NULL */
	struct target by;		    /* name NULL: none, a repair */
	uint32_t *after;
	uint32_t n_after;
	/* The content of the assignment's annotations, for Bind, Assign, Move and SetLevel. */
	struct budget budget;
	const char *source;	       /* "mckube", "annotations", "rt-operator" */
	const char *recovery;	       /* recovery_format(), of a McKube; "": as usual */
	const char *policy, *priority; /* of threads: budget/thread_class.h; "": not given */
	int64_t since;	      /* Degrade, Taint, Migrate: when it was decided; 0: unknown */
	uint8_t method;	      /* Migrate: enum migration_method */
	uint32_t steps;	      /* Migrate: STAGE_BIT()s */
	uint32_t downtime_ms; /* Migrate: how long the program will not run; 0: unknown */
	const char
		*owner_uid; /* Migrate: of the controller that makes the replacement; NULL: none */
	uint32_t group;	    /* Evict for money: those with the same number belong together; 0 */
	struct action_share share;
	/* For cost and power: the WorkloadOptimizer of on.ns that it is for; NULL. Not in the file.
	 */
	const char *optimizer;
	int64_t moved_at; /* Bind of what replaces a pod that was moved for money: when; 0 */
	uint32_t moves;	  /* ... and how often within a day of each other */
	struct action_baseline baseline; /* Bind for money */
	int64_t deletion_cost;		 /* Annotate */
	struct economy_status *status;	 /* Status; NULL: of another kind */
	const char *message;
};

struct unplaced {
	struct target on;
	enum reason reason;
	const char *message;
};

/* After apply: one for each action. */
enum result_state { RESULT_PENDING, RESULT_DONE, RESULT_FAILED, RESULT_SKIPPED };
struct result {
	uint32_t id;
	enum result_state state;
	const char *message;
	uint32_t downtime_ms; /* of a Migrate by Checkpoint, as it was measured; 0: not known */
};

/* A removable node that has no pods but those of DaemonSets and static ones after the plan. */
struct node_saving {
	const char *node;
	uint32_t group;	     /* of the Evicts that empty it; 0: it is empty already */
	int64_t cost, watts; /* that it is paid for, and draws, until it is removed; micro */
	const char *message;
};

/* Of all nodes but removable ones that are not in use. */
struct plan_economy {
	bool is_given;
	struct economy_pair cost;	   /* micro-USD per hour */
	struct economy_pair watts;	   /* microwatts */
	struct economy_pair carbon;	   /* mg of carbon dioxide per hour */
	ARRAY(struct node_saving) savings; /* by node's name */
};

struct plan {
	struct arena arena;
	char name[17];	    /* 16 hex digits of the spec's SHA-256 */
	const char *server; /* "" for files */
	int64_t taken_at;   /* 0: unknown */
	const char *digest; /* of the snapshot */
	struct settings settings;
	struct plan_economy economy;
	ARRAY(struct action) actions;
	ARRAY(struct unplaced) unplaced;
	ARRAY(struct warning) warnings;
	ARRAY(struct result) results;
	/* Seconds after taken_at when time alone may change the plan; 0: never. Not in the file. */
	uint32_t requeue_after;
	/* How the search went, for -v and for the benches; not in the file. */
	struct {
		uint64_t steps;
		bool is_exact; /* the search ended before its bound */
	} search;
};

struct policy;

/* Plans. Pure: the result depends on the arguments alone. `policies` is a NULL-terminated table
 * (plugins/plugins.c); settings->policies picks and weighs rows of it, an unknown name is -EINVAL.
 * On success the caller owns the plan: plan_done(). */
int plan_make(const struct cluster *c, const struct policy *const *policies,
	      const struct settings *settings, struct plan *ret_plan, struct error *err)
	__attribute__((nonnull(1, 2, 3, 4)));

/* The same plan to the byte, sooner: `memory` (model/request_cache.h) keeps from one plan of a
 * snapshot that changes to the next what was read of it. NULL: nothing is kept. */
struct request_cache;
struct held_moves;
int plan_make_cached(const struct cluster *c, const struct policy *const *policies,
		     const struct settings *settings, struct request_cache *memory,
		     struct plan *ret_plan, struct error *err) __attribute__((nonnull(1, 2, 3, 5)));

/* The same for a caller that plans again and again, and remembers: any of these may be NULL. Moves
 * that are held (plan/economy/held.h) are not in the plan. */
struct plan_memory {
	struct request_cache *requests;
	struct held_moves *moves;
};
int plan_make_again(const struct cluster *c, const struct policy *const *policies,
		    const struct settings *settings, const struct plan_memory *memory,
		    struct plan *ret_plan, struct error *err)
	__attribute__((nonnull(1, 2, 3, 4, 5)));
void plan_done(struct plan *p);

/* True when the plan would change something. */
bool plan_has_actions(const struct plan *p);

/* Words of the wire. */
const char *action_kind_name(enum action_kind k);	    /* "Bind" */
const char *reason_name(enum reason r);			    /* "Preempted" */
const char *result_state_name(enum result_state s);	    /* "Done" */
const char *migration_method_name(enum migration_method m); /* "Restart" */
const char *migration_step_name(enum migration_step s);	    /* "Evict" */

/* Copies a string into the plan. */
const char *plan_str(struct plan *p, const char *s);
const char *plan_strf(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
