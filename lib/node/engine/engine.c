/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "node/engine/internal.h"
#include "node/realtime.h"

int engine_init(struct engine *e, const struct kernel *k, const struct backend *b,
		struct overruns *o, struct error *err)
{
	*e = (struct engine){
		.kernel = k, .backend = b, .overruns = o, .event_fd = -1, .revision = 1
	};
	if (realtime_lock_init(&e->lock, err) < 0)
		return err->code;
	e->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->event_fd < 0)
		return error_errno(err, "make an eventfd");
	e->events = xcalloc(NODE_EVENTS, sizeof(*e->events));
	cgroups_init(&e->cgroups, k, b);
	cgroups_hold(&e->cgroups, b->is_rt);
	e->escalation.scope = b->scope;
	e->max_priority = THREAD_PRIORITY_MAX;
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

int engine_set_pod(struct engine *e, const struct pod_want *want, struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = engine_pod_set(e, want, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

void engine_remove_pod(struct engine *e, const char *uid)
{
	pthread_mutex_lock(&e->lock);
	engine_pod_remove(e, uid);
	pthread_mutex_unlock(&e->lock);
}

int engine_place(struct engine *e, const char *uid, const char *container, const char *path,
		 struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = engine_container_place(e, uid, container, path, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

void engine_cgroup_created(struct engine *e, const char *path)
{
	pthread_mutex_lock(&e->lock);
	if (engine_open_created(e, path))
		engine_settle(e, NULL);
	pthread_mutex_unlock(&e->lock);
}

static bool awaits(const struct engine *e, const struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (!p->containers[i].node || engine_is_gone(e, &p->containers[i]))
			return true;
	return false;
}

void engine_return_left(struct engine *e, engine_pod_test is_kept, void *arg)
{
	pthread_mutex_lock(&e->lock);
	engine_give_back_left(e, is_kept, arg);
	pthread_mutex_unlock(&e->lock);
}

bool engine_has(struct engine *e, const char *uid)
{
	pthread_mutex_lock(&e->lock);
	bool is_known = engine_find(e, uid);
	pthread_mutex_unlock(&e->lock);
	return is_known;
}

bool engine_awaits(struct engine *e, const char *uid)
{
	pthread_mutex_lock(&e->lock);
	const struct engine_pod *p = engine_find(e, uid);
	bool is_awaited = p && awaits(e, p);
	pthread_mutex_unlock(&e->lock);
	return is_awaited;
}

bool engine_awaits_any(struct engine *e)
{
	bool is_awaited = false;

	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		is_awaited = is_awaited || awaits(e, p);
	pthread_mutex_unlock(&e->lock);
	return is_awaited;
}

int engine_set_level(struct engine *e, const char *uid, enum level level, struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = engine_pod_set_level(e, uid, level, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

void engine_thread_entered(struct engine *e, uint64_t cgroup, pid_t tid, uint64_t start,
			   bool is_process)
{
	pthread_mutex_lock(&e->lock);
	engine_class_entered(e, cgroup, tid, start, is_process);
	pthread_mutex_unlock(&e->lock);
}

void engine_handle_overruns(struct engine *e, unsigned queue)
{
	pthread_mutex_lock(&e->lock);
	overruns_read(e->overruns, queue);
	pthread_mutex_unlock(&e->lock);
}

int engine_tick(struct engine *e, int64_t now_ns)
{
	pthread_mutex_lock(&e->lock);
	int ms = engine_update(e, now_ns);
	pthread_mutex_unlock(&e->lock);
	return ms;
}

void engine_set_usage(struct engine *e, uint32_t used, int64_t now_ns)
{
	pthread_mutex_lock(&e->lock);
	escalation_set_usage(&e->escalation, used, now_ns);
	pthread_mutex_unlock(&e->lock);
}

bool engine_missed(struct engine *e, int64_t now_ns, uint64_t *ret_us)
{
	pthread_mutex_lock(&e->lock);
	bool is_measured = engine_missed_since(e, now_ns, ret_us);
	pthread_mutex_unlock(&e->lock);
	return is_measured;
}

void engine_sample_use(struct engine *e, int64_t now_ns)
{
	pthread_mutex_lock(&e->lock);
	engine_use_sample(e, now_ns);
	pthread_mutex_unlock(&e->lock);
}

void engine_report_counts(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		p->reported_overrun_ns = 0;
	engine_report_overruns(e, clock_ns());
	pthread_mutex_unlock(&e->lock);
}

void engine_refresh(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->needs_refresh = true;
	pthread_mutex_unlock(&e->lock);
}

size_t engine_restore(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	engine_unpin_all(e);
	engine_restore_classes(e);
	size_t n_kept = cgroups_restore(&e->cgroups);
	pthread_mutex_unlock(&e->lock);
	return n_kept;
}
