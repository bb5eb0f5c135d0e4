/* SPDX-License-Identifier: Apache-2.0 */

/* What the BPF programs cost: nanoseconds a run, by the kernel's own count (bpf_stats_enabled).
 * Each runs between two empty programs on the same tracepoint: the first of several pays for what
 * none of them has in the cache, so ours is compared with their mean. While two processes without
 * real-time priority switch back and forth, and while a watched FIFO process works in bursts, in
 * turns. `node_bpf [TURNS [SECONDS [soft]]]`: the programs beside RT groups, or those of budgets in
 * software; needs root. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "../kernel/soft_group.h"
#include "node/overrun/overrun.h"

enum { ROWS = 2 };

static const struct program {
	const char *ours, *before, *after, *tracepoint;
} of_rt_groups[ROWS] = {
	{ "rt_switch", "before_switch", "after_switch", "sched_switch" },
	{ "rt_charge", "before_charge", "after_charge", "sched_stat_runtime" },
}, of_soft[ROWS] = {
	{ "soft_switch", "before_switch", "after_switch", "sched_switch" },
	{ "soft_charge", "before_charge", "after_charge", "sched_stat_runtime" },
};

static const struct program *rows = of_rt_groups;

struct counts {
	uint64_t runs, ns;
};

/* Of our programs by name, the newest of each. */
static struct counts count(const char *name)
{
	struct counts c = { 0 };
	uint32_t id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
		    strcmp(info.name, name) == 0)
			c = (struct counts){ info.run_cnt, info.run_time_ns };
		auto_close_fd(&fd);
	}
	return c;
}

struct row {
	struct counts ours, before, after;
};

static void count_all(struct row counts[ROWS])
{
	for (int i = 0; i < ROWS; i++)
		counts[i] = (struct row){ count(rows[i].ours), count(rows[i].before),
					  count(rows[i].after) };
}

static double ns_each(struct counts before, struct counts after)
{
	uint64_t n = after.runs - before.runs;

	return n ? (double)(after.ns - before.ns) / (double)n : 0;
}

static void print(const char *what, const struct row from[ROWS])
{
	struct row to[ROWS];

	count_all(to);
	for (int i = 0; i < ROWS; i++) {
		double ours = ns_each(from[i].ours, to[i].ours);
		double before = ns_each(from[i].before, to[i].before);
		double after = ns_each(from[i].after, to[i].after), empty = (before + after) / 2;

		printf("%-28s %-10s %9llu runs  %6.1f ns each, empty %6.1f (%.1f before, %.1f "
		       "after), more %6.1f\n",
		       what, rows[i].ours,
		       (unsigned long long)(to[i].ours.runs - from[i].ours.runs), ours, empty,
		       before, after, ours - empty);
	}
}

/* return 0; */
static int attach_empty(const char *name, const char *tracepoint)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);

	if (id < 0)
		return id;
	opts.attach_btf_id = (uint32_t)id;
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, name, "GPL", insns, 2, &opts);
	return fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
}

/* Two processes hand a byte to and fro: all switches, nothing else. */
static void ping_pong(int seconds)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) < 0 || pipe(back) < 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(LIFE_S);
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	uint64_t end = rt_now_ns() + (uint64_t)seconds * 1000000000;
	while (rt_now_ns() < end)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

static void with_fifo(const char *dir, int seconds)
{
	struct rt_bursts bursts = { 200, 200 };
	pid_t pid = rt_start(dir, 1, rt_burst, &bursts);

	sleep((unsigned)seconds);
	rt_stop(pid);
}

/* Programs of a tracepoint run in the order in which they came. They stay for as long as this one
 * runs. */
static int attach_all_empty(bool is_before, struct error *err)
{
	for (int i = 0; i < ROWS; i++) {
		int r = attach_empty(is_before ? rows[i].before : rows[i].after,
				     rows[i].tracepoint);
		if (r < 0)
			return error_set(err, r, "%s: no empty program", rows[i].tracepoint);
	}
	return 0;
}

static void run(const char *dir, int turns, int seconds)
{
	struct row from[ROWS];

	for (int i = 0; i < turns; i++) {
		count_all(from);
		ping_pong(seconds);
		print("no real-time priority", from);
		count_all(from);
		with_fifo(dir, seconds);
		print("with a watched FIFO process", from);
	}
}

static bool run_rt_groups(int turns, int seconds, struct error *err)
{
	const uint64_t limits[OVERRUN_LIMITS] = { 40000000, 0 };
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	struct overruns o = { 0 };
	struct error why;
	struct kernel k;
	struct group g;
	uint64_t id;
	char dir[80];

	snprintf(dir, sizeof(dir), RT_MOUNT "/mckube-bpf-%d", getpid());
	bool is_good = kernel_probe(&roots, &k, err) == 0 &&
		       rt_group_make(dir, 50000, 100000) == 0 && attach_all_empty(true, err) == 0 &&
		       overruns_open(&o, &k, &backend_cgroup_v1, &overrun_bpf, &why, err) == 0 &&
		       attach_all_empty(false, err) == 0 &&
		       group_open(&g, &backend_cgroup_v1, &k, dir + strlen(RT_MOUNT) + 1, "bench",
				  err) == 0 &&
		       group_id(&g, &id, err) == 0 &&
		       overruns_watch(&o, &g, id, limits, 0, err) == 0;
	if (is_good) {
		run(dir, turns, seconds);
		group_close(&g);
	}
	overruns_close(&o);
	rt_group_remove(dir);
	return is_good;
}

/* The process uses half of the CPU, and never all of its budget. */
static bool run_soft(int turns, int seconds, struct error *err)
{
	static struct soft_fixture f;
	struct soft_child c;

	rows = of_soft;
	bool is_good = attach_all_empty(true, err) == 0 &&
		       soft_fixture_open(&f, "bpf", SCHED_OTHER, err) == 0 &&
		       attach_all_empty(false, err) == 0 && soft_child_make(&f, &c, "bench") &&
		       soft_child_set(&c, 90000, 100000);
	if (is_good) {
		run(c.dir, turns, seconds);
		soft_child_remove(&c);
	}
	soft_fixture_close(&f);
	return is_good;
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 3, seconds = argc > 2 ? atoi(argv[2]) : 1;
	bool is_soft = argc > 3 && strcmp(argv[3], "soft") == 0;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct error err = ERROR_INIT;

	if (stats >= 0 &&
	    (is_soft ? run_soft(turns, seconds, &err) : run_rt_groups(turns, seconds, &err)))
		return 0;
	printf("needs root, BPF, and RT groups of cgroup v1 or cgroup v2: %s\n", err.msg);
	return 77;
}
