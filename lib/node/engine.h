/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_H
#define MCKUBE_NODE_ENGINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "budget/escalation.h"
#include "node/cgroups.h"
#include "node/overrun.h"
#include "node/state_file.h"

/* The wanted pods of this node, their budgets in the kernel, and what happens to both.
 *
 * The caller's threads bring pods and containers; those of node/overrun_threads.h wait for overruns
 * with a real-time priority and do nothing else. One lock (with priority inheritance) covers all;
 * the overrun_threads allocates nothing and waits for nobody but that lock. Every function below
 * takes the lock itself. What is worth telling goes into a ring of notes. */

struct container_want {
	const char *name;
	const char *path; /* below the cpu hierarchy; NULL: engine_place() will tell */
	uint32_t share;	  /* of the pod's budget, ppm */
};

struct pod_want {
	const char *uid, *ns, *name;
	struct budget budget;
	struct cpuset cores;
	int32_t priority;
	uint8_t enforcement; /* enum enforcement; NONE: chosen here */
	struct recovery recovery;
	uint8_t level;	/* to begin with, where the pod is new here */
	bool is_pinned; /* its containers may run on `cores` only */
	const struct container_want *containers;
	size_t n_containers;
};

struct engine_container {
	char *name, *path; /* path NULL: not known yet */
	uint32_t share;
	struct cgroup *node;	  /* NULL: not there yet, or gone */
	struct cpuset found_cpus; /* before us */
	bool is_pinned;
	bool is_budget_rewritten, is_cpus_rewritten; /* by somebody else who writes them */
};

struct engine_pod {
	char *uid, *ns, *name;
	struct engine_container *containers;
	size_t n_containers;
	bool is_pinned;
	bool is_unseen;	 /* its overruns cannot be seen, which was told */
	bool is_refused; /* there is no room for `asked`; tried again from time to time */
	struct budget asked;
	char *refusal; /* why its budget is not what it should be; NULL: it is */
	uint64_t overruns, escalations;
	uint32_t n_unused_warmups; /* warm_ups since its last overrun, or since all was checked */
	struct overrun_event last_overrun; /* at_ns 0: none yet */
	/* Of overruns and refused reactions only the first is told at once. */
	uint64_t reported_overruns;
	int64_t reported_overrun_ns, reported_refusal_ns;
};

enum node_event_kind {
	NODE_EVENT_APPLIED,   /* a container has its budget */
	NODE_EVENT_REFUSED,   /* it does not fit; `text` says why */
	NODE_EVENT_OVERRUN,   /* it used more than C_low, `count` times */
	NODE_EVENT_ESCALATED, /* to a higher level */
	NODE_EVENT_RECOVERED, /* to a lower one */
	NODE_EVENT_DEGRADED,  /* cut to its floor for somebody else */
	NODE_EVENT_RESTORED,  /* has its budget back */
	NODE_EVENT_REWRITTEN, /* somebody else writes its budget or CPUs */
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
	const struct saved_state *memory; /* from before a restart; NULL: none */
	struct escalation escalation;	  /* pods in the same order */
	ARRAY(struct engine_pod) pods;
	/* The overrun_threads's own: no allocation. */
	ARRAY(struct watched {
		uint64_t cgroup;
		uint32_t pod;
	})
	watched;
	struct escalation_change *changes;
	struct node_event *notes;
	uint32_t first_event, n_events;
	int event_fd; /* an eventfd: there are notes */
	bool needs_refresh, is_dirty;
	bool has_retiring; /* containers that are wanted no more keep budgets, see cgroups.h */
	int64_t checked_ns;
	uint32_t next_order;
	uint64_t revision;
	struct engine_stats stats;
};

int engine_init(struct engine *e, const struct kernel *k, const struct backend *b,
		struct overruns *o, struct error *err);
/* Closes everything; budgets stay as they are. */
void engine_done(struct engine *e);

/* Adds a pod, or changes it. A refusal leaves the others as they are and is noted, too. */
int engine_set_pod(struct engine *e, const struct pod_want *want, struct error *err);
void engine_remove_pod(struct engine *e, const char *uid);

/* A container's cgroup is there: gives it its budget and pins it. Containers that nobody wants are
 * -ESRCH. */
int engine_place(struct engine *e, const char *uid, const char *container, const char *path,
		 struct error *err);

/* A cgroup appeared: containers that have been there before, or were named by path, get their
 * budgets. NULL: look for all that are missing. */
void engine_cgroup_created(struct engine *e, const char *path);

/* Is this pod wanted, with a container whose cgroup is not known yet? */
bool engine_awaits(struct engine *e, const char *uid);

/* Somebody else decides on a pod's level: it goes there as far as there is room, and by the usual
 * rules from then on. -ESRCH: it is not wanted here. */
int engine_set_level(struct engine *e, const char *uid, enum level level, struct error *err);

/* Handles what a queue of overruns has: called by its overrun_threads thread. */
void engine_handle_overruns(struct engine *e, unsigned queue);

/* Recovers, notices what is gone or was rewritten. Returns in how many milliseconds it wants to be
 * called again. */
int engine_tick(struct engine *e, int64_t now_ns);

/* The share of the node's CPU time that was used lately, ppm: for nodeCpu recovery. */
void engine_set_usage(struct engine *e, uint32_t used, int64_t now_ns);

/* Tells the overruns that have only been counted since the last note about them: at the end. */
void engine_report_counts(struct engine *e);

/* Somebody else wrote budgets on our behalf: all are read anew at the next tick. */
void engine_refresh(struct engine *e);

/* For events: a copy of the counters, and each pod in turn. */
void engine_get_stats(struct engine *e, struct engine_stats *ret);
typedef void (*engine_visitor)(const struct engine_pod *p, const struct escalation_pod *pod_status,
			       void *arg);
void engine_each(struct engine *e, engine_visitor visit, void *arg);

/* Grows with everything that engine_each() may show anew; never 0. */
uint64_t engine_revision(struct engine *e);

/* Takes the oldest note. False: there is none. */
bool engine_take_event(struct engine *e, struct node_event *ret);

/* Fills a memory with what must survive a restart. False: nothing changed since the last time. */
bool engine_save_state(struct engine *e, struct saved_state *ret);

/* Gives back what was found: budgets and CPUs. Returns the groups that could not be. */
size_t engine_restore(struct engine *e);

int64_t engine_now_ns(void); /* CLOCK_MONOTONIC */

#endif
