/* SPDX-License-Identifier: Apache-2.0 */
#include "node/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/sysfs.h"

static const char own_proc[] = "/proc";

/* PROC/TID/stat */
static bool stat_path(const char *proc, pid_t tid, char path[PATH_MAX])
{
	size_t len = strlen(proc);

	if (len + sizeof("//stat") + SYSFS_INT > PATH_MAX)
		return false;
	memcpy(path, proc, len + 1);
	path[len] = '/';
	memcpy(sysfs_put_int(path + len + 1, tid), "/stat", sizeof("/stat"));
	return true;
}

/* The name in field 2 may hold anything, and ends with the last ')'. */
int thread_start_time(const char *proc, pid_t tid, uint64_t *ret, struct error *err)
{
	char path[PATH_MAX], buf[SYSFS_VALUE];
	char *end;

	if (tid <= 0 || !stat_path(proc, tid, path))
		return error_set(err, -EINVAL, "thread %d: is not a number of a thread", tid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return error_set(err, errno == ENOENT ? -ESRCH : -errno, "read %s: %s", path,
				 strerror(errno));
	buf[n] = '\0';
	const char *at = strrchr(buf, ')');
	for (int field = 3; at && field <= 22; field++)
		at = strchr(at + 1, ' ');
	if (at) {
		*ret = strtoull(at, &end, 10);
		if (end != at)
			return 0;
	}
	return error_set(err, -EINVAL, "%s: start time is missing", path);
}

int thread_identify(pid_t tid, struct thread *ret, struct error *err)
{
	*ret = (struct thread){ .tid = tid };
	return thread_start_time(own_proc, tid, &ret->start, err);
}

bool thread_is_same(const struct thread *t)
{
	uint64_t now;

	return thread_start_time(own_proc, t->tid, &now, NULL) == 0 && now == t->start;
}

static int ended(const struct thread *t, struct error *err)
{
	return error_set(err, -ESRCH, "thread %d: has ended", t->tid);
}

static int get_attr(pid_t tid, struct sched_attr *ret)
{
	return (int)syscall(SYS_sched_getattr, tid, ret, sizeof(*ret), 0);
}

int thread_get_attr(const struct thread *t, struct sched_attr *ret, struct error *err)
{
	if (t->tid <= 0)
		return ended(t, err);
	if (get_attr(t->tid, ret) < 0)
		return error_errno(err, "thread %d: read the policy", t->tid);
	return thread_is_same(t) ? 0 : ended(t, err);
}

/* Another thread has the number by now. If it has the policy that was meant for the former one it
 * gets the one that threads have by default: what it had before is not known. */
static void undo_attr(pid_t tid, const struct sched_attr *attr)
{
	const struct sched_attr normal = { .size = sizeof(normal) };
	struct sched_attr now;

	if (get_attr(tid, &now) == 0 && now.sched_policy == attr->sched_policy &&
	    now.sched_priority == attr->sched_priority && now.sched_runtime == attr->sched_runtime)
		syscall(SYS_sched_setattr, tid, &normal, 0);
}

int thread_set_attr(const struct thread *t, const struct sched_attr *attr, struct error *err)
{
	if (!thread_is_same(t))
		return ended(t, err);
	if (syscall(SYS_sched_setattr, t->tid, attr, 0) < 0)
		return error_errno(err, "thread %d: set the policy", t->tid);
	if (thread_is_same(t))
		return 0;
	undo_attr(t->tid, attr);
	return ended(t, err);
}

int thread_set_nice(const struct thread *t, int nice, struct error *err)
{
	if (!thread_is_same(t))
		return ended(t, err);
	if (setpriority(PRIO_PROCESS, (id_t)t->tid, nice) < 0)
		return error_errno(err, "process %d: nice %d", t->tid, nice);
	if (thread_is_same(t))
		return 0;
	setpriority(PRIO_PROCESS, (id_t)t->tid, 0);
	return ended(t, err);
}

/* A list of numbers in a file of a cgroup. It is opened each time: through a descriptor that stays
 * open v1 shows the same list for as long as it is read at least once a second
 * (cgroup_pidlist_start(), kernel/cgroup/cgroup-v1.c). */
struct numbers {
	int fd;
	const char *file;
	char buf[SYSFS_VALUE];
	size_t at, end;
};

static int open_numbers(struct numbers *l, int dir, const char *file, const char *other,
			struct error *err)
{
	*l = (struct numbers){ .file = file };
	l->fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0 && errno == ENOENT && other) {
		l->file = other;
		l->fd = openat(dir, other, O_RDONLY | O_CLOEXEC);
	}
	return l->fd < 0 ? error_errno(err, "read %s", l->file) : 0;
}

/* 1: there is a character in *ret; 0: the end. */
static int next_byte(struct numbers *l, char *ret, struct error *err)
{
	if (l->at == l->end) {
		ssize_t n = read(l->fd, l->buf, sizeof(l->buf));

		if (n < 0)
			return error_errno(err, "read %s", l->file);
		if (n == 0)
			return 0;
		l->at = 0;
		l->end = (size_t)n;
	}
	*ret = l->buf[l->at++];
	return 1;
}

/* 1: a thread's number is in *ret; 0: the end. */
static int next_number(struct numbers *l, pid_t *ret, struct error *err)
{
	int64_t value = -1;
	char c = 0;
	int r;

	while ((r = next_byte(l, &c, err)) > 0) {
		if (c >= '0' && c <= '9')
			value = (value < 0 ? 0 : value * 10) + (c - '0');
		else if (value >= 0)
			break;
		if (value > INT_MAX)
			return error_set(err, -ERANGE, "%s: %lld is not a number of a thread",
					 l->file, (long long)value);
	}
	if (r < 0 || value < 0)
		return r < 0 ? r : 0;
	if (value == 0)
		return error_set(err, -ENOTSUP,
				 "threads are not visible: needs hostPID: true in the helper's "
				 "pod");
	*ret = (pid_t)value;
	return 1;
}

static void close_numbers(struct numbers *l)
{
	auto_close_fd(&l->fd);
}

static int identify_all(int dir, const char *file, const char *other, bool (*is_wanted)(pid_t tid),
			struct threads *ret, struct error *err)
{
	AUTO(close_numbers) struct numbers l;
	pid_t tid = 0;

	int r = open_numbers(&l, dir, file, other, err);
	if (r < 0)
		return r;
	while ((r = next_number(&l, &tid, err)) > 0) {
		if (is_wanted && !is_wanted(tid))
			continue;
		ret->is_cut = ret->n == THREADS_MAX;
		if (ret->is_cut)
			return 0;
		if (thread_identify(tid, &ret->list[ret->n], NULL) == 0)
			ret->n++;
	}
	return r;
}

/* A number that is listed again after its start time was read: either that is the start time of the
 * thread in the group, or of one that has ended since, for which every change fails. */
static int keep_listed(int dir, const char *file, const char *other, struct threads *ret,
		       struct error *err)
{
	AUTO(close_numbers) struct numbers l;
	size_t kept = 0;
	pid_t tid = 0;

	int r = open_numbers(&l, dir, file, other, err);
	if (r < 0)
		return r;
	while (kept < ret->n && (r = next_number(&l, &tid, err)) > 0) {
		size_t i = kept;

		while (i < ret->n && ret->list[i].tid != tid)
			i++;
		if (i == ret->n)
			continue;
		struct thread found = ret->list[i];
		memmove(&ret->list[kept + 1], &ret->list[kept], (i - kept) * sizeof(found));
		ret->list[kept++] = found;
	}
	ret->n = kept;
	return r < 0 ? r : 0;
}

static int list(int dir, const char *file, const char *other, bool (*is_wanted)(pid_t tid),
		struct threads *ret, struct error *err)
{
	ret->n = 0;
	ret->is_cut = false;
	int r = identify_all(dir, file, other, is_wanted, ret, err);
	return r < 0 || ret->n == 0 ? r : keep_listed(dir, file, other, ret, err);
}

int threads_of_group(int dir, bool (*is_wanted)(pid_t tid), struct threads *ret, struct error *err)
{
	return list(dir, "cgroup.threads", "tasks", is_wanted, ret, err);
}

int processes_of_group(int dir, struct threads *ret, struct error *err)
{
	return list(dir, "cgroup.procs", NULL, NULL, ret, err);
}
