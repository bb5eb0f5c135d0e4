/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "node/cgroups_internal.h"

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

void forest_done(struct forest *f)
{
	array_each(n, &f->nodes)
		forest_free_node(*n);
	array_done(&f->nodes);
	array_done(&f->groups);
	for (size_t i = 0; i < f->n_lanes; i++) {
		budget_tree_done(&f->lanes[i].tree);
		free(f->lanes[i].writes);
	}
	free(f->lanes);
	*f = (struct forest){ 0 };
}

void forest_want(struct forest *f, struct forest_node *n, const struct cpuset *cpus,
		 struct bandwidth budget)
{
	n->group.cpus = *cpus;
	for (size_t i = 0; i < f->n_lanes; i++) {
		struct lane *l = &f->lanes[i];
		bool is_here = l->cpu == CPU_ALL || cpuset_has(cpus, (unsigned)l->cpu);
		struct bandwidth none = { forest_tree_node(l, n)->now.period_us, 0 };

		budget_tree_want(&l->tree, n->index, is_here ? budget : none);
	}
}

static void want_what_is(struct forest *f)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		budget_tree_keep(&f->lanes[i].tree);
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

void forest_note_change(struct forest *f)
{
	f->release_ms = clock_ms() + HELD_MS;
}

static bool has_writes(const struct forest *f)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		if (f->lanes[i].n_writes)
			return true;
	return false;
}

int forest_apply(struct forest *f, int retry_ms, struct error *err)
{
	struct error local;

	if (!err)
		err = &local;
	int r = plan_lanes(f, err);
	if (r == 0)
		r = write_lanes(f, retry_ms, err);
	if (r < 0)
		want_what_is(f);
	else if (has_writes(f))
		forest_note_change(f);
	return r;
}

static void set_holding(struct forest *f, bool is_holding)
{
	for (size_t i = 0; i < f->n_lanes; i++) {
		f->lanes[i].tree.is_holding = is_holding;
		budget_tree_renew(&f->lanes[i].tree);
	}
}

void forest_hold(struct forest *f, bool is_holding)
{
	f->is_holding = is_holding;
	forest_note_change(f);
	set_holding(f, is_holding);
}

void forest_release(struct forest *f)
{
	if (!f->is_holding || !f->release_ms || clock_ms() < f->release_ms)
		return;
	set_holding(f, false);
	if (forest_apply(f, 0, NULL) == 0)
		f->release_ms = 0;
	set_holding(f, true);
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

void forest_rehearse(struct forest *f)
{
	struct error err;

	if (plan_lanes(f, &err) == 0)
		forest_verify(f, &err);
	want_what_is(f);
}

int forest_read(const struct forest *f, const struct forest_node *n, struct bandwidth *ret_kernel,
		struct bandwidth *ret_ours, struct error *err)
{
	unsigned first = cpuset_next(&n->group.cpus, 0);
	const struct lane *l = &f->lanes[f->n_lanes > 1 && first < f->n_lanes ? first : 0];

	*ret_ours = forest_tree_node(l, n)->now;
	return group_read(&n->group, l->cpu, ret_kernel, err);
}

void forest_refresh(struct forest *f)
{
	forest_sweep(f);
	for (size_t k = 0; k < f->nodes.n; k++) {
		struct forest_node *n = f->nodes.items[k];

		for (size_t i = 0; i < f->n_lanes; i++) {
			struct bandwidth now = { SECOND_US, 0 };

			group_read(&n->group, f->lanes[i].cpu, &now, NULL);
			budget_tree_set(&f->lanes[i].tree, n->index, now);
		}
		if (!n->is_container && !n->is_foreign && !n->is_leaving)
			forest_add_foreign(f, n);
	}
	want_what_is(f);
	forest_note_change(f);
}

void forest_set_found(struct forest *f, struct forest_node *n, size_t lane, struct bandwidth found)
{
	struct budget_node *b = forest_tree_node(&f->lanes[lane], n);

	n->found[lane] = found;
	if (b->is_derived && !n->is_pod)
		b->at_least_us = found.runtime_us;
	budget_tree_renew(&f->lanes[lane].tree);
}

bool forest_is_sum(const struct forest *f, const struct forest_node *n, size_t lane)
{
	const struct budget_node *b = forest_tree_node(&f->lanes[lane], n);
	uint64_t ratio = bandwidth_ratio(b->now), rounded = 2 * (uint64_t)n->n_children;

	return b->is_derived && b->children && ratio - b->children <= rounded;
}

/* One group at a time: a refusal must not keep the others from theirs. */
static bool give_back(struct forest *f, const struct forest_node *n, int retry_ms)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		budget_tree_want(&f->lanes[i].tree, n->index, n->found[i]);
	return forest_apply(f, retry_ms, NULL) == 0;
}

static bool has_found_budget(const struct forest *f, const struct forest_node *n)
{
	for (size_t i = 0; i < f->n_lanes; i++)
		if (n->found[i].runtime_us)
			return true;
	return false;
}

void forest_remove(struct forest *f, struct forest_node *n)
{
	n->is_container = false;
	n->is_leaving = true;
	forest_sweep(f);
}

bool forest_let_go(struct forest *f)
{
	bool is_any_left = false;

	if (forest_sweep(f))
		forest_apply(f, 0, NULL);
	for (size_t i = f->nodes.n; i-- > 0;) {
		struct forest_node *n = f->nodes.items[i];

		if (!n->is_leaving)
			continue;
		if (!give_back(f, n, 0)) {
			is_any_left = true;
			continue;
		}
		n->is_leaving = false;
		n->is_foreign = has_found_budget(f, n);
		if (!n->is_foreign)
			forest_drop(f, n);
	}
	return is_any_left;
}

size_t forest_restore(struct forest *f)
{
	size_t n_kept = 0;

	forest_hold(f, false);
	forest_sweep(f);
	array_each(it, &f->nodes)
		for (size_t i = 0; i < f->n_lanes; i++) {
			struct budget_node *b = forest_tree_node(&f->lanes[i], *it);

			b->at_least_us = b->is_derived ? (*it)->found[i].runtime_us : 0;
		}
	want_what_is(f);
	array_each(it, &f->nodes)
		if ((*it)->is_container || (*it)->is_leaving)
			n_kept += !give_back(f, *it, APPLY_RETRY_MS);
	return n_kept;
}
