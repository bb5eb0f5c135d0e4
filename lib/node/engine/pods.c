/* SPDX-License-Identifier: Apache-2.0 */

/* The assigned pods: added, changed, refused, removed. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "node/engine/internal.h"

void engine_free_pod(struct engine_pod *p)
{
	engine_free_containers(p);
	free(p->uid);
	free(p->cgroup_uid);
	free(p->ns);
	free(p->name);
	free(p->refusal);
}

static void schedule_retry(struct engine *e)
{
	int64_t now_ns = clock_ns();

	e->retry_after_ns = engine_retry_first_ns;
	e->retry_ns = now_ns + e->retry_after_ns;
	e->retry_until_ns = now_ns + engine_retry_for_ns;
}

/* What was granted before stays; a new pod stays known, with no load in the sums. */
static int refuse(struct engine *e, struct engine_pod *p, const struct budget *before,
		  const struct error *err)
{
	p->is_refused = !before->low;
	p->asked = engine_state(e, p)->budget;
	e->stats.refusals++;
	schedule_retry(e);
	engine_add_event(e, NODE_EVENT_REFUSED, p, err->msg);
	free(p->refusal);
	p->refusal = xstrdup(err->msg);
	engine_state(e, p)->budget = *before;
	engine_settle(e, NULL);
	return err->code;
}

/* The budget is new, or has a new place. */
static void accept(struct engine *e, struct engine_pod *p)
{
	free(p->refusal);
	p->refusal = NULL;
	p->is_confirmed = false;
	engine_confirm(e, p);
}

static struct engine_pod *add_pod(struct engine *e, const struct pod_want *want)
{
	struct engine_pod *p = array_add(&e->pods);
	int saved_level = e->saved ? saved_state_level(e->saved, want->uid) : -1;
	uint8_t level = saved_level < 0 ? want->level : (uint8_t)saved_level;
	int64_t now = clock_ns();

	*p = (struct engine_pod){
		.uid = xstrdup(want->uid),
		.cgroup_uid = want->cgroup_uid ? xstrdup(want->cgroup_uid) : NULL,
		.ns = xstrdup(want->ns),
		.name = xstrdup(want->name),
	};
	/* Its use before a restart is unknown: it stays at its level for the usual time. */
	*array_add(&e->escalation.pods) = (struct escalation_pod){
		.budget.period = US_PER_S,
		.level = level,
		.order = e->next_order++,
		.changed_ns = level ? now : 0,
		.overrun_ns = now,
		.dwell_ns = e->escalation.rules.dwell_ns,
	};
	return p;
}

static bool recovery_eq(const struct recovery *a, const struct recovery *b)
{
	return a->mode == b->mode && a->delay_seconds == b->delay_seconds &&
	       a->threshold == b->threshold;
}

static bool has_classes(const struct engine_pod *p, const struct pod_want *want)
{
	for (size_t i = 0; i < want->n_containers; i++)
		if (p->containers[i].class.policy != want->containers[i].class.policy ||
		    p->containers[i].class.priority != want->containers[i].class.priority)
			return false;
	return true;
}

/* Nothing to do: a pod is seen again with each change of its other fields. */
static bool is_in_force(struct engine *e, const struct engine_pod *p, const struct pod_want *want)
{
	const struct escalation_pod *state = engine_state(e, p);

	return !p->refusal && !p->is_refused && p->is_pinned == want->is_pinned &&
	       engine_has_containers(p, want) && has_classes(p, want) &&
	       budget_eq(&state->budget, &want->budget) && cpuset_eq(&state->cores, &want->cores) &&
	       state->priority == want->priority && state->wanted == want->enforcement &&
	       recovery_eq(&state->recovery, &want->recovery);
}

/* External writes to the previous budget do not count. */
static void end_external_writes(struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		p->containers[i].is_budget_rewritten = p->containers[i].is_cpus_rewritten = false;
}

int engine_pod_set(struct engine *e, const struct pod_want *want, struct error *err)
{
	struct engine_pod *p = engine_find(e, want->uid);

	if (!p)
		p = add_pod(e, want);
	else if (is_in_force(e, p, want))
		return engine_open_containers(e, p, err);
	struct escalation_pod *state = engine_state(e, p);
	struct budget before = state->budget;
	bool has_moved = !cpuset_eq(&state->cores, &want->cores) || p->is_pinned != want->is_pinned;
	state->budget = want->budget;
	state->cores = want->cores;
	state->priority = want->priority;
	state->wanted = want->enforcement;
	state->recovery = want->recovery;
	p->is_refused = false;
	p->is_pinned = want->is_pinned;
	p->is_single = want->is_single;
	p->is_degraded = want->is_degraded;
	end_external_writes(p);
	if (!engine_has_containers(p, want))
		engine_set_containers(e, p, want);
	for (size_t i = 0; i < want->n_containers; i++)
		engine_class_set(e, &p->containers[i], want->containers[i].class);
	if (engine_open_containers(e, p, err) < 0 || engine_settle(e, err) < 0)
		return refuse(e, p, &before, err);
	if (has_moved)
		engine_pin(e, p);
	accept(e, p);
	return 0;
}

/* Without an event for each refusal: the first one was reported. */
static void retry(struct engine *e, struct engine_pod *p)
{
	struct escalation_pod *state = engine_state(e, p);
	const struct budget before = state->budget;
	const bool was_refused = p->is_refused;
	struct error err;

	if (engine_open_containers(e, p, &err) < 0)
		return;
	p->is_refused = false;
	state->budget = p->asked;
	if (engine_settle(e, NULL) == 0) {
		accept(e, p);
		return;
	}
	p->is_refused = was_refused;
	state->budget = before;
	engine_settle(e, NULL);
}

void engine_retry_refused(struct engine *e)
{
	array_each(p, &e->pods)
		if (p->refusal)
			retry(e, p);
}

/* A container that was restored from a checkpoint has the name "containerd" in its bundle
 * (CRImportCheckpoint of containerd 2.2): without others in the pod it is known all the same. */
static struct engine_container *find_container(struct engine_pod *p, const char *name)
{
	for (size_t i = 0; p && i < p->n_containers; i++)
		if (strcmp(p->containers[i].name, name) == 0)
			return &p->containers[i];
	return p && p->is_single && strcmp(name, "containerd") == 0 ? &p->containers[0] : NULL;
}

int engine_container_place(struct engine *e, const char *uid, const char *container,
			   const char *path, struct error *err)
{
	const struct budget none = { .period = US_PER_S };
	struct engine_pod *p = engine_find(e, uid);
	struct engine_container *c = find_container(p, container);

	if (!c)
		return error_set(err, -ESRCH, "container %s of pod %s is not assigned to this node",
				 container, uid);
	if (c->node && strcmp(c->path, path) == 0 && !engine_is_gone(e, c))
		return 0;
	engine_close_container(e, c);
	free(c->path);
	c->path = xstrdup(path);
	if (engine_open_container(e, p, c, err) < 0)
		return err->code;
	if (p->refusal) {
		retry(e, p);
		if (p->refusal)
			schedule_retry(e);
		return p->refusal ? error_set(err, -ENOSPC, "%s", p->refusal) : 0;
	}
	if (engine_settle(e, err) < 0)
		return refuse(e, p, &none, err);
	accept(e, p);
	return 0;
}

/* The kernel takes no budget from running real-time tasks. */
static void report_retained(struct engine *e, struct engine_pod *p)
{
	struct bandwidth kept;
	char text[NODE_EVENT_TEXT];

	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];

		if (!c->path || !cgroups_is_retained(&e->cgroups, c->path, &kept))
			continue;
		snprintf(text, sizeof(text),
			 "container %s keeps %lld/%lld us in the kernel until its real-time tasks "
			 "end: the kernel refuses to take the budget from them",
			 c->name, (long long)kept.runtime_us, (long long)kept.period_us);
		engine_add_event(e, NODE_EVENT_RETAINED, p, text);
	}
}

void engine_pod_remove(struct engine *e, const char *uid)
{
	struct engine_pod *p = engine_find(e, uid);

	if (!p)
		return;
	size_t i = (size_t)(p - e->pods.items);

	for (size_t k = 0; k < p->n_containers; k++)
		engine_close_container(e, &p->containers[k]);
	engine_state(e, p)->budget = (struct budget){ .period = US_PER_S };
	engine_settle(e, NULL);
	report_retained(e, p);
	engine_free_pod(p);
	*p = e->pods.items[--e->pods.n];
	e->escalation.pods.items[i] = e->escalation.pods.items[--e->escalation.pods.n];
	engine_settle(e, NULL);
}
