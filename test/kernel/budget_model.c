/* SPDX-License-Identifier: Apache-2.0 */

/* Random trees of cgroup v1 RT groups and random changes: the kernel and cgroup_tree_check() must
 * agree on every accept and on every refusal, with its errno, and what cgroup_tree_plan() orders
 * must be taken write by write. All groups are below one that is made for this, with half a core's
 * worth of budget. */
#include "budget/cgroup_tree.h"
#include "rt_group.h"

enum { GROUPS = 12, CHANGES = 20, TREES = 1000, TOP_US = 500000 };

static const int64_t periods[] = { 1000, 10000, 33333, 100000, 1000000, 3999999 };

struct trial {
	char top[128];
	struct cgroup_tree t;
	char paths[GROUPS][256];
	pid_t sleeper; /* a FIFO process in group `busy` */
	uint32_t busy;
};

static int put_field(const struct trial *w, const struct budget_write *write)
{
	const char *path = w->paths[write->node];

	if (write->field == BUDGET_PERIOD)
		return rt_put(path, "cpu.rt_period_us", write->to.period_us);
	return rt_put(path, "cpu.rt_runtime_us", write->to.runtime_us);
}

static void make_tree(struct trial *w, int round)
{
	w->t = (struct cgroup_tree){ .global = { 1000000, 950000 }, .is_holding = round & 1 };
	cgroup_tree_add(&w->t, -1, "top", (struct bandwidth){ 1000000, TOP_US });
	snprintf(w->paths[0], sizeof(w->paths[0]), "%s", w->top);
	for (int i = 1; i < GROUPS; i++) {
		int parent = (int)(random() % i);

		cgroup_tree_add(&w->t, parent, w->paths[i], (struct bandwidth){ 1000000, 0 });
		snprintf(w->paths[i], sizeof(w->paths[i]), "%.200s/r%d-%d", w->paths[parent], round,
			 i);
		if (mkdir(w->paths[i], 0755) < 0) {
			perror(w->paths[i]);
			exit(1);
		}
	}
	w->sleeper = 0;
}

/* Budgets to nothing before the groups go: a removed group counts for a while. */
static void remove_tree(struct trial *w)
{
	rt_stop(w->sleeper);
	for (int i = GROUPS - 1; i > 0; i--)
		rt_group_remove(w->paths[i]);
	cgroup_tree_done(&w->t);
}

static struct bandwidth random_change(struct bandwidth now, enum budget_field field)
{
	if (field == BUDGET_PERIOD) {
		now.period_us = random() % 40 ? periods[random() % 6] : 0;
		return now;
	}
	now.runtime_us = random() % (now.period_us / (1 + random() % 8) + 1);
	if (random() % 20 == 0)
		now.runtime_us = -1;
	if (random() % 20 == 0)
		now.runtime_us = now.period_us + random() % 2;
	if (random() % 10 == 0)
		now.runtime_us = 0;
	return now;
}

/* One write chosen at random: true if the kernel does as the model says. */
static bool agrees(struct trial *w, size_t counts[2])
{
	struct budget_write write = {
		.node = 1 + (uint32_t)(random() % (GROUPS - 1)),
		.field = random() % 4 ? BUDGET_RUNTIME : BUDGET_PERIOD,
	};

	write.from = w->t.nodes.items[write.node].now;
	write.to = random_change(write.from, write.field);
	int expected = cgroup_tree_check(&w->t, write.node, write.to);
	int got = put_field(w, &write);
	if (got == 0)
		cgroup_tree_set(&w->t, write.node, write.to);
	counts[got == 0]++;
	if (got == expected)
		return true;
	printf("group %s: %lld/%lld -> %lld/%lld: the model says %d, the kernel %d\n",
	       w->paths[write.node], (long long)write.from.runtime_us,
	       (long long)write.from.period_us, (long long)write.to.runtime_us,
	       (long long)write.to.period_us, expected, got);
	return false;
}

static void start_busy_group(struct trial *w)
{
	w->busy = 1 + (uint32_t)(random() % (GROUPS - 1));
	if (w->t.nodes.items[w->busy].now.runtime_us == 0)
		return;
	w->sleeper = rt_start(w->paths[w->busy], 0, rt_sleep, NULL);
	if (w->sleeper > 0 && rt_is_fifo(w->sleeper))
		w->t.nodes.items[w->busy].has_tasks = true;
}

/* Random wants for the leaves, through derive and plan. */
static bool plan_is_taken(struct trial *w)
{
	struct budget_write writes[2 * GROUPS];
	size_t n;

	cgroup_tree_keep(&w->t);
	for (uint32_t i = 0; i < w->t.nodes.n; i++) {
		struct cgroup_tree_node *node = &w->t.nodes.items[i];

		node->is_derived = node->children && node->parent >= 0;
		if (node->parent >= 0 && !node->children)
			cgroup_tree_want(&w->t, i, random_change(node->now, BUDGET_RUNTIME));
	}
	if (cgroup_tree_derive(&w->t, NULL) < 0)
		return true;
	if (cgroup_tree_plan(&w->t, writes, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (put_field(w, &writes[i]) < 0)
			return false;
		cgroup_tree_set(&w->t, writes[i].node, writes[i].to);
	}
	return true;
}

static bool round_agrees(struct trial *w, int round, size_t counts[2])
{
	bool is_good = true;

	make_tree(w, round);
	for (int i = 0; is_good && i < CHANGES; i++) {
		if (i == CHANGES / 2 && round % 4 == 0)
			start_busy_group(w);
		is_good = agrees(w, counts);
	}
	if (is_good && !plan_is_taken(w)) {
		printf("round %d: a write of the plan was refused\n", round);
		is_good = false;
	}
	remove_tree(w);
	return is_good;
}

int main(int argc, char **argv)
{
	struct trial w = { 0 };
	size_t counts[2] = { 0 };
	int n = argc > 1 ? atoi(argv[1]) : TREES, round = 0;
	bool is_good = true;

	srandom(argc > 2 ? (unsigned)atoi(argv[2]) : 1);
	snprintf(w.top, sizeof(w.top), RT_MOUNT "/mckube-model-%d", getpid());
	if (mkdir(w.top, 0755) < 0 || rt_put(w.top, "cpu.rt_runtime_us", TOP_US) < 0) {
		rmdir(w.top);
		printf("no RT groups of cgroup v1 that may be changed\n");
		return 77;
	}
	for (; is_good && round < n; round++)
		is_good = round_agrees(&w, round, counts);
	rt_group_remove(w.top);
	printf("%d trees, %zu writes accepted, %zu refused\n", round, counts[1], counts[0]);
	return is_good ? 0 : 1;
}
