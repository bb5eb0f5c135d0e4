/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_FAKE_ENGINE_H
#define MCKUBE_TEST_FAKE_ENGINE_H

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "node/engine/engine.h"
#include "test/unit/node/fake_tree.h"
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

static inline int kernel_open(struct group *g, struct error *err)
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

static inline int kernel_read(const struct group *g, int cpu, struct bandwidth *ret,
			      struct error *err)
{
	(void)cpu;
	if (faccessat(g->dir, "tasks", F_OK, 0) < 0)
		return error_set(err, -ENODEV, "gone");
	*ret = g->now;
	ret->runtime_us += g->dir == fake.spoiled_dir ? 7 : 0;
	return 0;
}

static inline void vanish(void)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/tasks", fake.vanishing);
	assert_int_equal(unlink(file) | rmdir(fake.vanishing), 0);
}

static inline int kernel_write(struct group *g, int cpu, enum budget_field field,
			       struct bandwidth to, struct error *err)
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

static uint64_t last_limit[OVERRUN_LIMITS], last_granted;

static inline int source_open(struct overruns *o, struct error *err)
{
	(void)o;
	(void)err;
	return 0;
}

static inline int source_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
			       const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns,
			       struct error *err)
{
	(void)o;
	(void)g;
	(void)cgroup;
	(void)err;
	memcpy(last_limit, limit_ns, sizeof(last_limit));
	last_granted = granted_ns;
	return 0;
}

static inline void source_forget(struct overruns *o, uint64_t cgroup)
{
	(void)o;
	(void)cgroup;
}

static inline void source_nothing(struct overruns *o)
{
	(void)o;
}

static inline void source_read(struct overruns *o, unsigned queue)
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

static inline void fixture_init_with(struct fixture *f, const struct backend *b)
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

static inline void fixture_init(struct fixture *f)
{
	fixture_init_with(f, &fake_backend);
}

static inline void fixture_done(struct fixture *f)
{
	engine_done(&f->engine);
	fake_tree_done(&f->tree);
}

/* The pod begins at that level. */
static inline int set_at(struct fixture *f, enum level level, const char *uid,
			 enum level criticality, int low, int hi, const char *path,
			 struct error *err)
{
	const struct container_want container = { "app", path, PPM };
	const struct pod_want want = {
		.uid = uid,
		.ns = "default",
		.name = uid,
		.budget = { 1000000, low, hi, 0, 1000, (uint8_t)criticality },
		.cores = { { 3 } },
		.enforcement = ENFORCE_RAISE,
		.level = (uint8_t)level,
		.is_single = true,
		.containers = &container,
		.n_containers = 1,
	};

	return engine_set_pod(&f->engine, &want, err);
}

static inline int set(struct fixture *f, const char *uid, enum level criticality, int low, int hi,
		      const char *path, struct error *err)
{
	return set_at(f, LEVEL_LOW, uid, criticality, low, hi, path, err);
}

static inline int32_t runtime_of(struct fixture *f, const char *path)
{
	array_each(n, &f->engine.cgroups.nodes)
		if (strcmp((*n)->path, path) == 0)
			return (int32_t)(*n)->group.now.runtime_us;
	return -1;
}

static inline bool has_note(struct fixture *f, enum node_event_kind kind, const char *text)
{
	struct node_event n;
	bool is_found = false;

	while (engine_take_event(&f->engine, &n))
		is_found |= n.kind == kind && strstr(n.text, text);
	return is_found;
}

static inline void pass_limit(struct fixture *f, const char *path, uint32_t limit)
{
	struct overrun_event event = {
		.at_ns = (uint64_t)clock_ns(),
		.used_ns = 5000,
		.limit = limit,
	};

	array_each(n, &f->engine.cgroups.nodes)
		if (strcmp((*n)->path, path) == 0)
			event.cgroup = (*n)->id;
	f->overruns.on_event(&event, f->overruns.arg);
}

static inline void overrun(struct fixture *f, const char *path)
{
	pass_limit(f, path, 0);
}

/* Budgets of the root are what the fake kernel was opened with: none. It must have some. */
static inline void give_root(struct fixture *f)
{
	struct cgroup *n;

	assert_int_equal(cgroups_add(&f->engine.cgroups, "kubepods/podp1/c1", &n, NULL), 0);
	f->engine.cgroups.nodes.items[0]->group.now.runtime_us = 950000;
	cgroups_refresh(&f->engine.cgroups);
}

/* As long as nothing is written. */
static inline void let_time_pass(struct fixture *f)
{
	f->engine.cgroups.release_ms -= HELD_MS;
	if (f->engine.cgroups.removed_ms)
		f->engine.cgroups.removed_ms -= REMOVED_MS;
	f->engine.checked_ns = 0;
	engine_tick(&f->engine, clock_ns());
}

#endif
