/* SPDX-License-Identifier: Apache-2.0 */

/* The assigned pods: added, changed, refused, removed. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/engine_internal.h"

void engine_free_pod(struct engine_pod *p)
{
	engine_free_containers(p);
	free(p->uid);
	free(p->ns);
	free(p->name);
	free(p->refusal);
}

/* What was granted before stays; a new pod stays known, with no load in the sums. */
int engine_refuse(struct engine *e, struct engine_pod *p, const struct budget *before,
		  const struct error *err)
{
	p->is_refused = !before->low;
	p->asked = engine_state(e, p)->budget;
	e->stats.refusals++;
	engine_add_event(e, NODE_EVENT_REFUSED, p, err->msg);
	free(p->refusal);
	p->refusal = xstrdup(err->msg);
	engine_state(e, p)->budget = *before;
	engine_settle(e, NULL);
	return err->code;
}

static bool has_headroom(const struct escalation_pod *p)
{
	return p->enforcement == ENFORCE_RAISE && p->headroom_us;
}

void engine_report_applied(struct engine *e, struct engine_pod *p)
{
	const struct escalation_pod *state = engine_state(e, p);
	char text[NODE_EVENT_TEXT], cores[CPUSET_TEXT];

	snprintf(text, sizeof(text), "%d us of every %d us on CPU %.60s, %s%s",
		 escalation_runtime(state), state->budget.period,
		 cpuset_count(&state->cores) ? cpuset_format(&state->cores, cores)
						  : "any",
		 enforcement_name(state->enforcement),
		 has_headroom(state) ? " with headroom" : "");
	engine_add_event(e, NODE_EVENT_APPLIED, p, text);
	free(p->refusal);
	p->refusal = NULL;
}

static struct engine_pod *add_pod(struct engine *e, const struct pod_want *want)
{
	struct engine_pod *p = array_add(&e->pods);
	int saved_level = e->saved ? saved_state_level(e->saved, want->uid) : -1;
	uint8_t level = saved_level < 0 ? want->level : (uint8_t)saved_level;
	int64_t now = engine_now_ns();

	*p = (struct engine_pod){
		.uid = xstrdup(want->uid),
		.ns = xstrdup(want->ns),
		.name = xstrdup(want->name),
	};
	/* Its use before a restart is unknown: it stays at its level for the usual time. */
	*array_add(&e->escalation.pods) = (struct escalation_pod){
		.budget.period = SECOND_US,
		.level = level,
		.order = e->next_order++,
		.changed_ns = level ? now : 0,
		.overrun_ns = now,
		.dwell_ns = e->escalation.rules.dwell_ns,
	};
	return p;
}

static bool has_node(const struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node)
			return true;
	return false;
}

static bool recovery_eq(const struct recovery *a, const struct recovery *b)
{
	return a->mode == b->mode && a->delay_seconds == b->delay_seconds &&
	       a->threshold == b->threshold;
}

/* Nothing to do: a pod is seen again with each change of its other fields. */
static bool is_in_force(struct engine *e, const struct engine_pod *p, const struct pod_want *want)
{
	const struct escalation_pod *state = engine_state(e, p);

	return !p->is_refused && p->is_pinned == want->is_pinned &&
	       engine_has_containers(p, want) && budget_eq(&state->budget, &want->budget) &&
	       cpuset_eq(&state->cores, &want->cores) &&
	       state->priority == want->priority && state->wanted == want->enforcement &&
	       recovery_eq(&state->recovery, &want->recovery);
}

/* External writes to the previous budget do not count. */
static void end_external_writes(struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		p->containers[i].is_budget_rewritten = p->containers[i].is_cpus_rewritten = false;
}

static int set_pod(struct engine *e, const struct pod_want *want, struct error *err)
{
	struct engine_pod *p = engine_find(e, want->uid);

	if (!p)
		p = add_pod(e, want);
	else if (is_in_force(e, p, want))
		return engine_open_containers(e, p, err);
	struct escalation_pod *state = engine_state(e, p);
	struct budget before = state->budget;
	bool has_moved =
		!cpuset_eq(&state->cores, &want->cores) || p->is_pinned != want->is_pinned;
	state->budget = want->budget;
	state->cores = want->cores;
	state->priority = want->priority;
	state->wanted = want->enforcement;
	state->recovery = want->recovery;
	p->is_refused = false;
	p->is_pinned = want->is_pinned;
	end_external_writes(p);
	if (!engine_has_containers(p, want))
		engine_set_containers(e, p, want);
	if (engine_open_containers(e, p, err) < 0 || engine_settle(e, err) < 0)
		return engine_refuse(e, p, &before, err);
	if (has_moved)
		engine_pin(e, p);
	if (has_node(p))
		engine_report_applied(e, p);
	return 0;
}

/* Without an event for each refusal: the first one was reported. */
void engine_retry_refused(struct engine *e)
{
	const struct budget none = { .period = SECOND_US };

	array_each(p, &e->pods) {
		struct escalation_pod *state = engine_state(e, p);

		if (!p->is_refused)
			continue;
		p->is_refused = false;
		state->budget = p->asked;
		if (engine_settle(e, NULL) == 0) {
			engine_report_applied(e, p);
			continue;
		}
		p->is_refused = true;
		state->budget = none;
	}
}

int engine_set_pod(struct engine *e, const struct pod_want *want, struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = set_pod(e, want, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

void engine_remove_pod(struct engine *e, const char *uid)
{
	pthread_mutex_lock(&e->lock);
	struct engine_pod *p = engine_find(e, uid);
	if (p) {
		size_t i = (size_t)(p - e->pods.items);

		for (size_t k = 0; k < p->n_containers; k++)
			engine_close_container(e, &p->containers[k]);
		engine_free_pod(p);
		*p = e->pods.items[--e->pods.n];
		e->escalation.pods.items[i] = e->escalation.pods.items[--e->escalation.pods.n];
		engine_settle(e, NULL);
	}
	pthread_mutex_unlock(&e->lock);
}
