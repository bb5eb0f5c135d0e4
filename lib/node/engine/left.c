/* SPDX-License-Identifier: Apache-2.0 */

/* What an earlier run of the helper left to pods that have no assignment any more. */
#include <string.h>

#include "node/cgroup/cpuset_file.h"
#include "node/container.h"
#include "node/engine/internal.h"

static bool has_container(const struct engine_pod *p, const char *path)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].path && strcmp(p->containers[i].path, path) == 0)
			return true;
	return false;
}

/* A pod's containers may not have been found yet. */
static bool is_assigned(struct engine *e, const char *path, engine_pod_test is_kept, void *arg)
{
	struct container_path parsed;

	if (container_parse(path, &parsed) &&
	    (engine_find(e, parsed.pod_uid) || (is_kept && is_kept(parsed.pod_uid, arg))))
		return true;
	array_each(p, &e->pods)
		if (has_container(p, path))
			return true;
	return false;
}

/* A budget that is not the one that was written is another program's. */
static void keep_budgets_of_others(struct engine *e, struct cgroup *n)
{
	array_each(g, &e->saved->groups) {
		struct bandwidth now;

		if (strcmp(g->path, n->path) != 0 || g->cpu_domain >= e->cgroups.n_domains)
			continue;
		now = e->cgroups.domains[g->cpu_domain].tree.nodes.items[n->index].now;
		if (now.period_us != g->wanted.period_us || now.runtime_us != g->wanted.runtime_us)
			cgroups_set_found(&e->cgroups, n, g->cpu_domain, now);
	}
}

static void give_back_classes(const struct saved_class *saved, bool is_soft, int dir)
{
	struct container_class c = {
		.class = saved->class,
		.usual = saved->found,
		.has_usual = true,
		.is_soft = is_soft,
	};

	container_class_restore(&c, dir);
	container_class_done(&c);
}

static void give_back(struct engine *e, const char *path)
{
	const struct saved_class *class = saved_state_class(e->saved, path);
	const struct saved_cpus *cpus = engine_left_cpus(e, path);
	size_t n_before = e->cgroups.nodes.n;
	struct cgroup *n;
	struct error ignored;

	if (cgroups_add(&e->cgroups, path, &n, &ignored) < 0)
		return;
	engine_recall_found(e, n_before);
	keep_budgets_of_others(e, n);
	if (class)
		give_back_classes(class, e->backend == &backend_soft, n->group.dir);
	if (cpus)
		cpuset_file_write(e->kernel, path, &cpus->found, &ignored);
	cgroups_remove(&e->cgroups, n);
}

void engine_give_back_left(struct engine *e, engine_pod_test is_kept, void *arg)
{
	bool is_any = false;

	for (size_t i = 0; e->saved && !e->is_left_returned && i < e->saved->groups.n; i++) {
		const struct saved_group *g = &e->saved->groups.items[i];

		if (!g->is_container || g->cpu_domain != 0 || is_assigned(e, g->path, is_kept, arg))
			continue;
		give_back(e, g->path);
		is_any = true;
	}
	e->is_left_returned = true;
	if (is_any)
		engine_settle(e, NULL);
}
