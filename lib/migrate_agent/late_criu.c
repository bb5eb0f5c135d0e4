/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/late_criu.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/clock.h"
#include "migrate_agent/host_task.h"
#include "migrate_agent/pod_group.h"

enum { LOOK_US = 50000, KILL_MS = 5000 };

/* The program that runs a pod's containers and asks for their checkpoints; what it has started is
 * its child, or becomes it (prctl(2), PR_SET_CHILD_SUBREAPER). */
static bool is_shim(int id)
{
	return host_task_says(id, "containerd-shim");
}

/* 0: there is none. */
static int find_shim(const struct host_tasks *container)
{
	struct host_task t = container->items[0];

	while (t.inner)
		if (!host_task_read(t.parent, &t))
			return 0;
	return is_shim(t.id) ? t.id : 0;
}

static const struct host_task *find(const struct host_tasks *tasks, int id)
{
	array_each(t, tasks)
		if (t->id == id)
			return t;
	return NULL;
}

static bool is_below(const struct host_tasks *all, const struct host_task *t, int id)
{
	for (size_t i = 0; t && t->id != id; i++)
		t = i < all->n ? find(all, t->parent) : NULL;
	return t != NULL;
}

/* "criu swrk FD" is what runc starts; it becomes "criu: dump --rpc -t PID -D DIR"
 * (CRIU, dump_using_req()), and what it forks says the same. */
static bool is_criu(int id)
{
	return host_task_says(id, "swrk") || host_task_says(id, "dump --rpc");
}

/* Its number may be another's by now: the descriptor stays with the process that was looked at. */
static bool signal_if_criu(int id, int number)
{
	AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, id, 0);

	return fd >= 0 && is_criu(id) && syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
}

/* Signals all of them. How many there are. */
static unsigned signal_criu(int shim, int number)
{
	AUTO(host_tasks_done) struct host_tasks all = { 0 };
	unsigned n = 0;

	host_tasks_all(&all);
	array_each(t, &all)
		if (!t->inner && is_below(&all, t, shim))
			n += signal_if_criu(t->id, number);
	return n;
}

int late_criu_end(const char *cgroup_root, const char *uid, const char *id, int64_t patience_ms,
		  struct error *err)
{
	AUTO_FREE char *group = container_group(cgroup_root, "freezer", uid, id);
	AUTO(host_tasks_done) struct host_tasks container = { 0 };
	int64_t kill_ms = clock_ms() + patience_ms;
	int is_killed = 0;

	if (!group)
		return 0;
	if (host_tasks_of(group, false, &container, err) < 0)
		return err->code;
	int shim = find_shim(&container);
	while (shim && signal_criu(shim, is_killed ? SIGKILL : 0)) {
		if (clock_ms() >= kill_ms + KILL_MS)
			return error_set(err, -ETIMEDOUT, "CRIU does not end");
		is_killed |= clock_ms() >= kill_ms;
		usleep(LOOK_US);
	}
	return is_killed;
}
