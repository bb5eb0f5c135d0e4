/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_ENGINE_H
#define MCKUBE_NODE_ENGINE_ENGINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "budget/escalation.h"
#include "node/cgroup/cgroups.h"
#include "node/container_class.h"
#include "node/overrun/overrun.h"
#include "node/state_file.h"
#include "node/thread_watch.h"

/* The pods that are assigned to this node, their budgets in the kernel, and what happens to both.
 *
 * The caller's threads bring pods and containers; those of node/engine/overrun_threads.h only wait
 * for overruns, with a real-time priority. One lock (with priority inheritance) covers all; the
 * overrun handler allocates nothing and waits for that lock alone. Every function below takes the
 * lock itself. Reports go into a ring of events. */

struct container_want {
	const char *name;
	const char *path; /* below the cpu hierarchy; NULL: given by engine_place() */
	uint32_t share;	  /* of the pod's budget, ppm */
	struct thread_class class;
};

struct pod_want {
	const char *uid, *ns, *name;
	const char *cgroup_uid; /* in the names of its cgroups; NULL: the uid */
	struct budget budget;
	struct cpuset cores;
	int32_t priority;
	uint8_t enforcement; /* enum enforcement; NONE: chosen here */
	struct recovery recovery;
	uint8_t level;	  /* to begin with, where the pod is new here */
	bool is_pinned;	  /* its containers may run on `cores` only */
	bool is_single;	  /* the pod has no other container */
	bool is_degraded; /* its budget is its floor, by the plan */
	const struct container_want *containers;
	size_t n_containers;
};

static inline const char *pod_want_cgroup_uid(const struct pod_want *want)
{
	return want->cgroup_uid ? want->cgroup_uid : want->uid;
}

/* What a container used lately of each of its CPUs, in us for each period: USE_WINDOW_NS back, less
 * while it was not known so long. Of real-time threads alone where the overrun source counts
 * them (node/overrun/overrun.h), else of all its threads. */
struct container_use {
	int64_t window_ns; /* how far back; 0: nothing is known */
	uint32_t mean_us;  /* of all periods */
	uint32_t p99_us;   /* of those in which it ran, on one CPU; see budget/use_count.h */
	bool has_p99;	   /* each period was counted */
};
enum { USE_WINDOW_S = 60, USE_STEP_S = 20 }; /* up to a step longer */

struct engine_container {
	char *name, *path; /* path NULL: not known yet */
	uint32_t share;
	struct cgroup *node;	  /* NULL: not there yet, or gone */
	struct cpuset found_cpus; /* before us */
	bool is_pinned;
	/* As read back last: does the kernel have what the pod's level says? */
	bool is_applied;
	struct bandwidth in_kernel;
	bool is_budget_rewritten, is_cpus_rewritten; /* another process writes them */
	struct container_use use;
	struct use_window *use_window; /* NULL: it was not looked at yet */
	struct stall_reading {
		int64_t at_ns;
		uint64_t cgroup; /* its id */
		int64_t waited_us, used_us;
	} stall;
	struct thread_class class; /* that its threads shall have */
	struct container_class threads;
};

struct engine_pod {
	char *uid, *ns, *name;
	char *cgroup_uid; /* NULL: the uid */
	struct engine_container *containers;
	size_t n_containers;
	bool is_pinned, is_single, is_degraded;
	bool has_begun;	   /* a container of it has been seen */
	bool is_confirmed; /* its budget was read back, and reported */
	bool is_unseen;	   /* its overruns cannot be seen, which was reported */
	bool is_policy_confirmed, is_policy_refused, is_outranking; /* reported */
	bool is_refused; /* it has no budget at all: `asked` was refused */
	struct budget asked;
	char *refusal; /* why its budget is not `asked`, which is tried again; NULL: it is */
	uint64_t overruns, escalations;
	int64_t changed_ns; /* when its level or budget last changed, CLOCK_MONOTONIC; 0: never */
	uint32_t n_unused_warmups; /* warm-ups since its last overrun or the last check of all */
	struct overrun_event last_overrun; /* at_ns 0: none yet */
	/* Of overruns and refused escalations only the first is reported at once. */
	uint64_t reported_overruns;
	int64_t reported_overrun_ns, reported_refusal_ns;
};

enum node_event_kind {
	NODE_EVENT_APPLIED,    /* the kernel has its budget: read back */
	NODE_EVENT_UNENFORCED, /* the backend writes nothing */
	NODE_EVENT_REFUSED,    /* it does not fit; `text` says why */
	NODE_EVENT_OVERRUN,    /* it used more than C_low, `count` times */
	NODE_EVENT_ESCALATED,  /* to a higher level */
	NODE_EVENT_RECOVERED,  /* to a lower one */
	NODE_EVENT_DEGRADED,   /* cut to its floor for another pod */
	NODE_EVENT_RESTORED,   /* has its budget back */
	NODE_EVENT_RETAINED,   /* it is no longer assigned, and keeps its budget */
	NODE_EVENT_REWRITTEN,  /* another process writes its budget or CPUs */
	NODE_EVENT_POLICY,     /* its threads have their policy: read back */
	NODE_EVENT_POLICY_REFUSED,
	NODE_EVENT_CAN_OUTRANK, /* a container has CAP_SYS_NICE */
};

enum { NODE_EVENT_TEXT = 200, NODE_EVENTS = 256, LATENCIES = 4096 };

struct node_event {
	enum node_event_kind kind;
	char uid[64], ns[64], name[254];
	char text[NODE_EVENT_TEXT];
	uint8_t level; /* after it */
	int32_t runtime_us;
	uint64_t count;
	int64_t at_ns; /* CLOCK_MONOTONIC, when it happened */
};

struct engine_stats {
	uint64_t overruns, warm_ups, escalations, recoveries, refusals, rewritten;
	uint64_t events_lost, lost;
	uint32_t latencies_ns[LATENCIES]; /* event seen by BPF to new budget written; a ring */
	uint64_t n_latencies;
};

struct engine {
	pthread_mutex_t lock;
	const struct kernel *kernel;
	const struct backend *backend;
	struct cgroups cgroups;
	struct overruns *overruns;
	struct thread_watch *threads;	 /* NULL: cgroups are looked through for new threads */
	uint8_t max_priority;		 /* that containers' threads may get */
	const struct saved_state *saved; /* from before a restart; NULL: none */
	bool is_left_returned;		 /* see engine_return_left() */
	struct escalation escalation;	 /* pods in the same order */
	ARRAY(struct engine_pod) pods;
	/* For the overrun handler, which must not allocate. */
	ARRAY(struct watched {
		uint64_t cgroup;
		uint32_t pod;
	})
	watched;
	struct escalation_change *changes;
	struct node_event *events;
	uint32_t first_event, n_events;
	int event_fd; /* an eventfd: there are events */
	bool needs_refresh, is_dirty;
	bool has_retiring; /* containers that are no longer assigned keep budgets, see cgroups.h */
	int64_t checked_ns, threads_ns; /* when all, or the threads of all, were last looked at */
	/* Refused budgets: when they are tried next, after which pause, and until when so; 0: with
	 * the next check of everything. */
	int64_t retry_ns, retry_after_ns, retry_until_ns;
	int64_t missed_at_ns; /* the last engine_missed(), and its total */
	uint64_t missed_ns;
	uint32_t next_order;
	int64_t use_ns; /* when the use of containers was last looked at */
	uint64_t revision;
	struct engine_stats stats;
};

int engine_init(struct engine *e, const struct kernel *k, const struct backend *b,
		struct overruns *o, struct error *err);
/* Closes everything; budgets stay as they are. */
void engine_done(struct engine *e);

/* Adds a pod, or changes it. A refusal leaves the others as they are and is an event, too. */
int engine_set_pod(struct engine *e, const struct pod_want *want, struct error *err);
void engine_remove_pod(struct engine *e, const char *uid);

/* A container's cgroup is there: sets its budget and pins it. -ESRCH: it is not assigned. */
int engine_place(struct engine *e, const char *uid, const char *container, const char *path,
		 struct error *err);

/* A cgroup appeared: containers that have been there before, or were named by path, get their
 * budgets. NULL: look for all that are missing. */
void engine_cgroup_created(struct engine *e, const char *path);

/* A pod may be named by its cgroup_uid, too. */

/* Is this pod assigned? */
bool engine_has(struct engine *e, const char *uid);

/* Has this pod a container whose cgroup is not known yet, or gone? */
bool engine_awaits(struct engine *e, const char *uid);
/* Has any pod? */
bool engine_awaits_any(struct engine *e);

/* Sets a level that was requested from outside, as far as there is room; the usual rules apply from
 * then on. -ESRCH: the pod is not assigned to this node. */
int engine_set_level(struct engine *e, const char *uid, enum level level, struct error *err);

/* A thread has entered a watched cgroup: see node/thread_watch.h. */
void engine_thread_entered(struct engine *e, uint64_t cgroup, pid_t tid, uint64_t start,
			   bool is_process);

/* Handles what a queue of overruns has: called by its thread. */
void engine_handle_overruns(struct engine *e, unsigned queue);

/* Recovers levels, detects what is gone or was rewritten. Returns after how many milliseconds to
 * call it again. */
int engine_tick(struct engine *e, int64_t now_ns);

/* The share of the node's CPU time that was used lately, ppm: for nodeCpu recovery. */
void engine_set_usage(struct engine *e, uint32_t used, int64_t now_ns);

/* Reports the overruns that were only counted since their last event: at the end. */
void engine_report_counts(struct engine *e);

/* The CPU time in us, of all CPUs, that the pods were granted and did not receive since the last
 * call: what is missing of budgets that the kernel refused; and where the overrun source can tell
 * (node/overrun/overrun.h), or the containers' pressure stall information can, what they did not
 * get of those that it holds. False: neither can. What a pod uses above its budget, and waits that
 * end within a period, are no miss. */
bool engine_missed(struct engine *e, int64_t now_ns, uint64_t *ret_us);

/* Looks at what containers use; more often than every few seconds does nothing. */
void engine_sample_use(struct engine *e, int64_t now_ns);

/* Budgets were written outside of the engine: all are read again at the next tick. */
void engine_refresh(struct engine *e);

/* For events: a copy of the counters, and each pod in turn. */
void engine_get_stats(struct engine *e, struct engine_stats *ret);
typedef void (*engine_visitor)(const struct engine_pod *p, const struct escalation_pod *state,
			       void *arg);
void engine_each(struct engine *e, engine_visitor visit, void *arg);

/* The load that containers have which are no longer assigned, ppm of a CPU: the kernel refuses to
 * take the budget of running real-time tasks. */
uint32_t engine_retained(struct engine *e);

/* Grows with every change that engine_each() shows; never 0. */
uint64_t engine_revision(struct engine *e);

/* Takes the oldest event. False: there is none. */
bool engine_take_event(struct engine *e, struct node_event *ret);

/* Copies what must survive a restart. False: nothing changed since the last time. */
bool engine_save_state(struct engine *e, struct saved_state *ret);

/* Gives back what an earlier run of the helper left to containers whose pods are not assigned any
 * more: budgets that are still those that it wrote, and policies of threads. To be called when all
 * assignments are known; further calls do nothing. `is_kept`: the pod, by UID, has an assignment
 * that cannot be read, so nothing is known of it; NULL: none has. */
typedef bool (*engine_pod_test)(const char *uid, void *arg);
void engine_return_left(struct engine *e, engine_pod_test is_kept, void *arg);

/* Restores the budgets and CPUs that were found. Returns the number of groups where the kernel
 * refused. */
size_t engine_restore(struct engine *e);

#endif
