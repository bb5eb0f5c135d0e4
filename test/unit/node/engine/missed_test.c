/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"
#include "test/unit/node/fake_engine.h"

static const int64_t start_ns = 1000000000000, second_ns = 1000000000;

static struct engine_container *container_of_pod(struct fixture *f, const char *uid)
{
	array_each(p, &f->engine.pods)
		if (strcmp(p->uid, uid) == 0)
			return &p->containers[0];
	fail();
	return NULL;
}

/* In a second that begins now. */
static uint64_t missed_in_a_second(struct fixture *f, bool *ret_is_measured)
{
	uint64_t us;

	engine_missed(&f->engine, start_ns, &us);
	*ret_is_measured = engine_missed(&f->engine, start_ns + second_ns, &us);
	return us;
}

TEST(pod_that_has_its_budget_misses_nothing)
{
	struct fixture f;
	bool is_measured;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 500000, "kubepods/podp1/c1", NULL), 0);
	assert_int_equal(last_granted, 200000000);
	assert_int_equal(missed_in_a_second(&f, &is_measured), 0);
	assert_false(is_measured);
	overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(last_granted, 500000000);
	fixture_done(&f);
}

/* Its two CPUs lack 300000 us each. */
TEST(refused_budget_is_missed)
{
	struct fixture f;
	struct error err;
	bool is_measured;

	fixture_init(&f);
	give_root(&f);
	fake.refuse_with = -EINVAL;
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 300000, 500000, "kubepods/podp1/c1", &err),
			 -EINVAL);
	assert_int_equal(last_granted, 0);
	assert_int_equal(missed_in_a_second(&f, &is_measured), 600000);
	assert_false(is_measured);
	fake.refuse_with = 0;
	let_time_pass(&f);
	assert_int_equal(missed_in_a_second(&f, &is_measured), 0);
	fixture_done(&f);
}

TEST(what_a_refused_raise_lacks_is_missed)
{
	struct fixture f;
	struct error err;
	bool is_measured;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 100000, 500000, "kubepods/podp1/c1", NULL), 0);
	fake.refuse_with = -EINVAL;
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 150000, 500000, "kubepods/podp1/c1", &err),
			 -EINVAL);
	assert_int_equal(last_granted, 100000000);
	assert_int_equal(missed_in_a_second(&f, &is_measured), 2 * 50000);
	fixture_done(&f);
}

/* On cgroup v2 with pressure stall information, on one CPU: 200 ms of each second are granted. */
TEST(time_that_others_left_too_little_of_is_missed)
{
	static const struct {
		const char *name;
		int used_us, waited_us, missed_us;
	} cases[] = {
		{ "nothing was wanted", 0, 0, 0 },
		{ "all was received", 200000, 700000, 0 },
		{ "more was used", 350000, 650000, 0 },
		{ "short waits leave enough", 50000, 600000, 0 },
		{ "it waited all the time", 0, 1000000, 190000 },
		{ "it received a part", 40000, 960000, 150000 },
		{ "others left 60 ms, and it used 10", 10000, 940000, 130000 },
		{ "one budget may lie in another second", 190000, 810000, 0 },
	};
	struct container_want container = { "app", "kubepods/podp1/c1", PPM };
	const struct pod_want want = {
		.uid = "p1",
		.ns = "default",
		.name = "p1",
		.budget = { 50000, 10000, 10000, 0, 1000, LEVEL_LOW },
		.cores = { { 1 } },
		.enforcement = ENFORCE_RAISE,
		.containers = &container,
		.n_containers = 1,
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		char text[128];
		bool is_measured;

		fixture_init(&f);
		f.kernel.cgroup = CGROUP_V2;
		f.kernel.has[FEATURE_PSI] = true;
		give_root(&f);
		assert_int_equal(engine_set_pod(&f.engine, &want, NULL), 0);
		for (int second = 0; second < 2; second++) {
			uint64_t us;

			snprintf(text, sizeof(text),
				 "some avg10=1.23 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 "
				 "avg60=0.00 avg300=0.00 total=0\n",
				 7000 + second * cases[i].waited_us);
			fake_file(&f.tree, "kubepods/podp1/c1/cpu.pressure", text);
			snprintf(text, sizeof(text), "usage_usec %d\nuser_usec 1\n",
				 9000 + second * cases[i].used_us);
			fake_file(&f.tree, "kubepods/podp1/c1/cpu.stat", text);
			is_measured = engine_missed(&f.engine, start_ns + second * second_ns, &us);
			assert_true(is_measured);
			if (us != (uint64_t)(second * cases[i].missed_us))
				fail_msg("%s: %llu", cases[i].name, (unsigned long long)us);
		}
		fixture_done(&f);
	}
}

TEST(container_without_pressure_stall_information_cannot_tell)
{
	struct fixture f;
	bool is_measured;

	fixture_init(&f);
	f.kernel.cgroup = CGROUP_V2;
	f.kernel.has[FEATURE_PSI] = true;
	give_root(&f);
	missed_in_a_second(&f, &is_measured);
	assert_true(is_measured);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 500000, "kubepods/podp1/c1", NULL), 0);
	assert_int_equal(missed_in_a_second(&f, &is_measured), 0);
	assert_false(is_measured);
	assert_int_equal(container_of_pod(&f, "p1")->stall.at_ns, 0);
	fixture_done(&f);
}
