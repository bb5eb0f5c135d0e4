/* SPDX-License-Identifier: Apache-2.0 */
#include "node/container_class.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "node/sysfs.h"

/* The list of threads is asked for again while it is full of new ones. */
enum { PASSES_MAX = 64, PROC_PATH = 64, COMMAND_LINE = 4096 };

void container_class_done(struct container_class *c)
{
	array_done(&c->given);
}

static int kernel_policy(struct thread_class class)
{
	return class.policy == THREAD_POLICY_RR ? SCHED_RR : SCHED_FIFO;
}

/* Of the list that is being made: its filter has no argument. */
static _Thread_local const struct container_class *listed;

static bool is_demoted(const struct sched_attr *attr)
{
	return (attr->sched_policy == SCHED_NORMAL || attr->sched_policy == SCHED_IDLE) &&
	       (attr->sched_flags & SCHED_FLAG_RESET_ON_FORK);
}

static bool has_class(const struct sched_attr *attr, const struct container_class *c)
{
	if (c->is_soft && is_demoted(attr))
		return true;
	return (int)attr->sched_policy == kernel_policy(c->class) &&
	       attr->sched_priority == c->class.priority;
}

static bool has_class_now(pid_t tid, const struct container_class *c)
{
	struct sched_attr attr;

	return syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0) == 0 && has_class(&attr, c);
}

static bool is_of_class(pid_t tid)
{
	return has_class_now(tid, listed);
}

static bool is_not_of_class(pid_t tid)
{
	return !has_class_now(tid, listed);
}

static struct given *find_given(struct container_class *c, const struct thread *t)
{
	array_each(g, &c->given)
		if (g->thread.tid == t->tid && g->thread.start == t->start)
			return g;
	return NULL;
}

static struct class_found found_of(const struct sched_attr *attr)
{
	return (struct class_found){
		.policy = (uint8_t)attr->sched_policy,
		.priority = (uint8_t)attr->sched_priority,
		.nice = (int8_t)attr->sched_nice,
		.resets_on_fork = attr->sched_flags & SCHED_FLAG_RESET_ON_FORK,
	};
}

static void remember(struct container_class *c, const struct thread *t, struct class_found found)
{
	if (!c->has_usual) {
		c->usual = found;
		c->has_usual = true;
	}
	if (c->given.n < CLASS_GIVEN_MAX)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
		*array_add(&c->given) = (struct given){ *t, found };
}

/* A word of its command line says so, also where a loader or a shell runs it: the program, or what
 * it calls itself, "criu: restore ...". What it restores has that, too, until it is what it was. */
static bool is_criu(pid_t tid)
{
	char path[PROC_PATH], words[COMMAND_LINE];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", tid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, words, sizeof(words) - 1);
	char *end = n > 0 ? words + n : words;

	*end = '\0';
	for (const char *word = words; word < end; word += strlen(word) + 1) {
		const char *slash = strrchr(word, '/');

		if (strncmp(word, "criu:", strlen("criu:")) == 0 ||
		    strcmp(slash ? slash + 1 : word, "criu") == 0)
			return true;
	}
	return false;
}

/* CRIU, and what it runs, work in the container's cgroup: with the class they would use up its
 * budget, and take as long as it lets them. Threads have their policies again from CRIU. */
static bool is_restoring(struct container_class *c, int dir)
{
	AUTO_FREE struct threads *list = xmalloc(sizeof(*list));
	struct error err;

	if (c->is_restoring)
		c->is_restoring = threads_of_group(dir, is_criu, list, &err) == 0 && list->n > 0;
	c->is_due |= c->is_restoring;
	return c->is_restoring;
}

/* -ESRCH: it has ended. -EAGAIN: not yet. A thread that has the class already has it from an
 * earlier run of the helper, or from the one that forked it. */
static int give(struct container_class *c, const struct thread *t, struct error *err)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	c->is_restoring |= is_criu(t->tid);
	if (c->is_restoring) {
		c->is_due = true;
		return -EAGAIN;
	}
	if (thread_get_attr(t, &attr, err) < 0)
		return err->code;
	struct class_found found = found_of(&attr);
	struct sched_attr wanted = {
		.size = sizeof(wanted),
		.sched_policy = (uint32_t)kernel_policy(c->class),
		.sched_priority = c->class.priority,
		.sched_flags = found.resets_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
	};
	if (thread_set_attr(t, &wanted, err) < 0 || thread_get_attr(t, &attr, err) < 0)
		return err->code;
	if (!has_class(&attr, c))
		return error_set(err, -EREMCHG, "thread %d: the policy was changed at once",
				 t->tid);
	remember(c, t, found);
	return 0;
}

static void give_back(const struct thread *t, struct class_found found)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = found.policy,
		.sched_priority = found.priority,
		.sched_nice = found.nice,
		.sched_flags = found.resets_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
	};
	struct error ended;

	thread_set_attr(t, &attr, &ended);
}

static void forget_ended(struct container_class *c)
{
	for (size_t i = c->given.n; i-- > 0;)
		if (!thread_is_same(&c->given.items[i].thread))
			c->given.items[i] = c->given.items[--c->given.n];
}

/* Gives the class to those of a list that never had it. Returns how many got it. */
static size_t give_listed(struct container_class *c, const struct threads *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct error err = ERROR_INIT;

		if (find_given(c, &list->list[i]))
			continue;
		int r = give(c, &list->list[i], &err);
		n += r == 0;
		if (r < 0 && r != -ESRCH && r != -EAGAIN && !c->refusal.code)
			c->refusal = err;
	}
	return n;
}

static void give_all(struct container_class *c, int dir)
{
	AUTO_FREE struct threads *list = xmalloc(sizeof(*list));

	for (int i = 0; i < PASSES_MAX && !is_restoring(c, dir); i++) {
		listed = c;
		if (threads_of_group(dir, is_not_of_class, list, &c->refusal) < 0)
			return;
		if (give_listed(c, list) == 0 && !list->is_cut)
			return;
	}
}

static bool has_any_with_class(const struct container_class *c, int dir)
{
	AUTO_FREE struct threads *list = xmalloc(sizeof(*list));
	struct error err;

	listed = c;
	return threads_of_group(dir, is_of_class, list, &err) == 0 && list->n > 0;
}

static void check_capable(struct container_class *c, int dir)
{
	int64_t now = clock_ms();

	if (!container_has_capable(dir))
		c->capable_since_ms = 0;
	else if (!c->capable_since_ms)
		c->capable_since_ms = now;
	c->can_outrank = c->capable_since_ms && now - c->capable_since_ms >= OUTRANK_SETTLE_MS;
}

bool container_class_check(struct container_class *c, int dir)
{
	const bool was_applied = c->is_applied, could_outrank = c->can_outrank;
	const int before = c->refusal.code;

	check_capable(c, dir);
	c->is_due = false;
	if (c->class.policy == THREAD_POLICY_KEEP)
		return could_outrank != c->can_outrank;
	c->refusal = ERROR_INIT;
	forget_ended(c);
	give_all(c, dir);
	c->is_applied = !c->refusal.code && has_any_with_class(c, dir);
	return was_applied != c->is_applied || before != c->refusal.code ||
	       could_outrank != c->can_outrank;
}

static void restore_listed(struct container_class *c, const struct threads *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct given *g = find_given(c, &list->list[i]);

		give_back(&list->list[i], g ? g->found : c->usual);
	}
}

/* Also those that have left the cgroup meanwhile. */
static void restore_given(const struct container_class *c)
{
	array_each(g, &c->given)
		if (thread_is_same(&g->thread) && has_class_now(g->thread.tid, c))
			give_back(&g->thread, g->found);
}

void container_class_restore(struct container_class *c, int dir)
{
	AUTO_FREE struct threads *list = xmalloc(sizeof(*list));
	struct error err;

	if (c->class.policy == THREAD_POLICY_KEEP)
		return;
	restore_given(c);
	for (int i = 0; i < PASSES_MAX; i++) {
		listed = c;
		if (threads_of_group(dir, is_of_class, list, &err) < 0 || list->n == 0)
			break;
		restore_listed(c, list);
	}
	array_clear(&c->given);
	c->is_applied = false;
}

/* What threads had before the former class is what they get back from the new one, too. */
void container_class_set(struct container_class *c, int dir, struct thread_class class)
{
	if (class.policy == c->class.policy && class.priority == c->class.priority)
		return;
	container_class_restore(c, dir);
	c->class = class;
	c->refusal = ERROR_INIT;
	c->is_applied = false;
	c->is_due = true;
}

static bool give_one(struct container_class *c, pid_t tid, const uint64_t *start)
{
	struct error err = ERROR_INIT;
	struct thread t;

	if (thread_identify(tid, &t, NULL) < 0)
		return true;
	if (start && t.start != *start)
		return false;
	if (find_given(c, &t))
		return true;
	int r = give(c, &t, &err);
	if (r == 0 && !c->is_applied)
		c->is_due = true;
	if (r < 0 && r != -ESRCH && r != -EAGAIN) {
		c->refusal = err;
		c->is_due = true;
	}
	return true;
}

static void give_process(struct container_class *c, pid_t pid)
{
	char path[PROC_PATH];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	AUTO_DIR DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		if (tid > 0 && tid != pid)
			give_one(c, tid, NULL);
	}
}

bool container_class_give(struct container_class *c, pid_t tid, uint64_t start, bool is_process)
{
	if (c->class.policy == THREAD_POLICY_KEEP)
		return true;
	if (!give_one(c, tid, &start))
		return false;
	if (is_process)
		give_process(c, tid);
	return true;
}

static bool starts_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* In a user namespace of its own a capability counts for nothing outside of it. */
static bool is_in_host_users(pid_t pid)
{
	char path[PROC_PATH], map[SYSFS_VALUE];
	char *at = map;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (sysfs_read(AT_FDCWD, path, map, sizeof(map), NULL) < 0)
		return true;
	unsigned long inside = strtoul(at, &at, 10), outside = strtoul(at, &at, 10);
	return inside == 0 && outside == 0 && strtoul(at, NULL, 10) == UINT32_MAX;
}

static bool has_nice_capability(pid_t pid)
{
	char path[PROC_PATH], status[SYSFS_VALUE];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (sysfs_read(AT_FDCWD, path, status, sizeof(status), NULL) < 0)
		return false;
	for (const char *at = status; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (starts_with(at, "CapPrm:") &&
		    strtoull(at + strlen("CapPrm:"), NULL, 16) & (1ULL << CAP_SYS_NICE))
			return is_in_host_users(pid);
	}
	return false;
}

bool container_has_capable(int dir)
{
	AUTO_FREE struct threads *list = xmalloc(sizeof(*list));
	struct error err;

	if (processes_of_group(dir, list, &err) < 0)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (has_nice_capability(list->list[i].tid) && thread_is_same(&list->list[i]))
			return true;
	return false;
}
