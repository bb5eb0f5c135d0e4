/* SPDX-License-Identifier: Apache-2.0 */

/* Which groups are opened, and which are forgotten. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "node/cgroup/internal.h"
#include "node/container.h"
#include "node/overrun/overrun.h"
#include "node/sysfs.h"

void cgroups_free_node(struct cgroup *n)
{
	group_close(&n->group);
	free(n->found);
	free(n->path);
	free(n);
}

void cgroups_mark_changed(struct cgroups *c)
{
	c->release_ms = clock_ms() + HELD_MS;
}

static struct cgroup *find(const struct cgroups *c, const char *path)
{
	array_each(n, &c->nodes)
		if (strcmp((*n)->path, path) == 0)
			return *n;
	return NULL;
}

static void grow_writes(struct cgroups *c)
{
	for (size_t i = 0; i < c->n_domains; i++)
		c->domains[i].writes = xreallocarray(c->domains[i].writes, 2 * c->nodes.cap,
						     sizeof(struct budget_write));
}

/* What a group above containers may come to. */
static void set_derived(const struct cgroups *c, const struct cgroup *n, struct cpu_domain *d)
{
	struct cgroup_tree_node *b = cgroups_tree_node(d, n);

	if (n->is_container || n->is_unmanaged || !*n->path)
		return;
	b->is_derived = true;
	if (!n->is_pod)
		b->at_least_us = b->now.runtime_us;
	if (n->is_kubepods && c->capacity_us)
		b->at_most_us = c->capacity_us * b->now.period_us / US_PER_S;
	cgroup_tree_invalidate(&d->tree);
}

static void append(struct cgroups *c, struct cgroup *n)
{
	n->index = (uint32_t)c->nodes.n;
	/* Arrays of pointers, in which array_add() makes room. */
	/* NOLINTBEGIN(bugprone-sizeof-expression,clang-analyzer-core.NullDereference) */
	*array_add(&c->nodes) = n;
	*array_add(&c->groups) = &n->group;
	/* NOLINTEND(bugprone-sizeof-expression,clang-analyzer-core.NullDereference) */
	n->found = xcalloc(c->n_domains, sizeof(*n->found));
	for (size_t i = 0; i < c->n_domains; i++) {
		struct bandwidth now = { US_PER_S, 0 };

		group_read(&n->group, c->domains[i].cpu, &now, NULL);
		n->found[i] = n->group.now = now;
		cgroup_tree_add(&c->domains[i].tree, n->parent ? (int32_t)n->parent->index : -1,
				n->group.name, now);
		cgroups_tree_node(&c->domains[i], n)->is_root = !*n->path;
		set_derived(c, n, &c->domains[i]);
	}
	if (n->parent)
		n->parent->n_children++;
	grow_writes(c);
}

static int open_node(struct cgroups *c, struct cgroup *parent, const char *path,
		     struct cgroup **ret, struct error *err)
{
	struct cgroup *n = xcalloc(1, sizeof(*n));
	struct container_path parsed;

	n->path = xstrdup(path);
	n->parent = parent;
	int r = group_open(&n->group, c->backend, c->kernel, path, *path ? n->path : "/", err);
	n->group.soft = c->soft;
	if (r == 0)
		r = group_id(&n->group, &n->id, err);
	if (r < 0) {
		cgroups_free_node(n);
		return r;
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

static bool has_budget(const struct cgroups *c, const struct cgroup *n)
{
	for (size_t i = 0; i < c->n_domains; i++) {
		struct bandwidth now;

		if (group_read(&n->group, c->domains[i].cpu, &now, NULL) == 0 &&
		    now.runtime_us != 0)
			return true;
	}
	return false;
}

/* There may be ten thousand: most are known to have no budget by one look at one file, such as "0"
 * or "0 0 0 0". */
static bool is_plainly_empty(const struct cgroups *c, int dir, const char *name)
{
	char path[NAME_MAX + 64], text[256];

	snprintf(path, sizeof(path), "%s/%s", name, c->backend->files[0]);
	return c->backend->files[0] && sysfs_read(dir, path, text, sizeof(text), NULL) == 0 &&
	       text[strspn(text, "0 \t\n")] == '\0';
}

void cgroups_add_unmanaged(struct cgroups *c, struct cgroup *parent)
{
	AUTO_FREE char *full = xasprintf("%s/%s", c->kernel->cpu, parent->path);
	AUTO_DIR DIR *folder = opendir(full);

	for (struct dirent *e; folder && (e = readdir(folder));) {
		struct cgroup *n;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' ||
		    is_plainly_empty(c, dirfd(folder), e->d_name))
			continue;
		AUTO_FREE char *path =
			xasprintf("%s%s%s", parent->path, *parent->path ? "/" : "", e->d_name);
		if (find(c, path) || open_node(c, parent, path, &n, NULL) < 0)
			continue;
		if (!has_budget(c, n)) {
			cgroups_free_node(n);
			continue;
		}
		n->is_unmanaged = true;
		append(c, n);
	}
}

/* A group above containers: its budget follows from theirs, and unmanaged siblings count. */
static struct cgroup *add_ancestor(struct cgroups *c, struct cgroup *parent, const char *path)
{
	struct cgroup *n = find(c, path);
	bool is_new = !n;

	if (is_new && open_node(c, parent, path, &n, NULL) < 0)
		return NULL;
	if (is_new)
		append(c, n);
	if (is_new || n->is_unmanaged) {
		n->is_unmanaged = false;
		for (size_t i = 0; i < c->n_domains; i++)
			set_derived(c, n, &c->domains[i]);
		cgroups_add_unmanaged(c, n);
	}
	return n;
}

/* The root has no budget files in some dialects: then there is no group above the first that has.
 */
static struct cgroup *add_ancestors(struct cgroups *c, const char *path)
{
	struct cgroup *parent = NULL;
	const char *slash = path;

	for (size_t len = 0; c->backend->has_tree; len = (size_t)(slash - path)) {
		AUTO_FREE char *prefix = xstrndup(path, len);

		parent = add_ancestor(c, parent, prefix);
		slash = strchr(path + len + (len > 0), '/');
		if (!slash)
			break;
	}
	return parent;
}

int cgroups_add(struct cgroups *c, const char *path, struct cgroup **ret, struct error *err)
{
	struct cgroup *parent = add_ancestors(c, path), *n = find(c, path);

	if (!n) {
		int r = open_node(c, parent, path, &n, err);
		if (r < 0)
			return r;
		n->is_container = true;
		append(c, n);
	}
	n->is_container = true;
	n->is_unmanaged = n->is_retiring = false;
	for (size_t i = 0; i < c->n_domains; i++) {
		cgroups_tree_node(&c->domains[i], n)->is_derived = false;
		cgroup_tree_invalidate(&c->domains[i].tree);
	}
	*ret = n;
	return 0;
}

bool cgroups_has(const struct cgroups *c, const struct cgroup *n)
{
	char full[PATH_MAX];
	struct stat st;

	return snprintf(full, sizeof(full), "%s/%s", c->kernel->cpu, n->path) < (int)sizeof(full) &&
	       stat(full, &st) == 0 && st.st_ino == n->id;
}

void cgroups_drop(struct cgroups *c, struct cgroup *gone)
{
	size_t at = gone->index;

	if (gone->parent)
		gone->parent->n_children--;
	for (size_t i = 0; i < c->n_domains; i++) {
		struct cgroup_tree *t = &c->domains[i].tree;

		if (!cgroups_has(c, gone)) {
			cgroup_tree_removed(t, (uint32_t)at);
			c->removed_ms = clock_ms() + REMOVED_MS;
		}
		cgroup_tree_set(t, (uint32_t)at, (struct bandwidth){ US_PER_S, 0 });
		memmove(&t->nodes.items[at], &t->nodes.items[at + 1],
			(t->nodes.n - at - 1) * sizeof(*t->nodes.items));
		t->nodes.n--;
		array_each(n, &t->nodes)
			n->parent -= n->parent > (int32_t)at;
		cgroup_tree_invalidate(t);
	}
	cgroups_mark_changed(c);
	c->nodes.n--;
	for (size_t i = at; i < c->nodes.n; i++)
		c->nodes.items[i] = c->nodes.items[i + 1];
	for (c->groups.n = 0; c->groups.n < c->nodes.n; c->groups.n++) {
		c->groups.items[c->groups.n] = &c->nodes.items[c->groups.n]->group;
		c->nodes.items[c->groups.n]->index = (uint32_t)c->groups.n;
	}
	cgroups_free_node(gone);
}

bool cgroups_sweep(struct cgroups *c)
{
	size_t n_before = c->nodes.n;

	for (size_t i = c->nodes.n; i-- > 0;) {
		struct cgroup *n = c->nodes.items[i];

		if (!n->is_container && !n->n_children && *n->path && !cgroups_has(c, n))
			cgroups_drop(c, n);
	}
	return c->nodes.n != n_before;
}
