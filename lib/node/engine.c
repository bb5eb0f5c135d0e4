/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/engine_internal.h"
#include "node/pin.h"

enum { NS_PER_S = 1000000000, NS_PER_US = 1000, APPLY_TRIES = 2 };

int64_t engine_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint32_t capacity_ppm(const struct kernel *k, const struct forest *f)
{
	int64_t cap = k->rt_runtime_us < 0 ? PPM : k->rt_runtime_us * PPM / k->rt_period_us;

	return (uint32_t)(f->capacity_us && f->capacity_us < cap ? f->capacity_us : cap);
}

static int init_lock(pthread_mutex_t *lock, struct error *err)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	int r = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return r ? error_set(err, -r, "make a lock: %s", strerror(r)) : 0;
}

int engine_init(struct engine *e, const struct kernel *k, const struct backend *b,
		struct overruns *o, struct error *err)
{
	*e = (struct engine){ .kernel = k, .backend = b, .overruns = o, .note_fd = -1 };
	if (init_lock(&e->lock, err) < 0)
		return err->code;
	e->note_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->note_fd < 0)
		return error_errno(err, "make an eventfd");
	e->notes = xcalloc(NOTES, sizeof(*e->notes));
	forest_init(&e->forest, k, b);
	e->escalation.scope = b->scope;
	e->escalation.rules = (struct escalation_rules)ESCALATION_RULES_DEFAULT;
	o->on_event = engine_on_overrun;
	o->arg = e;
	return 0;
}

static void free_containers(struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		free(p->containers[i].name);
		free(p->containers[i].path);
	}
	free(p->containers);
	p->containers = NULL;
	p->n_containers = 0;
}

static void free_pod(struct engine_pod *p)
{
	free_containers(p);
	free(p->uid);
	free(p->ns);
	free(p->name);
}

void engine_done(struct engine *e)
{
	array_each(p, &e->pods)
		free_pod(p);
	array_done(&e->pods);
	array_done(&e->escalation.pods);
	array_done(&e->watched);
	forest_done(&e->forest);
	free(e->changes);
	free(e->notes);
	if (e->note_fd >= 0)
		close(e->note_fd);
	pthread_mutex_destroy(&e->lock);
}

struct engine_pod *engine_find(struct engine *e, const char *uid)
{
	array_each(p, &e->pods)
		if (strcmp(p->uid, uid) == 0)
			return p;
	return NULL;
}

struct escalation_pod *engine_state(struct engine *e, const struct engine_pod *p)
{
	return &e->escalation.pods.items[p - e->pods.items];
}

int32_t engine_share(const struct engine_container *c, int32_t runtime_us)
{
	return (int32_t)((int64_t)runtime_us * c->share / PPM);
}

/* What the forest shall make true: the budget of each container at its pod's present state. */
void engine_want_all(struct engine *e)
{
	array_each(p, &e->pods) {
		const struct escalation_pod *state = engine_state(e, p);

		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];
			struct bandwidth b = { state->budget.period,
					       engine_share(c, escalation_runtime(state)) };

			if (c->node && !p->is_refused)
				forest_want(&e->forest, c->node, &state->cores, b);
		}
	}
}

static void watch_container(struct engine *e, struct engine_pod *p,
			    const struct engine_container *c, const int32_t limits_us[2])
{
	struct error err;
	uint64_t limits_ns[OVERRUN_LIMITS];

	for (int i = 0; i < OVERRUN_LIMITS; i++)
		limits_ns[i] = (uint64_t)engine_share(c, limits_us[i]) * NS_PER_US;
	if (overruns_watch(e->overruns, &c->node->group, c->node->id, limits_ns, &err) == 0 ||
	    p->is_unseen)
		return;
	p->is_unseen = true;
	engine_note(e, NOTE_REFUSED, p, err.msg);
}

/* Tells the overrun source what to look for. */
void engine_watch(struct engine *e, struct engine_pod *p)
{
	int32_t limits_us[2];

	escalation_limits(engine_state(e, p), limits_us);
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node)
			watch_container(e, p, &p->containers[i], limits_us);
}

static void list_watched(struct engine *e)
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

static void close_container(struct engine *e, struct engine_container *c)
{
	if (!c->node)
		return;
	overruns_forget(e->overruns, c->node->id);
	forest_remove(&e->forest, c->node);
	c->node = NULL;
}

/* Its cgroup was removed; another of the same path is not the same. */
static bool is_gone(const struct engine *e, const struct engine_container *c)
{
	struct bandwidth kernel, ours;
	int r = forest_read(&e->forest, c->node, &kernel, &ours, NULL);

	return r == -ENODEV || r == -ENOENT;
}

/* Containers that were removed; they may come back, also under another path. */
static bool close_gone(struct engine *e)
{
	bool is_any = false;

	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (!c->node || !is_gone(e, c))
				continue;
			close_container(e, c);
			is_any = true;
		}
	return is_any;
}

static int apply_wants(struct engine *e, struct error *err)
{
	engine_want_all(e);
	return forest_apply(&e->forest, APPLY_RETRY_MS, err);
}

/* After pods or containers came, went or changed. All that the reaction needs is made here. A
 * container that goes away meanwhile, or a group of others that came, leads to another try. */
static int settle(struct engine *e, struct error *err)
{
	e->escalation.cap = capacity_ppm(e->kernel, &e->forest);
	e->changes = xreallocarray(e->changes, e->pods.n + 1, sizeof(*e->changes));
	escalation_settle(&e->escalation, e->changes);
	int r = apply_wants(e, err);
	for (int i = 0; i < APPLY_TRIES && (r == -EINVAL || r == -ENODEV); i++) {
		close_gone(e);
		forest_refresh(&e->forest);
		r = apply_wants(e, err);
	}
	if (r < 0)
		escalation_undo(&e->escalation);
	list_watched(e);
	array_each(p, &e->pods)
		engine_watch(e, p);
	e->is_dirty = true;
	return r;
}

static void pin(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct cpuset *cores = &engine_state(e, p)->cores;
	struct error err;

	if (!p->is_pinned || pin_read(e->kernel, c->path, &c->found_cpus, NULL) < 0)
		return;
	c->is_pinned = pin_write(e->kernel, c->path, cores, &err) == 0;
	if (!c->is_pinned)
		engine_note(e, NOTE_REFUSED, p, err.msg);
}

/* What stood in new groups before us, as an earlier run of the helper found it. */
static void recall_found(struct engine *e, size_t first)
{
	for (size_t i = first; e->memory && i < e->forest.nodes.n; i++) {
		struct forest_node *n = e->forest.nodes.items[i];

		for (uint32_t lane = 0; lane < e->forest.n_lanes; lane++) {
			const struct bandwidth *found = memory_found(e->memory, n->path, lane);

			if (found)
				forest_set_found(&e->forest, n, lane, *found);
		}
	}
}

/* Opens a container's cgroup. -ENOENT is no error here: it will come. */
static int open_container(struct engine *e, struct engine_pod *p, struct engine_container *c,
			  struct error *err)
{
	size_t n_before = e->forest.nodes.n;
	int r = forest_add(&e->forest, c->path, &c->node, err);

	recall_found(e, n_before);

	if (r < 0)
		return r;
	pin(e, p, c);
	return 0;
}

/* What was granted before stays; a new pod keeps its place, without weight in the sums. */
static int refuse(struct engine *e, struct engine_pod *p, const struct budget *before,
		  const struct error *err)
{
	p->is_refused = !before->low;
	p->asked = engine_state(e, p)->budget;
	e->stats.refusals++;
	engine_note(e, NOTE_REFUSED, p, err->msg);
	engine_state(e, p)->budget = *before;
	settle(e, NULL);
	return err->code;
}

static void tell_applied(struct engine *e, const struct engine_pod *p)
{
	const struct escalation_pod *state = engine_state(e, p);
	char text[NOTE_TEXT], cores[CPUSET_TEXT];

	snprintf(text, sizeof(text), "%d us of every %d us on CPU %.60s, %s",
		 escalation_runtime(state), state->budget.period,
		 cpuset_count(&state->cores) ? cpuset_format(&state->cores, cores) : "any",
		 enforcement_name(state->enforcement));
	engine_note(e, NOTE_APPLIED, p, text);
}

static void set_containers(struct engine *e, struct engine_pod *p, const struct pod_want *want)
{
	for (size_t i = 0; i < p->n_containers; i++)
		close_container(e, &p->containers[i]);
	free_containers(p);
	p->containers = xcalloc(want->n_containers, sizeof(*p->containers));
	p->n_containers = want->n_containers;
	for (size_t i = 0; i < want->n_containers; i++) {
		const struct container_want *c = &want->containers[i];

		p->containers[i].name = xstrdup(c->name);
		p->containers[i].path = c->path ? xstrdup(c->path) : NULL;
		p->containers[i].share = c->share;
	}
}

/* Are these the containers that the pod has already? Where they are is known by now. */
static bool has_containers(const struct engine_pod *p, const struct pod_want *want)
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

static struct engine_pod *add_pod(struct engine *e, const struct pod_want *want)
{
	struct engine_pod *p = array_add(&e->pods);
	int remembered = e->memory ? memory_level(e->memory, want->uid) : -1;
	uint8_t level = remembered < 0 ? want->level : (uint8_t)remembered;
	int64_t now = engine_now_ns();

	*p = (struct engine_pod){
		.uid = xstrdup(want->uid),
		.ns = xstrdup(want->ns),
		.name = xstrdup(want->name),
	};
	/* What it did before a restart is unknown: it stays at its level for the usual time. */
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

static int open_containers(struct engine *e, struct engine_pod *p, struct error *err)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		struct engine_container *c = &p->containers[i];
		int r = c->node || !c->path ? 0 : open_container(e, p, c, err);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static bool has_node(const struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node)
			return true;
	return false;
}

/* Not memcmp(): the struct has padding. */
static bool budget_eq(const struct budget *a, const struct budget *b)
{
	return a->period == b->period && a->low == b->low && a->hi == b->hi &&
	       a->medium == b->medium && a->floor == b->floor && a->criticality == b->criticality;
}

/* Nothing to do: pods are told again and again as other parts of them change. */
static bool is_in_force(struct engine *e, const struct engine_pod *p, const struct pod_want *want)
{
	const struct escalation_pod *state = engine_state(e, p);

	return !p->is_refused && p->is_pinned == want->is_pinned && has_containers(p, want) &&
	       budget_eq(&state->budget, &want->budget) && cpuset_eq(&state->cores, &want->cores) &&
	       state->priority == want->priority && state->wanted == want->enforcement &&
	       state->recovery == want->recovery;
}

static int set_pod(struct engine *e, const struct pod_want *want, struct error *err)
{
	struct engine_pod *p = engine_find(e, want->uid);

	if (!p)
		p = add_pod(e, want);
	else if (is_in_force(e, p, want))
		return open_containers(e, p, err);
	struct escalation_pod *state = engine_state(e, p);
	struct budget before = state->budget;
	state->budget = want->budget;
	state->cores = want->cores;
	state->priority = want->priority;
	state->wanted = want->enforcement;
	state->recovery = want->recovery;
	p->is_refused = false;
	p->is_pinned = want->is_pinned;
	if (!has_containers(p, want))
		set_containers(e, p, want);
	if (open_containers(e, p, err) < 0 || settle(e, err) < 0)
		return refuse(e, p, &before, err);
	if (has_node(p))
		tell_applied(e, p);
	return 0;
}

/* Quietly: that it does not fit was told. */
void engine_retry_refused(struct engine *e)
{
	const struct budget none = { .period = SECOND_US };

	array_each(p, &e->pods) {
		struct escalation_pod *state = engine_state(e, p);

		if (!p->is_refused)
			continue;
		p->is_refused = false;
		state->budget = p->asked;
		if (settle(e, NULL) == 0) {
			tell_applied(e, p);
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
			close_container(e, &p->containers[k]);
		free_pod(p);
		*p = e->pods.items[--e->pods.n];
		e->escalation.pods.items[i] = e->escalation.pods.items[--e->escalation.pods.n];
		settle(e, NULL);
	}
	pthread_mutex_unlock(&e->lock);
}

static int place(struct engine *e, const char *uid, const char *container, const char *path,
		 struct error *err)
{
	const struct budget none = { .period = SECOND_US };
	struct engine_pod *p = engine_find(e, uid);

	for (size_t i = 0; p && i < p->n_containers; i++) {
		struct engine_container *c = &p->containers[i];

		if (strcmp(c->name, container) != 0)
			continue;
		if (c->node && strcmp(c->path, path) == 0)
			return 0;
		close_container(e, c);
		free(c->path);
		c->path = xstrdup(path);
		if (open_container(e, p, c, err) < 0)
			return err->code;
		if (settle(e, err) < 0)
			return refuse(e, p, &none, err);
		tell_applied(e, p);
		return 0;
	}
	return error_set(err, -ESRCH, "container %s of pod %s is not wanted here", container, uid);
}

int engine_place(struct engine *e, const char *uid, const char *container, const char *path,
		 struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = place(e, uid, container, path, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

void engine_drop_gone(struct engine *e)
{
	if (close_gone(e))
		settle(e, NULL);
}

void engine_appeared(struct engine *e, const char *path)
{
	bool is_any = false;

	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++) {
			struct engine_container *c = &p->containers[i];

			if (!c->path || (path && strcmp(c->path, path) != 0))
				continue;
			if (c->node && path && is_gone(e, c))
				close_container(e, c);
			if (!c->node)
				is_any |= open_container(e, p, c, NULL) == 0;
		}
	if (is_any)
		settle(e, NULL);
	pthread_mutex_unlock(&e->lock);
}

bool engine_awaits(struct engine *e, const char *uid)
{
	bool is_awaited = false;

	pthread_mutex_lock(&e->lock);
	const struct engine_pod *p = engine_find(e, uid);
	for (size_t i = 0; p && i < p->n_containers; i++)
		is_awaited |= !p->containers[i].node;
	pthread_mutex_unlock(&e->lock);
	return is_awaited;
}

size_t engine_restore(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		for (size_t i = 0; i < p->n_containers; i++)
			if (p->containers[i].is_pinned)
				pin_write(e->kernel, p->containers[i].path,
					  &p->containers[i].found_cpus, NULL);
	size_t n_kept = forest_restore(&e->forest);
	pthread_mutex_unlock(&e->lock);
	return n_kept;
}
