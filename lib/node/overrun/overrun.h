/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_OVERRUN_OVERRUN_H
#define MCKUBE_NODE_OVERRUN_OVERRUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/overrun.h"
#include "budget/use_count.h"
#include "node/backend/backend.h"
#include "node/kernel.h"

/* Sources of overruns, a container's use of more than its limit: BPF in the scheduler, or, where
 * that cannot be loaded, polling of the CPU time that the kernel publishes.
 *
 * Each source is a row of functions. A watched container is named by the id of its cgroup in the
 * cpu hierarchy (the inode number of its folder). At most one event comes for each container,
 * limit, CPU and period. overruns_read() allocates nothing and may run in other threads than the
 * rest, one at a time; the others are for one thread. */

struct overruns;

typedef void (*overrun_handler)(const struct overrun_event *event, void *arg);
typedef void (*cgroup_created_handler)(const struct cgroup_created *created, void *arg);

struct overrun_source {
	const char *name; /* "bpf", "cpu.stat" */
	const char *what; /* one sentence about how well it sees, for the node's status */
	int (*open)(struct overruns *o, struct error *err);
	int (*watch)(struct overruns *o, const struct group *g, uint64_t cgroup,
		     const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns,
		     struct error *err);
	void (*forget)(struct overruns *o, uint64_t cgroup);
	void (*read)(struct overruns *o, unsigned queue);
	/* NULL: it does not count what periods used. */
	bool (*use)(const struct overruns *o, uint64_t cgroup, struct use_count *ret);
	void (*close)(struct overruns *o);
};

struct overruns {
	const struct overrun_source *source;
	const struct kernel *kernel;
	const struct backend *backend;
	overrun_handler on_event;
	void *arg;
	/* Readable when overruns_read() has something to do: CPU c makes queue c % n_queues so. */
	int queues[OVERRUN_QUEUES];
	unsigned n_queues;
	int created_fd; /* the same for cgroup_watch; -1: this source does not see cgroups being
			   made */
	cgroup_created_handler on_created;
	void *created_arg;
	void *data; /* the source's own */
};

extern const struct overrun_source overrun_bpf, overrun_poll;

/* Opens the best source; kernel and backend must outlive it. `source` NULL: BPF, and where that
 * fails polling, with the reason in ret_why (not NULL; empty if there was none). */
int overruns_open(struct overruns *o, const struct kernel *k, const struct backend *b,
		  const struct overrun_source *source, struct error *ret_why, struct error *err);
void overruns_close(struct overruns *o);

/* Registers a container, or changes its limits while it runs. `granted_ns`: what it shall receive
 * in each period, for overruns_missed(); 0: nothing is counted. */
int overruns_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
		   const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns, struct error *err);
void overruns_forget(struct overruns *o, uint64_t cgroup);

/* Hands what has come through a queue to on_event, without waiting. */
void overruns_read(struct overruns *o, unsigned queue);
/* Hands new cgroups to on_created. */
void overruns_read_created(struct overruns *o);

/* Events that were lost because they were not read in time. */
uint64_t overruns_lost(const struct overruns *o);

/* The CPU time that containers were granted and did not receive, on all CPUs, since the source was
 * opened (bpf/overrun.h says what counts). False: this source cannot tell. */
bool overruns_missed(const struct overruns *o, uint64_t *ret_ns);

/* What a watched container used in each period of its budget on each CPU, since it is watched.
 * False: this source does not count it. */
bool overruns_use(const struct overruns *o, uint64_t cgroup, struct use_count *ret);

/* Does the source still work? Asked after privileges were dropped. */
bool overruns_work(const struct overruns *o);

/* The id of an open cgroup: its inode number. */
int group_id(const struct group *g, uint64_t *ret, struct error *err);

#endif
