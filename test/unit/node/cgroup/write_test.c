/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cgroup/write.h"

#include <errno.h>
#include <string.h>

#include "test/unit/test.h"

/* A kernel in memory that follows the model and refuses one write on demand. */
static struct {
	struct bandwidth budgets[4];
	int n_writes, refuse_at, refuse_with, refuse_times;
	bool is_rewritten; /* another process writes */
} fake;

static int fake_number(const struct group *g)
{
	return g->files[0];
}

static int fake_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	(void)cpu;
	(void)err;
	*ret = fake.budgets[fake_number(g)];
	ret->runtime_us += fake.is_rewritten ? 7 : 0;
	return 0;
}

static int fake_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		      struct error *err)
{
	(void)cpu;
	(void)field;
	if (fake.n_writes++ >= fake.refuse_at && fake.refuse_times-- > 0)
		return error_set(err, fake.refuse_with, "refused");
	fake.budgets[fake_number(g)] = to;
	return 0;
}

static const struct backend fake_backend = {
	.name = "fake",
	.has_tree = true,
	.read = fake_read,
	.write = fake_write,
};

struct fixture {
	struct cgroup_tree t;
	struct group groups[4];
	struct group *pointers[4];
	struct apply a;
};

static void fixture_init(struct fixture *f)
{
	static const char *const names[] = { "root", "kubepods", "pod", "app" };

	*f = (struct fixture){ .t.global = { 1000000, 950000 } };
	memset(&fake, 0, sizeof(fake));
	for (int i = 0; i < 4; i++) {
		fake.budgets[i] = (struct bandwidth){ 1000000, i ? 0 : 950000 };
		f->groups[i] = (struct group){ &fake_backend, names[i], .files = { i, -1 } };
		f->pointers[i] = &f->groups[i];
		cgroup_tree_add(&f->t, i - 1, names[i], fake.budgets[i]);
		f->t.nodes.items[i].is_derived = i == 1 || i == 2;
	}
	f->a = (struct apply){ &f->t, f->pointers, CPU_ALL, 20 };
	cgroup_tree_want(&f->t, 3, (struct bandwidth){ 100000, 30000 });
}

TEST(everything_is_written_and_verified)
{
	struct budget_write writes[8];
	struct fixture f;

	fixture_init(&f);
	assert_int_equal(apply_tree(&f.a, writes, NULL), 0);
	assert_int_equal(fake.budgets[1].runtime_us, 300000);
	assert_int_equal(fake.budgets[3].runtime_us, 30000);
	assert_int_equal(fake.budgets[3].period_us, 100000);
	cgroup_tree_done(&f.t);
}

/* Refuse each single write of the sequence in turn: what was there stands again. */
TEST(any_refusal_is_undone)
{
	for (int at = 0; at < 4; at++) {
		struct budget_write writes[8];
		struct fixture f;
		struct error err;

		fixture_init(&f);
		fake.refuse_at = at;
		fake.refuse_times = 1;
		fake.refuse_with = -EBUSY;
		assert_int_equal(apply_tree(&f.a, writes, &err), -EBUSY);
		assert_string_equal(strchr(err.msg, ':'), ": refused");
		for (int i = 1; i < 4; i++) {
			assert_int_equal(fake.budgets[i].runtime_us, 0);
			assert_int_equal(f.t.nodes.items[i].now.runtime_us, 0);
			assert_int_equal(fake.budgets[i].period_us, 1000000);
		}
		cgroup_tree_done(&f.t);
	}
}

TEST(removed_groups_are_waited_for)
{
	struct budget_write writes[8];
	struct fixture f;

	fixture_init(&f);
	fake.refuse_times = 5;
	fake.refuse_with = -EINVAL;
	assert_int_equal(apply_tree(&f.a, writes, NULL), 0);
	assert_int_equal(fake.n_writes, 4 + 5);
	cgroup_tree_done(&f.t);
}

TEST(patience_ends)
{
	struct budget_write writes[8];
	struct fixture f;

	fixture_init(&f);
	fake.refuse_times = 1000;
	fake.refuse_with = -EINVAL;
	assert_int_equal(apply_tree(&f.a, writes, NULL), -EINVAL);
	assert_int_equal(fake.n_writes, 21);
	cgroup_tree_done(&f.t);
}

TEST(failed_undo_is_said)
{
	struct budget_write writes[8];
	struct fixture f;
	struct error err;

	fixture_init(&f);
	fake.refuse_at = 2;
	fake.refuse_times = 1000;
	fake.refuse_with = -EBUSY;
	assert_int_equal(apply_tree(&f.a, writes, &err), -EBUSY);
	assert_non_null(strstr(err.msg, "could not be undone"));
	cgroup_tree_done(&f.t);
}

TEST(other_writers_are_noticed)
{
	struct budget_write writes[8];
	struct fixture f;
	struct error err;

	fixture_init(&f);
	fake.is_rewritten = true;
	assert_int_equal(apply_tree(&f.a, writes, &err), -EREMCHG);
	assert_string_equal(err.msg, "kubepods: wrote 300000/1000000 us, reads 300007/1000000 us");
	cgroup_tree_done(&f.t);
}
