/* SPDX-License-Identifier: Apache-2.0 */

/* The only file that knows the skeleton of bpf/overrun.bpf.c.
 *
 * Programs are attached at each start of the helper, not pinned: nothing stays in the kernel when
 * the helper is gone, and a new version never meets an old program. Overruns are not seen while it
 * restarts; a container that is watched keeps its C_hi budget all that time. */
#include "node/overrun/bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "node/privilege.h"
#include "node/sysfs.h"
#include "overrun.skel.h"

enum { LOG_LIBBPF = 6 };

struct bpf_source {
	struct overrun_bpf *skel;
	struct ring_buffer *queues[OVERRUN_QUEUES], *cgroup_watch;
	int n_cpus;
	int *soft_queues;	      /* by CPU; NULL: the backend is another one */
	struct overrun_group *values; /* one for each possible CPU, as the map wants them */
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char line[512];

	(void)level;
	if (log_level_ < LOG_LIBBPF)
		return 0;
	vsnprintf(line, sizeof(line), format, ap);
	log_v(LOG_LIBBPF, "%s", line);
	return 0;
}

/* The number of the hierarchy that has the cpu controller, from lines like "3:cpu,cpuacct:/path";
 * cgroup v2 is 0. */
static int hierarchy_of_cpu(const struct kernel *k)
{
	char buf[SYSFS_VALUE], *line, *rest = buf;

	if (kernel_is_v2(k) ||
	    sysfs_read(AT_FDCWD, "/proc/self/cgroup", buf, sizeof(buf), NULL) < 0)
		return 0;
	while ((line = strsep(&rest, "\n"))) {
		char *names;
		long number = strtol(line, &names, 10);

		if (names == line || *names++ != ':')
			continue;
		for (char *at = strsep(&names, ":"), *name; (name = strsep(&at, ","));)
			if (strcmp(name, "cpu") == 0)
				return (int)number;
	}
	return 0;
}

/* Only the programs that fit the backend are loaded: the others may read fields that this kernel
 * does not have. */
static void choose_programs(struct overrun_bpf *skel, const struct backend *b)
{
	bool is_deadline = b == &backend_deadline;
	bool is_quota = b == &backend_cap_v1 || b == &backend_cap_v2;
	bool is_soft = b == &backend_soft, is_rt = !is_deadline && !is_quota && !is_soft;

	bpf_program__set_autoload(skel->progs.rt_switch, is_rt);
	bpf_program__set_autoload(skel->progs.rt_charge, is_rt);
	bpf_program__set_autoload(skel->progs.prepare, is_rt || is_soft);
	bpf_program__set_autoload(skel->progs.soft_switch, is_soft);
	bpf_program__set_autoload(skel->progs.soft_charge, is_soft);
	bpf_program__set_autoload(skel->progs.soft_newtask, is_soft);
	bpf_map__set_autocreate(skel->maps.soft_budgets, is_soft);
	bpf_map__set_autocreate(skel->maps.soft_states, is_soft);
	bpf_map__set_autocreate(skel->maps.soft_stops, is_soft);
	bpf_map__set_autocreate(skel->maps.soft_queues, is_soft);
	bpf_map__set_autocreate(skel->maps.soft_alarm, is_soft);
	skel->rodata->is_soft = is_soft;
	bpf_program__set_autoload(skel->progs.deadline_charge, is_deadline);
	bpf_program__set_autoload(skel->progs.quota_charge, is_quota);
}

/* bpf_timer can be set up only from a BPF program. */
static int prepare_timers(struct bpf_source *s, struct error *err)
{
	if (!bpf_program__autoload(s->skel->progs.prepare))
		return 0;
	for (int i = 0; i < s->n_cpus; i++) {
		struct overrun_prepare args = { .cpu = (uint32_t)i };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));

		int r = bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.prepare), &opts);
		if (r < 0 || (int)opts.retval < 0)
			return error_set(err, r < 0 ? r : -EIO, "BPF: set up the timer of CPU %d",
					 i);
	}
	return 0;
}

static int take_event(void *arg, void *data, size_t size)
{
	struct overruns *o = arg;

	if (size >= sizeof(struct overrun_event) && o->on_event)
		o->on_event(data, o->arg);
	return 0;
}

static int take_created(void *arg, void *data, size_t size)
{
	struct overruns *o = arg;

	if (size >= sizeof(struct cgroup_created) && o->on_created)
		o->on_created(data, o->created_arg);
	return 0;
}

static int open_rings(struct overruns *o, struct bpf_source *s, struct error *err)
{
	s->cgroup_watch =
		ring_buffer__new(bpf_map__fd(s->skel->maps.cgroup_watch), take_created, o, NULL);
	if (!s->cgroup_watch)
		return error_errno(err, "BPF: open a ring buffer");
	for (unsigned i = 0; i < o->n_queues; i++) {
		s->queues[i] = ring_buffer__new(o->queues[i], take_event, o, NULL);
		if (!s->queues[i])
			return error_errno(err, "BPF: open a ring buffer");
	}
	o->created_fd = ring_buffer__epoll_fd(s->cgroup_watch);
	return 0;
}

static int make_queues(struct overruns *o, struct bpf_source *s, unsigned n, uint32_t bytes,
		       struct error *err)
{
	for (; o->n_queues < n; o->n_queues++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, bytes, NULL);

		if (fd < 0)
			return error_errno(err, "BPF: make a ring buffer");
		o->queues[o->n_queues] = fd;
		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.queues), &o->n_queues, &fd,
					BPF_ANY) < 0)
			return error_errno(err, "BPF: put a ring buffer in its place");
	}
	return 0;
}

static int make_soft_queues(struct bpf_source *s, uint32_t bytes, struct error *err)
{
	s->soft_queues = xcalloc((size_t)s->n_cpus, sizeof(*s->soft_queues));
	for (int i = 0; i < s->n_cpus; i++)
		s->soft_queues[i] = -1;
	for (int i = 0; i < s->n_cpus; i++) {
		s->soft_queues[i] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "soft", 0, 0, bytes, NULL);
		if (s->soft_queues[i] < 0)
			return error_errno(err, "BPF: make a ring buffer");
		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.soft_queues), &i,
					&s->soft_queues[i], BPF_ANY) < 0)
			return error_errno(err, "BPF: put a ring buffer in its place");
	}
	return 0;
}

static int load(struct overruns *o, struct bpf_source *s, struct error *err)
{
	s->n_cpus = libbpf_num_possible_cpus();
	s->values = xcalloc((size_t)s->n_cpus, sizeof(*s->values));
	s->skel = overrun_bpf__open();
	if (!s->skel)
		return error_errno(err, "BPF: open");
	s->skel->rodata->hierarchy = hierarchy_of_cpu(o->kernel);
	s->skel->rodata->is_v2 = kernel_is_v2(o->kernel);
	s->skel->rodata->may_stop = privilege_may_continue();
	choose_programs(s->skel, o->backend);
	bpf_map__set_max_entries(s->skel->maps.cpus, (uint32_t)s->n_cpus);
	bpf_map__set_max_entries(s->skel->maps.soft_queues, (uint32_t)s->n_cpus);
	uint32_t soft_bytes = bpf_map__max_entries(bpf_map__inner_map(s->skel->maps.soft_queues));
	unsigned n_queues = o->kernel->cpus < OVERRUN_QUEUES ? o->kernel->cpus : OVERRUN_QUEUES;
	uint32_t queue_bytes = bpf_map__max_entries(bpf_map__inner_map(s->skel->maps.queues));
	s->skel->rodata->n_queues = n_queues;

	int r = overrun_bpf__load(s->skel);
	if (r < 0)
		return error_set(err, r, "BPF: load: %s", strerror(-r));
	if (make_queues(o, s, n_queues, queue_bytes, err) < 0 || prepare_timers(s, err) < 0)
		return err->code;
	if (o->backend == &backend_soft && make_soft_queues(s, soft_bytes, err) < 0)
		return err->code;
	r = overrun_bpf__attach(s->skel);
	if (r < 0)
		return error_set(err, r, "BPF: attach: %s", strerror(-r));
	return open_rings(o, s, err);
}

static void bpf_close(struct overruns *o)
{
	struct bpf_source *s = o->data;

	if (!s)
		return;
	while (o->n_queues) {
		ring_buffer__free(s->queues[--o->n_queues]);
		close(o->queues[o->n_queues]);
	}
	ring_buffer__free(s->cgroup_watch);
	for (int i = 0; s->soft_queues && i < s->n_cpus; i++)
		auto_close_fd(&s->soft_queues[i]);
	free(s->soft_queues);
	overrun_bpf__destroy(s->skel);
	free(s->values);
	free(s);
	o->data = NULL;
}

static int bpf_open(struct overruns *o, struct error *err)
{
	libbpf_set_print(print_libbpf);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	o->data = xcalloc(1, sizeof(struct bpf_source));
	int r = load(o, o->data, err);
	if (r < 0)
		bpf_close(o);
	return r;
}

/* A container that is known keeps what it has reported, unless its limits change. */
static int bpf_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
		     const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns,
		     struct error *err)
{
	struct bpf_source *s = o->data;
	int fd = bpf_map__fd(s->skel->maps.groups);

	if (bpf_map_lookup_elem(fd, &cgroup, s->values) < 0)
		memset(s->values, 0, (size_t)s->n_cpus * sizeof(*s->values));
	for (int i = 0; i < s->n_cpus; i++) {
		s->values[i].granted_ns = granted_ns;
		for (int k = 0; k < OVERRUN_LIMITS; k++) {
			if (s->values[i].limit_ns[k] != limit_ns[k])
				s->values[i].reported[k] = 0;
			s->values[i].limit_ns[k] = limit_ns[k];
		}
	}
	int r = bpf_map_update_elem(fd, &cgroup, s->values, BPF_ANY);
	if (r < 0)
		return error_set(err, r, "%s: watch for overruns: %s", g->name, strerror(-r));
	/* It is there already when limits change. Without it nothing is counted, no more. */
	static const struct use_count none;
	bpf_map_update_elem(bpf_map__fd(s->skel->maps.uses), &cgroup, &none, BPF_NOEXIST);
	return 0;
}

static void bpf_forget(struct overruns *o, uint64_t cgroup)
{
	struct bpf_source *s = o->data;

	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.groups), &cgroup);
	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.uses), &cgroup);
}

static void bpf_read(struct overruns *o, unsigned queue)
{
	struct bpf_source *s = o->data;

	ring_buffer__consume(s->queues[queue]);
}

void overrun_bpf_created(struct overruns *o)
{
	struct bpf_source *s = o->data;

	ring_buffer__consume(s->cgroup_watch);
}

/* Maps are reached by descriptor; whether that needs CAP_BPF depends on the kernel. */
bool overrun_bpf_works(const struct overruns *o)
{
	const struct bpf_source *s = o->data;
	uint64_t cgroup = 0;
	int fd = bpf_map__fd(s->skel->maps.groups);

	return bpf_map_lookup_elem(fd, &cgroup, s->values) == 0 || errno == ENOENT;
}

int overrun_bpf_soft(const struct overruns *o, struct soft_maps *ret, struct error *err)
{
	const struct bpf_source *s = o->data;

	if (o->source != &overrun_bpf || !s->soft_queues)
		return error_set(err, -ENOTSUP, "budgets in software need BPF");
	*ret = (struct soft_maps){
		.budgets = bpf_map__fd(s->skel->maps.soft_budgets),
		.states = bpf_map__fd(s->skel->maps.soft_states),
		.stops = bpf_map__fd(s->skel->maps.soft_stops),
		.alarm = bpf_map__fd(s->skel->maps.soft_alarm),
		.queues = s->soft_queues,
		.n_cpus = s->n_cpus,
	};
	return 0;
}

/* Of all CPUs. */
static void sum_cpus(const struct bpf_source *s, uint64_t *ret_lost, uint64_t *ret_missed_ns)
{
	int fd = bpf_map__fd(s->skel->maps.cpus);

	*ret_lost = *ret_missed_ns = 0;
	for (int i = 0; i < s->n_cpus; i++) {
		struct overrun_cpu cpu = { .lost = 0 };
		uint32_t key = (uint32_t)i;

		if (bpf_map_lookup_elem(fd, &key, &cpu) < 0)
			continue;
		*ret_lost += cpu.lost;
		*ret_missed_ns += cpu.missed_ns;
	}
}

uint64_t overrun_bpf_lost(const struct overruns *o)
{
	uint64_t lost, missed_ns;

	sum_cpus(o->data, &lost, &missed_ns);
	return lost;
}

/* rt_switch counts. */
bool overrun_bpf_missed(const struct overruns *o, uint64_t *ret_ns)
{
	const struct bpf_source *s = o->data;
	uint64_t lost;

	if (!bpf_program__autoload(s->skel->progs.rt_switch))
		return false;
	sum_cpus(s, &lost, ret_ns);
	return true;
}

/* rt_switch, rt_charge and soft_charge count. */
static bool bpf_use(const struct overruns *o, uint64_t cgroup, struct use_count *ret)
{
	const struct bpf_source *s = o->data;

	if (!bpf_program__autoload(s->skel->progs.prepare))
		return false;
	return bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.uses), &cgroup, ret) == 0;
}

const struct overrun_source overrun_bpf = {
	.name = "bpf",
	.what = "the scheduler reports an overrun within microseconds",
	.open = bpf_open,
	.watch = bpf_watch,
	.forget = bpf_forget,
	.read = bpf_read,
	.use = bpf_use,
	.close = bpf_close,
};
