/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"

#include "node/cgroup/cpuset_file.h"
#include "test/unit/node/fake_engine.h"

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

static bool is_p1(const char *uid, void *arg)
{
	(void)arg;
	return strcmp(uid, "p1") == 0;
}

/* An earlier run has written `wanted` to a container of p1, which has 200000 now. Returns what it
 * has after the assignments are known; -1: it is no longer known. */
static int32_t after_return(int64_t wanted, bool is_assigned, engine_pod_test is_kept)
{
	struct saved_state m = { 0 };
	struct fixture f;
	struct error err;

	fixture_init(&f);
	fake.kubepods_had = 300000;
	saved_state_add_group(&m, &(struct saved_group){
					  .path = (char *)"kubepods/podp1/c1",
					  .found = { 1000000, 0 },
					  .wanted = { 1000000, wanted },
					  .is_container = true,
				  });
	f.engine.saved = &m;
	if (is_assigned)
		assert_int_equal(
			set(&f, "p1", LEVEL_HIGH, 100000, 100000, "kubepods/podp1/c1", &err), 0);
	fake.n_writes = 0;
	engine_return_left(&f.engine, is_kept, NULL);
	int32_t has = runtime_of(&f, "kubepods/podp1/c1");
	int n_writes = fake.n_writes;
	engine_return_left(&f.engine, is_kept, NULL);
	assert_int_equal(fake.n_writes, n_writes);
	assert_true(n_writes == 0 || has == -1);
	saved_state_done(&m);
	fixture_done(&f);
	return n_writes ? 0 : has;
}

TEST(what_a_pod_without_assignment_has_from_an_earlier_run_is_given_back)
{
	assert_int_equal(after_return(200000, false, NULL), 0);
	assert_int_equal(after_return(150000, false, NULL), 200000); /* another program's */
	assert_int_equal(after_return(200000, true, NULL), 100000);
	assert_int_equal(after_return(200000, false, is_p1), -1); /* not looked at */
}

/* An earlier run has pinned the container of p1 to CPU 1, and it has `now`. Writes what it has
 * after the assignments are known. */
static void cpus_after_return(const char *now, bool is_assigned, char ret[CPUSET_TEXT])
{
	struct saved_state m = { 0 };
	struct fixture f;
	struct error err;
	struct cpuset has;

	fixture_init(&f);
	give_root(&f);
	snprintf(f.kernel.cpuset, sizeof(f.kernel.cpuset), "%s", f.tree.root);
	fake_file(&f.tree, "kubepods/podp1/c1/cpuset.cpus", now);
	saved_state_add_group(&m, &(struct saved_group){
					  .path = (char *)"kubepods/podp1/c1",
					  .found = { 1000000, 0 },
					  .wanted = { 1000000, 0 },
					  .is_container = true,
				  });
	saved_state_add_cpus(
		&m, &(struct saved_cpus){ (char *)"kubepods/podp1/c1", { { 3 } }, { { 2 } } });
	f.engine.saved = &m;
	if (is_assigned)
		assert_int_equal(
			set(&f, "p1", LEVEL_HIGH, 100000, 100000, "kubepods/podp1/c1", &err), 0);
	engine_return_left(&f.engine, NULL, NULL);
	assert_int_equal(cpuset_file_read(&f.kernel, "kubepods/podp1/c1", &has, &err), 0);
	cpuset_format(&has, ret);
	saved_state_done(&m);
	fixture_done(&f);
}

TEST(cpus_that_a_container_has_from_an_earlier_run_are_given_back)
{
	char has[CPUSET_TEXT];

	cpus_after_return("1", false, has);
	assert_string_equal(has, "0-1");
	cpus_after_return("0", false, has); /* another program's */
	assert_string_equal(has, "0");
	cpus_after_return("1", true, has); /* assigned, and no longer pinned */
	assert_string_equal(has, "0-1");
}
