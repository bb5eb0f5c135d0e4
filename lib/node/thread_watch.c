/* SPDX-License-Identifier: Apache-2.0 */

/* The only file that knows the skeleton of bpf/threads.bpf.c. */
#include "node/thread_watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "bpf/threads.h"
#include "threads.skel.h"

static int take(void *arg, void *data, size_t size)
{
	struct thread_watch *w = arg;
	const struct thread_entered *e = data;

	if (size >= sizeof(*e) && w->on_entered)
		w->on_entered(e->cgroup, (pid_t)e->tid,
			      e->start_ns / (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK)),
			      e->is_process, w->arg);
	return 0;
}

static int load(struct thread_watch *w, const struct kernel *k, struct error *err)
{
	w->skel = threads_bpf__open();
	if (!w->skel)
		return error_errno(err, "BPF: open");
	w->skel->rodata->is_v2 = strcmp(k->cpu, k->unified) == 0;
	int r = threads_bpf__load(w->skel);
	if (r < 0)
		return error_set(err, r, "BPF: load: %s", strerror(-r));
	r = threads_bpf__attach(w->skel);
	if (r < 0)
		return error_set(err, r, "BPF: attach: %s", strerror(-r));
	w->ring = ring_buffer__new(bpf_map__fd(w->skel->maps.entered), take, w, NULL);
	if (!w->ring)
		return error_errno(err, "BPF: open a ring buffer");
	w->fd = ring_buffer__epoll_fd(w->ring);
	return 0;
}

int thread_watch_open(struct thread_watch *w, const struct kernel *k, struct error *err)
{
	*w = (struct thread_watch){ .fd = -1 };
	int r = load(w, k, err);
	if (r < 0)
		thread_watch_close(w);
	return r;
}

void thread_watch_close(struct thread_watch *w)
{
	ring_buffer__free(w->ring);
	threads_bpf__destroy(w->skel);
	*w = (struct thread_watch){ .fd = -1 };
}

int thread_watch_add(struct thread_watch *w, uint64_t cgroup, struct error *err)
{
	const uint32_t yes = 1;

	if (bpf_map_update_elem(bpf_map__fd(w->skel->maps.watched), &cgroup, &yes, BPF_ANY) < 0)
		return error_errno(err, "watch for new threads");
	return 0;
}

void thread_watch_forget(struct thread_watch *w, uint64_t cgroup)
{
	bpf_map_delete_elem(bpf_map__fd(w->skel->maps.watched), &cgroup);
}

void thread_watch_read(struct thread_watch *w)
{
	ring_buffer__consume(w->ring);
}

bool thread_watch_has_lost(struct thread_watch *w)
{
	uint64_t lost = __atomic_load_n(&w->skel->bss->lost, __ATOMIC_RELAXED);
	bool is_more = lost != w->lost;

	w->lost = lost;
	return is_more;
}
