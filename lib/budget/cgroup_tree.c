/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cgroup_tree.h"
#include "base/units.h"

#include <errno.h>

enum { RATIO_SHIFT = 20, RATIO_ONE = 1 << RATIO_SHIFT, GIVE_TRIES = 4 };

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

uint32_t cgroup_tree_add(struct cgroup_tree *t, int32_t parent, const char *name,
			 struct bandwidth now)
{
	*array_add(&t->nodes) = (struct cgroup_tree_node){
		.name = name,
		.parent = parent,
		.now = now,
		.want = now,
	};
	if (parent >= 0)
		t->nodes.items[parent].children += bandwidth_ratio(now);
	array_clear(&t->changed);
	array_reserve(&t->changed, t->nodes.n);
	t->is_current = false;
	return (uint32_t)t->nodes.n - 1;
}

void cgroup_tree_done(struct cgroup_tree *t)
{
	array_done(&t->nodes);
	array_done(&t->changed);
}

/* True: it was not listed. */
static bool list(struct cgroup_tree *t, uint32_t node)
{
	size_t at = t->changed.n;

	if (!t->is_current || t->nodes.items[node].is_listed)
		return false;
	for (; at > 0 && t->changed.items[at - 1] > node; at--)
		t->changed.items[at] = t->changed.items[at - 1];
	t->changed.items[at] = node;
	t->changed.n++;
	t->nodes.items[node].is_listed = true;
	return true;
}

void cgroup_tree_want(struct cgroup_tree *t, uint32_t node, struct bandwidth want)
{
	struct cgroup_tree_node *n = &t->nodes.items[node];

	if (bandwidth_eq(n->want, want))
		return;
	n->want = want;
	list(t, node);
}

void cgroup_tree_invalidate(struct cgroup_tree *t)
{
	t->is_current = false;
}

void cgroup_tree_keep(struct cgroup_tree *t)
{
	array_each(n, &t->nodes)
		n->want = n->now;
	t->is_current = false;
}

/* What the kernel tests of one group alone. */
static int check_alone(const struct cgroup_tree *t, const struct cgroup_tree_node *n,
		       struct bandwidth b)
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

int cgroup_tree_check(const struct cgroup_tree *t, uint32_t node, struct bandwidth to)
{
	const struct cgroup_tree_node *n = &t->nodes.items[node];
	uint64_t ratio = bandwidth_ratio(to);

	int r = check_alone(t, n, to);
	if (r < 0)
		return r;
	if (n->children > ratio)
		return -EINVAL;
	if (n->parent < 0)
		return 0;

	const struct cgroup_tree_node *parent = &t->nodes.items[n->parent];
	uint64_t sum = parent->children - bandwidth_ratio(n->now) + ratio;
	return sum > bandwidth_ratio(parent->now) ? -EINVAL : 0;
}

void cgroup_tree_set(struct cgroup_tree *t, uint32_t node, struct bandwidth to)
{
	struct cgroup_tree_node *n = &t->nodes.items[node];

	if (n->parent >= 0)
		t->nodes.items[n->parent].children += bandwidth_ratio(to) - bandwidth_ratio(n->now);
	if (n->now.period_us != to.period_us)
		t->is_current = false;
	n->now = to;
	list(t, node);
}

/* The ratio in microseconds of a group's period, for messages. */
static long long as_us(uint64_t ratio, const struct cgroup_tree_node *n)
{
	return (long long)bandwidth_runtime(ratio, n->want.period_us);
}

/* The part of `child` in its parent's period, rounded up: budgets of one period add up exactly. */
static uint64_t share_us(const struct cgroup_tree_node *parent,
			 const struct cgroup_tree_node *child)
{
	if (child->want.runtime_us == RUNTIME_UNLIMITED)
		return (uint64_t)parent->now.period_us;
	if (child->want.period_us <= 0)
		return 0;
	__int128 scaled = (__int128)child->want.runtime_us * parent->now.period_us;
	return (uint64_t)((scaled + child->want.period_us - 1) / child->want.period_us);
}

void cgroup_tree_removed(struct cgroup_tree *t, uint32_t node)
{
	const struct cgroup_tree_node *n = &t->nodes.items[node];

	if (n->parent < 0 || n->now.runtime_us <= 0)
		return;
	struct cgroup_tree_node *parent = &t->nodes.items[n->parent];
	parent->removed_us += bandwidth_runtime(bandwidth_ratio(n->now), parent->now.period_us);
	t->has_removed = true;
	t->is_current = false;
}

void cgroup_tree_forget_removed(struct cgroup_tree *t)
{
	if (!t->has_removed)
		return;
	array_each(n, &t->nodes)
		n->removed_us = 0;
	t->has_removed = t->is_current = false;
}

/* Recomputes all sums; lists all nodes. */
static void recount(struct cgroup_tree *t)
{
	array_clear(&t->changed);
	for (uint32_t i = 0; i < t->nodes.n; i++) {
		struct cgroup_tree_node *n = &t->nodes.items[i];

		n->children_want = n->weight.ratio = 0;
		n->needs_us = n->weight.share_us = 0;
		n->is_listed = true;
		t->changed.items[t->changed.n++] = i;
	}
	t->is_current = true;
}

/* Once its want is known. True: its parent was not listed and is now, before it. */
static bool weigh(struct cgroup_tree *t, struct cgroup_tree_node *n)
{
	struct cgroup_tree_node *parent = n->parent < 0 ? NULL : &t->nodes.items[n->parent];
	uint64_t ratio = bandwidth_ratio(n->want), more = ratio - n->weight.ratio;
	uint64_t share = parent ? share_us(parent, n) : 0, longer = share - n->weight.share_us;

	n->weight.ratio = ratio;
	n->weight.share_us = share;
	if (!parent || (more == 0 && longer == 0))
		return false;
	parent->children_want += more;
	parent->needs_us += longer;
	return list(t, (uint32_t)n->parent);
}

static int64_t held_us(const struct cgroup_tree *t, const struct cgroup_tree_node *n)
{
	return t->is_holding ? n->now.runtime_us - bandwidth_runtime(t->give, n->now.period_us) : 0;
}

static struct bandwidth sum_of_children(const struct cgroup_tree *t,
					const struct cgroup_tree_node *n)
{
	int64_t needs = (int64_t)n->needs_us + n->removed_us, held = held_us(t, n);

	if (needs < n->at_least_us)
		needs = n->at_least_us;
	return (struct bandwidth){ n->now.period_us, needs > held ? needs : held };
}

/* From the leaves up: what comes into the list meanwhile is above what is looked at. */
static void derive_wants(struct cgroup_tree *t)
{
	for (size_t i = t->changed.n; i-- > 0;) {
		struct cgroup_tree_node *n = &t->nodes.items[t->changed.items[i]];

		if (n->is_derived)
			n->want = sum_of_children(t, n);
		i += weigh(t, n);
	}
}

static int check_limits(const struct cgroup_tree *t, const struct cgroup_tree_node *n,
			struct error *err)
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

static int check(const struct cgroup_tree *t, const struct cgroup_tree_node *n, struct error *err)
{
	if (!bandwidth_eq(n->now, n->want) && check_limits(t, n, err) < 0)
		return err ? err->code : -EINVAL;
	if (n->children_want > n->weight.ratio)
		return error_set(err, -EINVAL,
				 "%s: its groups need %lld us of %lld us, it has %lld", n->name,
				 as_us(n->children_want, n), (long long)n->want.period_us,
				 (long long)n->want.runtime_us);
	return 0;
}

/* Nodes that have what they want leave the list. */
static void unlist_done(struct cgroup_tree *t)
{
	size_t n_left = 0;

	array_each(i, &t->changed) {
		struct cgroup_tree_node *n = &t->nodes.items[*i];

		n->is_listed = !bandwidth_eq(n->now, n->want);
		if (n->is_listed)
			t->changed.items[n_left++] = *i;
	}
	t->changed.n = n_left;
}

static uint64_t above(uint64_t ratio, uint64_t limit)
{
	return ratio > limit ? ratio - limit : 0;
}

/* How much of the room of a group, or of what it may come to, is too little. */
static uint64_t missing_at(const struct cgroup_tree *t, const struct cgroup_tree_node *n)
{
	uint64_t ratio = n->weight.ratio, most = bandwidth_ratio(t->global);

	if (n->is_derived && n->at_most_us) {
		uint64_t limit =
			bandwidth_ratio((struct bandwidth){ n->want.period_us, n->at_most_us });

		most = limit < most ? limit : most;
	}
	uint64_t too_much = n->is_derived ? above(ratio, most) : 0;
	uint64_t below = above(n->children_want, ratio);
	return too_much > below ? too_much : below;
}

static uint64_t most_missing(const struct cgroup_tree *t)
{
	uint64_t most = 0;

	array_each(i, &t->changed) {
		uint64_t missing = missing_at(t, &t->nodes.items[*i]);

		most = missing > most ? missing : most;
	}
	return most;
}

/* Held budget that is needed elsewhere is released: every holding group releases as much as is
 * missing, since a release helps only if the groups above release, too. */
static void derive_all(struct cgroup_tree *t)
{
	t->give = 0;
	for (int tries = 1;; tries++) {
		if (!t->is_current)
			recount(t);
		derive_wants(t);
		uint64_t missing = t->is_holding && t->give < RATIO_ONE ? most_missing(t) : 0;
		if (!missing)
			return;
		t->give = tries < GIVE_TRIES ? t->give + missing : RATIO_ONE;
		t->is_current = false;
	}
}

int cgroup_tree_derive(struct cgroup_tree *t, struct error *err)
{
	derive_all(t);
	array_each(i, &t->changed) {
		int r = check(t, &t->nodes.items[*i], err);

		if (r < 0) {
			t->is_current = false;
			return r;
		}
	}
	unlist_done(t);
	return 0;
}

static void add_write(struct budget_write *writes, size_t *n, uint32_t node,
		      enum budget_field field, struct bandwidth from, struct bandwidth to)
{
	if (!bandwidth_eq(from, to))
		writes[(*n)++] = (struct budget_write){ node, field, from, to };
}

/* A longer period is written before the runtime, a shorter one after it. */
static void add_writes(const struct cgroup_tree *t, uint32_t node, struct budget_write *writes,
		       size_t *ret_n)
{
	const struct cgroup_tree_node *n = &t->nodes.items[node];
	bool is_longer = n->want.period_us > n->now.period_us;
	struct bandwidth mid = { is_longer ? n->want.period_us : n->now.period_us,
				 is_longer ? n->now.runtime_us : n->want.runtime_us };

	add_write(writes, ret_n, node, is_longer ? BUDGET_PERIOD : BUDGET_RUNTIME, n->now, mid);
	add_write(writes, ret_n, node, is_longer ? BUDGET_RUNTIME : BUDGET_PERIOD, mid, n->want);
}

static bool is_cut(const struct cgroup_tree_node *n)
{
	return !bandwidth_eq(n->want, n->now) && n->weight.ratio < bandwidth_ratio(n->now);
}

int cgroup_tree_plan(const struct cgroup_tree *t, struct budget_write *writes, size_t *ret_n,
		     struct error *err)
{
	size_t n = 0;

	array_each(i, &t->changed) {
		const struct cgroup_tree_node *node = &t->nodes.items[*i];

		if (node->children && node->now.period_us != node->want.period_us)
			return error_set(err, -EINVAL,
					 "%s: the period of a group with budgets below it "
					 "cannot be changed",
					 node->name);
	}
	for (size_t i = t->changed.n; i-- > 0;)
		if (is_cut(&t->nodes.items[t->changed.items[i]]))
			add_writes(t, t->changed.items[i], writes, &n);
	array_each(i, &t->changed)
		if (!is_cut(&t->nodes.items[*i]))
			add_writes(t, *i, writes, &n);
	*ret_n = n;
	return 0;
}
