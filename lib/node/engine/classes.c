/* SPDX-License-Identifier: Apache-2.0 */

/* The policies of containers' threads: given once the budget is there, read back, reported. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "node/engine/internal.h"

static bool is_class_eq(struct thread_class a, struct thread_class b)
{
	return a.policy == b.policy && a.priority == b.priority;
}

/* What the helper cannot give, or may not. */
static bool is_refused(const struct engine *e, struct thread_class class, struct error *err)
{
	if (class.policy == THREAD_POLICY_KEEP)
		return false;
	if (class.priority > e->max_priority)
		error_set(err, -EPERM, "the highest priority that is given is %d (--max-priority)",
			  e->max_priority);
	else if (e->backend->is_per_thread)
		error_set(err, -ENOTSUP, "the backend %s gives threads its own policy",
			  e->backend->name);
	else if (!e->kernel->has[FEATURE_HOST_PIDS])
		error_set(err, -ENOTSUP,
			  "threads are not visible: needs hostPID: true in the helper's pod");
	else
		return false;
	return true;
}

static void watch_threads(struct engine *e, struct engine_container *c)
{
	struct error err;

	if (!e->threads || !c->node || c->threads.class.policy == THREAD_POLICY_KEEP)
		return;
	if (thread_watch_add(e->threads, c->node->id, &err) < 0 && !c->threads.refusal.code)
		c->threads.refusal = err;
}

void engine_class_set(struct engine *e, struct engine_container *c, struct thread_class class)
{
	const struct thread_class keep = { THREAD_POLICY_KEEP, 0 };
	struct error refusal = ERROR_INIT;

	if (is_class_eq(class, c->class))
		return;
	c->class = class;
	c->threads.is_soft = e->backend == &backend_soft;
	if (is_refused(e, class, &refusal))
		class = keep;
	container_class_set(&c->threads, c->node ? c->node->group.dir : -1, class);
	c->threads.refusal = refusal;
	watch_threads(e, c);
}

/* What an earlier run of the helper gave and found is known by the path. */
void engine_class_open(struct engine *e, struct engine_container *c)
{
	const struct saved_class *saved = e->saved ? saved_state_class(e->saved, c->path) : NULL;

	c->threads.is_soft = e->backend == &backend_soft;
	if (saved && !c->threads.has_usual) {
		const struct thread_class wanted = c->threads.class;

		c->threads.usual = saved->found;
		c->threads.has_usual = true;
		c->threads.class = saved->class;
		container_class_set(&c->threads, c->node->group.dir, wanted);
	}
	c->threads.is_due = true;
	watch_threads(e, c);
}

void engine_class_close(struct engine *e, struct engine_container *c)
{
	if (e->threads)
		thread_watch_forget(e->threads, c->node->id);
	container_class_restore(&c->threads, c->node->group.dir);
	c->threads.has_usual = false;
	c->threads.usual = (struct class_found){ 0 };
}

static void report_class(struct engine *e, struct engine_pod *p, const struct engine_container *c,
			 enum node_event_kind kind, const char *why)
{
	char text[NODE_EVENT_TEXT], class[THREAD_CLASS_NAME];

	snprintf(text, sizeof(text), "container %.63s: threads %s%s%.100s", c->name,
		 thread_class_format(c->class, class), *why ? ": " : "", why);
	engine_add_event(e, kind, p, text);
}

static void report(struct engine *e, struct engine_pod *p)
{
	const struct engine_container *refused = NULL, *given = NULL, *outranking = NULL;
	bool is_all = true;

	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];

		if (c->threads.can_outrank)
			outranking = c;
		if (c->class.policy == THREAD_POLICY_KEEP)
			continue;
		given = c;
		if (c->threads.refusal.code)
			refused = c;
		is_all &= c->threads.is_applied && !c->threads.refusal.code;
	}
	if (refused && !p->is_policy_refused)
		report_class(e, p, refused, NODE_EVENT_POLICY_REFUSED,
			     refused->threads.refusal.msg);
	p->is_policy_refused = refused;
	if (given && is_all && !p->is_policy_confirmed)
		report_class(e, p, given, NODE_EVENT_POLICY,
			     e->backend->is_rt ? "" : "their CPU time is not limited on this node");
	p->is_policy_confirmed = given && is_all;
	if (outranking && !p->is_outranking) {
		char text[NODE_EVENT_TEXT];

		snprintf(text, sizeof(text),
			 "container %.63s has CAP_SYS_NICE: its threads can go above the helper's "
			 "priority and leave their budget's reaction behind",
			 outranking->name);
		engine_add_event(e, NODE_EVENT_CAN_OUTRANK, p, text);
	}
	p->is_outranking = outranking;
}

void engine_give_classes(struct engine *e, bool is_all)
{
	array_each(p, &e->pods) {
		bool is_any = false;

		for (size_t i = 0; i < p->n_containers && !p->is_refused; i++) {
			struct engine_container *c = &p->containers[i];
			bool had_usual = c->threads.has_usual;

			if (!c->node || !(is_all || c->threads.is_due) ||
			    !cgroups_has(&e->cgroups, c->node))
				continue;
			is_any = true;
			e->revision += container_class_check(&c->threads, c->node->group.dir);
			e->is_dirty |= had_usual != c->threads.has_usual;
		}
		if (is_any || (is_all && p->is_policy_refused != engine_is_class_refused(p)))
			report(e, p);
	}
}

bool engine_is_class_refused(const struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].threads.refusal.code)
			return true;
	return false;
}

void engine_class_entered(struct engine *e, uint64_t cgroup, pid_t tid, uint64_t start,
			  bool is_process)
{
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (!c->node || c->node->id != cgroup || p->is_refused)
				continue;
			e->is_dirty = true; /* what it had before has to be known later */
			c->threads.is_due |=
				!container_class_give(&c->threads, tid, start, is_process);
			if (c->threads.is_due)
				engine_give_classes(e, false);
			return;
		}
}

void engine_restore_classes(struct engine *e)
{
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (c->node)
				container_class_restore(&c->threads, c->node->group.dir);
		}
}
