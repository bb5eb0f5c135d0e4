/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "node/cgroup/internal.h"

void cgroups_init(struct cgroups *c, const struct kernel *k, const struct backend *b)
{
	struct bandwidth global = { k->rt_period_us, k->rt_runtime_us };

	if (!b->is_rt)
		global.runtime_us = RUNTIME_UNLIMITED;
	*c = (struct cgroups){ .kernel = k, .backend = b };
	c->n_domains = b->is_per_cpu ? k->cpus : 1;
	c->domains = xcalloc(c->n_domains, sizeof(*c->domains));
	for (size_t i = 0; i < c->n_domains; i++) {
		c->domains[i].cpu = b->is_per_cpu ? (int)i : CPU_ALL;
		c->domains[i].tree.global = global;
	}
}

void cgroups_done(struct cgroups *c)
{
	array_each(n, &c->nodes)
		cgroups_free_node(*n);
	array_done(&c->nodes);
	array_done(&c->groups);
	for (size_t i = 0; i < c->n_domains; i++) {
		cgroup_tree_done(&c->domains[i].tree);
		free(c->domains[i].writes);
	}
	free(c->domains);
	*c = (struct cgroups){ 0 };
}

void cgroups_want(struct cgroups *c, struct cgroup *n, const struct cpuset *cpus,
		  struct bandwidth budget)
{
	n->group.cpus = *cpus;
	for (size_t i = 0; i < c->n_domains; i++) {
		struct cpu_domain *d = &c->domains[i];
		bool is_here = d->cpu == CPU_ALL || cpuset_has(cpus, (unsigned)d->cpu);
		struct bandwidth none = { cgroups_tree_node(d, n)->now.period_us, 0 };

		cgroup_tree_want(&d->tree, n->index, is_here ? budget : none);
	}
}

static void want_what_is(struct cgroups *c)
{
	for (size_t i = 0; i < c->n_domains; i++)
		cgroup_tree_keep(&c->domains[i].tree);
}

static struct apply domain_apply(struct cgroups *c, struct cpu_domain *d, int retry_ms)
{
	return (struct apply){ &d->tree, c->groups.items, d->cpu, retry_ms };
}

static int plan_domains(struct cgroups *c, struct error *err)
{
	for (size_t i = 0; i < c->n_domains; i++) {
		struct cpu_domain *d = &c->domains[i];

		if (cgroup_tree_derive(&d->tree, err) < 0 ||
		    cgroup_tree_plan(&d->tree, d->writes, &d->n_writes, err) < 0)
			return err ? err->code : -EINVAL;
	}
	return 0;
}

static void forget_removed(struct cgroups *c)
{
	for (size_t i = 0; i < c->n_domains; i++)
		cgroup_tree_forget_removed(&c->domains[i].tree);
	c->removed_ms = 0;
}

/* Where there is no room for groups that were removed they do not count. */
static int plan_with_removed(struct cgroups *c, struct error *err)
{
	if (c->removed_ms && clock_ms() < c->removed_ms && plan_domains(c, NULL) == 0)
		return 0;
	forget_removed(c);
	return plan_domains(c, err);
}

static int write_domains(struct cgroups *c, int retry_ms, struct error *err)
{
	for (size_t i = 0; i < c->n_domains; i++) {
		struct apply a = domain_apply(c, &c->domains[i], retry_ms);

		if (apply_writes(&a, c->domains[i].writes, c->domains[i].n_writes, err) == 0)
			continue;
		while (i-- > 0) {
			a = domain_apply(c, &c->domains[i], 0);
			apply_undo(&a, c->domains[i].writes, c->domains[i].n_writes);
		}
		return err->code;
	}
	return 0;
}

static bool has_writes(const struct cgroups *c)
{
	for (size_t i = 0; i < c->n_domains; i++)
		if (c->domains[i].n_writes)
			return true;
	return false;
}

int cgroups_apply(struct cgroups *c, int retry_ms, struct error *err)
{
	struct error local;

	if (!err)
		err = &local;
	int r = plan_with_removed(c, err);
	if (r == 0)
		r = write_domains(c, retry_ms, err);
	if (r < 0)
		want_what_is(c);
	else if (has_writes(c))
		cgroups_mark_changed(c);
	return r;
}

static void set_holding(struct cgroups *c, bool is_holding)
{
	for (size_t i = 0; i < c->n_domains; i++) {
		c->domains[i].tree.is_holding = is_holding;
		cgroup_tree_invalidate(&c->domains[i].tree);
	}
}

void cgroups_hold(struct cgroups *c, bool is_holding)
{
	c->is_holding = is_holding;
	cgroups_mark_changed(c);
	set_holding(c, is_holding);
}

void cgroups_release(struct cgroups *c)
{
	if (!c->is_holding || !c->release_ms || clock_ms() < c->release_ms)
		return;
	set_holding(c, false);
	if (cgroups_apply(c, 0, NULL) == 0)
		c->release_ms = 0;
	set_holding(c, true);
}

int cgroups_verify(struct cgroups *c, struct error *err)
{
	for (size_t i = 0; i < c->n_domains; i++) {
		struct cpu_domain *d = &c->domains[i];
		struct apply a = domain_apply(c, d, 0);

		if (apply_verify(&a, d->writes, d->n_writes, err) < 0)
			return err ? err->code : -EREMCHG;
	}
	return 0;
}

void cgroups_warm_up(struct cgroups *c)
{
	struct error err;

	if (plan_domains(c, &err) == 0)
		cgroups_verify(c, &err);
	want_what_is(c);
}

int cgroups_read(const struct cgroups *c, const struct cgroup *n, struct bandwidth *ret_kernel,
		 struct bandwidth *ret_ours, struct error *err)
{
	bool is_first = true;

	for (size_t i = 0; i < c->n_domains; i++) {
		const struct cpu_domain *d = &c->domains[i];
		struct bandwidth kernel;

		if (d->cpu != CPU_ALL && !cpuset_has(&n->group.cpus, (unsigned)d->cpu))
			continue;
		int r = group_read(&n->group, d->cpu, &kernel, err);
		if (r < 0)
			return r;
		if (is_first || kernel.runtime_us < ret_kernel->runtime_us) {
			*ret_kernel = kernel;
			*ret_ours = cgroups_tree_node(d, n)->now;
		}
		is_first = false;
	}
	return is_first ? -ENOENT : 0;
}

void cgroups_refresh(struct cgroups *c)
{
	cgroups_sweep(c);
	for (size_t k = 0; k < c->nodes.n; k++) {
		struct cgroup *n = c->nodes.items[k];

		for (size_t i = 0; i < c->n_domains; i++) {
			struct bandwidth now = { US_PER_S, 0 };

			group_read(&n->group, c->domains[i].cpu, &now, NULL);
			cgroup_tree_set(&c->domains[i].tree, n->index, now);
		}
		if (!n->is_container && !n->is_unmanaged && !n->is_retiring)
			cgroups_add_unmanaged(c, n);
	}
	want_what_is(c);
	cgroups_mark_changed(c);
}

void cgroups_set_found(struct cgroups *c, struct cgroup *n, size_t cpu_domain,
		       struct bandwidth found)
{
	struct cgroup_tree_node *b = cgroups_tree_node(&c->domains[cpu_domain], n);

	n->found[cpu_domain] = found;
	if (b->is_derived && !n->is_pod)
		b->at_least_us = found.runtime_us;
	cgroup_tree_invalidate(&c->domains[cpu_domain].tree);
}

bool cgroups_is_sum(const struct cgroups *c, const struct cgroup *n, size_t cpu_domain)
{
	const struct cgroup_tree_node *b = cgroups_tree_node(&c->domains[cpu_domain], n);
	uint64_t ratio = bandwidth_ratio(b->now), rounded = 2 * (uint64_t)n->n_children;

	return b->is_derived && b->children && ratio - b->children <= rounded;
}

/* One group at a time: a refusal must not affect the others. */
static bool give_back(struct cgroups *c, const struct cgroup *n, int retry_ms)
{
	for (size_t i = 0; i < c->n_domains; i++)
		cgroup_tree_want(&c->domains[i].tree, n->index, n->found[i]);
	return cgroups_apply(c, retry_ms, NULL) == 0;
}

static bool has_found_budget(const struct cgroups *c, const struct cgroup *n)
{
	for (size_t i = 0; i < c->n_domains; i++)
		if (n->found[i].runtime_us)
			return true;
	return false;
}

void cgroups_remove(struct cgroups *c, struct cgroup *n)
{
	n->is_container = false;
	n->is_retiring = true;
	cgroups_sweep(c);
}

bool cgroups_restore_retiring(struct cgroups *c)
{
	bool is_any_left = false;

	if (cgroups_sweep(c))
		cgroups_apply(c, 0, NULL);
	for (size_t i = c->nodes.n; i-- > 0;) {
		struct cgroup *n = c->nodes.items[i];

		if (!n->is_retiring)
			continue;
		if (!give_back(c, n, 0)) {
			is_any_left = true;
			continue;
		}
		n->is_retiring = false;
		n->is_unmanaged = has_found_budget(c, n);
		if (!n->is_unmanaged)
			cgroups_drop(c, n);
	}
	return is_any_left;
}

uint32_t cgroups_retained(const struct cgroups *c)
{
	int64_t most = 0;

	for (size_t i = 0; i < c->n_domains; i++) {
		int64_t sum = 0;

		array_each(it, &c->nodes) {
			struct bandwidth now = cgroups_tree_node(&c->domains[i], *it)->now;

			if ((*it)->is_retiring && now.runtime_us > 0 && now.period_us > 0)
				sum += (now.runtime_us * PPM + now.period_us - 1) / now.period_us;
		}
		most = sum > most ? sum : most;
	}
	return (uint32_t)most;
}

bool cgroups_is_retained(const struct cgroups *c, const char *path, struct bandwidth *ret)
{
	array_each(it, &c->nodes) {
		if (!(*it)->is_retiring || strcmp((*it)->path, path) != 0)
			continue;
		*ret = cgroups_tree_node(&c->domains[0], *it)->now;
		return true;
	}
	return false;
}

size_t cgroups_restore(struct cgroups *c)
{
	size_t n_kept = 0;

	cgroups_hold(c, false);
	cgroups_sweep(c);
	forget_removed(c);
	array_each(it, &c->nodes)
		for (size_t i = 0; i < c->n_domains; i++) {
			struct cgroup_tree_node *b = cgroups_tree_node(&c->domains[i], *it);

			b->at_least_us = b->is_derived ? (*it)->found[i].runtime_us : 0;
		}
	want_what_is(c);
	array_each(it, &c->nodes)
		if ((*it)->is_container || (*it)->is_retiring)
			n_kept += !give_back(c, *it, APPLY_RETRY_MS);
	/* What groups above still held for containers that are gone. */
	cgroups_apply(c, APPLY_RETRY_MS, NULL);
	return n_kept;
}
