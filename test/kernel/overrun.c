/* SPDX-License-Identifier: Apache-2.0 */

/* FIFO processes that pass their limit, seen by the BPF programs: once for each CPU and period,
 * soon, under the right cgroup; limits that change while they run; nothing left of removed groups.
 */
#include <poll.h>

#include "base/units.h"
#include "node/overrun/overrun.h"
#include "rt_group.h"

enum { PERIOD_US = 50000, BUDGET_US = 20000, LIMIT_US = 5000, SECONDS = 2, SEEN_MAX = 4096 };
enum { SOON_NS = 200000, SLOW_NS = 1500000 }; /* others use this machine, too */
enum { RING_CREATED = 128 };		      /* at most, see bpf/overrun.bpf.c */

struct seen {
	struct overrun_event events[SEEN_MAX];
	size_t n;
};

static void take(const struct overrun_event *event, void *arg)
{
	struct seen *seen = arg;

	if (seen->n < SEEN_MAX)
		seen->events[seen->n++] = *event;
}

static void read_all(struct overruns *o)
{
	for (unsigned i = 0; i < o->n_queues; i++)
		overruns_read(o, i);
}

static void collect(struct overruns *o, int ms)
{
	uint64_t end = rt_now_ns() + (uint64_t)ms * 1000000;
	struct pollfd polls[OVERRUN_QUEUES];

	for (unsigned i = 0; i < o->n_queues; i++)
		polls[i] = (struct pollfd){ .fd = o->queues[i], .events = POLLIN };
	while (rt_now_ns() < end) {
		poll(polls, o->n_queues, 10);
		read_all(o);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_delays(const char *name, const struct seen *seen)
{
	static uint64_t late[SEEN_MAX];

	for (size_t i = 0; i < seen->n; i++)
		late[i] = seen->events[i].used_ns - LIMIT_US * 1000ULL;
	qsort(late, seen->n, sizeof(late[0]), by_value);
	if (seen->n)
		printf("# %s: %zu reports, us past the limit: p50 %.1f p99 %.1f max %.1f\n", name,
		       seen->n, (double)late[seen->n / 2] / 1e3,
		       (double)late[seen->n * 99 / 100] / 1e3, (double)late[seen->n - 1] / 1e3);
}

static bool check(bool is_good, const char *what)
{
	printf("%s %s\n", is_good ? "PASS" : "FAIL", what);
	return is_good;
}

static bool has_no_duplicates(const struct seen *seen)
{
	for (size_t i = 0; i < seen->n; i++)
		for (size_t j = i + 1; j < seen->n; j++)
			if (seen->events[i].period == seen->events[j].period &&
			    seen->events[i].cpu == seen->events[j].cpu &&
			    seen->events[i].cgroup == seen->events[j].cgroup &&
			    seen->events[i].limit == seen->events[j].limit)
				return false;
	return true;
}

static bool median_is_fast(const struct seen *seen)
{
	size_t n_slow = 0;

	for (size_t i = 0; i < seen->n; i++)
		n_slow += seen->events[i].used_ns - LIMIT_US * 1000ULL > SLOW_NS;
	return n_slow * 2 < seen->n;
}

/* What was used above the budget, as when the whole machine stood still for a while, is a debt: the
 * group rests until it is paid. */
static size_t periods_in_debt(const struct seen *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < seen->n; i++)
		if (seen->events[i].used_ns > BUDGET_US * 1000ULL)
			n += seen->events[i].used_ns / (BUDGET_US * 1000ULL);
	return n;
}

struct fixture {
	char dir[128];
	struct kernel kernel;
	struct overruns overruns;
	struct group group;
	uint64_t id;
	struct seen seen;
};

static const uint64_t limits[OVERRUN_LIMITS] = { LIMIT_US * 1000ULL, 0 };

static bool fixture_open(struct fixture *f, struct error *why)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;

	snprintf(f->dir, sizeof(f->dir), RT_MOUNT "/mckube-overrun-%d", getpid());
	if (kernel_probe(&roots, &f->kernel, why) < 0)
		return false;
	if (rt_group_make(f->dir, BUDGET_US, PERIOD_US) < 0)
		return error_set(why, -ENOTSUP, "no RT groups of cgroup v1") == 0;
	f->overruns.on_event = take;
	f->overruns.arg = &f->seen;
	uint64_t start = rt_now_ns();
	struct error unused;
	if (overruns_open(&f->overruns, &f->kernel, &backend_cgroup_v1, &overrun_bpf, &unused,
			  why) < 0)
		return false;
	printf("# loaded and attached in %.0f ms\n", (double)(rt_now_ns() - start) / 1e6);
	return group_open(&f->group, &backend_cgroup_v1, &f->kernel, strrchr(f->dir, '/') + 1,
			  "test", why) == 0 &&
	       group_id(&f->group, &f->id, why) == 0;
}

static void fixture_close(struct fixture *f)
{
	group_close(&f->group);
	overruns_close(&f->overruns);
	rt_group_remove(f->dir);
}

static bool spinner_is_seen_each_period(struct fixture *f)
{
	const size_t periods = SECONDS * 1000000 / PERIOD_US;

	f->seen.n = 0;
	overruns_watch(&f->overruns, &f->group, f->id, limits, 0, NULL);
	pid_t pid = rt_start(f->dir, 1, rt_spin, NULL);
	collect(&f->overruns, SECONDS * 1000);
	rt_stop(pid);
	print_delays("spinner", &f->seen);
	bool is_named = true;
	for (size_t i = 0; i < f->seen.n; i++)
		is_named =
			is_named && f->seen.events[i].cgroup == f->id && f->seen.events[i].cpu == 1;
	bool is_good = check(f->seen.n + periods_in_debt(&f->seen) + 3 >= periods &&
				     f->seen.n <= periods + 1,
			     "a spinner is reported once in each period");

	is_good = check(has_no_duplicates(&f->seen), "no period is reported twice") && is_good;
	is_good = check(is_named, "cgroup and CPU are right") && is_good;
	is_good = check(median_is_fast(&f->seen), "the median is under 1.5 ms") && is_good;
	return is_good;
}

static bool each_cpu_fills_its_own_queue(struct fixture *f)
{
	unsigned own = 1 % f->overruns.n_queues;
	bool is_alone = true;

	pid_t pid = rt_start(f->dir, 1, rt_spin, NULL);
	struct pollfd p = { .fd = f->overruns.queues[own], .events = POLLIN };
	bool is_readable = poll(&p, 1, 1000) == 1;
	for (unsigned i = 0; i < f->overruns.n_queues; i++) {
		p.fd = f->overruns.queues[i];
		is_alone &= i == own || poll(&p, 1, 0) == 0;
	}
	rt_stop(pid);
	read_all(&f->overruns);
	return check(is_readable && is_alone, "a CPU makes its own queue readable, and no other");
}

static bool bursts_on_two_cpus_are_seen(struct fixture *f)
{
	struct rt_bursts bursts = { 1000, 200 };
	const size_t periods = 2 * SECONDS * 1000000 / PERIOD_US;

	f->seen.n = 0;
	pid_t first = rt_start(f->dir, 0, rt_burst, &bursts);
	pid_t second = rt_start(f->dir, 1, rt_burst, &bursts);
	collect(&f->overruns, SECONDS * 1000);
	rt_stop(first);
	rt_stop(second);
	print_delays("bursts on two CPUs", &f->seen);
	bool is_good = check(f->seen.n + periods_in_debt(&f->seen) + 8 >= periods &&
				     f->seen.n <= periods + 2,
			     "each CPU has its own reports");

	is_good = check(has_no_duplicates(&f->seen), "no CPU and period is reported twice") &&
		  is_good;
	return is_good;
}

static bool limits_change_while_it_runs(struct fixture *f)
{
	const uint64_t both[OVERRUN_LIMITS] = { LIMIT_US * 1000ULL, 2 * LIMIT_US * 1000ULL };
	const uint64_t high[OVERRUN_LIMITS] = { 4 * BUDGET_US * 1000ULL, 0 };
	size_t n_second = 0;

	f->seen.n = 0;
	pid_t pid = rt_start(f->dir, 1, rt_spin, NULL);
	overruns_watch(&f->overruns, &f->group, f->id, both, 0, NULL);
	collect(&f->overruns, 500);
	for (size_t i = 0; i < f->seen.n; i++)
		n_second += f->seen.events[i].limit == 1;
	bool is_good = check(n_second >= 7 && n_second <= 11, "the second limit is reported, too");
	overruns_watch(&f->overruns, &f->group, f->id, high, 0, NULL);
	collect(&f->overruns, 100);
	f->seen.n = 0;
	collect(&f->overruns, 300);
	is_good &= check(f->seen.n == 0, "a limit that is not reached is not reported");
	overruns_forget(&f->overruns, f->id);
	collect(&f->overruns, 100);
	rt_stop(pid);
	return is_good;
}

/* A report wakes its reader on the CPU of the spinner: the next one is due when that goes on. */
static bool overruns_are_announced(struct fixture *f)
{
	const uint64_t limit = LIMIT_US * 1000ULL;
	const uint64_t close[OVERRUN_LIMITS] = { limit, 0, limit - SOON_NS };
	size_t n_soon = 0, n_passed = 0;

	f->seen.n = 0;
	overruns_watch(&f->overruns, &f->group, f->id, close, 0, NULL);
	pid_t pid = rt_start(f->dir, 1, rt_spin, NULL);
	collect(&f->overruns, SECONDS * 1000);
	rt_stop(pid);
	for (size_t i = 0; i < f->seen.n; i++) {
		const struct overrun_event *at = &f->seen.events[i];

		n_passed += at->limit == 0;
		n_soon += at->limit == OVERRUN_SOON && at->used_ns < limit;
	}
	printf("# of %zu overruns %zu were announced\n", n_passed, n_soon);
	return check(n_soon * 2 > n_passed && n_soon <= n_passed + 1,
		     "an overrun is announced, once in each period");
}

static bool running_task_that_becomes_fifo_is_seen(struct fixture *f)
{
	f->seen.n = 0;
	overruns_watch(&f->overruns, &f->group, f->id, limits, 0, NULL);
	pid_t pid = rt_start(f->dir, 0, rt_sleep, NULL);
	rt_is_fifo(pid);
	rt_stop(pid);
	pid = fork();
	if (pid == 0) {
		struct sched_param param = { .sched_priority = 5 };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(LIFE_S);
		rt_put(f->dir, "cgroup.procs", getpid());
		for (uint64_t end = rt_now_ns() + 30000000; rt_now_ns() < end;)
			;
		sched_setscheduler(0, SCHED_FIFO, &param);
		for (;;)
			;
	}
	collect(&f->overruns, 500);
	rt_stop(pid);
	return check(f->seen.n >= 6, "a running task that becomes FIFO is seen");
}

/* 2 ms of each period of 50: in one, two or three bursts. */
static bool use_of_each_period_is_counted(struct fixture *f)
{
	struct rt_bursts bursts = { .work_us = 1000, .idle_us = 24000 };
	struct use_count before = { 0 }, after;

	overruns_watch(&f->overruns, &f->group, f->id, limits, 0, NULL);
	bool is_known = overruns_use(&f->overruns, f->id, &before);
	after = before;
	pid_t pid = rt_start(f->dir, 1, rt_burst, &bursts);
	uint64_t end = rt_now_ns() + 20ULL * NS_PER_S;
	while (after.periods - before.periods < 20 && rt_now_ns() < end) {
		collect(&f->overruns, 100);
		is_known &= overruns_use(&f->overruns, f->id, &after);
	}
	rt_stop(pid);
	uint64_t n = after.periods - before.periods, total_us = after.total_us - before.total_us;
	printf("# %llu periods: mean %llu us, p99 %llu us\n", (unsigned long long)n,
	       (unsigned long long)(n ? total_us / n : 0),
	       (unsigned long long)use_quantile(&after, &before, 99));
	bool is_good = check(is_known && n >= 20, "periods in which a group ran are counted");
	is_good &= check(n && total_us / n >= 800 && total_us / n < 4000 &&
				 use_quantile(&after, &before, 99) >= total_us / n * 8 / 9,
			 "and what was used in them");
	overruns_forget(&f->overruns, f->id);
	return check(!overruns_use(&f->overruns, f->id, &after), "a forgotten group has no use") &&
	       is_good;
}

/* In two seconds, with what `victim` does in the group. */
static uint64_t missed_us(struct fixture *f, void (*victim)(void *), void *arg)
{
	uint64_t before = 0, after = 0;

	pid_t pid = rt_start(f->dir, 1, victim, arg);
	rt_is_fifo(pid);
	overruns_missed(&f->overruns, &before);
	collect(&f->overruns, SECONDS * 1000);
	overruns_missed(&f->overruns, &after);
	rt_stop(pid);
	return (after - before) / 1000;
}

/* A more important spinner takes the CPU for 300 ms of each second: six periods of the group. */
static bool time_that_others_take_is_missed(struct fixture *f)
{
	enum { HOG_US = 300000, LOST_US = SECONDS * HOG_US / PERIOD_US * BUDGET_US };
	const struct sched_param more = { .sched_priority = 50 };
	struct rt_bursts bursts = { .work_us = 5000, .idle_us = 20000 };
	char hog_dir[160];

	snprintf(hog_dir, sizeof(hog_dir), "%s-hog", f->dir);
	if (rt_group_make(hog_dir, HOG_US, 1000000) < 0)
		return check(false, "there is room for another group");
	overruns_watch(&f->overruns, &f->group, f->id, limits, BUDGET_US * 1000ULL, NULL);
	uint64_t throttled = missed_us(f, rt_spin, NULL), calm = missed_us(f, rt_burst, &bursts);
	pid_t hog = rt_start(hog_dir, 1, rt_spin, NULL);
	rt_is_fifo(hog);
	sched_setscheduler(hog, SCHED_FIFO, &more);
	uint64_t starved = missed_us(f, rt_spin, NULL), hindered = missed_us(f, rt_burst, &bursts);
	rt_stop(hog);
	rt_group_remove(hog_dir);
	printf("# missed in %d s, us: %llu by a spinner, %llu by bursts; beside a more important one "
	       "%llu and %llu, of at most %d\n",
	       SECONDS, (unsigned long long)throttled, (unsigned long long)calm,
	       (unsigned long long)starved, (unsigned long long)hindered, LOST_US);
	bool is_good = check(throttled < LOST_US / 20 && calm < LOST_US / 20,
			     "what has its budget or wants less misses nothing");
	return check(starved > LOST_US / 2 && starved < LOST_US + LOST_US / 2 &&
			     hindered > LOST_US / 4,
		     "what others take is missed") &&
	       is_good;
}

static struct cgroup_created last_created;

static void take_created(const struct cgroup_created *created, void *arg)
{
	(*(size_t *)arg)++;
	last_created = *created;
}

static bool new_groups_are_reported(struct fixture *f)
{
	size_t n_created = 0;
	char child[160];
	struct stat st = { 0 };

	snprintf(child, sizeof(child), "%s/child", f->dir);
	f->overruns.on_created = take_created;
	f->overruns.created_arg = &n_created;
	overruns_read_created(&f->overruns);
	n_created = 0;
	mkdir(child, 0755);
	stat(child, &st);
	uint64_t now = rt_now_ns();
	struct pollfd p = { .fd = f->overruns.created_fd, .events = POLLIN };
	poll(&p, 1, 1000);
	overruns_read_created(&f->overruns);
	rmdir(child);
	printf("# a new cgroup was reported %.0f us after mkdir\n",
	       ((double)rt_now_ns() - (double)now) / 1e3);
	return check(n_created == 1 && last_created.cgroup == st.st_ino &&
			     strcmp(last_created.path, child + strlen(RT_MOUNT)) == 0,
		     "a new cgroup is reported with its path");
}

static bool removed_groups_are_forgotten(struct fixture *f)
{
	struct group gone;
	char child[160];
	uint64_t id;
	bool is_good = true;

	snprintf(child, sizeof(child), "%s/child", f->dir);
	for (int i = 0; i < 64; i++) {
		mkdir(child, 0755);
		is_good &= group_open(&gone, &backend_cgroup_v1, &f->kernel,
				      child + strlen(RT_MOUNT) + 1, "child", NULL) == 0 &&
			   group_id(&gone, &id, NULL) == 0 &&
			   overruns_watch(&f->overruns, &gone, id, limits, 0, NULL) == 0;
		group_close(&gone);
		is_good &= rmdir(child) == 0;
	}
	return check(is_good && overruns_lost(&f->overruns) == 0,
		     "64 groups come and go, nothing is lost");
}

/* Nothing is read while more groups are made than the ring has room for. */
static bool what_is_lost_is_counted(struct fixture *f)
{
	char child[160];
	size_t n_created = 0;

	f->overruns.created_arg = &n_created;
	overruns_read_created(&f->overruns);
	n_created = 0;
	snprintf(child, sizeof(child), "%s/child", f->dir);
	for (int i = 0; i < 2 * RING_CREATED; i++)
		if (mkdir(child, 0755) < 0 || rmdir(child) < 0)
			return check(false, "groups are made");
	overruns_read_created(&f->overruns);
	uint64_t n_lost = overruns_lost(&f->overruns);
	printf("# of %d new groups %zu were reported, %llu lost\n", 2 * RING_CREATED, n_created,
	       (unsigned long long)n_lost);
	/* Other groups are made on this machine, too. */
	return check(n_lost > 0 && n_created + n_lost >= 2 * RING_CREATED,
		     "what the ring had no room for is counted");
}

int main(void)
{
	static struct fixture f;
	struct error why = ERROR_INIT;

	if (!fixture_open(&f, &why)) {
		fixture_close(&f);
		printf("%s\n", why.msg);
		return 77;
	}
	bool is_good = spinner_is_seen_each_period(&f);
	is_good &= each_cpu_fills_its_own_queue(&f);
	is_good &= bursts_on_two_cpus_are_seen(&f);
	is_good &= limits_change_while_it_runs(&f);
	is_good &= overruns_are_announced(&f);
	is_good &= running_task_that_becomes_fifo_is_seen(&f);
	is_good &= use_of_each_period_is_counted(&f);
	is_good &= time_that_others_take_is_missed(&f);
	is_good &= new_groups_are_reported(&f);
	is_good &= removed_groups_are_forgotten(&f);
	is_good &= what_is_lost_is_counted(&f);
	fixture_close(&f);
	return is_good ? 0 : 1;
}
