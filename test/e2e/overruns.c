/* SPDX-License-Identifier: Apache-2.0 */

/* Says which cgroups use more than their limits, as the node agent of an older operator would.
 *
 *	overruns (LIMIT-US PATH)...
 *
 * PATH is below the cpu hierarchy. A line for each group and period: PATH, and the kernel's
 * CLOCK_MONOTONIC in ns. Ends when its standard input does. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/overrun/overrun.h"

enum { GROUPS_MAX = 64 };

static struct watched {
	const char *path;
	struct group group;
	uint64_t id;
} watched[GROUPS_MAX];
static size_t n_watched;

static void tell(const struct overrun_event *event, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < n_watched; i++)
		if (watched[i].id == event->cgroup)
			printf("%s %" PRIu64 "\n", watched[i].path, (uint64_t)event->at_ns);
	fflush(stdout);
}

static int watch(struct overruns *o, const char *limit, const char *path, struct error *err)
{
	const uint64_t limits[OVERRUN_LIMITS] = { strtoull(limit, NULL, 10) * NS_PER_US };
	struct watched *w = &watched[n_watched];

	w->path = path;
	if (group_open(&w->group, o->backend, o->kernel, path, path, err) < 0 ||
	    group_id(&w->group, &w->id, err) < 0)
		return err->code;
	n_watched++;
	return overruns_watch(o, &w->group, w->id, limits, 0, err);
}

static void follow(struct overruns *o)
{
	struct pollfd polls[OVERRUN_QUEUES + 1] = { { .fd = 0, .events = POLLIN } };

	for (unsigned i = 0; i < o->n_queues; i++)
		polls[i + 1] = (struct pollfd){ .fd = o->queues[i], .events = POLLIN };
	while (poll(polls, o->n_queues + 1, -1) > 0 && !polls[0].revents)
		for (unsigned i = 0; i < o->n_queues; i++)
			overruns_read(o, i);
}

int main(int argc, char **argv)
{
	const struct kernel_roots roots = KERNEL_ROOTS_HOST;
	struct overruns o = { 0 };
	struct error err = ERROR_INIT;
	static struct kernel k;

	if (argc < 3 || argc % 2 == 0 || argc / 2 > GROUPS_MAX)
		return 2;
	int r = kernel_probe(&roots, &k, &err);
	if (r == 0)
		r = overruns_open(&o, &k, &backend_cgroup_v1, &overrun_bpf, &err, &err);
	o.on_event = tell;
	for (int i = 1; r == 0 && i < argc; i += 2)
		r = watch(&o, argv[i], argv[i + 1], &err);
	if (r < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	follow(&o);
	overruns_close(&o);
	return 0;
}
