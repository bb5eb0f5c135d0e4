/* SPDX-License-Identifier: Apache-2.0 */

/* The containers of assigned pods: found, opened, pinned, watched, and closed when they are gone.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/cgroup/cpuset_file.h"
#include "node/engine/internal.h"

/* The overrun handler is warmed up when this much consumption is left before the limit that it acts
 * on: enough for a late timer and a cold wake-up of its thread, which the kernel charges to the
 * running task. */
enum { SOON_NS = 200000 };

int32_t engine_share(const struct engine_container *c, int32_t runtime_us)
{
	return (int32_t)((int64_t)runtime_us * c->share / PPM);
}

/* Wants the budget of each container at its pod's present level.
 */
void engine_want_all(struct engine *e)
{
	array_each(p, &e->pods) {
		const struct escalation_pod *state = engine_state(e, p);

		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];
			struct bandwidth b = { state->budget.period,
					       engine_share(c, escalation_runtime(state)) };

			if (c->node && !p->is_refused)
				cgroups_want(&e->cgroups, c->node, &state->cores, b);
		}
	}
}

bool engine_read_back(struct engine *e, struct engine_pod *p)
{
	const struct escalation_pod *state = engine_state(e, p);
	bool is_all = p->n_containers > 0;

	for (size_t i = 0; i < p->n_containers; i++) {
		struct engine_container *c = &p->containers[i];
		const struct bandwidth wanted = { state->budget.period,
						  engine_share(c, escalation_runtime(state)) };
		struct bandwidth kernel = { 0 }, ours;
		bool is_read =
			c->node && cgroups_read(&e->cgroups, c->node, &kernel, &ours, NULL) == 0;
		bool is_applied = is_read && !p->is_refused && backend_enforces(e->backend) &&
				  wanted.runtime_us > 0 && budget_reads_as(kernel, wanted);

		if (is_applied != c->is_applied || !bandwidth_eq(kernel, c->in_kernel))
			e->revision++;
		c->is_applied = is_applied;
		c->in_kernel = kernel;
		is_all &= is_applied;
	}
	return is_all;
}

void engine_free_containers(struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		free(p->containers[i].name);
		free(p->containers[i].path);
		free(p->containers[i].use_window);
		container_class_done(&p->containers[i].threads);
	}
	free(p->containers);
	p->containers = NULL;
	p->n_containers = 0;
}

/* With a quota as the budget, an overrun is not seen when it happens. */
static uint64_t soon_ns(struct engine *e, const struct engine_pod *p,
			const uint64_t limits_ns[OVERRUN_SOON])
{
	int up = escalation_limit_up(engine_state(e, p));

	if (!e->backend->is_rt || p->n_unused_warmups >= UNUSED_WARMUPS_MAX || up < 0 ||
	    limits_ns[up] <= SOON_NS)
		return 0;
	return limits_ns[up] - SOON_NS;
}

static void watch_container(struct engine *e, struct engine_pod *p,
			    const struct engine_container *c, const int32_t limits_us[2])
{
	struct error err;
	uint64_t limits_ns[OVERRUN_LIMITS];

	for (int i = 0; i < OVERRUN_SOON; i++)
		limits_ns[i] = (uint64_t)engine_share(c, limits_us[i]) * NS_PER_US;
	limits_ns[OVERRUN_SOON] = soon_ns(e, p, limits_ns);
	int32_t granted_us =
		p->is_refused ? 0 : engine_share(c, engine_granted(engine_state(e, p)));
	if (overruns_watch(e->overruns, &c->node->group, c->node->id, limits_ns,
			   (uint64_t)granted_us * NS_PER_US, &err) == 0 ||
	    p->is_unseen)
		return;
	p->is_unseen = true;
	engine_add_event(e, NODE_EVENT_REFUSED, p, err.msg);
}

/* Sets the limits in the overrun source. */
void engine_watch(struct engine *e, struct engine_pod *p)
{
	int32_t limits_us[2];

	escalation_limits(engine_state(e, p), limits_us);
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node)
			watch_container(e, p, &p->containers[i], limits_us);
}

void engine_list_watched(struct engine *e)
{
	array_clear(&e->watched);
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++)
			if (p->containers[i].node)
				*array_add(&e->watched) = (struct watched){
					p->containers[i].node->id,
					(uint32_t)(p - e->pods.items),
				};
}

static void unpin(struct engine *e, struct engine_container *c)
{
	if (c->is_pinned)
		cpuset_file_write(e->kernel, c->path, &c->found_cpus, NULL);
	c->is_pinned = false;
}

void engine_close_container(struct engine *e, struct engine_container *c)
{
	if (!c->node)
		return;
	overruns_forget(e->overruns, c->node->id);
	engine_class_close(e, c);
	unpin(e, c);
	cgroups_remove(&e->cgroups, c->node);
	c->node = NULL;
}

bool engine_is_gone(const struct engine *e, const struct engine_container *c)
{
	return !cgroups_has(&e->cgroups, c->node);
}

/* Containers that were removed; they may come back, also under another path. */
bool engine_close_gone(struct engine *e)
{
	bool is_any = false;

	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (!c->node || !engine_is_gone(e, c))
				continue;
			engine_close_container(e, c);
			is_any = true;
		}
	return is_any;
}

const struct saved_cpus *engine_left_cpus(const struct engine *e, const char *path)
{
	const struct saved_cpus *saved = e->saved ? saved_state_cpus(e->saved, path) : NULL;
	struct cpuset now;

	return saved && cpuset_file_read(e->kernel, path, &now, NULL) == 0 &&
			       cpuset_eq(&now, &saved->wanted)
		       ? saved
		       : NULL;
}

/* Also after a change of the pod's cores: what was found before the first pin is kept. */
static void pin(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct cpuset *cores = &engine_state(e, p)->cores;
	struct error err;

	if (!p->is_pinned) {
		unpin(e, c);
		return;
	}
	if (!c->is_pinned && cpuset_file_read(e->kernel, c->path, &c->found_cpus, NULL) < 0)
		return;
	c->is_pinned = cpuset_file_write(e->kernel, c->path, cores, &err) == 0;
	if (!c->is_pinned)
		engine_add_event(e, NODE_EVENT_REFUSED, p, err.msg);
}

/* An earlier run of the helper has pinned it, and did not end as it should. */
static void recall_pin(const struct engine *e, struct engine_container *c)
{
	const struct saved_cpus *saved = engine_left_cpus(e, c->path);

	if (!saved)
		return;
	c->found_cpus = saved->found;
	c->is_pinned = true;
}

void engine_pin(struct engine *e, struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node)
			pin(e, p, &p->containers[i]);
}

/* What new groups had before us, as an earlier run of the helper found it. Its state file may be
 * lost; a group that holds just the sum of its children was written by it. */
void engine_recall_found(struct engine *e, size_t first)
{
	for (size_t i = first; e->saved && i < e->cgroups.nodes.n; i++) {
		struct cgroup *n = e->cgroups.nodes.items[i];

		for (uint32_t cpu_domain = 0; cpu_domain < e->cgroups.n_domains; cpu_domain++) {
			const struct bandwidth *found =
				saved_state_found(e->saved, n->path, cpu_domain);

			if (found)
				cgroups_set_found(&e->cgroups, n, cpu_domain, *found);
			else if (cgroups_is_sum(&e->cgroups, n, cpu_domain))
				cgroups_set_found(&e->cgroups, n, cpu_domain,
						  (struct bandwidth){ US_PER_S, 0 });
		}
	}
}

/* Opens a container's cgroup. -ENOENT is no error here: it will come. */
int engine_open_container(struct engine *e, struct engine_pod *p, struct engine_container *c,
			  struct error *err)
{
	cgroups_sweep(&e->cgroups);
	size_t n_before = e->cgroups.nodes.n;
	int r = cgroups_add(&e->cgroups, c->path, &c->node, err);
	engine_recall_found(e, n_before);
	if (r < 0)
		return r;
	p->has_begun = true;
	recall_pin(e, c);
	pin(e, p, c);
	engine_class_open(e, c);
	return 0;
}

void engine_set_containers(struct engine *e, struct engine_pod *p, const struct pod_want *want)
{
	for (size_t i = 0; i < p->n_containers; i++)
		engine_close_container(e, &p->containers[i]);
	engine_free_containers(p);
	p->containers = xcalloc(want->n_containers, sizeof(*p->containers));
	p->n_containers = want->n_containers;
	for (size_t i = 0; i < want->n_containers; i++) {
		const struct container_want *c = &want->containers[i];

		p->containers[i].name = xstrdup(c->name);
		p->containers[i].path = c->path ? xstrdup(c->path) : NULL;
		p->containers[i].share = c->share;
		engine_class_set(e, &p->containers[i], c->class);
	}
}

/* Are these the containers that the pod has already? Where they are is known by now. */
bool engine_has_containers(const struct engine_pod *p, const struct pod_want *want)
{
	if (p->n_containers != want->n_containers)
		return false;
	for (size_t i = 0; i < want->n_containers; i++) {
		const struct engine_container *has = &p->containers[i];
		const struct container_want *c = &want->containers[i];

		if (strcmp(has->name, c->name) != 0 || has->share != c->share ||
		    (c->path && (!has->path || strcmp(has->path, c->path) != 0)))
			return false;
	}
	return true;
}

int engine_open_containers(struct engine *e, struct engine_pod *p, struct error *err)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		struct engine_container *c = &p->containers[i];
		int r = c->node || !c->path ? 0 : engine_open_container(e, p, c, err);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

bool engine_open_created(struct engine *e, const char *path)
{
	bool is_any = false;

	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (!c->path || (path && strcmp(c->path, path) != 0))
				continue;
			if (c->node && path && engine_is_gone(e, c))
				engine_close_container(e, c);
			if (!c->node)
				is_any |= engine_open_container(e, p, c, NULL) == 0;
		}
	return is_any;
}

void engine_unpin_all(struct engine *e)
{
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++)
			unpin(e, &p->containers[i]);
}
