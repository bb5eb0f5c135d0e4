/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine.h"

#include <errno.h>
#include <string.h>

#include "fake_tree.h"
#include "test/unit/test.h"

/* The engine on a made-up tree, with a backend that can refuse and an overrun source that says what
 * the test wants. */
static struct {
	int n_writes, refuse_from, refuse_with;
	const char *vanishing; /* a folder that is removed when write `vanish_at` comes */
	int vanish_at;
	bool is_spoiled;  /* another process writes right after the next write */
	int spoiled_dir;  /* of the group where it did; 0: it was corrected */
	int kubepods_had; /* before us; the groups of p1 had 200000 */
} fake;

static int kernel_open(struct group *g, struct error *err)
{
	(void)err;
	g->now.period_us = 1000000;
	if (fake.kubepods_had && strcmp(g->name, "/") == 0)
		g->now.runtime_us = 950000;
	else if (fake.kubepods_had && strcmp(g->name, "kubepods") == 0)
		g->now.runtime_us = fake.kubepods_had;
	else if (fake.kubepods_had && strstr(g->name, "podp1"))
		g->now.runtime_us = 200000;
	return 0;
}

static int kernel_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	(void)cpu;
	if (faccessat(g->dir, "tasks", F_OK, 0) < 0)
		return error_set(err, -ENODEV, "gone");
	*ret = g->now;
	ret->runtime_us += g->dir == fake.spoiled_dir ? 7 : 0;
	return 0;
}

static void vanish(void)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/tasks", fake.vanishing);
	assert_int_equal(unlink(file) | rmdir(fake.vanishing), 0);
}

static int kernel_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
			struct error *err)
{
	(void)cpu;
	(void)field;
	(void)to;
	if (fake.vanishing && fake.n_writes == fake.vanish_at)
		vanish();
	if (faccessat(g->dir, "tasks", F_OK, 0) < 0) {
		fake.vanishing = NULL;
		return error_set(err, -ENODEV, "gone");
	}
	if (fake.is_spoiled || g->dir == fake.spoiled_dir)
		fake.spoiled_dir = fake.is_spoiled ? g->dir : 0;
	fake.is_spoiled = false;
	if (fake.refuse_with && fake.n_writes >= fake.refuse_from)
		return error_set(err, fake.refuse_with, "refused by the kernel");
	fake.n_writes++;
	return 0;
}

static const struct backend fake_backend = {
	.name = "fake",
	.guarantee = "none",
	.scope = SCOPE_NODE,
	.has_tree = true,
	.is_rt = true,
	.open = kernel_open,
	.read = kernel_read,
	.write = kernel_write,
};

/* The same, which enforces nothing. */
static const struct backend fake_noop = {
	.name = "fake-noop",
	.guarantee = "none",
	.scope = SCOPE_NODE,
	.open = kernel_open,
	.read = kernel_read,
	.write = kernel_write,
};

static uint64_t last_limit[OVERRUN_LIMITS];

static int source_open(struct overruns *o, struct error *err)
{
	(void)o;
	(void)err;
	return 0;
}

static int source_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
			const uint64_t limit_ns[OVERRUN_LIMITS], struct error *err)
{
	(void)o;
	(void)g;
	(void)cgroup;
	(void)err;
	memcpy(last_limit, limit_ns, sizeof(last_limit));
	return 0;
}

static void source_forget(struct overruns *o, uint64_t cgroup)
{
	(void)o;
	(void)cgroup;
}

static void source_nothing(struct overruns *o)
{
	(void)o;
}

static void source_read(struct overruns *o, unsigned queue)
{
	(void)o;
	(void)queue;
}

static const struct overrun_source fake_source = {
	.name = "fake",
	.open = source_open,
	.watch = source_watch,
	.forget = source_forget,
	.read = source_read,
	.close = source_nothing,
};

struct fixture {
	struct fake_tree tree;
	struct kernel kernel;
	struct overruns overruns;
	struct engine engine;
};

static void fixture_init_with(struct fixture *f, const struct backend *b)
{
	struct error err;

	memset(f, 0, sizeof(*f));
	memset(&fake, 0, sizeof(fake));
	fake_tree_init(&f->tree);
	fake_file(&f->tree, "kubepods/podp1/c1/tasks", "");
	fake_file(&f->tree, "kubepods/podp2/c2/tasks", "");
	snprintf(f->kernel.cpu, sizeof(f->kernel.cpu), "%s", f->tree.root);
	f->kernel.rt_period_us = 1000000;
	f->kernel.rt_runtime_us = 950000;
	f->kernel.cpus = 2;
	fake_file(&f->tree, "tasks", "");
	fake_file(&f->tree, "kubepods/tasks", "");
	fake_file(&f->tree, "kubepods/podp1/tasks", "");
	fake_file(&f->tree, "kubepods/podp2/tasks", "");
	overruns_open(&f->overruns, &f->kernel, b, &fake_source, &err, &err);
	assert_int_equal(engine_init(&f->engine, &f->kernel, b, &f->overruns, &err), 0);
	f->engine.escalation.rules.headroom_us = 0;
}

static void fixture_init(struct fixture *f)
{
	fixture_init_with(f, &fake_backend);
}

static void fixture_done(struct fixture *f)
{
	engine_done(&f->engine);
	fake_tree_done(&f->tree);
}

static int set(struct fixture *f, const char *uid, enum level criticality, int low, int hi,
	       const char *path, struct error *err)
{
	const struct container_want container = { "app", path, PPM };
	const struct pod_want want = {
		.uid = uid,
		.ns = "default",
		.name = uid,
		.budget = { 1000000, low, hi, 0, 1000, (uint8_t)criticality },
		.cores = { { 3 } },
		.enforcement = ENFORCE_RAISE,
		.is_single = true,
		.containers = &container,
		.n_containers = 1,
	};

	return engine_set_pod(&f->engine, &want, err);
}

static int32_t runtime_of(struct fixture *f, const char *path)
{
	array_each(n, &f->engine.cgroups.nodes)
		if (strcmp((*n)->path, path) == 0)
			return (int32_t)(*n)->group.now.runtime_us;
	return -1;
}

static bool has_note(struct fixture *f, enum node_event_kind kind, const char *text)
{
	struct node_event n;
	bool is_found = false;

	while (engine_take_event(&f->engine, &n))
		is_found |= n.kind == kind && strstr(n.text, text);
	return is_found;
}

static void pass_limit(struct fixture *f, const char *path, uint32_t limit)
{
	struct overrun_event event = {
		.at_ns = (uint64_t)engine_now_ns(),
		.used_ns = 5000,
		.limit = limit,
	};

	array_each(n, &f->engine.cgroups.nodes)
		if (strcmp((*n)->path, path) == 0)
			event.cgroup = (*n)->id;
	f->overruns.on_event(&event, f->overruns.arg);
}

static void overrun(struct fixture *f, const char *path)
{
	pass_limit(f, path, 0);
}

/* Budgets of the root are what the fake kernel was opened with: none. It must have some. */
static void give_root(struct fixture *f)
{
	struct cgroup *n;

	assert_int_equal(cgroups_add(&f->engine.cgroups, "kubepods/podp1/c1", &n, NULL), 0);
	f->engine.cgroups.nodes.items[0]->group.now.runtime_us = 950000;
	cgroups_refresh(&f->engine.cgroups);
}

/* As long as nothing is written. */
static void let_time_pass(struct fixture *f)
{
	f->engine.cgroups.release_ms -= HELD_MS;
	f->engine.checked_ns = 0;
	engine_tick(&f->engine, engine_now_ns());
}

TEST(pod_gets_its_budget_and_limit)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(last_limit[0], 200000000);
	assert_int_equal(last_limit[OVERRUN_SOON], 199800000);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, "200000 us of every 1000000 us"));
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err), 0);
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	fixture_done(&f);
}

static int32_t left_in_kubepods(int had)
{
	struct fixture f;
	struct error err;
	struct saved_state none = { 0 };
	char folder[256], file[300];

	fixture_init(&f);
	fake.kubepods_had = had;
	f.engine.saved = &none;
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods"), had);
	snprintf(folder, sizeof(folder), "%s/kubepods/podp1/c1", f.tree.root);
	snprintf(file, sizeof(file), "%s/tasks", folder);
	assert_int_equal(unlink(file) | rmdir(folder), 0);
	engine_remove_pod(&f.engine, "p1");
	let_time_pass(&f);
	int32_t left = runtime_of(&f, "kubepods");
	fixture_done(&f);
	return left;
}

/* Its sums are recognised as sums; what another process wrote stays. */
TEST(a_helper_that_forgot_everything_gives_back_what_it_gave)
{
	assert_int_equal(left_in_kubepods(200000), 0);
	assert_int_equal(left_in_kubepods(300000), 300000);
}

TEST(overrun_raises_once)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	for (int i = 0; i < 1000; i++)
		overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	assert_int_equal(f.engine.stats.overruns, 1000);
	assert_int_equal(f.engine.stats.escalations, 1);
	assert_int_equal(f.engine.stats.events_lost, 0);
	assert_true(has_note(&f, NODE_EVENT_ESCALATED, "low to hi"));
	fixture_done(&f);
}

TEST(warm_up_writes_nothing)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_LOW, 500000, 500000, "kubepods/podp2/c2", &err);
	int n_writes = fake.n_writes;
	pass_limit(&f, "kubepods/podp1/c1", OVERRUN_SOON);
	assert_int_equal(fake.n_writes, n_writes);
	assert_int_equal(f.engine.stats.overruns, 0);
	assert_int_equal(f.engine.stats.warm_ups, 1);
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(fake.n_writes, n_writes);
	overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 700000);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 1000);
	assert_int_equal(last_limit[OVERRUN_SOON], 0);
	fixture_done(&f);
}

TEST(pod_that_is_always_close_is_left_in_peace)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(last_limit[OVERRUN_SOON], 399800000);
		pass_limit(&f, "kubepods/podp1/c1", OVERRUN_SOON);
	}
	assert_int_equal(last_limit[OVERRUN_SOON], 0);
	assert_int_equal(last_limit[0], 400000000);
	engine_tick(&f.engine, engine_now_ns() + 6000000000);
	assert_int_equal(last_limit[OVERRUN_SOON], 399800000);
	fixture_done(&f);
}

/* Each single write of the overrun_threads is refused in turn: budgets and level stay. */
TEST(refused_escalation_changes_nothing)
{
	for (int at = 0; at < 4; at++) {
		struct fixture f;
		struct error err;

		fixture_init(&f);
		give_root(&f);
		set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
		set(&f, "p2", LEVEL_LOW, 500000, 500000, "kubepods/podp2/c2", &err);
		fake.refuse_from = fake.n_writes + at;
		fake.refuse_with = -EBUSY;
		overrun(&f, "kubepods/podp1/c1");
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
		assert_int_equal(f.engine.escalation.pods.items[0].level, LEVEL_LOW);
		assert_false(f.engine.escalation.pods.items[1].is_cut);
		assert_true(has_note(&f, NODE_EVENT_REFUSED, "refused by the kernel"));
		fake.refuse_with = 0;
		overrun(&f, "kubepods/podp1/c1");
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 700000);
		assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 1000);
		fixture_done(&f);
	}
}

TEST(pod_that_asks_too_much_leaves_the_others_alone)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, "kubepods/podp1/c1", &err);
	assert_int_equal(set(&f, "p2", LEVEL_HIGH, 600000, 600000, "kubepods/podp2/c2", &err),
			 -EINVAL);
	assert_string_equal(err.msg, "/: its groups need 1200000 us of 1000000 us, it has 950000");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 600000);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 0);
	assert_true(has_note(&f, NODE_EVENT_REFUSED, "its groups need"));
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 0);
	engine_remove_pod(&f.engine, "p1");
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 600000);
	fixture_done(&f);
}

TEST(container_may_come_later_and_go)
{
	struct fixture f;
	struct error err;
	char path[128];

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err), 0);
	assert_true(engine_awaits(&f.engine, "p1"));
	assert_int_equal(engine_place(&f.engine, "p1", "other", "kubepods/podp1/c1", &err), -ESRCH);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c9", &err), -ENOENT);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err), 0);
	assert_false(engine_awaits(&f.engine, "p1"));
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);

	snprintf(path, sizeof(path), "%s/kubepods/podp1/c1/tasks", f.tree.root);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	overrun(&f, "kubepods/podp1/c1");
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_true(engine_awaits(&f.engine, "p1"));
	fixture_done(&f);
}

/* Its cgroup goes between the look-up and each single write in turn. */
TEST(vanished_container_leaves_the_others)
{
	for (int at = 0; at < 2; at++) {
		struct fixture f;
		struct error err;
		char folder[128];

		fixture_init(&f);
		give_root(&f);
		set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
		snprintf(folder, sizeof(folder), "%s/kubepods/podp2/c2", f.tree.root);
		fake.vanishing = folder;
		fake.vanish_at = fake.n_writes + at;
		assert_int_equal(
			set(&f, "p2", LEVEL_HIGH, 100000, 200000, "kubepods/podp2/c2", &err), 0);
		engine_tick(&f.engine, engine_now_ns());
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
		assert_int_equal(runtime_of(&f, "kubepods"), 200000);
		assert_true(engine_awaits(&f.engine, "p2"));

		fake.vanishing = NULL;
		fake_file(&f.tree, "kubepods/podp2/c2/tasks", "");
		engine_cgroup_created(&f.engine, "kubepods/podp2/c2");
		assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
		assert_int_equal(runtime_of(&f, "kubepods"), 300000);
		fixture_done(&f);
	}
}

TEST(what_was_written_is_read_back)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	fake.is_spoiled = true;
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_not_equal(fake.spoiled_dir, 0);
	f.engine.checked_ns = engine_now_ns();
	engine_tick(&f.engine, engine_now_ns());
	let_time_pass(&f);
	assert_int_equal(fake.spoiled_dir, 0);

	fake.is_spoiled = true;
	overrun(&f, "kubepods/podp1/c1");
	assert_int_not_equal(fake.spoiled_dir, 0);
	engine_tick(&f.engine, engine_now_ns());
	let_time_pass(&f);
	assert_int_equal(fake.spoiled_dir, 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	fixture_done(&f);
}

/* Another process takes a budget away, and the kernel refuses it at first. */
TEST(what_was_refused_is_tried_again)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	array_each(n, &f.engine.cgroups.nodes)
		if (strcmp((*n)->path, "kubepods/podp1/c1") == 0)
			(*n)->group.now.runtime_us = 1000;
	fake.refuse_with = -EBUSY;
	engine_tick(&f.engine, engine_now_ns());
	assert_true(
		has_note(&f, NODE_EVENT_REWRITTEN, "another process changed the budget to 1000/"));
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);
	fake.refuse_with = 0;
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	fixture_done(&f);
}

/* The cgroup of the container before counts for some milliseconds more. */
TEST(refused_budget_is_tried_again_within_milliseconds)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	engine_tick(&f.engine, engine_now_ns()); /* the next check of everything is far away */
	fake.refuse_with = -EINVAL;
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err),
			 -EINVAL);
	fake.refuse_with = 0;
	assert_true(engine_tick(&f.engine, engine_now_ns()) <= 50);
	assert_int_not_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	engine_tick(&f.engine, engine_now_ns() + 30000000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(f.engine.retry_ns, 0);
	fixture_done(&f);
}

/* The kernel takes no budget from a group whose real-time tasks run. */
TEST(removed_pod_is_counted_until_the_kernel_lets_go)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(engine_tick(&f.engine, engine_now_ns()), 100);
	fake.refuse_with = 0;
	assert_int_equal(engine_tick(&f.engine, engine_now_ns()), 1000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), -1);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods"), 0);
	fixture_done(&f);
}

/* What a pod no longer needs, those above it keep for a while: in their period it was used. */
TEST(groups_above_shrink_later)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_HIGH, 100000, 200000, "kubepods/podp2/c2", &err);
	overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	engine_tick(&f.engine, engine_now_ns() + 60000000000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1"), 400000);
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 300000);
	fixture_done(&f);
}

static uint64_t reported_overruns(struct fixture *f)
{
	struct node_event n;
	uint64_t count = 0;

	while (engine_take_event(&f->engine, &n))
		count += n.kind == NODE_EVENT_OVERRUN ? n.count : 0;
	return count;
}

TEST(overruns_are_told_at_once_and_then_by_their_number)
{
	const int64_t later = 11000000000;
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	overrun(&f, "kubepods/podp1/c1");
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(reported_overruns(&f), 1);
	for (int i = 0; i < 500; i++)
		overrun(&f, "kubepods/podp1/c1");
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(reported_overruns(&f), 0);
	engine_tick(&f.engine, engine_now_ns() + later);
	assert_int_equal(reported_overruns(&f), 500);
	for (int i = 0; i < 7; i++)
		overrun(&f, "kubepods/podp1/c1");
	engine_report_counts(&f.engine);
	assert_int_equal(reported_overruns(&f), 7);
	fixture_done(&f);
}

TEST(level_is_ordered_from_outside)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(engine_set_level(&f.engine, "p2", LEVEL_HIGH, &err), -ESRCH);
	assert_int_equal(engine_set_level(&f.engine, "p1", LEVEL_HIGH, &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	assert_int_equal(engine_set_level(&f.engine, "p1", LEVEL_LOW, &err), -EBUSY);
	assert_int_equal(f.engine.escalation.pods.items[0].level, LEVEL_HIGH);
	fixture_done(&f);
}

TEST(level_survives_a_restart)
{
	struct saved_state m = { 0 };
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	saved_state_add_pod(&m, &(struct saved_pod){ (char *)"p1", (char *)"p1", LEVEL_HIGH, 0 });
	f.engine.saved = &m;
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	saved_state_done(&m);
	fixture_done(&f);
}

static void remove_group(const struct fixture *f, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/tasks", f->tree.root, name);
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

/* Before the next check: a container that crashed is started again within milliseconds. */
TEST(restarted_container_has_its_budget_at_once)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err), 0);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err), 0);
	engine_tick(&f.engine, engine_now_ns());
	remove_group(&f, "kubepods/podp1/c1");
	assert_true(engine_awaits(&f.engine, "p1"));
	assert_true(engine_awaits_any(&f.engine));
	fake_file(&f.tree, "kubepods/podp1/c3/tasks", "");
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c3", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c3"), 1000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), -1);
	assert_false(engine_awaits_any(&f.engine));
	fixture_done(&f);
}

TEST(new_container_replaces_an_old_one_whose_cgroup_is_still_there)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, NULL, &err);
	engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err);
	fake_file(&f.tree, "kubepods/podp1/c3/tasks", "");
	engine_place(&f.engine, "p1", "app", "kubepods/podp1/c3", &err);
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c3"), 600000);
	fixture_done(&f);
}

/* containerd writes this name into the bundle of a container that it restores. */
TEST(restored_container_of_a_pod_with_one_is_known)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err);
	assert_int_equal(engine_place(&f.engine, "p1", "containerd", "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);
	fixture_done(&f);
}

TEST(nothing_is_applied_by_a_backend_that_enforces_nothing)
{
	struct fixture f;
	struct error err;

	fixture_init_with(&f, &fake_noop);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, "kubepods/podp1/c1", &err), 0);
	assert_false(f.engine.pods.items[0].containers[0].is_applied);
	assert_true(has_note(&f, NODE_EVENT_UNENFORCED, "no budget is enforced"));
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	overrun(&f, "kubepods/podp1/c1");
	assert_true(has_note(&f, NODE_EVENT_ESCALATED, "no budget is enforced"));
	fixture_done(&f);
}

/* The kernel took the write, and has another value. */
TEST(budget_is_reported_when_it_was_read_back)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 1000, 2000, "kubepods/podp1/c1", &err);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, "1000 us of every 1000000 us"));
	struct engine_container *c = &f.engine.pods.items[0].containers[0];
	assert_true(c->is_applied);
	f.engine.pods.items[0].is_confirmed = false;
	fake.spoiled_dir = c->node->group.dir;
	fake.is_spoiled = true;
	let_time_pass(&f);
	assert_false(c->is_applied);
	assert_int_equal(c->in_kernel.runtime_us, 1007);
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	fake.spoiled_dir = 0;
	let_time_pass(&f);
	assert_true(c->is_applied);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, ""));
	fixture_done(&f);
}

TEST(removed_pod_whose_tasks_run_is_reported_and_counted)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(engine_retained(&f.engine), 0);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(engine_retained(&f.engine), 200000);
	assert_true(has_note(&f, NODE_EVENT_RETAINED, "app keeps 200000/1000000 us"));
	fake.refuse_with = 0;
	engine_tick(&f.engine, engine_now_ns());
	assert_int_equal(engine_retained(&f.engine), 0);
	fixture_done(&f);
}

/* What it had stays, and the larger budget comes when there is room. */
TEST(pod_that_grows_too_far_keeps_its_budget_until_there_is_room)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_HIGH, 100000, 100000, "kubepods/podp2/c2", &err);
	assert_int_equal(set(&f, "p2", LEVEL_HIGH, 500000, 500000, "kubepods/podp2/c2", &err),
			 -EINVAL);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
	assert_true(f.engine.pods.items[1].containers[0].is_applied);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
	assert_non_null(f.engine.pods.items[1].refusal);
	engine_remove_pod(&f.engine, "p1");
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 500000);
	assert_null(f.engine.pods.items[0].refusal);
	fixture_done(&f);
}

/* Though they would have kept it for a while: see cgroups_hold(). */
TEST(groups_above_give_back_what_they_held_at_the_end)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(engine_restore(&f.engine), 0);
	assert_int_equal(runtime_of(&f, "kubepods"), 0);
	fixture_done(&f);
}
