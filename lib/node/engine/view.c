/* SPDX-License-Identifier: Apache-2.0 */

/* What others see of the engine: events, counters, what must survive a restart. */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "node/engine/internal.h"

struct engine_pod *engine_find(struct engine *e, const char *uid)
{
	array_each(p, &e->pods)
		if (strcmp(p->uid, uid) == 0 || (p->cgroup_uid && strcmp(p->cgroup_uid, uid) == 0))
			return p;
	return NULL;
}

struct escalation_pod *engine_state(struct engine *e, const struct engine_pod *p)
{
	return &e->escalation.pods.items[p - e->pods.items];
}

int32_t engine_granted(const struct escalation_pod *state)
{
	return state->is_cut ? state->budget.floor : budget_runtime(&state->budget, state->level);
}

static void add_event(struct engine *e, const struct node_event *about, const struct engine_pod *p,
		      const char *text)
{
	const struct escalation_pod *state = engine_state(e, p);

	e->revision++;
	if (e->n_events == NODE_EVENTS) {
		e->stats.events_lost++;
		return;
	}
	struct node_event *n = &e->events[(e->first_event + e->n_events++) % NODE_EVENTS];
	n->kind = about->kind;
	n->count = about->count;
	n->at_ns = about->at_ns;
	n->level = state->level;
	n->runtime_us = escalation_runtime(state);
	snprintf(n->uid, sizeof(n->uid), "%s", p->uid);
	snprintf(n->ns, sizeof(n->ns), "%s", p->ns);
	snprintf(n->name, sizeof(n->name), "%s", p->name);
	snprintf(n->text, sizeof(n->text), "%s", text);
	eventfd_write(e->event_fd, 1);
}

void engine_add_event(struct engine *e, enum node_event_kind kind, const struct engine_pod *p,
		      const char *text)
{
	add_event(e, &(struct node_event){ .kind = kind, .count = 1, .at_ns = clock_ns() }, p,
		  text);
}

void engine_add_overrun_event(struct engine *e, enum node_event_kind kind,
			      const struct engine_pod *p, uint64_t count, const char *text)
{
	add_event(e,
		  &(struct node_event){
			  .kind = kind,
			  .count = count,
			  .at_ns = (int64_t)p->last_overrun.at_ns,
		  },
		  p, text);
}

bool engine_take_event(struct engine *e, struct node_event *ret)
{
	bool has_one;

	pthread_mutex_lock(&e->lock);
	has_one = e->n_events > 0;
	if (has_one) {
		*ret = e->events[e->first_event];
		e->n_events--;
		/* An empty ring starts at 0 again: entries that are never used take no memory. */
		e->first_event = e->n_events ? (e->first_event + 1) % NODE_EVENTS : 0;
	}
	pthread_mutex_unlock(&e->lock);
	return has_one;
}

static void save_groups(const struct engine *e, struct saved_state *ret)
{
	array_each(it, &e->cgroups.nodes) {
		const struct cgroup *n = *it;

		for (uint32_t cpu_domain = 0; !n->is_unmanaged && cpu_domain < e->cgroups.n_domains;
		     cpu_domain++) {
			const struct cgroup_tree *t = &e->cgroups.domains[cpu_domain].tree;

			saved_state_add_group(ret, &(struct saved_group){
							   n->path,
							   cpu_domain,
							   n->found[cpu_domain],
							   t->nodes.items[n->index].now,
							   n->is_container || n->is_retiring,
							   n->is_retiring,
						   });
		}
	}
}

static void save_pods(const struct engine *e, struct saved_state *ret)
{
	for (size_t i = 0; i < e->pods.n; i++) {
		const struct escalation_pod *state = &e->escalation.pods.items[i];
		AUTO_FREE char *name =
			xasprintf("%s/%s", e->pods.items[i].ns, e->pods.items[i].name);

		saved_state_add_pod(ret, &(struct saved_pod){
						 e->pods.items[i].uid,
						 name,
						 state->level,
						 state->enforcement,
					 });
	}
}

/* Where the first thread of a container had what it gets back. */
static void save_classes(const struct engine *e, struct saved_state *ret)
{
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			const struct engine_container *c = &p->containers[i];

			if (c->path && c->threads.has_usual)
				saved_state_add_class(
					ret, &(struct saved_class){ c->path, c->threads.class,
								    c->threads.usual });
		}
}

static void save_cpus(const struct engine *e, struct saved_state *ret)
{
	for (size_t i = 0; i < e->pods.n; i++) {
		const struct engine_pod *p = &e->pods.items[i];

		for (size_t j = 0; j < p->n_containers; j++)
			if (p->containers[j].path && p->containers[j].is_pinned)
				saved_state_add_cpus(ret, &(struct saved_cpus){
								  p->containers[j].path,
								  p->containers[j].found_cpus,
								  e->escalation.pods.items[i].cores,
							  });
	}
}

bool engine_save_state(struct engine *e, struct saved_state *ret)
{
	*ret = (struct saved_state){ 0 };
	pthread_mutex_lock(&e->lock);
	bool is_dirty = e->is_dirty;
	if (is_dirty) {
		save_groups(e, ret);
		save_pods(e, ret);
		save_classes(e, ret);
		save_cpus(e, ret);
	}
	e->is_dirty = false;
	pthread_mutex_unlock(&e->lock);
	return is_dirty;
}

uint32_t engine_retained(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	uint32_t ppm = cgroups_retained(&e->cgroups);
	pthread_mutex_unlock(&e->lock);
	return ppm;
}

void engine_get_stats(struct engine *e, struct engine_stats *ret)
{
	pthread_mutex_lock(&e->lock);
	*ret = e->stats;
	pthread_mutex_unlock(&e->lock);
}

uint64_t engine_revision(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	uint64_t revision = e->revision;
	pthread_mutex_unlock(&e->lock);
	return revision;
}

void engine_each(struct engine *e, engine_visitor visit, void *arg)
{
	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		visit(p, engine_state(e, p), arg);
	pthread_mutex_unlock(&e->lock);
}
