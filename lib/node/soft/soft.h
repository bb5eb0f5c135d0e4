/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_SOFT_SOFT_H
#define MCKUBE_NODE_SOFT_SOFT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "budget/budget.h"
#include "budget/cgroup_tree.h"
#include "node/kernel.h"
#include "node/overrun/bpf.h"
#include "node/overrun/overrun.h"
#include "node/soft/recent.h"
#include "node/soft/threads.h"

/* Budgets in software, for kernels that have none: what the backend `soft` (node/backend/backend.h)
 * writes to in place of a file of the kernel.
 *
 * BPF counts and detects (bpf/soft.bpf.h). For each CPU there is an agent, a thread that is bound
 * to it, with a FIFO priority above those of containers and memory that is locked. Told that a
 * group has used up its budget, it demotes the group's FIFO and RR threads on its CPU to
 * SCHED_OTHER or SCHED_IDLE; a timer at the start of the next period has it promote them again. An
 * agent on another CPU would promote threads that run already as ordinary ones, whose real-time use
 * would be counted from the next tick on only.
 *
 * What holds, as test/bench/node measures it (part soft): in 99 % of the periods a group uses
 * at most 100 us more than its budget on a CPU; what it uses more is taken off its next periods.
 * That is statistics, not a guarantee. It needs an agent above all containers: a thread with
 * CAP_SYS_NICE can outrank it. Then, and where the agent is late, BPF stops the process (SIGSTOP),
 * which no system call notices until it returns. SCHED_IDLE leaves others the rest of the CPU where
 * they compete with the demoted threads in the same cgroup; between cgroups their cpu.weight
 * decides.
 *
 * Another process, the supervisor, has the same maps. If the helper dies or stands still, it gives
 * all threads back what they had, continues what was stopped, and keeps BPF's back-stop for a
 * while. If both are killed the next helper does so: what was demoted is in a file. A helper that
 * ends as it should leaves nothing, and takes the back-stop along.
 *
 * Threads are known by numbers of the initial PID namespace. In another one that the node itself
 * runs in, threads that a demoted thread makes stay ordinary ones. */

struct soft_group {
	uint64_t cgroup;
	int dir, threads_fd; /* -1: cgroup v1 */
	unsigned refs;
	bool is_gone;
};

struct soft_agent {
	struct soft *soft;
	unsigned cpu;
	pthread_t thread;
	int timer_fd, wake_fd, wait_fd; /* wait_fd: an epoll of the others and the queue */
	struct ring_buffer *events;
	struct soft_state *states; /* scratch for soft_left() */
	struct soft_recent recent[SOFT_RECENTS];
	uint64_t timer_ns; /* what the timer is set for; 0: nothing */
	uint64_t seen;	   /* soft.n_changes, as it was considered */
	atomic_ullong n_exhaustions, n_stops;
	bool is_started;
};

struct soft {
	const struct kernel *kernel;
	struct soft_maps maps;
	struct soft_shared *shared;
	bool was_left;	      /* an earlier helper did not end as it should */
	pthread_mutex_t lock; /* of `groups` */
	ARRAY(struct soft_group *) groups;
	struct soft_agent *agents; /* by CPU */
	atomic_ullong n_changes;   /* of budgets */
	atomic_ullong changed_ns;  /* when the last one was made */
	atomic_bool is_ending;
	unsigned n_unmanaged;	   /* CPUs that no agent could be bound to */
	struct ring_buffer *alarm; /* read by the supervisor alone: it says that there is a stop */
	pid_t supervisor;
	int supervisor_fd, alert_fd; /* its life line, and an eventfd that wakes it */
};

/* Above those of containers and the overrun threads (node/realtime.h), below the kernel's. */
enum { SOFT_AGENT_PRIORITY = 91, SOFT_SUPERVISOR_PRIORITY = 92 };

/* Restores what an earlier helper left, and starts the supervisor: before other threads are there,
 * and before privileges are dropped. `o` has the source "bpf" and the backend soft, and outlives
 * it. `path` is a file, on a tmpfs, that outlives the helper. demoted_policy: SCHED_OTHER or
 * SCHED_IDLE. */
int soft_open(struct soft *s, struct overruns *o, const char *path, int demoted_policy,
	      struct error *err);

/* Starts the agents. ret_why: as with realtime_start(). */
int soft_start(struct soft *s, struct error *ret_why, struct error *err);

/* Ends the agents, which promote and continue everything, and the supervisor. Zeroed is fine. */
void soft_close(struct soft *s);

/* A budget for each CPU; runtime 0 takes it away, and what was demoted is promoted. `dir`: the
 * group's open folder. Only the first budget of a group allocates. In force when this returns; what
 * is demoted is promoted within some tens of microseconds. */
int soft_set(struct soft *s, uint64_t cgroup, int dir, struct bandwidth b, struct error *err);
int soft_get(const struct soft *s, uint64_t cgroup, struct bandwidth *ret, struct error *err);

/* Starts the supervisor again if it is gone. True: it was. */
bool soft_supervise(struct soft *s);

struct soft_stats {
	uint64_t exhaustions, stops;
};
struct soft_stats soft_get_stats(const struct soft *s);

/* For agent.c: a group in use is not closed. NULL: it has no budget. */
struct soft_group *soft_take(struct soft *s, uint64_t cgroup);
void soft_put(struct soft *s, struct soft_group *g);
/* What it has left on this CPU, ns; UINT64_MAX: it has no budget, so may run. `states` has room for
 * maps.n_cpus. */
uint64_t soft_left(const struct soft *s, uint64_t cgroup, unsigned cpu, struct soft_state *states);
/* With this budget, and the period that it had: one call of the kernel less. */
uint64_t soft_left_of(const struct soft *s, uint64_t cgroup, unsigned cpu, uint64_t runtime_ns,
		      struct soft_state *states);
int soft_agents_start(struct soft *s, struct error *ret_why, struct error *err);
void soft_agents_stop(struct soft *s);
void soft_agents_wake(struct soft *s);

/* supervisor.c */
int soft_supervisor_start(struct soft *s, struct error *err);
void soft_supervisor_end(struct soft *s);
/* Of an earlier helper; true: there was one, and it is gone. */
bool soft_supervisor_replace(const struct soft_shared *s);

#endif
