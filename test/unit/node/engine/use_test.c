/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"
#include "test/unit/node/fake_engine.h"

static const int64_t start_ns = 1000000000000, second_ns = 1000000000;

static struct use_count counted;

static bool count_use(const struct overruns *o, uint64_t cgroup, struct use_count *ret)
{
	(void)o;
	(void)cgroup;
	*ret = counted;
	return true;
}

static void use(uint64_t us, unsigned n_periods)
{
	counted.periods += n_periods;
	counted.total_us += us * n_periods;
	counted.by_use[use_bucket(us)] += n_periods;
}

static const struct container_use *use_at(struct fixture *f, int64_t second)
{
	engine_sample_use(&f->engine, start_ns + second * second_ns);
	return &f->engine.pods.items[0].containers[0].use;
}

/* Its period is a second; it has two CPUs. */
static void fixture_with_pod(struct fixture *f, const struct overrun_source *source)
{
	fixture_init(f);
	f->overruns.source = source;
	give_root(f);
	assert_int_equal(set(f, "p1", LEVEL_HIGH, 200000, 500000, "kubepods/podp1/c1", NULL), 0);
}

TEST(use_is_that_of_the_last_minute)
{
	static struct overrun_source source;
	struct fixture f;

	memset(&counted, 0, sizeof(counted));
	source = fake_source;
	source.use = count_use;
	fixture_with_pod(&f, &source);
	use(900000, 1000);
	assert_int_equal(use_at(&f, 0)->window_ns, 0);
	use(100000, 20);
	const struct container_use *now = use_at(&f, 20);
	assert_int_equal(now->window_ns, 20 * second_ns);
	assert_int_equal(now->mean_us, 50000);
	assert_true(now->has_p99);
	assert_in_range(now->p99_us, 100000, 112500);
	for (int second = 40; second <= 200; second += 20)
		now = use_at(&f, second);
	assert_in_range(now->window_ns, USE_WINDOW_S * second_ns,
			(USE_WINDOW_S + USE_STEP_S) * second_ns);
	assert_int_equal(now->mean_us, 0);
	assert_int_equal(now->p99_us, 0);
	fixture_done(&f);
}

TEST(cpu_time_is_the_use_where_periods_are_not_counted)
{
	struct fixture f;

	fixture_with_pod(&f, &fake_source);
	assert_int_equal(use_at(&f, 0)->window_ns, 0);
	assert_int_equal(use_at(&f, 30)->window_ns, 0);
	fake_file(&f.tree, "kubepods/podp1/c1/cpuacct.usage", "1000000000\n");
	use_at(&f, 60);
	fake_file(&f.tree, "kubepods/podp1/c1/cpuacct.usage", "3000000000\n");
	const struct container_use *now = use_at(&f, 70);
	assert_int_equal(now->mean_us, 100000);
	assert_false(now->has_p99);
	fake_file(&f.tree, "kubepods/podp1/c1/cpuacct.usage", "5\n");
	assert_int_equal(use_at(&f, 80)->window_ns, 0);
	fixture_done(&f);
}

/* The path through which the helper reports. */
TEST(a_look_within_seconds_of_the_last_does_nothing)
{
	static struct overrun_source source;
	struct fixture f;

	memset(&counted, 0, sizeof(counted));
	source = fake_source;
	source.use = count_use;
	fixture_with_pod(&f, &source);
	use_at(&f, 0);
	use(100000, 10);
	assert_int_equal(use_at(&f, 4)->window_ns, 0);
	assert_int_equal(use_at(&f, 5)->window_ns, 5 * second_ns);
	fixture_done(&f);
}
