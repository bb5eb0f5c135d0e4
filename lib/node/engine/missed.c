/* SPDX-License-Identifier: Apache-2.0 */

/* Real-time time that the pods were granted and did not receive. */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "node/engine/internal.h"
#include "node/sysfs.h"

static int64_t per_second(int64_t runtime_us, int64_t period_us)
{
	return period_us > 0 ? runtime_us * US_PER_S / period_us : 0;
}

/* On each of its CPUs. */
static int64_t n_cpus(const struct escalation_pod *state)
{
	unsigned n = cpuset_count(&state->cores);

	return n ? n : 1;
}

/* Of a budget that the kernel refused, or that another process made smaller, us per second. A group
 * without threads has no budget where threads have them. */
static int64_t lacking(const struct engine *e, const struct engine_pod *p,
		       const struct escalation_pod *state)
{
	const struct budget *b = p->refusal ? &p->asked : &state->budget;
	int32_t runtime = state->is_cut ? b->floor : budget_runtime(b, state->level);
	int64_t sum = 0;

	if (e->backend->is_per_thread && !p->refusal)
		return 0;
	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];
		const struct bandwidth *has = &c->in_kernel;
		int64_t lack = per_second(engine_share(c, runtime), b->period) -
			       per_second(has->runtime_us, has->period_us);

		if (c->node && has->runtime_us != RUNTIME_UNLIMITED && lack > 0 &&
		    (p->refusal || !c->is_applied))
			sum += lack;
	}
	return sum * n_cpus(state);
}

static bool read_total(const struct group *g, const char *file, const char *key, int64_t *ret_us)
{
	char buf[SYSFS_VALUE];

	if (sysfs_read(g->dir, file, buf, sizeof(buf), NULL) < 0)
		return false;
	const char *at = strstr(buf, key);
	if (!at)
		return false;
	*ret_us = strtoll(at + strlen(key), NULL, 10);
	return true;
}

/* The pressure stall information of a cgroup v2 tells for how long a thread waited for a CPU, but
 * not in which periods. This is missed for sure: what others left of the CPU's time is less than
 * what was granted, by more than one budget, since the seconds do not begin with periods. */
static bool stalled(struct engine_container *c, const struct escalation_pod *state, int64_t now_ns,
		    int64_t *ret_us)
{
	struct stall_reading now = { .at_ns = now_ns, .cgroup = c->node->id }, before = c->stall;
	const struct group *g = &c->node->group;
	int32_t budget_us = engine_share(c, engine_granted(state));

	c->stall = (struct stall_reading){ 0 };
	*ret_us = 0;
	if (cpuset_count(&state->cores) != 1 ||
	    !read_total(g, "cpu.pressure", "total=", &now.waited_us) ||
	    !read_total(g, "cpu.stat", "usage_usec ", &now.used_us))
		return false;
	c->stall = now;
	if (before.cgroup != now.cgroup || now_ns <= before.at_ns)
		return true;
	int64_t passed = (now_ns - before.at_ns) / NS_PER_US;
	int64_t granted = budget_us * passed / state->budget.period;
	int64_t unused = granted - (now.used_us - before.used_us);
	int64_t taken = granted + (now.waited_us - before.waited_us) - passed;
	int64_t missed = (unused < taken ? unused : taken) - budget_us;
	*ret_us = missed > 0 ? missed : 0;
	return true;
}

/* False: one of them cannot tell. */
static bool stalled_all(struct engine *e, int64_t now_ns, int64_t *ret_us)
{
	bool is_measured = e->kernel->cgroup == CGROUP_V2 && e->kernel->has[FEATURE_PSI];
	int64_t us;

	*ret_us = 0;
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			if (!p->containers[i].node)
				continue;
			is_measured &= stalled(&p->containers[i], engine_state(e, p), now_ns, &us);
			*ret_us += us;
		}
	return is_measured;
}

bool engine_missed_since(struct engine *e, int64_t now_ns, uint64_t *ret_us)
{
	int64_t lacks = 0, stalled_us = 0;
	uint64_t missed_ns = 0;

	array_each(p, &e->pods)
		lacks += lacking(e, p, engine_state(e, p));
	bool is_measured =
		overruns_missed(e->overruns, &missed_ns) || stalled_all(e, now_ns, &stalled_us);
	int64_t passed_ns = e->missed_at_ns ? now_ns - e->missed_at_ns : 0;

	*ret_us = (missed_ns - e->missed_ns) / NS_PER_US + (uint64_t)stalled_us +
		  (uint64_t)((unsigned __int128)lacks * (uint64_t)passed_ns / NS_PER_S);
	e->missed_at_ns = now_ns;
	e->missed_ns = missed_ns;
	return is_measured;
}
