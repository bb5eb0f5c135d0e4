/* SPDX-License-Identifier: Apache-2.0 */
#include "node/realtime.h"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node/sysfs.h"

enum { SEGMENTS_MAX = 24 }; /* of a library; ten to twelve are usual */

int realtime_lock_memory(struct error *err)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return error_errno(err, "lock memory");
	return 0;
}

/* The program itself is the one without a name. */
static bool is_used_by_handler(const char *path)
{
	static const char *const names[] = { "libc.so", "libbpf.so", "linux-vdso" };
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return *path == '\0';
}

/* Segments that may not be written hold what the file holds: relocations are elsewhere. The headers
 * are in one of them themselves: looked at after it was given back, they would bring it back, with
 * the 64 kB around them. */
static int release(struct dl_phdr_info *library, size_t size, void *arg)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	ElfW(Phdr) segments[SEGMENTS_MAX];
	int n = library->dlpi_phnum < SEGMENTS_MAX ? library->dlpi_phnum : SEGMENTS_MAX;

	(void)size;
	(void)arg;
	if (is_used_by_handler(library->dlpi_name))
		return 0;
	memcpy(segments, library->dlpi_phdr, (size_t)n * sizeof(*segments));
	for (int i = 0; i < n; i++) {
		uintptr_t start = (library->dlpi_addr + segments[i].p_vaddr) & ~(page - 1);
		uintptr_t end = library->dlpi_addr + segments[i].p_vaddr + segments[i].p_memsz;

		if (segments[i].p_type == PT_LOAD && !(segments[i].p_flags & PF_W))
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
	return 0;
}

void realtime_release_memory(void)
{
	struct error ignored;

	munlockall();
	malloc_trim(0);
	dl_iterate_phdr(release, NULL);
	realtime_lock_memory(&ignored);
}

struct start {
	void *(*body)(void *);
	void *arg;
	const struct kernel *kernel;
	struct error *why;
	sem_t is_known;
};

/* "0" in `tasks` of cgroup v1 is the calling thread. */
static void move_to_root(const struct kernel *k)
{
	char path[PATH_MAX + sizeof("/tasks")];

	snprintf(path, sizeof(path), "%s/tasks", k->cpu);
	sysfs_write(AT_FDCWD, path, "0", NULL);
}

int realtime_lock_init(pthread_mutex_t *lock, struct error *err)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	int r = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return r ? error_set(err, -r, "make a lock: %s", strerror(r)) : 0;
}

int realtime_become(const struct kernel *k, int priority, struct error *err)
{
	struct sched_param param = { .sched_priority = priority };

	if (k->has[FEATURE_RT_GROUPS_V1])
		move_to_root(k);
	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		return error_errno(err, "SCHED_FIFO for the overrun threads");
	return 0;
}

static void *begin(void *arg)
{
	struct start *start = arg;
	const struct start own = *start;

	realtime_become(own.kernel, REALTIME_PRIORITY, own.why);
	sem_post(&start->is_known);
	return own.body(own.arg);
}

int realtime_start(pthread_t *ret, void *(*body)(void *), void *arg, const struct kernel *k,
		   struct error *ret_why, struct error *err)
{
	struct start start = { .body = body, .arg = arg, .kernel = k, .why = ret_why };
	pthread_attr_t attr;

	sem_init(&start.is_known, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, REALTIME_STACK);
	int r = pthread_create(ret, &attr, begin, &start);
	pthread_attr_destroy(&attr);
	if (r)
		return error_set(err, -r, "start a thread: %s", strerror(r));
	while (sem_wait(&start.is_known) < 0)
		;
	return 0;
}
