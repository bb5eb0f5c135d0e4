/* SPDX-License-Identifier: Apache-2.0 */

/* What containers use of their budgets. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/units.h"
#include "node/cpu_time.h"
#include "node/engine/internal.h"

enum { LOOK_S = 5, P99 = 99, READINGS = USE_WINDOW_S / USE_STEP_S + 1 };

struct use_reading {
	int64_t at_ns;
	uint64_t cpu_ns;
	struct use_count count;
};

/* A ring of readings, a step apart: the use is what has come since the oldest. */
struct use_window {
	uint64_t cgroup;
	bool is_counted; /* each period, else CPU time alone */
	unsigned first, n;
	struct use_reading readings[READINGS];
};

static bool read_cpu_time(const struct engine *e, const struct engine_container *c,
			  uint64_t *ret_ns)
{
	struct cpu_time t;
	bool is_read = cpu_time_open(&t, e->kernel, &c->node->group) && cpu_time_read(&t, ret_ns);

	cpu_time_close(&t);
	return is_read;
}

static bool take_reading(const struct engine *e, const struct engine_container *c, int64_t now_ns,
			 bool *ret_is_counted, struct use_reading *ret)
{
	*ret = (struct use_reading){ .at_ns = now_ns };
	*ret_is_counted = overruns_use(e->overruns, c->node->id, &ret->count);
	return *ret_is_counted || read_cpu_time(e, c, &ret->cpu_ns);
}

/* A counter that went back is a new one. */
static bool follows(const struct use_window *w, const struct engine_container *c, bool is_counted,
		    const struct use_reading *now)
{
	const struct use_reading *first = &w->readings[w->first];

	return w->n && w->cgroup == c->node->id && w->is_counted == is_counted &&
	       now->at_ns > first->at_ns && now->cpu_ns >= first->cpu_ns &&
	       now->count.periods >= first->count.periods;
}

static void keep_reading(struct use_window *w, const struct use_reading *now)
{
	const struct use_reading *last = &w->readings[(w->first + w->n - 1) % READINGS];

	if (w->n && now->at_ns - last->at_ns < (int64_t)USE_STEP_S * NS_PER_S)
		return;
	if (w->n == READINGS)
		w->first = (w->first + 1) % READINGS;
	else
		w->n++;
	w->readings[(w->first + w->n - 1) % READINGS] = *now;
}

static struct container_use use_since(const struct use_window *w, const struct use_reading *now,
				      const struct escalation_pod *state)
{
	const struct use_reading *first = &w->readings[w->first];
	int64_t window_ns = now->at_ns - first->at_ns;
	unsigned n_cpus = cpuset_count(&state->cores);
	uint64_t used_us = w->is_counted ? now->count.total_us - first->count.total_us
					 : (now->cpu_ns - first->cpu_ns) / NS_PER_US;
	double periods = (double)window_ns / NS_PER_US / state->budget.period;
	uint64_t p99_us = use_quantile(&now->count, &first->count, P99);

	return (struct container_use){
		.window_ns = window_ns,
		.mean_us = (uint32_t)((double)used_us / periods / (n_cpus ? n_cpus : 1)),
		.p99_us = (uint32_t)p99_us,
		.has_p99 = w->is_counted,
	};
}

static void sample(const struct engine *e, const struct escalation_pod *state,
		   struct engine_container *c, int64_t now_ns)
{
	struct use_reading now;
	bool is_counted;

	c->use = (struct container_use){ 0 };
	if (!c->node || state->budget.period <= 0 || !take_reading(e, c, now_ns, &is_counted, &now))
		return;
	if (!c->use_window)
		c->use_window = xcalloc(1, sizeof(*c->use_window));
	struct use_window *w = c->use_window;
	if (follows(w, c, is_counted, &now))
		c->use = use_since(w, &now, state);
	else
		*w = (struct use_window){ .cgroup = c->node->id, .is_counted = is_counted };
	keep_reading(w, &now);
}

void engine_use_sample(struct engine *e, int64_t now_ns)
{
	if (e->use_ns && now_ns - e->use_ns < (int64_t)LOOK_S * NS_PER_S)
		return;
	e->use_ns = now_ns;
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++)
			sample(e, engine_state(e, p), &p->containers[i], now_ns);
}
