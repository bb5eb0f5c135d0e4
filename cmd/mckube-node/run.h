/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_RUN_H
#define MCKUBE_NODE_CMD_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "agent/assignment.h"
#include "base/error.h"
#include "command.h"
#include "node/cgroup/watch.h"
#include "node/cpu_usage.h"
#include "node/engine/engine.h"
#include "node/engine/overrun_threads.h"
#include "node/history_file.h"
#include "node/rt_pressure.h"
#include "node/soft/soft.h"

/* The running helper: what its parts share. */

struct run_args {
	const char *static_file, *config_file, *state_file, *bundle_dir, *host_root;
	const char *node_name, *kubeconfig, *listen, *token_file, *keep_while;
	const char *secure_address, *cert_file, *key_file;
	const char *reserved_cpus, *kubelet_config;
	const char *history_file; /* NULL: none */
	int32_t history_mib;
	bool is_kept, is_polling, is_direct;
	int64_t dwell_ns, dwell_max_ns, calm_ns;
	int32_t calm_periods, headroom_us, max_priority;
	uint32_t busy_above; /* ppm */
	int64_t capacity_us; /* of a second, for kubepods */
	uint8_t demotion;    /* enum demotion */
};

/* What real-time threads become for the rest of a period, with the backend soft. */
enum demotion { DEMOTION_OTHER, DEMOTION_IDLE };

/* A process that named a container. Its number may be given to another one later. */
struct run_process {
	char *uid; /* of the pod */
	pid_t pid;
	uint64_t start;
};

struct run {
	const struct run_args *args;
	struct kernel_roots roots;
	struct kernel kernel;
	const struct backend *backend;
	struct cpuset reserved; /* CPUs that real-time pods do not get */
	struct overruns overruns;
	struct thread_watch thread_watch; /* fd -1: it could not be opened */
	struct error why_polling, why_not_realtime, why_not_soft; /* code 0: none of them */
	struct engine engine;
	struct cgroup_watch cgroup_watch; /* fd -1: BPF reports them */
	struct saved_state saved;
	struct cpu_usage usage;
	struct rt_pressure pressure;
	struct history_file history;
	struct agent *kube;    /* NULL: from a file */
	struct listen *listen; /* NULL: not asked for */
	ARRAY(struct run_process) processes;
	struct overrun_threads overrun_threads;
	struct soft soft; /* zeroed: the backend is another one */
	bool has_overrun_threads, is_kept, is_backend_named;
	atomic_llong loop_ms; /* clock_ms() of the main thread's last round */
};

/* Starts everything that needs no assignment: engine, overruns, overrun_threads threads. */
int run_open(struct run *r, struct error *err);

/* Logs what serves this node, and what it lacks. */
void run_log_start(const struct run *r);

/* Ends it; budgets are restored unless they are to be kept. */
void run_close(struct run *r);

/* A cgroup was created: sets the budget if it is an assigned container's. */
void run_place(struct run *r, const char *path);

/* Looks for the cgroups of assigned containers that are not known or gone: their creation may have
 * been missed. */
void run_find_missing(struct run *r);

/* An assignment came or changed: sets it, and places containers whose cgroups exist already. A
 * process that names a container must stay the same one for as long as the pod is assigned. */
int run_set(struct run *r, struct assignment *w, struct error *err);

/* The thread that has made no progress for ten seconds, and for how long; NULL: none. A healthy
 * thread wakes up at least every five seconds. */
const char *run_stalled(const struct run *r, int64_t *ret_late_ms);

/* A pod is no longer assigned. */
void run_forget(struct run *r, const char *uid);

/* Writes the state file if the state has changed. */
void run_save(struct run *r);

#endif
