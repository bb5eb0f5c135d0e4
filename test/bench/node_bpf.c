/* SPDX-License-Identifier: Apache-2.0 */

/* What the BPF programs cost: nanoseconds a run, by the kernel's own count (bpf_stats_enabled),
 * while two processes without real-time priority switch back and forth, and while a watched FIFO
 * process works in bursts. `node_bpf [SECONDS]`; needs root. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../kernel/rt_group.h"
#include "node/overrun.h"

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

static void print(const char *what, const char *name, struct counts before)
{
	struct counts after = count(name);
	uint64_t n = after.runs - before.runs;

	printf("%-28s %-10s %9llu runs, %6.1f ns each\n", what, name, (unsigned long long)n,
	       n ? (double)(after.ns - before.ns) / (double)n : 0.0);
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

static void with_stats(const char *what, struct counts *a, struct counts *b)
{
	if (what) {
		print(what, "rt_switch", *a);
		print(what, "rt_charge", *b);
	}
	*a = count("rt_switch");
	*b = count("rt_charge");
}

int main(int argc, char **argv)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	int seconds = argc > 1 ? atoi(argv[1]) : 3, stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	const uint64_t limits[OVERRUN_LIMITS] = { 40000000, 0 };
	struct rt_bursts bursts = { 200, 200 };
	struct overruns o = { 0 };
	struct error err = ERROR_INIT, why;
	struct counts a, b;
	struct kernel k;
	struct group g;
	uint64_t id;
	char dir[80];

	snprintf(dir, sizeof(dir), RT_MOUNT "/mckube-bpf-%d", getpid());
	if (kernel_probe(&roots, &k, &err) < 0 || rt_group_make(dir, 50000, 100000) < 0 ||
	    overruns_open(&o, &k, &backend_cgroup_v1, &overrun_bpf, &why, &err) < 0 || stats < 0) {
		printf("%s\n", err.msg);
		rt_group_remove(dir);
		return 77;
	}
	with_stats(NULL, &a, &b);
	ping_pong(seconds);
	with_stats("no real-time priority", &a, &b);
	group_open(&g, &backend_cgroup_v1, &k, dir + strlen(RT_MOUNT) + 1, "bench", &err);
	group_id(&g, &id, &err);
	overruns_watch(&o, &g, id, limits, &err);
	pid_t pid = rt_start(dir, 1, rt_burst, &bursts);
	sleep((unsigned)seconds);
	rt_stop(pid);
	with_stats("with a watched FIFO process", &a, &b);
	group_close(&g);
	overruns_close(&o);
	close(stats);
	rt_group_remove(dir);
	return 0;
}
