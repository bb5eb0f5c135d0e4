/* SPDX-License-Identifier: Apache-2.0 */

/* The supervisor: a process that undoes what agents have done when these cannot. It calls nothing
 * that allocates: it may be started again while other threads hold the heap's lock. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "node/privilege.h"
#include "node/realtime.h"
#include "node/soft/soft.h"
#include "node/thread.h"

enum { POLL_HELPER, POLL_ALERT, POLL_ALARM, POLLS };
enum { LATE_MS = 25, LOOK_MS = 10, GRACE_MS = 10000, DELIVERY_MS = 100, REPLACE_MS = 1000 };

struct supervisor {
	struct soft *soft;
	bool is_alone; /* the helper is gone */
	bool is_ending;
	int64_t alone_ms;
};

/* Agents hold the lock for microseconds, unless they are stopped or outranked meanwhile. */
static void restore_late(struct supervisor *s, unsigned cpu, uint64_t now)
{
	struct soft_shared *shared = s->soft->shared;
	struct soft_cpu *c = &shared->cpus[cpu];
	uint64_t late_ns = s->is_alone ? 0 : (uint64_t)LATE_MS * NS_PER_MS;
	bool is_locked = soft_cpu_lock(c, false);

	for (unsigned i = c->n; i-- > 0;) {
		if (!s->is_alone && c->records[i].refill_ns + late_ns > now)
			continue;
		if (is_locked)
			soft_restore(shared, cpu, i, s->soft->maps.stops);
		else
			soft_give_back(shared, cpu, i, s->soft->maps.stops);
	}
	if (is_locked)
		soft_cpu_unlock(c);
}

/* True: there are some. */
static bool continue_late(struct supervisor *s, uint64_t now)
{
	int map = s->soft->maps.stops;
	uint64_t late_ns = s->is_alone ? 0 : (uint64_t)LATE_MS * NS_PER_MS;
	uint32_t pid, next;
	struct soft_stop stop;
	bool is_any = false;

	for (bool has = bpf_map_get_next_key(map, NULL, &next) == 0; has;) {
		pid = next;
		has = bpf_map_get_next_key(map, &pid, &next) == 0;
		if (bpf_map_lookup_elem(map, &pid, &stop) < 0)
			continue;
		is_any = true;
		if (!s->is_ending && stop.refill_ns + late_ns > now)
			continue;
		bpf_map_delete_elem(map, &pid);
		soft_continue((pid_t)pid, stop.start_ns);
	}
	return is_any;
}

static bool look(struct supervisor *s)
{
	struct soft_shared *shared = s->soft->shared;
	uint64_t now = (uint64_t)clock_ns();
	bool is_any = continue_late(s, now);

	for (unsigned cpu = 0; cpu < shared->n_cpus; cpu++) {
		if (!shared->cpus[cpu].n)
			continue;
		restore_late(s, cpu, now);
		is_any = true;
	}
	return is_any;
}

/* The programs are there until this process ends: without budgets they stop nothing more. A signal
 * that one has sent before may be delivered later than a SIGCONT that follows at once. */
static void remove_budgets(struct supervisor *s)
{
	const int map = s->soft->maps.budgets;
	uint64_t cgroup;

	while (bpf_map_get_next_key(map, NULL, &cgroup) == 0 &&
	       bpf_map_delete_elem(map, &cgroup) == 0)
		;
	poll(NULL, 0, DELIVERY_MS);
}

static void note_helper(struct supervisor *s, int fd)
{
	char word;

	if (read(fd, &word, 1) == 1) {
		s->is_ending = true;
		return;
	}
	if (!s->is_alone)
		s->alone_ms = clock_ms();
	s->is_alone = true;
}

static volatile sig_atomic_t is_told_to_end;

static void tell_to_end(int number)
{
	(void)number;
	is_told_to_end = 1;
}

static void take_signals(void)
{
	struct sigaction end = { .sa_handler = tell_to_end };
	sigset_t set;

	sigaction(SIGTERM, &end, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Wakes up now and then only as long as something is demoted or stopped. */
static void watch(struct supervisor *s, int life_fd)
{
	struct soft_shared *shared = s->soft->shared;
	bool is_any = true;

	while (!s->is_ending) {
		struct pollfd polls[POLLS] = {
			[POLL_HELPER] = { s->is_alone ? -1 : life_fd, POLLIN, 0 },
			[POLL_ALERT] = { s->soft->alert_fd, POLLIN, 0 },
			[POLL_ALARM] = { s->soft->maps.alarm, POLLIN, 0 },
		};
		eventfd_t unused;

		shared->is_asleep = !is_any && !s->is_alone;
		poll(polls, POLLS, is_any || s->is_alone ? LOOK_MS : -1);
		if (polls[POLL_HELPER].revents)
			note_helper(s, life_fd);
		if (polls[POLL_ALERT].revents)
			eventfd_read(s->soft->alert_fd, &unused);
		ring_buffer__consume(s->soft->alarm);
		s->is_ending |=
			is_told_to_end || (s->is_alone && clock_ms() - s->alone_ms > GRACE_MS);
		if (s->is_ending && s->is_alone)
			remove_budgets(s);
		is_any = look(s);
	}
}

static _Noreturn void supervise(struct soft *soft, int life_fd)
{
	struct supervisor s = { .soft = soft };
	struct thread self;
	struct error ignored;

	prctl(PR_SET_NAME, "mckube-soft");
	take_signals();
	realtime_become(soft->kernel, SOFT_SUPERVISOR_PRIORITY, &ignored);
	realtime_lock_memory(&ignored);
	if (privilege_seal(&ignored) < 0 || privilege_drop(true, NULL, NULL, &ignored) < 0)
		_exit(1);
	if (thread_identify(getpid(), &self, &ignored) == 0) {
		soft->shared->supervisor_start = self.start;
		soft->shared->supervisor = self.tid;
	}
	watch(&s, life_fd);
	_exit(0);
}

int soft_supervisor_start(struct soft *s, struct error *err)
{
	int life[2];

	if (s->alert_fd < 0)
		s->alert_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->alert_fd < 0 || pipe2(life, O_CLOEXEC) < 0)
		return error_errno(err, "supervisor");
	auto_close_fd(&s->supervisor_fd);
	pid_t pid = fork();
	if (pid == 0) {
		close(life[1]);
		supervise(s, life[0]);
	}
	close(life[0]);
	if (pid < 0) {
		close(life[1]);
		return error_errno(err, "supervisor");
	}
	s->supervisor = pid;
	s->supervisor_fd = life[1];
	return 0;
}

void soft_supervisor_end(struct soft *s)
{
	if (s->supervisor > 0) {
		if (write(s->supervisor_fd, "e", 1) != 1)
			kill(s->supervisor, SIGTERM);
		waitpid(s->supervisor, NULL, 0);
	}
	s->supervisor = 0;
	auto_close_fd(&s->supervisor_fd);
	auto_close_fd(&s->alert_fd);
}

bool soft_supervisor_replace(const struct soft_shared *s)
{
	const struct thread t = { s->supervisor, s->supervisor_start };

	if (t.tid <= 0 || !thread_is_same(&t))
		return false;
	kill(t.tid, SIGTERM);
	for (int ms = 0; ms < REPLACE_MS && thread_is_same(&t); ms += 5)
		usleep(5000);
	return true;
}
