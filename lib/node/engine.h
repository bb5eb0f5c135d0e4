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
 * the reaction allocates nothing and waits for nobody but that lock. Every function below takes the
 * lock itself. What is worth telling goes into a ring of notes. */

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
	struct forest_node *node; /* NULL: not there yet, or gone */
	struct cpuset found_cpus; /* before us */
	bool is_pinned;
	bool is_budget_disputed, is_cpus_disputed; /* by somebody else who writes them */
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
	uint32_t n_vain; /* rehearsals since its last overrun, or since all was checked */
	struct overrun_event last_overrun; /* at_ns 0: none yet */
	/* Of overruns and refused reactions only the first is told at once. */
	uint64_t told_overruns;
	int64_t told_overrun_ns, told_refusal_ns;
};

enum note_kind {
	NOTE_APPLIED,	/* a container has its budget */
	NOTE_REFUSED,	/* it does not fit; `text` says why */
	NOTE_OVERRUN,	/* it used more than C_low, `count` times */
	NOTE_ESCALATED, /* to a higher level */
	NOTE_RECOVERED, /* to a lower one */
	NOTE_DEGRADED,	/* cut to its floor for somebody else */
	NOTE_RESTORED,	/* has its budget back */
	NOTE_REWRITTEN, /* somebody else writes its budget or CPUs */
};

enum { NOTE_TEXT = 200, NOTES = 256, LATENCIES = 4096 };

struct note {
	enum note_kind kind;
	char uid[64], ns[64], name[254];
	char text[NOTE_TEXT];
	uint8_t level; /* after it */
	int32_t runtime_us;
	uint64_t count;
	int64_t at_ns; /* CLOCK_MONOTONIC, when it happened */
};

struct engine_stats {
	uint64_t overruns, rehearsals, escalations, recoveries, refusals, rewritten;
	uint64_t notes_lost, lost;
	uint32_t latencies_ns[LATENCIES]; /* event seen by BPF to new budget written; a ring */
	uint64_t n_latencies;
};

struct engine {
	pthread_mutex_t lock;
	const struct kernel *kernel;
	const struct backend *backend;
	struct forest forest;
	struct overruns *overruns;
	const struct memory *memory;  /* from before a restart; NULL: none */
	struct escalation escalation; /* pods in the same order */
	ARRAY(struct engine_pod) pods;
	/* The reaction's own: no allocation. */
	ARRAY(struct watched {
		uint64_t cgroup;
		uint32_t pod;
	})
	watched;
	struct escalation_change *changes;
	struct note *notes;
	uint32_t first_note, n_notes;
	int note_fd; /* an eventfd: there are notes */
	bool needs_refresh, is_dirty;
	bool has_leaving; /* containers that are wanted no more keep budgets, see forest.h */
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
void engine_appeared(struct engine *e, const char *path);

/* Is this pod wanted, with a container whose cgroup is not known yet? */
bool engine_awaits(struct engine *e, const char *uid);

/* Somebody else decides on a pod's level: it goes there as far as there is room, and by the usual
 * rules from then on. -ESRCH: it is not wanted here. */
int engine_order_level(struct engine *e, const char *uid, enum level level, struct error *err);

/* Handles what a queue of overruns has: called by its reaction thread. */
void engine_react(struct engine *e, unsigned queue);

/* Recovers, notices what is gone or was rewritten. Returns in how many milliseconds it wants to be
 * called again. */
int engine_tick(struct engine *e, int64_t now_ns);

/* The share of the node's CPU time that was used lately, ppm: for nodeCpu recovery. */
void engine_set_usage(struct engine *e, uint32_t used, int64_t now_ns);

/* Tells the overruns that have only been counted since the last note about them: at the end. */
void engine_tell_counts(struct engine *e);

/* Somebody else wrote budgets on our behalf: all are read anew at the next tick. */
void engine_refresh(struct engine *e);

/* For reports: a copy of the counters, and each pod in turn. */
void engine_get_stats(struct engine *e, struct engine_stats *ret);
typedef void (*engine_visitor)(const struct engine_pod *p, const struct escalation_pod *state,
			       void *arg);
void engine_each(struct engine *e, engine_visitor visit, void *arg);

/* Grows with everything that engine_each() may show anew; never 0. */
uint64_t engine_revision(struct engine *e);

/* Takes the oldest note. False: there is none. */
bool engine_take_note(struct engine *e, struct note *ret);

/* Fills a memory with what must survive a restart. False: nothing changed since the last time. */
bool engine_remember(struct engine *e, struct memory *ret);

/* Gives back what was found: budgets and CPUs. Returns the groups that could not be. */
size_t engine_restore(struct engine *e);

int64_t engine_now_ns(void); /* CLOCK_MONOTONIC */

#endif
