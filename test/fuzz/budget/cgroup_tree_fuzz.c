/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cgroup_tree.h"

#include <stdlib.h>
#include <string.h>

/* Bytes become a tree and wants of any value, also such as no kernel would report. Whatever
 * derive() lets through for a tree that was valid must be accepted at every step. */

struct bytes {
	const uint8_t *at;
	size_t left;
};

static uint64_t take(struct bytes *b, size_t n)
{
	uint64_t value = 0;

	if (n > b->left)
		n = b->left;
	memcpy(&value, b->at, n);
	b->at += n;
	b->left -= n;
	return value;
}

static struct bandwidth take_bandwidth(struct bytes *b)
{
	if (take(b, 1) % 4 == 0)
		return (struct bandwidth){ (int64_t)take(b, 8), (int64_t)take(b, 8) };
	int64_t period = 100 + (int64_t)(take(b, 3) % 4000000);
	return (struct bandwidth){ period, (int64_t)take(b, 3) % period };
}

/* Budgets in place of their own accord: only those that the kernel would have taken. */
static void build(struct cgroup_tree *t, struct bytes *b)
{
	size_t n = 2 + take(b, 1) % 30;

	cgroup_tree_add(t, -1, "root", t->global);
	for (size_t i = 1; i < n; i++) {
		uint32_t id = cgroup_tree_add(t, (int32_t)(take(b, 1) % i), "group",
					      (struct bandwidth){ 1000000, 0 });
		struct bandwidth now = take_bandwidth(b);
		uint8_t flags = (uint8_t)take(b, 1);

		if (cgroup_tree_check(t, id, now) == 0)
			cgroup_tree_set(t, id, now);
		t->nodes.items[id].is_derived = flags & 1;
		t->nodes.items[id].has_tasks = flags & 2;
		t->nodes.items[id].at_least_us = flags & 4 ? (int64_t)take(b, 2) : 0;
	}
	cgroup_tree_keep(t);
}

/* Whatever groups hold is no reason for a refusal, and none gets less than without. */
static void compare_with_holding(struct cgroup_tree *t)
{
	struct cgroup_tree_node held[32];
	int r;

	t->is_holding = true;
	cgroup_tree_invalidate(t);
	r = cgroup_tree_derive(t, NULL);
	memcpy(held, t->nodes.items, t->nodes.n * sizeof(held[0]));
	t->is_holding = false;
	cgroup_tree_invalidate(t);
	int exact = cgroup_tree_derive(t, NULL);
	if (exact == 0 && r != 0)
		abort();
	for (size_t i = 0; exact == 0 && i < t->nodes.n; i++)
		if (held[i].want.runtime_us != RUNTIME_UNLIMITED &&
		    held[i].want.runtime_us < t->nodes.items[i].want.runtime_us)
			abort();
	t->is_holding = true;
	cgroup_tree_invalidate(t);
}

/* A few changes lead to what all of them together lead to. */
static int derive(struct cgroup_tree *t, struct error *err)
{
	struct cgroup_tree_node before[32];

	if (t->is_holding)
		compare_with_holding(t);
	int r = cgroup_tree_derive(t, err);

	memcpy(before, t->nodes.items, t->nodes.n * sizeof(before[0]));
	cgroup_tree_invalidate(t);
	if (cgroup_tree_derive(t, err) != r)
		abort();
	for (size_t i = 0; i < t->nodes.n; i++)
		if (!bandwidth_eq(before[i].want, t->nodes.items[i].want))
			abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct cgroup_tree t = { .global = { 1000000, 950000 } };
	struct budget_write writes[64];
	struct error err;
	size_t n;

	t.is_holding = take(&b, 1) & 1;
	build(&t, &b);
	while (b.left) {
		uint32_t node = (uint32_t)(take(&b, 1) % t.nodes.n);

		cgroup_tree_want(&t, node, take_bandwidth(&b));
		if (derive(&t, &err) < 0 || cgroup_tree_plan(&t, writes, &n, &err) < 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (cgroup_tree_check(&t, writes[i].node, writes[i].to) < 0)
				abort();
			cgroup_tree_set(&t, writes[i].node, writes[i].to);
		}
	}
	cgroup_tree_done(&t);
	return 0;
}
