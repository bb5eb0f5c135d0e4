/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backend/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "node/sysfs.h"

/* Of a group without a budget, where the kernel has no file for it. */
enum { DEFAULT_PERIOD_US = 1000000 };

const struct backend *const backends[] = {
	&backend_hcbs_max, &backend_hcbs_multi, &backend_cgroup_v1, &backend_hcbs_v2, &backend_soft,
	&backend_deadline, &backend_cap_v2,	&backend_cap_v1,    &backend_noop,    NULL,
};

/* What budgets in software need. */
static enum feature missing_for_soft(const struct kernel *k)
{
	static const enum feature needed[] = {
		FEATURE_BTF,	     FEATURE_TRACE_SWITCH, FEATURE_TRACE_RUNTIME,
		FEATURE_TRACE_MKDIR, FEATURE_TRACE_RMDIR,  FEATURE_TRACE_NEWTASK,
		FEATURE_BPF_TIMER,   FEATURE_HOST_PIDS,
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!k->has[needed[i]])
			return needed[i];
	return FEATURES;
}

/* FEATURES: nothing is. */
static enum feature missing_feature(const struct backend *b, const struct kernel *k)
{
	if (b == &backend_soft)
		return missing_for_soft(k);
	if (b != &backend_noop && !k->has[b->needs])
		return b->needs;
	return b->is_per_thread && !k->has[FEATURE_HOST_PIDS] ? FEATURE_HOST_PIDS : FEATURES;
}

bool backend_is_usable(const struct backend *b, const struct kernel *k)
{
	return missing_feature(b, k) == FEATURES;
}

static bool is_on_v2(const struct backend *b)
{
	return b == &backend_hcbs_max || b == &backend_hcbs_multi || b == &backend_hcbs_v2 ||
	       b == &backend_cap_v2;
}

static const struct backend *best(const struct kernel *k,
				  bool (*is_allowed)(const struct backend *))
{
	for (const struct backend *const *b = backends; *b; b++)
		if (!(*b)->is_by_name && backend_is_usable(*b, k) &&
		    (!is_allowed || is_allowed(*b)))
			return *b;
	return NULL;
}

static const struct backend *find(const char *name)
{
	if (strcmp(name, "cgroup_v1") == 0)
		return &backend_cgroup_v1;
	for (const struct backend *const *b = backends; *b; b++)
		if (strcmp((*b)->name, name) == 0)
			return *b;
	return NULL;
}

int backend_choose(const struct kernel *k, const char *name, const struct backend **ret,
		   struct error *err)
{
	const struct backend *b;

	if (!name || strcmp(name, "auto") == 0)
		b = best(k, NULL);
	else if (strcmp(name, "cgroup_v2") == 0)
		b = best(k, is_on_v2);
	else if (!(b = find(name)))
		return error_set(err, -EINVAL, "unknown backend '%s'", name);
	enum feature missing = b ? missing_feature(b, k) : FEATURE_CPU_MAX;
	if (missing != FEATURES)
		return error_set(err, -ENOTSUP, "backend '%s': needs %s", name,
				 feature_texts[missing].how);
	*ret = b;
	return 0;
}

static int open_files(struct group *g, struct error *err)
{
	for (int i = 0; i < 2 && g->backend->files[i]; i++) {
		const char *file = g->backend->files[i];

		g->files[i] = openat(g->dir, file, O_RDWR | O_CLOEXEC);
		if (g->files[i] < 0)
			return error_errno(err, "%s: open %s", g->name, file);
	}
	return 0;
}

int group_open(struct group *g, const struct backend *b, const struct kernel *k, const char *path,
	       const char *name, struct error *err)
{
	char full[PATH_MAX];

	*g = (struct group){
		.backend = b,
		.name = name,
		.dir = -1,
		.files = { -1, -1 },
		.now = { .period_us = DEFAULT_PERIOD_US },
	};
	if (snprintf(full, sizeof(full), "%s/%s", k->cpu, path) >= (int)sizeof(full))
		return error_set(err, -ENAMETOOLONG, "%s: path is too long", name);
	g->dir = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dir < 0)
		return error_errno(err, "%s: open %s", name, full);
	int r = b->open ? b->open(g, err) : open_files(g, err);
	if (r < 0)
		group_close(g);
	return r;
}

void group_close(struct group *g)
{
	if (!g->backend)
		return;
	if (g->backend->close)
		g->backend->close(g);
	auto_close_fd(&g->dir);
	auto_close_fd(&g->files[0]);
	auto_close_fd(&g->files[1]);
	g->backend = NULL;
}

/* Callers go by the code, -ENODEV above all, also where they want no text: a backend gets both. */
int group_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	struct error unasked;

	if (!err)
		err = &unasked;
	int r = g->backend->read(g, cpu, ret, err);
	if (r < 0)
		error_wrap(err, "%s", g->name);
	return r;
}

int group_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		struct error *err)
{
	struct error unasked;

	if (!err)
		err = &unasked;
	int r = g->backend->write(g, cpu, field, to, err);
	if (r < 0)
		error_wrap(err, "%s", g->name);
	else
		g->now = to;
	return r;
}

bool budget_reads_as(struct bandwidth read, struct bandwidth wanted)
{
	int64_t difference = read.runtime_us - wanted.runtime_us;

	return read.period_us == wanted.period_us && difference >= -1 && difference <= 1;
}
