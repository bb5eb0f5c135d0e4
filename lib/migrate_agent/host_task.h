/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_HOST_TASK_H
#define MCKUBE_MIGRATE_AGENT_HOST_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Processes and threads of the host. Only a helper in the host's PID namespace ("hostPID: true")
 * sees them. */

struct host_task {
	int id, parent;
	int inner; /* its number in a PID namespace within ours, the innermost; 0: it is in ours */
};

struct host_tasks {
	struct host_task *items;
	size_t n, cap;
};

/* False: there is none (any more). */
bool host_task_read(int id, struct host_task *ret);

/* Does one of its arguments hold that text? */
bool host_task_says(int id, const char *text);

/* Those of a cgroup's folder: its processes, its threads. -ENOTSUP: none is seen. */
int host_tasks_of(const char *group, bool are_threads, struct host_tasks *ret, struct error *err);

/* All processes. */
void host_tasks_all(struct host_tasks *ret);

void host_tasks_done(struct host_tasks *t);

#endif
