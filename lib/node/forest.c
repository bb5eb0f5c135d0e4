/* SPDX-License-Identifier: Apache-2.0 */
#include "node/forest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/container.h"
#include "node/overrun.h"

enum { SECOND_US = 1000000 };

void forest_init(struct forest *f, const struct kernel *k, const struct backend *b)
{
	struct bandwidth global = { k->rt_period_us, k->rt_runtime_us };

	if (!b->is_rt)
		global.runtime_us = RUNTIME_UNLIMITED;
	*f = (struct forest){ .kernel = k, .backend = b };
	f->n_lanes = b->is_per_cpu ? k->cpus : 1;
	f->lanes = xcalloc(f->n_lanes, sizeof(*f->lanes));
	for (size_t i = 0; i < f->n_lanes; i++) {
		f->lanes[i].cpu = b->is_per_cpu ? (int)i : CPU_ALL;
		f->lanes[i].tree.global = global;
	}
}

static void free_node(struct forest_node *n)
{
	group_close(&n->group);
	free(n->found);
	free(n->path);
	free(n);
}

void forest_done(struct forest *f)
{
	array_each(n, &f->nodes)
		free_node(*n);
	array_done(&f->nodes);
	array_done(&f->groups);
	for (size_t i = 0; i < f->n_lanes; i++) {
		budget_tree_done(&f->lanes[i].tree);
		free(f->lanes[i].writes);
	}
	free(f->lanes);
	*f = (struct forest){ 0 };
}

static struct budget_node *tree_node(const struct lane *l, const struct forest_node *n)
{
	return &l->tree.nodes.items[n->index];
}

static struct forest_node *find(const struct forest *f, const char *path)
{
	array_each(n, &f->nodes)
		if (strcmp((*n)->path, path) == 0)
			return *n;
	return NULL;
}

static void grow_writes(struct forest *f)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		f->lanes[i].writes = xreallocarray(f->lanes[i].writes, 2 * f->nodes.cap,
						   sizeof(struct budget_write));
}

/* What a group above containers may come to. */
static void set_derived(const struct forest *f, const struct forest_node *n, struct lane *l)
{
	struct budget_node *b = tree_node(l, n);

	if (n->is_container || n->is_foreign || !n->parent)
		return;
	b->is_derived = true;
	if (!n->is_pod)
		b->at_least_us = b->now.runtime_us;
	if (n->is_kubepods && f->capacity_us)
		b->at_most_us = f->capacity_us * b->now.period_us / SECOND_US;
}

static void append(struct forest *f, struct forest_node *n)
{
	n->index = (uint32_t)f->nodes.n;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&f->nodes) = n;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&f->groups) = &n->group;
	n->found = xcalloc(f->n_lanes, sizeof(*n->found));
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct bandwidth now = { SECOND_US, 0 };

		group_read(&n->group, f->lanes[i].cpu, &now, NULL);
		n->found[i] = n->group.now = now;
		budget_tree_add(&f->lanes[i].tree, n->parent ? (int32_t)n->parent->index : -1,
				n->group.name, now);
		tree_node(&f->lanes[i], n)->is_root = !*n->path;
		set_derived(f, n, &f->lanes[i]);
	}
	if (n->parent)
		n->parent->n_children++;
	grow_writes(f);
}

static int open_node(struct forest *f, struct forest_node *parent, const char *path,
		     struct forest_node **ret, struct error *err)
{
	struct forest_node *n = xcalloc(1, sizeof(*n));
	struct container_path parsed;

	n->path = xstrdup(path);
	n->parent = parent;
	if (group_open(&n->group, f->backend, f->kernel, path, *path ? n->path : "/", err) < 0) {
		free_node(n);
		return err ? err->code : -ENOENT;
	}
	n->is_pod = container_parse(path, &parsed) && !parsed.container_len;
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	n->is_kubepods =
		strcmp(base, "kubepods") == 0 ||
		(strlen(base) >= 14 && strcmp(base + strlen(base) - 14, "kubepods.slice") == 0);
	*ret = n;
	return 0;
}

static bool has_budget(const struct forest *f, const struct forest_node *n)
{
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct bandwidth now;

		if (group_read(&n->group, f->lanes[i].cpu, &now, NULL) == 0 && now.runtime_us != 0)
			return true;
	}
	return false;
}

/* Groups beside ours that hold budgets: they count in the sum below `parent`. */
static void add_foreign(struct forest *f, struct forest_node *parent)
{
	AUTO_FREE char *full = xasprintf("%s/%s", f->kernel->cpu, parent->path);
	AUTO_DIR DIR *d = opendir(full);

	for (struct dirent *e; d && (e = readdir(d));) {
		struct forest_node *n;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		AUTO_FREE char *path =
			xasprintf("%s%s%s", parent->path, *parent->path ? "/" : "", e->d_name);
		if (find(f, path) || open_node(f, parent, path, &n, NULL) < 0)
			continue;
		if (!has_budget(f, n)) {
			free_node(n);
			continue;
		}
		n->is_foreign = true;
		append(f, n);
	}
}

/* A group above containers: its budget follows from theirs, and others beside them count. */
static struct forest_node *add_ancestor(struct forest *f, struct forest_node *parent,
					const char *path)
{
	struct forest_node *n = find(f, path);
	bool is_new = !n;

	if (is_new && open_node(f, parent, path, &n, NULL) < 0)
		return NULL;
	if (is_new)
		append(f, n);
	if (is_new || n->is_foreign) {
		n->is_foreign = false;
		for (size_t i = 0; i < f->n_lanes; i++)
			set_derived(f, n, &f->lanes[i]);
		add_foreign(f, n);
	}
	return n;
}

/* The root has no budget files in some dialects: then there is no group above the first that has.
 */
static struct forest_node *add_ancestors(struct forest *f, const char *path)
{
	struct forest_node *parent = NULL;
	const char *slash = path;

	for (size_t len = 0; f->backend->has_tree; len = (size_t)(slash - path)) {
		AUTO_FREE char *prefix = xstrndup(path, len);

		parent = add_ancestor(f, parent, prefix);
		slash = strchr(path + len + (len > 0), '/');
		if (!slash)
			break;
	}
	return parent;
}

int forest_add(struct forest *f, const char *path, struct forest_node **ret, struct error *err)
{
	struct forest_node *parent = add_ancestors(f, path), *n = find(f, path);

	if (!n) {
		if (open_node(f, parent, path, &n, err) < 0)
			return err ? err->code : -ENOENT;
		n->is_container = true;
		append(f, n);
	}
	n->is_container = true;
	n->is_foreign = false;
	for (size_t i = 0; i < f->n_lanes; i++)
		tree_node(&f->lanes[i], n)->is_derived = false;
	if (group_id(&n->group, &n->id, err) < 0)
		return err ? err->code : -ENOENT;
	*ret = n;
	return 0;
}

static bool exists(const struct forest *f, const struct forest_node *n)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s/%s", f->kernel->cpu, n->path) < (int)sizeof(full) &&
	       access(full, F_OK) == 0;
}

/* Closes the gap that a removed node left; parents stay in front of their children. */
static void drop(struct forest *f, struct forest_node *gone)
{
	size_t at = gone->index;

	if (gone->parent)
		gone->parent->n_children--;
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct budget_tree *t = &f->lanes[i].tree;

		budget_tree_set(t, (uint32_t)at, (struct bandwidth){ SECOND_US, 0 });
		memmove(&t->nodes.items[at], &t->nodes.items[at + 1],
			(t->nodes.n - at - 1) * sizeof(*t->nodes.items));
		t->nodes.n--;
		array_each(n, &t->nodes)
			n->parent -= n->parent > (int32_t)at;
	}
	f->nodes.n--;
	for (size_t i = at; i < f->nodes.n; i++)
		f->nodes.items[i] = f->nodes.items[i + 1];
	for (f->groups.n = 0; f->groups.n < f->nodes.n; f->groups.n++) {
		f->groups.items[f->groups.n] = &f->nodes.items[f->groups.n]->group;
		f->nodes.items[f->groups.n]->index = (uint32_t)f->groups.n;
	}
	free_node(gone);
}

/* Pods and groups of others that were removed meanwhile. */
static void sweep(struct forest *f)
{
	for (size_t i = f->nodes.n; i-- > 0;) {
		struct forest_node *n = f->nodes.items[i];

		if (!n->is_container && !n->n_children && *n->path && !exists(f, n))
			drop(f, n);
	}
}

void forest_remove(struct forest *f, struct forest_node *n)
{
	drop(f, n);
	sweep(f);
}

void forest_want(struct forest *f, struct forest_node *n, const struct cpuset *cpus,
		 struct bandwidth budget)
{
	n->group.cpus = *cpus;
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct budget_node *b = tree_node(&f->lanes[i], n);
		bool is_here =
			f->lanes[i].cpu == CPU_ALL || cpuset_has(cpus, (unsigned)f->lanes[i].cpu);

		b->want = is_here ? budget : (struct bandwidth){ b->now.period_us, 0 };
	}
}

static void want_what_is(struct forest *f)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		array_each(b, &f->lanes[i].tree.nodes)
			b->want = b->now;
}

static struct apply lane_apply(struct forest *f, struct lane *l, int retry_ms)
{
	return (struct apply){ &l->tree, f->groups.items, l->cpu, retry_ms };
}

static int plan_lanes(struct forest *f, struct error *err)
{
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct lane *l = &f->lanes[i];

		if (budget_tree_derive(&l->tree, err) < 0 ||
		    budget_tree_plan(&l->tree, l->writes, &l->n_writes, err) < 0)
			return err->code;
	}
	return 0;
}

static int write_lanes(struct forest *f, int retry_ms, struct error *err)
{
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct apply a = lane_apply(f, &f->lanes[i], retry_ms);

		if (apply_writes(&a, f->lanes[i].writes, f->lanes[i].n_writes, err) == 0)
			continue;
		while (i-- > 0) {
			a = lane_apply(f, &f->lanes[i], 0);
			apply_undo(&a, f->lanes[i].writes, f->lanes[i].n_writes);
		}
		return err->code;
	}
	return 0;
}

int forest_apply(struct forest *f, int retry_ms, struct error *err)
{
	struct error local = ERROR_INIT;

	err = err ? err : &local;
	int r = plan_lanes(f, err);
	if (r == 0)
		r = write_lanes(f, retry_ms, err);
	if (r < 0)
		want_what_is(f);
	return r;
}

int forest_verify(struct forest *f, struct error *err)
{
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct lane *l = &f->lanes[i];
		struct apply a = lane_apply(f, l, 0);

		if (apply_verify(&a, l->writes, l->n_writes, err) < 0)
			return err ? err->code : -EREMCHG;
	}
	return 0;
}

int forest_read(const struct forest *f, const struct forest_node *n, struct bandwidth *ret_kernel,
		struct bandwidth *ret_ours, struct error *err)
{
	unsigned first = cpuset_next(&n->group.cpus, 0);
	const struct lane *l = &f->lanes[f->n_lanes > 1 && first < f->n_lanes ? first : 0];

	*ret_ours = tree_node(l, n)->now;
	return group_read(&n->group, l->cpu, ret_kernel, err);
}

void forest_refresh(struct forest *f)
{
	sweep(f);
	for (size_t k = 0; k < f->nodes.n; k++) {
		struct forest_node *n = f->nodes.items[k];

		for (size_t i = 0; i < f->n_lanes; i++) {
			struct bandwidth now = { SECOND_US, 0 };

			group_read(&n->group, f->lanes[i].cpu, &now, NULL);
			budget_tree_set(&f->lanes[i].tree, n->index, now);
		}
		if (!n->is_container && !n->is_foreign)
			add_foreign(f, n);
	}
	want_what_is(f);
}

void forest_set_found(struct forest *f, struct forest_node *n, size_t lane, struct bandwidth found)
{
	struct budget_node *b = tree_node(&f->lanes[lane], n);

	n->found[lane] = found;
	if (b->is_derived && !n->is_pod)
		b->at_least_us = found.runtime_us;
}

/* One container at a time: a refusal must not keep the others from theirs. */
static size_t restore_containers(struct forest *f)
{
	size_t n_kept = 0;

	array_each(it, &f->nodes) {
		struct forest_node *n = *it;

		if (!n->is_container)
			continue;
		for (size_t i = 0; i < f->n_lanes; i++)
			tree_node(&f->lanes[i], n)->want = n->found[i];
		n_kept += forest_apply(f, APPLY_RETRY_MS, NULL) < 0;
	}
	return n_kept;
}

size_t forest_restore(struct forest *f)
{
	sweep(f);
	want_what_is(f);
	array_each(it, &f->nodes)
		for (size_t i = 0; i < f->n_lanes; i++) {
			struct budget_node *b = tree_node(&f->lanes[i], *it);

			b->at_least_us = b->is_derived ? (*it)->found[i].runtime_us : 0;
		}
	return restore_containers(f);
}
