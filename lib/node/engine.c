/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/engine_internal.h"

enum { NS_PER_S = 1000000000, APPLY_TRIES = 2 };

int64_t engine_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint32_t capacity_ppm(const struct kernel *k, const struct cgroups *f)
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
	*e = (struct engine){
		.kernel = k, .backend = b, .overruns = o, .event_fd = -1, .revision = 1
	};
	if (init_lock(&e->lock, err) < 0)
		return err->code;
	e->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->event_fd < 0)
		return error_errno(err, "make an eventfd");
	e->events = xcalloc(NODE_EVENTS, sizeof(*e->events));
	cgroups_init(&e->cgroups, k, b);
	cgroups_hold(&e->cgroups, b->is_rt);
	e->escalation.scope = b->scope;
	e->escalation.rules = (struct escalation_rules)ESCALATION_RULES_DEFAULT;
	o->on_event = engine_on_overrun;
	o->arg = e;
	return 0;
}

void engine_done(struct engine *e)
{
	array_each(p, &e->pods)
		engine_free_pod(p);
	array_done(&e->pods);
	escalation_done(&e->escalation);
	array_done(&e->watched);
	cgroups_done(&e->cgroups);
	free(e->changes);
	free(e->events);
	if (e->event_fd >= 0)
		close(e->event_fd);
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

static int apply_wants(struct engine *e, struct error *err)
{
	engine_want_all(e);
	return cgroups_apply(&e->cgroups, APPLY_RETRY_MS, err);
}

void engine_verify(struct engine *e)
{
	if (cgroups_verify(&e->cgroups, NULL) < 0)
		e->needs_refresh = true;
}

/* After pods or containers came, went or changed. Allocates all that the overrun handler needs. A container that goes away meanwhile, or a new unmanaged group, leads to another try. */
int engine_settle(struct engine *e, struct error *err)
{
	e->escalation.cap = capacity_ppm(e->kernel, &e->cgroups);
	e->changes = xreallocarray(e->changes, e->pods.n + 1, sizeof(*e->changes));
	escalation_settle(&e->escalation, e->changes);
	int r = apply_wants(e, err);
	for (int i = 0; i < APPLY_TRIES && (r == -EINVAL || r == -ENODEV); i++) {
		engine_close_gone(e);
		cgroups_refresh(&e->cgroups);
		r = apply_wants(e, err);
	}
	if (r < 0)
		escalation_undo(&e->escalation);
	else
		engine_verify(e);
	engine_list_watched(e);
	array_each(p, &e->pods)
		engine_watch(e, p);
	e->has_retiring = cgroups_restore_retiring(&e->cgroups);
	e->is_dirty = true;
	e->revision++;
	return r;
}
