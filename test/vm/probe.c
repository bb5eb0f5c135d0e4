/* SPDX-License-Identifier: Apache-2.0 */

/* What the virtual machine has no program for, static since it has no libraries either.
 *
 *	probe class PID			"FIFO 20", "OTHER 0", ...
 *	probe spin CPU USER		becomes the user, without capabilities, and spins there
 *	probe into GROUP PROGRAM...	starts a program in a cgroup: clone3(2) with
 *CLONE_INTO_CGROUP probe used PID			CPU time of its first thread in ms */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };

static int fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static int print_class(pid_t pid)
{
	static const char *const names[] = {
		"OTHER", "FIFO", "RR", "BATCH", "", "IDLE", "DEADLINE"
	};
	struct sched_attr attr;

	if (syscall(SYS_sched_getattr, pid, &attr, sizeof(attr), 0) < 0)
		return fail("sched_getattr");
	printf("%s %u\n", names[attr.sched_policy % 7], attr.sched_priority);
	return 0;
}

static int spin(unsigned cpu, uid_t user)
{
	unsigned long mask = 1UL << cpu;

	if (syscall(SYS_sched_setaffinity, 0, sizeof(mask), &mask) < 0)
		return fail("sched_setaffinity");
	if (setuid(user) < 0)
		return fail("setuid");
	for (;;)
		;
}

static int start_in(const char *group, char **argv)
{
	int fd = open(group, O_RDONLY | O_DIRECTORY);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)fd };

	if (fd < 0)
		return fail(group);
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return fail("clone3");
	if (pid > 0) {
		printf("%ld\n", pid);
		return 0;
	}
	dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO); /* a shell waits for its end */
	execv(argv[0], argv);
	_exit(fail(argv[0]));
}

static int print_used(pid_t pid)
{
	char path[64];
	unsigned long long ns;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &ns) != 1)
		return fail(path);
	fclose(f);
	printf("%llu\n", ns / NS_PER_MS);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "class") == 0)
		return print_class(atoi(argv[2]));
	if (argc == 4 && strcmp(argv[1], "spin") == 0)
		return spin((unsigned)atoi(argv[2]), (uid_t)atoi(argv[3]));
	if (argc > 3 && strcmp(argv[1], "into") == 0)
		return start_in(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "used") == 0)
		return print_used(atoi(argv[2]));
	fprintf(stderr, "probe: unknown command\n");
	return 2;
}
