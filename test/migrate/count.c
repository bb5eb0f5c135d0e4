/* SPDX-License-Identifier: Apache-2.0 */

/* Counts, a line a step: "NUMBER MONOTONIC-MS REALTIME-MS POLICY". What a move loses or does twice
 *is missing or double in the lines.
 *
 *	count [--mb N] [--step-ms N] [--fifo PRIORITY] [--timer] [--file FILE]
 *	      [--work-us N] [--end-file FILE] [--open FILE] [--io-uring] [--pin CPU]
 *	      [--talk PORT]
 *
 * --mb touches that much memory, which does not compress, and a page of it at each step. --timer
 * sleeps by a periodic timerfd. --file adds the lines to a file, too, which is opened for each: two
 * that run at a time both write there. The first line says "start". --work-us: it computes for so
 * long at each step. --end-file: when that file is there it says "end" and ends well; SIGTERM is a
 * failure then, as of work that is not done. --open keeps a file open: one of a volume that is not
 * there after a move cannot be restored. --io-uring: CRIU dumps no program that uses it. --pin: a
 * second thread, which does nothing, is held to that CPU. --talk: a thread serves that TCP port,
 *and another is its client, which adds "connected" and "closed" to the file and connects again.
 *--kill-1 does nothing but end process 1, --nothing nothing at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const char *text_of(int argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return NULL;
}

static long number_of(int argc, char **argv, const char *name, long preset)
{
	const char *text = text_of(argc, argv, name);

	return text ? strtol(text, NULL, 10) : preset;
}

static int has(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return 0;
}

static long long ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void touch(unsigned char *memory, size_t n)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i + sizeof(x) <= n; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(memory + i, &x, sizeof(x));
	}
}

static int make_timer(long step_ms)
{
	const struct timespec step = { step_ms / 1000, step_ms % 1000 * 1000000 };
	const struct itimerspec every = { step, step };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static void wait_step(int timer, long step_ms)
{
	struct timespec pause = { step_ms / 1000, step_ms % 1000 * 1000000 };
	uint64_t n;

	if (timer >= 0) {
		while (read(timer, &n, sizeof(n)) < 0 && errno == EINTR)
			;
		return;
	}
	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

enum { EXIT_ENDED = 128 };

static bool is_unfinished;

static void on_term(int number)
{
	_exit(is_unfinished ? EXIT_ENDED + number : 0);
}

static void work(long us)
{
	struct timespec now;
	long long end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	end = now.tv_sec * 1000000000LL + now.tv_nsec + us * 1000;
	while (now.tv_sec * 1000000000LL + now.tv_nsec < end)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
}

static void report(const char *file, const char *line)
{
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

	if (fd >= 0) {
		if (write(fd, line, strlen(line)) < 0)
			perror(file);
		close(fd);
	}
	fputs(line, stdout);
	fflush(stdout);
}

static void keep_open(const char *path, bool has_ring)
{
	struct io_uring_params params = { 0 };

	if (path && open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) < 0)
		perror(path);
	if (has_ring && syscall(SYS_io_uring_setup, 1, &params) < 0)
		perror("io_uring_setup");
}

static void *sleep_on(void *arg)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(*(const long *)arg, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		perror("sched_setaffinity");
	for (;;)
		pause();
	return NULL;
}

/* Both ends of --talk. */
static struct {
	struct sockaddr_in address;
	const char *file;
	int listen_fd;
} talk;

/* Takes connections, and keeps the one that came last. */
static void *serve(void *arg)
{
	for (int fd = -1;;) {
		int next = accept(talk.listen_fd, NULL, NULL);

		if (next < 0)
			continue;
		if (fd >= 0)
			close(fd);
		fd = next;
	}
	return arg;
}

/* The server says nothing: what ends the wait is the end of the connection. */
static void *connect_again(void *arg)
{
	for (char c;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&talk.address, sizeof(talk.address)) == 0) {
			report(talk.file, "connected\n");
			while (read(fd, &c, 1) > 0)
				;
			report(talk.file, "closed\n");
		}
		close(fd);
		usleep(20000);
	}
	return arg;
}

static void start_talk(long port, const char *file)
{
	pthread_t thread;

	talk.address = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	talk.file = file;
	talk.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(talk.listen_fd, (struct sockaddr *)&talk.address, sizeof(talk.address)) < 0 ||
	    listen(talk.listen_fd, 4) < 0)
		perror("listen");
	pthread_create(&thread, NULL, serve, NULL);
	pthread_create(&thread, NULL, connect_again, NULL);
}

int main(int argc, char **argv)
{
	size_t n = (size_t)number_of(argc, argv, "--mb", 0) << 20;
	long step_ms = number_of(argc, argv, "--step-ms", 10);
	const struct sched_param fifo = { .sched_priority =
						  (int)number_of(argc, argv, "--fifo", 0) };
	unsigned char *memory = n ? malloc(n) : NULL;
	int timer = has(argc, argv, "--timer") ? make_timer(step_ms) : -1;

	const char *file = text_of(argc, argv, "--file");
	const char *end_file = text_of(argc, argv, "--end-file");
	long work_us = number_of(argc, argv, "--work-us", 0);
	static long cpu;
	pthread_t thread;

	if (has(argc, argv, "--nothing"))
		return 0;
	if (has(argc, argv, "--kill-1"))
		return kill(1, SIGTERM);
	is_unfinished = end_file != NULL;
	keep_open(text_of(argc, argv, "--open"), has(argc, argv, "--io-uring"));
	signal(SIGTERM, on_term);
	cpu = number_of(argc, argv, "--pin", -1);
	if (cpu >= 0)
		pthread_create(&thread, NULL, sleep_on, &cpu);
	if (number_of(argc, argv, "--talk", 0))
		start_talk(number_of(argc, argv, "--talk", 0), file);

	if (memory)
		touch(memory, n);
	while (fifo.sched_priority && sched_setscheduler(0, SCHED_FIFO, &fifo) < 0)
		usleep(20000);
	report(file, "start\n");
	for (unsigned long i = 0;; i++) {
		struct sched_param p;
		char line[100];
		int policy = sched_getscheduler(0);

		sched_getparam(0, &p);
		if (memory)
			memory[i * PAGE % n]++;
		snprintf(line, sizeof(line), "%lu %lld %lld %d.%d\n", i, ms(CLOCK_MONOTONIC),
			 ms(CLOCK_REALTIME), policy, p.sched_priority);
		report(file, line);
		if (end_file && access(end_file, F_OK) == 0) {
			report(file, "end\n");
			return 0;
		}
		work(work_us);
		wait_step(timer, step_ms);
	}
}
