/* SPDX-License-Identifier: Apache-2.0 */
#include "node/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

static const struct sched_attr batch = { .size = sizeof(batch), .sched_policy = SCHED_BATCH };

static pid_t start_child(void)
{
	pid_t pid = fork();

	/* It ends with the test, also with one that fails. */
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint32_t policy_of(pid_t pid)
{
	struct thread t;
	struct sched_attr attr;

	assert_int_equal(thread_identify(pid, &t, NULL), 0);
	assert_int_equal(thread_get_attr(&t, &attr, NULL), 0);
	return attr.sched_policy;
}

TEST(policy_and_nice_of_a_thread_are_set)
{
	struct error err = ERROR_INIT;
	pid_t pid = start_child();
	struct thread t;

	assert_int_equal(thread_identify(pid, &t, &err), 0);
	assert_true(thread_is_same(&t));
	assert_int_equal(thread_set_attr(&t, &batch, &err), 0);
	assert_int_equal(policy_of(pid), SCHED_BATCH);
	assert_int_equal(thread_set_nice(&t, 17, &err), 0);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 17);
	end_child(pid);
}

TEST(thread_that_has_ended_is_not_there)
{
	struct error err = ERROR_INIT;
	struct sched_attr attr;
	pid_t pid = start_child();
	struct thread t;

	assert_int_equal(thread_identify(pid, &t, &err), 0);
	end_child(pid);
	assert_false(thread_is_same(&t));
	assert_int_equal(thread_set_attr(&t, &batch, &err), -ESRCH);
	assert_int_equal(thread_get_attr(&t, &attr, &err), -ESRCH);
	assert_int_equal(thread_set_nice(&t, 7, &err), -ESRCH);
	assert_int_equal(thread_identify(pid, &t, &err), -ESRCH);
}

/* As when the number was given to another one: it has another start time. */
TEST(thread_that_has_got_the_number_of_another_is_left_alone)
{
	struct error err = ERROR_INIT;
	struct sched_attr attr;
	pid_t pid = start_child();
	struct thread t;

	assert_int_equal(thread_identify(pid, &t, &err), 0);
	t.start--;
	assert_false(thread_is_same(&t));
	assert_int_equal(thread_set_attr(&t, &batch, &err), -ESRCH);
	assert_int_equal(thread_set_nice(&t, 7, &err), -ESRCH);
	assert_int_equal(thread_get_attr(&t, &attr, &err), -ESRCH);
	assert_int_equal(policy_of(pid), SCHED_NORMAL);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), getpriority(PRIO_PROCESS, 0));
	end_child(pid);
}

TEST(number_zero_is_never_the_caller)
{
	const pid_t bad[] = { 0, -1 };
	struct error err = ERROR_INIT;
	struct sched_attr attr;
	int nice_before = getpriority(PRIO_PROCESS, 0);

	for (size_t i = 0; i < 2; i++) {
		struct thread t = { bad[i], 0 };

		assert_int_equal(thread_identify(bad[i], &t, &err), -EINVAL);
		assert_int_equal(thread_set_attr(&t, &batch, &err), -ESRCH);
		assert_int_equal(thread_set_nice(&t, 7, &err), -ESRCH);
		assert_int_equal(thread_get_attr(&t, &attr, &err), -ESRCH);
	}
	assert_int_equal(policy_of(getpid()), SCHED_NORMAL);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), nice_before);
}

static int open_folder(const struct fake_tree *t, const char *name)
{
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", t->root, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The file of v1 and of v2. */
TEST(threads_of_a_group_are_listed_in_its_order)
{
	static const char *const files[] = { "v2/cgroup.threads", "v1/tasks" };
	struct error err = ERROR_INIT;
	pid_t a = start_child(), b = start_child();
	static struct threads threads;
	struct fake_tree t;
	char text[64];

	fake_tree_init(&t);
	snprintf(text, sizeof(text), "%d\n%d\n", b, a);
	for (size_t i = 0; i < 2; i++) {
		fake_file(&t, files[i], text);
		AUTO_CLOSE int dir = open_folder(&t, i ? "v1" : "v2");
		assert_int_equal(threads_of_group(dir, NULL, &threads, &err), 0);
		assert_int_equal(threads.n, 2);
		assert_false(threads.is_cut);
		assert_int_equal(threads.list[0].tid, b);
		assert_int_equal(threads.list[1].tid, a);
		assert_true(thread_is_same(&threads.list[0]));
	}
	fake_file(&t, "v2/cgroup.procs", text);
	AUTO_CLOSE int dir = open_folder(&t, "v2");
	assert_int_equal(processes_of_group(dir, &threads, &err), 0);
	assert_int_equal(threads.n, 2);
	end_child(a);
	assert_int_equal(threads_of_group(dir, NULL, &threads, &err), 0);
	assert_int_equal(threads.n, 1);
	assert_int_equal(threads.list[0].tid, b);
	end_child(b);
	fake_tree_done(&t);
}

static struct fake_tree changing;
static pid_t leaving;

/* Called between the two readings of the list. */
static bool leave_group(pid_t tid)
{
	char text[32];

	(void)tid;
	snprintf(text, sizeof(text), "%d\n", leaving);
	fake_file(&changing, "g/cgroup.threads", text);
	return true;
}

TEST(number_that_left_the_group_while_it_was_read_is_not_listed)
{
	struct error err = ERROR_INIT;
	pid_t a = start_child(), b = start_child();
	static struct threads threads;
	char text[64];

	leaving = b;
	fake_tree_init(&changing);
	snprintf(text, sizeof(text), "%d\n%d\n", a, b);
	fake_file(&changing, "g/cgroup.threads", text);
	AUTO_CLOSE int dir = open_folder(&changing, "g");
	assert_int_equal(threads_of_group(dir, leave_group, &threads, &err), 0);
	assert_int_equal(threads.n, 1);
	assert_int_equal(threads.list[0].tid, b);
	end_child(a);
	end_child(b);
	fake_tree_done(&changing);
}

TEST(bad_lists_are_errors)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = { { "0\n0\n", -ENOTSUP }, { "99999999999\n", -ERANGE }, { "", 0 } };
	static struct threads threads;
	struct error err = ERROR_INIT;
	struct fake_tree t;

	fake_tree_init(&t);
	fake_file(&t, "empty/", "");
	AUTO_CLOSE int empty = open_folder(&t, "empty");
	assert_int_equal(threads_of_group(empty, NULL, &threads, &err), -ENOENT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_file(&t, "g/cgroup.threads", cases[i].text);
		AUTO_CLOSE int dir = open_folder(&t, "g");
		assert_int_equal(threads_of_group(dir, NULL, &threads, &err), cases[i].code);
		assert_int_equal(threads.n, 0);
	}
	fake_tree_done(&t);
}

/* A list of several reads, with one number more than there is room for: all are the caller's. */
TEST(more_threads_than_fit_are_said_to_be_cut)
{
	static char text[(THREADS_MAX + 1) * 12 + 1];
	static struct threads threads;
	struct error err = ERROR_INIT;
	struct fake_tree t;
	size_t len = 0;

	fake_tree_init(&t);
	for (size_t i = 0; i < THREADS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%011d\n", getpid());
	fake_file(&t, "g/cgroup.threads", text);
	AUTO_CLOSE int dir = open_folder(&t, "g");
	assert_int_equal(threads_of_group(dir, NULL, &threads, &err), 0);
	assert_int_equal(threads.n, THREADS_MAX);
	assert_false(threads.is_cut);
	snprintf(text + len, sizeof(text) - len, "%011d\n", getpid());
	fake_file(&t, "g/cgroup.threads", text);
	assert_int_equal(threads_of_group(dir, NULL, &threads, &err), 0);
	assert_int_equal(threads.n, THREADS_MAX);
	assert_true(threads.is_cut);
	fake_tree_done(&t);
}
