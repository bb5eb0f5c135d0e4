/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/budget_tree.h"

#include <errno.h>

enum { RATIO_SHIFT = 20, NS_PER_US = 1000 };

/* MAX_BW of kernel/sched/sched.h. */
static const int64_t runtime_max_ns = ((int64_t)1 << 44) - 1;

uint64_t bandwidth_ratio(struct bandwidth b)
{
	if (b.runtime_us == RUNTIME_UNLIMITED)
		return 1 << RATIO_SHIFT;
	if (b.period_us == 0)
		return 0;
	return ((uint64_t)b.runtime_us << RATIO_SHIFT) / (uint64_t)b.period_us;
}

bool bandwidth_eq(struct bandwidth a, struct bandwidth b)
{
	return a.period_us == b.period_us && a.runtime_us == b.runtime_us;
}

int64_t bandwidth_runtime(uint64_t ratio, int64_t period_us)
{
	unsigned __int128 scaled = (unsigned __int128)ratio * (uint64_t)period_us;

	return (int64_t)((scaled + (1 << RATIO_SHIFT) - 1) >> RATIO_SHIFT);
}

uint32_t budget_tree_add(struct budget_tree *t, int32_t parent, const char *name,
			 struct bandwidth now)
{
	*array_add(&t->nodes) = (struct budget_node){
		.name = name,
		.parent = parent,
		.now = now,
		.want = now,
	};
	if (parent >= 0)
		t->nodes.items[parent].children += bandwidth_ratio(now);
	return (uint32_t)t->nodes.n - 1;
}

void budget_tree_done(struct budget_tree *t)
{
	array_done(&t->nodes);
}

/* What the kernel tests of one group alone. */
static int check_alone(const struct budget_tree *t, const struct budget_node *n, struct bandwidth b)
{
	bool is_limited = b.runtime_us != RUNTIME_UNLIMITED;

	if (b.period_us <= 0 || b.runtime_us < RUNTIME_UNLIMITED)
		return -EINVAL;
	if (n->is_root && b.runtime_us == 0)
		return -EINVAL;
	if (is_limited && (b.runtime_us > runtime_max_ns / NS_PER_US || b.runtime_us > b.period_us))
		return -EINVAL;
	if (b.runtime_us == 0 && n->now.runtime_us != 0 && n->has_tasks &&
	    t->global.runtime_us != RUNTIME_UNLIMITED)
		return -EBUSY;
	return bandwidth_ratio(b) > bandwidth_ratio(t->global) ? -EINVAL : 0;
}

int budget_tree_check(const struct budget_tree *t, uint32_t node, struct bandwidth to)
{
	const struct budget_node *n = &t->nodes.items[node];
	uint64_t ratio = bandwidth_ratio(to);

	int r = check_alone(t, n, to);
	if (r < 0)
		return r;
	if (n->children > ratio)
		return -EINVAL;
	if (n->parent < 0)
		return 0;

	const struct budget_node *parent = &t->nodes.items[n->parent];
	uint64_t sum = parent->children - bandwidth_ratio(n->now) + ratio;
	return sum > bandwidth_ratio(parent->now) ? -EINVAL : 0;
}

void budget_tree_set(struct budget_tree *t, uint32_t node, struct bandwidth to)
{
	struct budget_node *n = &t->nodes.items[node];

	if (n->parent >= 0)
		t->nodes.items[n->parent].children += bandwidth_ratio(to) - bandwidth_ratio(n->now);
	n->now = to;
}

/* The ratio in microseconds of a group's period, for messages. */
static long long as_us(uint64_t ratio, const struct budget_node *n)
{
	return (long long)bandwidth_runtime(ratio, n->want.period_us);
}

/* The part of `child` in its parent's period, rounded up: budgets of one period add up exactly. */
static int64_t share_us(const struct budget_node *parent, const struct budget_node *child)
{
	if (child->want.runtime_us == RUNTIME_UNLIMITED)
		return parent->now.period_us;
	if (child->want.period_us <= 0)
		return 0;
	__int128 scaled = (__int128)child->want.runtime_us * parent->now.period_us;
	return (int64_t)((scaled + child->want.period_us - 1) / child->want.period_us);
}

static void derive_wants(struct budget_tree *t)
{
	array_each(n, &t->nodes) {
		n->children_want = 0;
		if (n->is_derived)
			n->want = (struct bandwidth){ n->now.period_us, 0 };
	}
	for (size_t i = t->nodes.n; i-- > 0;) {
		struct budget_node *n = &t->nodes.items[i];

		if (n->is_derived && n->want.runtime_us < n->at_least_us)
			n->want.runtime_us = n->at_least_us;
		if (n->parent < 0)
			continue;
		struct budget_node *parent = &t->nodes.items[n->parent];
		parent->children_want += bandwidth_ratio(n->want);
		if (parent->is_derived)
			parent->want.runtime_us += share_us(parent, n);
	}
}

static int check_limits(const struct budget_tree *t, const struct budget_node *n, struct error *err)
{
	long long runtime = (long long)n->want.runtime_us, period = (long long)n->want.period_us;

	if (n->is_derived && n->at_most_us && n->want.runtime_us > n->at_most_us)
		return error_set(err, -EINVAL, "%s: needs %lld us of %lld, its limit is %lld us",
				 n->name, runtime, period, (long long)n->at_most_us);
	int r = check_alone(t, n, n->want);
	if (r == -EBUSY)
		return error_set(err, r, "%s: runtime 0 while real-time tasks run in it", n->name);
	if (r < 0)
		return error_set(err, r, "%s: %lld us of %lld us is more than the kernel allows",
				 n->name, runtime, period);
	return 0;
}

int budget_tree_derive(struct budget_tree *t, struct error *err)
{
	derive_wants(t);
	array_each(n, &t->nodes) {
		if (!bandwidth_eq(n->now, n->want) && check_limits(t, n, err) < 0)
			return err ? err->code : -EINVAL;
		if (n->children_want > bandwidth_ratio(n->want))
			return error_set(
				err, -EINVAL, "%s: its groups need %lld us of %lld us, it has %lld",
				n->name, as_us(n->children_want, n), (long long)n->want.period_us,
				(long long)n->want.runtime_us);
	}
	return 0;
}

static void add_write(struct budget_write *writes, size_t *n, uint32_t node,
		      enum budget_field field, struct bandwidth from, struct bandwidth to)
{
	if (!bandwidth_eq(from, to))
		writes[(*n)++] = (struct budget_write){ node, field, from, to };
}

/* A longer period is written before the runtime, a shorter one after it. */
static void add_writes(const struct budget_node *n, uint32_t node, struct budget_write *writes,
		       size_t *ret_n)
{
	bool is_longer = n->want.period_us > n->now.period_us;
	struct bandwidth mid = { is_longer ? n->want.period_us : n->now.period_us,
				 is_longer ? n->now.runtime_us : n->want.runtime_us };

	add_write(writes, ret_n, node, is_longer ? BUDGET_PERIOD : BUDGET_RUNTIME, n->now, mid);
	add_write(writes, ret_n, node, is_longer ? BUDGET_RUNTIME : BUDGET_PERIOD, mid, n->want);
}

static bool is_cut(const struct budget_node *n)
{
	return bandwidth_ratio(n->want) < bandwidth_ratio(n->now);
}

int budget_tree_plan(const struct budget_tree *t, struct budget_write *writes, size_t *ret_n,
		     struct error *err)
{
	size_t n = 0;

	array_each(node, &t->nodes)
		if (node->children && node->now.period_us != node->want.period_us)
			return error_set(err, -EINVAL,
					 "%s: the period of a group with budgets below it "
					 "cannot be changed",
					 node->name);
	for (size_t i = t->nodes.n; i-- > 0;)
		if (is_cut(&t->nodes.items[i]))
			add_writes(&t->nodes.items[i], (uint32_t)i, writes, &n);
	for (size_t i = 0; i < t->nodes.n; i++)
		if (!is_cut(&t->nodes.items[i]))
			add_writes(&t->nodes.items[i], (uint32_t)i, writes, &n);
	*ret_n = n;
	return 0;
}
