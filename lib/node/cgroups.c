/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "node/cgroups_internal.h"

void cgroups_init(struct cgroups *f, const struct kernel *k, const struct backend *b)
{
	struct bandwidth global = { k->rt_period_us, k->rt_runtime_us };

	if (!b->is_rt)
		global.runtime_us = RUNTIME_UNLIMITED;
	*f = (struct cgroups){ .kernel = k, .backend = b };
	f->n_domains = b->is_per_cpu ? k->cpus : 1;
	f->domains = xcalloc(f->n_domains, sizeof(*f->domains));
	for (size_t i = 0; i < f->n_domains; i++) {
		f->domains[i].cpu = b->is_per_cpu ? (int)i : CPU_ALL;
		f->domains[i].tree.global = global;
	}
}

void cgroups_done(struct cgroups *f)
{
	array_each(n, &f->nodes)
		cgroups_free_node(*n);
	array_done(&f->nodes);
	array_done(&f->groups);
	for (size_t i = 0; i < f->n_domains; i++) {
		budget_tree_done(&f->domains[i].tree);
		free(f->domains[i].writes);
	}
	free(f->domains);
	*f = (struct cgroups){ 0 };
}

void cgroups_want(struct cgroups *f, struct cgroup *n, const struct cpuset *cpus,
		  struct bandwidth budget)
{
	n->group.cpus = *cpus;
	for (size_t i = 0; i < f->n_domains; i++) {
		struct cpu_domain *l = &f->domains[i];
		bool is_here = l->cpu == CPU_ALL || cpuset_has(cpus, (unsigned)l->cpu);
		struct bandwidth none = { cgroups_tree_node(l, n)->now.period_us, 0 };

		budget_tree_want(&l->tree, n->index, is_here ? budget : none);
	}
}

static void want_what_is(struct cgroups *f)
{
	for (size_t i = 0; i < f->n_domains; i++)
		budget_tree_keep(&f->domains[i].tree);
}

static struct apply domain_apply(struct cgroups *f, struct cpu_domain *l, int retry_ms)
{
	return (struct apply){ &l->tree, f->groups.items, l->cpu, retry_ms };
}

static int plan_domains(struct cgroups *f, struct error *err)
{
	for (size_t i = 0; i < f->n_domains; i++) {
		struct cpu_domain *l = &f->domains[i];

		if (budget_tree_derive(&l->tree, err) < 0 ||
		    budget_tree_plan(&l->tree, l->writes, &l->n_writes, err) < 0)
			return err->code;
	}
	return 0;
}

static int write_domains(struct cgroups *f, int retry_ms, struct error *err)
{
	for (size_t i = 0; i < f->n_domains; i++) {
		struct apply a = domain_apply(f, &f->domains[i], retry_ms);

		if (apply_writes(&a, f->domains[i].writes, f->domains[i].n_writes, err) == 0)
			continue;
		while (i-- > 0) {
			a = domain_apply(f, &f->domains[i], 0);
			apply_undo(&a, f->domains[i].writes, f->domains[i].n_writes);
		}
		return err->code;
	}
	return 0;
}

void cgroups_note_change(struct cgroups *f)
{
	f->release_ms = clock_ms() + HELD_MS;
}

static bool has_writes(const struct cgroups *f)
{
	for (size_t i = 0; i < f->n_domains; i++)
		if (f->domains[i].n_writes)
			return true;
	return false;
}

int cgroups_apply(struct cgroups *f, int retry_ms, struct error *err)
{
	struct error local;

	if (!err)
		err = &local;
	int r = plan_domains(f, err);
	if (r == 0)
		r = write_domains(f, retry_ms, err);
	if (r < 0)
		want_what_is(f);
	else if (has_writes(f))
		cgroups_note_change(f);
	return r;
}

static void set_holding(struct cgroups *f, bool is_holding)
{
	for (size_t i = 0; i < f->n_domains; i++) {
		f->domains[i].tree.is_holding = is_holding;
		budget_tree_renew(&f->domains[i].tree);
	}
}

void cgroups_hold(struct cgroups *f, bool is_holding)
{
	f->is_holding = is_holding;
	cgroups_note_change(f);
	set_holding(f, is_holding);
}

void cgroups_release(struct cgroups *f)
{
	if (!f->is_holding || !f->release_ms || clock_ms() < f->release_ms)
		return;
	set_holding(f, false);
	if (cgroups_apply(f, 0, NULL) == 0)
		f->release_ms = 0;
	set_holding(f, true);
}

int cgroups_verify(struct cgroups *f, struct error *err)
{
	for (size_t i = 0; i < f->n_domains; i++) {
		struct cpu_domain *l = &f->domains[i];
		struct apply a = domain_apply(f, l, 0);

		if (apply_verify(&a, l->writes, l->n_writes, err) < 0)
			return err ? err->code : -EREMCHG;
	}
	return 0;
}

void cgroups_warm_up(struct cgroups *f)
{
	struct error err;

	if (plan_domains(f, &err) == 0)
		cgroups_verify(f, &err);
	want_what_is(f);
}

int cgroups_read(const struct cgroups *f, const struct cgroup *n, struct bandwidth *ret_kernel,
		 struct bandwidth *ret_ours, struct error *err)
{
	unsigned first = cpuset_next(&n->group.cpus, 0);
	const struct cpu_domain *l =
		&f->domains[f->n_domains > 1 && first < f->n_domains ? first : 0];

	*ret_ours = cgroups_tree_node(l, n)->now;
	return group_read(&n->group, l->cpu, ret_kernel, err);
}

void cgroups_refresh(struct cgroups *f)
{
	cgroups_sweep(f);
	for (size_t k = 0; k < f->nodes.n; k++) {
		struct cgroup *n = f->nodes.items[k];

		for (size_t i = 0; i < f->n_domains; i++) {
			struct bandwidth now = { SECOND_US, 0 };

			group_read(&n->group, f->domains[i].cpu, &now, NULL);
			budget_tree_set(&f->domains[i].tree, n->index, now);
		}
		if (!n->is_container && !n->is_unmanaged && !n->is_leaving)
			cgroups_add_unmanaged(f, n);
	}
	want_what_is(f);
	cgroups_note_change(f);
}

void cgroups_set_found(struct cgroups *f, struct cgroup *n, size_t cpu_domain,
		       struct bandwidth found)
{
	struct budget_node *b = cgroups_tree_node(&f->domains[cpu_domain], n);

	n->found[cpu_domain] = found;
	if (b->is_derived && !n->is_pod)
		b->at_least_us = found.runtime_us;
	budget_tree_renew(&f->domains[cpu_domain].tree);
}

bool cgroups_is_sum(const struct cgroups *f, const struct cgroup *n, size_t cpu_domain)
{
	const struct budget_node *b = cgroups_tree_node(&f->domains[cpu_domain], n);
	uint64_t ratio = bandwidth_ratio(b->now), rounded = 2 * (uint64_t)n->n_children;

	return b->is_derived && b->children && ratio - b->children <= rounded;
}

/* One group at a time: a refusal must not keep the others from theirs. */
static bool give_back(struct cgroups *f, const struct cgroup *n, int retry_ms)
{
	for (size_t i = 0; i < f->n_domains; i++)
		budget_tree_want(&f->domains[i].tree, n->index, n->found[i]);
	return cgroups_apply(f, retry_ms, NULL) == 0;
}

static bool has_found_budget(const struct cgroups *f, const struct cgroup *n)
{
	for (size_t i = 0; i < f->n_domains; i++)
		if (n->found[i].runtime_us)
			return true;
	return false;
}

void cgroups_remove(struct cgroups *f, struct cgroup *n)
{
	n->is_container = false;
	n->is_leaving = true;
	cgroups_sweep(f);
}

bool cgroups_restore_retiring(struct cgroups *f)
{
	bool is_any_left = false;

	if (cgroups_sweep(f))
		cgroups_apply(f, 0, NULL);
	for (size_t i = f->nodes.n; i-- > 0;) {
		struct cgroup *n = f->nodes.items[i];

		if (!n->is_leaving)
			continue;
		if (!give_back(f, n, 0)) {
			is_any_left = true;
			continue;
		}
		n->is_leaving = false;
		n->is_unmanaged = has_found_budget(f, n);
		if (!n->is_unmanaged)
			cgroups_drop(f, n);
	}
	return is_any_left;
}

size_t cgroups_restore(struct cgroups *f)
{
	size_t n_kept = 0;

	cgroups_hold(f, false);
	cgroups_sweep(f);
	array_each(it, &f->nodes)
		for (size_t i = 0; i < f->n_domains; i++) {
			struct budget_node *b = cgroups_tree_node(&f->domains[i], *it);

			b->at_least_us = b->is_derived ? (*it)->found[i].runtime_us : 0;
		}
	want_what_is(f);
	array_each(it, &f->nodes)
		if ((*it)->is_container || (*it)->is_leaving)
			n_kept += !give_back(f, *it, APPLY_RETRY_MS);
	return n_kept;
}
