/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_checks.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "base/units.h"
#include "node/realtime.h"
#include "node/sysfs.h"

/* Fields of /proc/PID/stat, and PF_KTHREAD of include/linux/sched.h. */
enum { STAT_FLAGS = 9, STAT_RT_PRIORITY = 40, STAT_POLICY = 41, KERNEL_THREAD = 0x00200000 };
enum { POLICY_FIFO = 1, POLICY_RR = 2, POLICY_DEADLINE = 6, CAPACITY_USUAL = 950000 };

static void warn(struct node_warnings *w, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(struct node_warnings *w, const char *key, const char *fmt, ...)
{
	struct node_warning *n = array_add(&w->list);
	va_list ap;

	n->key = key;
	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
}

static void check_throttling(const struct kernel *k, const struct backend *b,
			     struct node_warnings *w)
{
	if (k->rt_runtime_us < 0) {
		warn(w, "rtThrottling",
		     "kernel.sched_rt_runtime_us is -1: a real-time thread without a budget may take "
		     "its CPU for ever%s",
		     b->is_rt ? "" : ", and this backend gives none");
		return;
	}
	if (k->rt_runtime_us * PPM / k->rt_period_us < CAPACITY_USUAL)
		warn(w, "rtThrottling",
		     "kernel.sched_rt_runtime_us is %lld of %lld us: all real-time threads of a CPU "
		     "together get no more",
		     (long long)k->rt_runtime_us, (long long)k->rt_period_us);
}

static bool is_empty_list(const struct kernel_roots *roots, const char *file)
{
	char path[PATH_MAX], text[SYSFS_VALUE];

	snprintf(path, sizeof(path), "%s/devices/system/cpu/%s", roots->sys, file);
	if (sysfs_read(AT_FDCWD, path, text, sizeof(text), NULL) < 0)
		return false;
	return !*text || strcmp(text, "(null)") == 0;
}

static void check_isolation(const struct kernel_roots *roots, const struct kernel *k,
			    struct node_warnings *w)
{
	if (k->cpus < 2)
		return;
	if (is_empty_list(roots, "isolated"))
		warn(w, "isolation",
		     "no CPU is isolated (isolcpus=): system services and kernel threads share the "
		     "cores of real-time pods; --reserved-cpus keeps pods off theirs");
	if (is_empty_list(roots, "nohz_full"))
		warn(w, "ticks",
		     "no CPU is tickless (nohz_full=): each is interrupted by its timer tick, some us "
		     "up to a thousand times a second");
}

/* A number of /proc/PID/stat by the number of its field; -1: there is none. The name in field 2
 * may hold anything, and ends with the last ')'. */
static long long stat_field(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');

	for (int i = 3; at && i <= field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -1;
}

struct outranking {
	unsigned n;
	int pid;
	char name[32];
	char class[16];
};

static void look_at_task(const char *stat, int pid, struct outranking *o)
{
	long long flags = stat_field(stat, STAT_FLAGS), policy = stat_field(stat, STAT_POLICY);
	long long priority = stat_field(stat, STAT_RT_PRIORITY);
	bool is_above =
		(policy == POLICY_FIFO || policy == POLICY_RR) && priority >= REALTIME_PRIORITY;
	const char *name = strchr(stat, '('), *end = strrchr(stat, ')');

	if (flags & KERNEL_THREAD || !(is_above || policy == POLICY_DEADLINE) || o->n++)
		return;
	o->pid = pid;
	if (name && end > name)
		snprintf(o->name, sizeof(o->name), "%.*s", (int)(end - name - 1), name + 1);
	if (policy == POLICY_DEADLINE)
		snprintf(o->class, sizeof(o->class), "DEADLINE");
	else
		snprintf(o->class, sizeof(o->class), "%s %d", policy == POLICY_FIFO ? "FIFO" : "RR",
			 (int)priority);
}

static void look_at_process(const char *path, struct outranking *o)
{
	AUTO_DIR DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		char stat[SYSFS_VALUE], file[64];

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		snprintf(file, sizeof(file), "%.20s/stat", e->d_name);
		if (sysfs_read(dirfd(d), file, stat, sizeof(stat), NULL) == 0)
			look_at_task(stat, (int)strtol(e->d_name, NULL, 10), o);
	}
}

/* The kernel's own threads with such priorities, as migration/N, run briefly and have to. */
static void check_outranking(const struct kernel_roots *roots, struct node_warnings *w)
{
	struct outranking o = { 0 };
	AUTO_DIR DIR *d = opendir(roots->proc);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[PATH_MAX];

		if (!isdigit((unsigned char)*e->d_name) ||
		    snprintf(path, sizeof(path), "%s/%.20s/task", roots->proc, e->d_name) >=
			    (int)sizeof(path))
			continue;
		look_at_process(path, &o);
	}
	if (o.n)
		warn(w, "outranked",
		     "%u threads run at the helper's priority %d or above: %s (%d) is %s; an overrun "
		     "is handled after them",
		     o.n, REALTIME_PRIORITY, o.name, o.pid, o.class);
}

static void check_visibility(const struct kernel *k, const struct backend *b,
			     struct node_warnings *w)
{
	if (!k->has[FEATURE_HOST_PIDS])
		warn(w, "policies",
		     "containers get no policy (" MCKUBE_DOMAIN "/rt-policy): needs %s",
		     feature_texts[FEATURE_HOST_PIDS].how);
	else if (!b->is_rt)
		warn(w, "policies",
		     "threads with a policy (" MCKUBE_DOMAIN
		     "/rt-policy) have no limit: the backend %s knows "
		     "no real-time budget",
		     b->name);
}

void node_warnings_find(const struct kernel_roots *roots, const struct kernel *k,
			const struct backend *b, struct node_warnings *ret)
{
	*ret = (struct node_warnings){ 0 };
	check_throttling(k, b, ret);
	check_visibility(k, b, ret);
	check_outranking(roots, ret);
	check_isolation(roots, k, ret);
}

void node_warnings_done(struct node_warnings *w)
{
	array_done(&w->list);
}
