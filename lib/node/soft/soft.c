/* SPDX-License-Identifier: Apache-2.0 */
#include "node/soft/soft.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "node/backend/backend.h"
#include "node/realtime.h"

enum { NO_BUDGET_PERIOD_US = 1000000 };

static void restore_all(struct soft_shared *shared)
{
	for (unsigned cpu = 0; cpu < shared->n_cpus; cpu++) {
		struct soft_cpu *c = &shared->cpus[cpu];

		if (c->n > SOFT_RECORDS)
			c->n = 0;
		while (c->n)
			soft_restore(shared, cpu, c->n - 1, -1);
	}
}

static int ignore(void *arg, void *data, size_t size)
{
	(void)arg;
	(void)data;
	(void)size;
	return 0;
}

int soft_open(struct soft *s, struct overruns *o, const char *path, int demoted_policy,
	      struct error *err)
{
	*s = (struct soft){ .kernel = o->kernel, .supervisor_fd = -1, .alert_fd = -1 };
	if (overrun_bpf_soft(o, &s->maps, err) < 0 || realtime_lock_init(&s->lock, err) < 0 ||
	    soft_shared_open(path, (unsigned)s->maps.n_cpus, &s->shared, &s->was_left, err) < 0)
		return err->code;
	if (s->was_left) {
		soft_supervisor_replace(s->shared);
		restore_all(s->shared);
	}
	s->alarm = ring_buffer__new(s->maps.alarm, ignore, NULL, NULL);
	if (!s->alarm)
		return error_errno(err, "BPF: open a ring buffer");
	soft_shared_own(s->shared);
	s->shared->demoted_policy = demoted_policy;
	s->shared->is_enforced = true;
	return soft_supervisor_start(s, err);
}

int soft_start(struct soft *s, struct error *ret_why, struct error *err)
{
	return soft_agents_start(s, ret_why, err);
}

static void free_group(struct soft_group *g)
{
	auto_close_fd(&g->dir);
	auto_close_fd(&g->threads_fd);
	free(g);
}

void soft_close(struct soft *s)
{
	if (!s->kernel)
		return;
	soft_agents_stop(s);
	soft_supervisor_end(s);
	if (s->shared) {
		restore_all(s->shared);
		s->shared->is_enforced = false;
	}
	soft_shared_close(s->shared);
	ring_buffer__free(s->alarm);
	array_each(g, &s->groups)
		free_group(*g);
	array_done(&s->groups);
	pthread_mutex_destroy(&s->lock);
	*s = (struct soft){ 0 };
}

static struct soft_group *find(const struct soft *s, uint64_t cgroup)
{
	array_each(g, &s->groups)
		if ((*g)->cgroup == cgroup && !(*g)->is_gone)
			return *g;
	return NULL;
}

static bool has(struct soft *s, uint64_t cgroup)
{
	pthread_mutex_lock(&s->lock);
	bool is_there = find(s, cgroup);
	pthread_mutex_unlock(&s->lock);
	return is_there;
}

struct soft_group *soft_take(struct soft *s, uint64_t cgroup)
{
	pthread_mutex_lock(&s->lock);
	struct soft_group *g = find(s, cgroup);
	if (g)
		g->refs++;
	pthread_mutex_unlock(&s->lock);
	return g;
}

static void remove_if_unused(struct soft *s, const struct soft_group *g)
{
	if (!g->is_gone || g->refs)
		return;
	for (size_t i = 0; i < s->groups.n; i++) {
		if (s->groups.items[i] != g)
			continue;
		free_group(s->groups.items[i]);
		s->groups.items[i] = s->groups.items[--s->groups.n];
		return;
	}
}

void soft_put(struct soft *s, struct soft_group *g)
{
	pthread_mutex_lock(&s->lock);
	g->refs--;
	remove_if_unused(s, g);
	pthread_mutex_unlock(&s->lock);
}

uint64_t soft_left_of(const struct soft *s, uint64_t cgroup, unsigned cpu, uint64_t runtime_ns,
		      struct soft_state *states)
{
	if (bpf_map_lookup_elem(s->maps.states, &cgroup, states) < 0)
		return UINT64_MAX;
	struct soft_account *a = &states[cpu].account;
	const struct soft_budget b = { runtime_ns, a->period_ns };
	soft_account_enter(a, &b, (uint64_t)clock_ns());
	return soft_account_left(a, &b);
}

uint64_t soft_left(const struct soft *s, uint64_t cgroup, unsigned cpu, struct soft_state *states)
{
	struct soft_budget b;

	if (bpf_map_lookup_elem(s->maps.budgets, &cgroup, &b) < 0 ||
	    bpf_map_lookup_elem(s->maps.states, &cgroup, states) < 0)
		return UINT64_MAX;
	soft_account_enter(&states[cpu].account, &b, (uint64_t)clock_ns());
	return soft_account_left(&states[cpu].account, &b);
}

/* The states of all CPUs; BPF counts from nothing. */
static int add_state(const struct soft *s, uint64_t cgroup)
{
	AUTO_FREE struct soft_state *none = xcalloc((size_t)s->maps.n_cpus, sizeof(*none));

	return bpf_map_update_elem(s->maps.states, &cgroup, none, BPF_NOEXIST);
}

static int add_group(struct soft *s, uint64_t cgroup, int dir, struct error *err)
{
	struct soft_group *g = xcalloc(1, sizeof(*g));

	*g = (struct soft_group){
		.cgroup = cgroup,
		.dir = fcntl(dir, F_DUPFD_CLOEXEC, 0),
		.threads_fd = openat(dir, "cgroup.threads", O_RDONLY | O_CLOEXEC),
	};
	int r = g->dir < 0 ? -errno : add_state(s, cgroup);
	if (r < 0 && r != -EEXIST) {
		free_group(g);
		return error_set(err, r, "BPF: add an account: %s", strerror(-r));
	}
	if (s->was_left)
		soft_continue_group(dir);
	pthread_mutex_lock(&s->lock);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression,clang-analyzer-core.NullDereference) */
	*array_add(&s->groups) = g;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static void remove_group(struct soft *s, uint64_t cgroup)
{
	bpf_map_delete_elem(s->maps.budgets, &cgroup);
	pthread_mutex_lock(&s->lock);
	struct soft_group *g = find(s, cgroup);
	bool is_known = g;
	if (g) {
		g->is_gone = true;
		remove_if_unused(s, g);
	}
	pthread_mutex_unlock(&s->lock);
	bpf_map_delete_elem(s->maps.states, &cgroup);
	if (is_known)
		soft_agents_wake(s);
}

int soft_set(struct soft *s, uint64_t cgroup, int dir, struct bandwidth b, struct error *err)
{
	const struct soft_budget budget = {
		.runtime_ns = (uint64_t)b.runtime_us * NS_PER_US,
		.period_ns = (uint64_t)b.period_us * NS_PER_US,
	};

	if (b.runtime_us <= 0 || b.period_us <= 0) {
		remove_group(s, cgroup);
		return 0;
	}
	if (!has(s, cgroup) && add_group(s, cgroup, dir, err) < 0)
		return err->code;
	int r = bpf_map_update_elem(s->maps.budgets, &cgroup, &budget, BPF_ANY);
	if (r < 0)
		return error_set(err, r, "BPF: set a budget: %s", strerror(-r));
	soft_agents_wake(s);
	return 0;
}

int soft_get(const struct soft *s, uint64_t cgroup, struct bandwidth *ret, struct error *err)
{
	struct soft_budget b;

	if (bpf_map_lookup_elem(s->maps.budgets, &cgroup, &b) == 0) {
		*ret = (struct bandwidth){
			(int64_t)(b.period_ns / NS_PER_US),
			(int64_t)(b.runtime_ns / NS_PER_US),
		};
		return 0;
	}
	if (errno != ENOENT)
		return error_errno(err, "BPF: read a budget");
	*ret = (struct bandwidth){ NO_BUDGET_PERIOD_US, 0 };
	return 0;
}

bool soft_supervise(struct soft *s)
{
	struct error ignored;

	if (s->supervisor <= 0 || waitpid(s->supervisor, NULL, WNOHANG) == 0)
		return false;
	s->supervisor = 0;
	soft_supervisor_start(s, &ignored);
	return true;
}
