/* SPDX-License-Identifier: Apache-2.0 */
#include "node/soft/threads.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/units.h"
#include "node/sysfs.h"
#include "node/thread.h"

static size_t shared_size(unsigned n_cpus)
{
	return sizeof(struct soft_shared) + n_cpus * sizeof(struct soft_cpu);
}

static void init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

static bool is_readable(const struct soft_shared *s, unsigned n_cpus)
{
	return s->magic == SOFT_MAGIC && s->n_cpus == n_cpus &&
	       s->record_size == sizeof(struct soft_record);
}

int soft_shared_open(const char *path, unsigned n_cpus, struct soft_shared **ret, bool *ret_is_left,
		     struct error *err)
{
	size_t size = shared_size(n_cpus);
	struct stat st;

	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || ftruncate(fd, (off_t)size) < 0)
		return error_errno(err, "open %s", path);
	struct soft_shared *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return error_errno(err, "map %s", path);
	*ret_is_left = is_readable(s, n_cpus) && s->is_enforced;
	if (!is_readable(s, n_cpus)) {
		s->n_cpus = n_cpus;
		s->record_size = sizeof(struct soft_record);
		for (unsigned i = 0; i < n_cpus; i++)
			s->cpus[i].n = 0;
		s->magic = SOFT_MAGIC;
	}
	*ret = s;
	return 0;
}

/* Once no other process has the file: a dead one may still hold a lock. */
void soft_shared_own(struct soft_shared *s)
{
	for (unsigned i = 0; i < s->n_cpus; i++)
		init_lock(&s->cpus[i].lock);
}

void soft_shared_close(struct soft_shared *s)
{
	if (s)
		munmap(s, shared_size(s->n_cpus));
}

bool soft_cpu_lock(struct soft_cpu *c, bool may_wait)
{
	int r = may_wait ? pthread_mutex_lock(&c->lock) : pthread_mutex_trylock(&c->lock);

	if (r == EOWNERDEAD)
		pthread_mutex_consistent(&c->lock);
	return r == 0 || r == EOWNERDEAD;
}

void soft_cpu_unlock(struct soft_cpu *c)
{
	pthread_mutex_unlock(&c->lock);
}

static bool is_realtime(int policy)
{
	policy &= ~SCHED_RESET_ON_FORK;
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Unlike sched_setattr(2) this keeps the nice value, of which the thread knows nothing meanwhile.
 */
static bool set_policy(pid_t tid, int policy, int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(tid, policy, &param) == 0;
}

/* What start times of threads are told by: it goes on while the machine is suspended. */
static uint64_t since_boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Field 39 of /proc/TID/stat. */
static int cpu_of(pid_t tid)
{
	char path[sizeof("/proc//stat") + SYSFS_INT] = "/proc/", buf[SYSFS_VALUE];
	char *end = sysfs_put_int(path + strlen(path), tid);

	memcpy(end, "/stat", sizeof("/stat"));
	if (sysfs_read(AT_FDCWD, path, buf, sizeof(buf), NULL) < 0)
		return -1;
	const char *at = strrchr(buf, ')');
	for (int field = 3; at && field <= 39; field++)
		at = strchr(at + 1, ' ');
	return at ? (int)strtol(at, NULL, 10) : -1;
}

static bool is_on(pid_t tid, unsigned cpu)
{
	cpu_set_t cpus;

	if (sched_getaffinity(tid, sizeof(cpus), &cpus) < 0)
		return false;
	return CPU_COUNT(&cpus) == 1 ? CPU_ISSET(cpu, &cpus) : cpu_of(tid) == (int)cpu;
}

static struct soft_record *add(struct soft_cpu *c, const struct soft_record *record)
{
	unsigned n = c->n;

	if (n >= SOFT_RECORDS)
		return NULL;
	c->records[n] = *record;
	c->n = n + 1;
	return &c->records[n];
}

static void drop(struct soft_cpu *c, unsigned i)
{
	c->records[i] = c->records[c->n - 1];
	c->n--;
}

/* By way of SCHED_OTHER: SCHED_IDLE has another weight, and the kernel keeps what a thread has run
 * too much or too little in proportion to its weight only from one fair policy to the other
 * (reweight_entity(), kernel/sched/fair.c). A thread that becomes SCHED_IDLE at once is forgiven
 * what it has run in the last period and gets a tick of 4 ms again and again: two groups took a
 * third of the time of a CPU that they should leave, instead of a hundredth. */
static void demote(struct soft_shared *s, struct soft_cpu *c, const struct soft_record *record)
{
	if (!add(c, record))
		return;
	if (!set_policy(record->id, SCHED_OTHER | SCHED_RESET_ON_FORK, 0))
		c->n--;
	else if (s->demoted_policy != SCHED_OTHER)
		set_policy(record->id, s->demoted_policy | SCHED_RESET_ON_FORK, 0);
}

struct demotion {
	struct soft_shared *shared;
	unsigned cpu;
	uint64_t cgroup, refill_ns;
};

/* is_here: its CPU is known. */
static void demote_if_realtime(const struct demotion *d, pid_t tid, bool is_here)
{
	struct sched_param param;

	if (tid <= 0)
		return;
	int policy = sched_getscheduler(tid);
	if (policy < 0 || !is_realtime(policy) || sched_getparam(tid, &param) < 0 ||
	    (!is_here && !is_on(tid, d->cpu)))
		return;
	demote(d->shared, &d->shared->cpus[d->cpu],
	       &(struct soft_record){
		       .cgroup = d->cgroup,
		       .refill_ns = d->refill_ns,
		       .start_ns = since_boot_ns(),
		       .id = tid,
		       .kind = SOFT_THREAD,
		       .policy = policy,
		       .priority = param.sched_priority,
	       });
}

void soft_demote_running(struct soft_shared *s, unsigned cpu, const struct soft_event *event)
{
	const struct demotion d = { s, cpu, event->cgroup, event->refill_ns };

	demote_if_realtime(&d, (pid_t)event->pid, event->is_bound);
}

/* Calls `each` for the numbers of a file that is read from its start. */
static void each_number(int fd, void (*each)(pid_t id, void *arg), void *arg)
{
	char buf[SYSFS_VALUE];
	pid_t id = 0;
	off_t at = 0;

	for (ssize_t n; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n)
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				id = id * 10 + (buf[i] - '0');
				continue;
			}
			each(id, arg);
			id = 0;
		}
}

static void demote_one(pid_t tid, void *arg)
{
	demote_if_realtime(arg, tid, false);
}

void soft_demote_group(struct soft_shared *s, unsigned cpu, int dir, int threads_fd,
		       uint64_t cgroup, uint64_t refill_ns)
{
	struct demotion d = { s, cpu, cgroup, refill_ns };

	if (threads_fd >= 0) {
		each_number(threads_fd, demote_one, &d);
		return;
	}
	/* See node/thread.c for why it is opened each time. */
	AUTO_CLOSE int fd = openat(dir, "tasks", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		each_number(fd, demote_one, &d);
}

static const struct soft_record *find(const struct soft_cpu *c, pid_t id)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->records[i].id == id && c->records[i].kind != SOFT_PROCESS)
			return &c->records[i];
	return NULL;
}

void soft_add_child(struct soft_shared *s, unsigned cpu, const struct soft_event *event)
{
	const struct soft_record *parent = find(&s->cpus[cpu], (pid_t)event->parent);

	if (!parent)
		return;
	struct soft_record child = *parent;
	if (parent->policy & SCHED_RESET_ON_FORK) {
		child.policy = SCHED_OTHER;
		child.priority = 0;
	}
	child.id = (pid_t)event->pid;
	child.kind = SOFT_CHILD;
	child.start_ns = event->start_ns;
	add(&s->cpus[cpu], &child);
}

void soft_add_stopped(struct soft_shared *s, unsigned cpu, const struct soft_event *event)
{
	add(&s->cpus[cpu], &(struct soft_record){
				   .cgroup = event->cgroup,
				   .refill_ns = event->refill_ns,
				   .start_ns = event->start_ns,
				   .id = (pid_t)event->pid,
				   .kind = SOFT_PROCESS,
			   });
}

static const uint64_t ns_per_tick = 10000000; /* of the times in /proc */

static bool is_started_at(pid_t pid, uint64_t start_ns)
{
	struct thread t;

	return thread_identify(pid, &t, NULL) == 0 && t.start == start_ns / ns_per_tick;
}

static bool is_started_by(pid_t tid, uint64_t ns)
{
	struct thread t;

	return since_boot_ns() < ns + SOFT_REUSE_NS ||
	       (thread_identify(tid, &t, NULL) == 0 && t.start <= ns / ns_per_tick);
}

void soft_continue(pid_t pid, uint64_t start_ns)
{
	if (is_started_at(pid, start_ns))
		kill(pid, SIGCONT);
}

static bool is_marked(const struct soft_shared *s, const struct soft_record *r)
{
	int policy = sched_getscheduler(r->id);

	if (r->kind == SOFT_CHILD)
		return policy == s->demoted_policy && is_started_at(r->id, r->start_ns);
	return (policy == (s->demoted_policy | SCHED_RESET_ON_FORK) ||
		policy == (SCHED_OTHER | SCHED_RESET_ON_FORK)) &&
	       (!r->start_ns || is_started_by(r->id, r->start_ns));
}

void soft_give_back(const struct soft_shared *s, unsigned cpu, unsigned i, int stops)
{
	const struct soft_record r = s->cpus[cpu].records[i];

	if (r.kind == SOFT_PROCESS) {
		soft_continue(r.id, r.start_ns);
		if (stops >= 0)
			bpf_map_delete_elem(stops, &r.id);
	} else if (is_marked(s, &r)) {
		set_policy(r.id, r.policy, r.priority);
	}
}

void soft_restore(struct soft_shared *s, unsigned cpu, unsigned i, int stops)
{
	soft_give_back(s, cpu, i, stops);
	drop(&s->cpus[cpu], i);
}

static void continue_stopped(pid_t pid, void *arg)
{
	char path[sizeof("/proc//stat") + SYSFS_INT] = "/proc/", buf[SYSFS_VALUE];
	char *end = sysfs_put_int(path + strlen(path), pid);

	(void)arg;
	memcpy(end, "/stat", sizeof("/stat"));
	if (pid <= 0 || sysfs_read(AT_FDCWD, path, buf, sizeof(buf), NULL) < 0)
		return;
	const char *at = strrchr(buf, ')');
	if (at && strncmp(at, ") T", 3) == 0)
		kill(pid, SIGCONT);
}

void soft_continue_group(int dir)
{
	AUTO_CLOSE int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		each_number(fd, continue_stopped, NULL);
}
