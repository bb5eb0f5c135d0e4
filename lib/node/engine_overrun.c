/* SPDX-License-Identifier: Apache-2.0 */

/* From an overrun to new budgets, and back when it is over. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "node/cpuset_file.h"
#include "node/engine_internal.h"

enum { NS_PER_US = 1000, TICK_BUSY_MS = 100, TICK_IDLE_MS = 1000 };
static const int64_t check_interval_ns = 5000000000, tell_interval_ns = 10000000000;
static const int64_t thread_interval_ns = 1000000000;

static void want_pod(struct engine *e, const struct engine_pod *p, int32_t runtime_us)
{
	const struct escalation_pod *state = engine_state(e, p);

	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];

		if (c->node)
			forest_want(&e->forest, c->node, &state->cores,
				    (struct bandwidth){
					    state->budget.period,
					    engine_share(c, runtime_us),
				    });
	}
}

static enum note_kind kind_of(const struct escalation_change *c)
{
	if (c->to_level != c->from_level)
		return c->to_level > c->from_level ? NOTE_ESCALATED : NOTE_RECOVERED;
	if (c->is_cut)
		return NOTE_DEGRADED;
	return c->to_us > c->from_us ? NOTE_RESTORED : NOTE_RECOVERED;
}

static void tell_change(struct engine *e, const struct escalation_change *c, const char *why)
{
	struct engine_pod *p = &e->pods.items[c->pod];
	enum note_kind kind = kind_of(c);
	char text[NOTE_TEXT];

	snprintf(text, sizeof(text), "%s to %s, budget %d to %d us: %s", level_name(c->from_level),
		 level_name(c->to_level), c->from_us, c->to_us, why);
	p->escalations += kind == NOTE_ESCALATED;
	e->stats.escalations += kind == NOTE_ESCALATED;
	e->stats.recoveries += kind == NOTE_RECOVERED;
	engine_note(e, kind, p, text);
}

static void want_changed(struct engine *e, size_t n_changes)
{
	for (size_t i = 0; i < n_changes; i++)
		want_pod(e, &e->pods.items[e->changes[i].pod], e->changes[i].to_us);
}

/* Writes what escalation.c decided, or takes the decision back. Groups that are gone since the last
 * look must not take anybody's room. */
static int carry_out(struct engine *e, size_t n_changes, int retry_ms, struct error *err)
{
	want_changed(e, n_changes);
	int r = forest_apply(&e->forest, retry_ms, err);
	if (r < 0 && forest_sweep(&e->forest)) {
		want_changed(e, n_changes);
		r = forest_apply(&e->forest, retry_ms, err);
	}
	if (r < 0) {
		escalation_undo(&e->escalation);
		e->needs_refresh = true;
	}
	return r;
}

/* After carry_out(): there is time again. */
static void tell_all(struct engine *e, size_t n_changes, const char *why)
{
	engine_verify(e);
	for (size_t i = 0; i < n_changes; i++) {
		engine_watch(e, &e->pods.items[e->changes[i].pod]);
		tell_change(e, &e->changes[i], why);
	}
	e->is_dirty |= n_changes > 0;
}

static struct engine_pod *pod_of(struct engine *e, uint64_t cgroup)
{
	array_each(w, &e->watched)
		if (w->cgroup == cgroup)
			return &e->pods.items[w->pod];
	return NULL;
}

static void tell_escalation(struct engine *e, size_t n_changes, const struct overrun_event *event)
{
	int64_t ns = engine_now_ns() - (int64_t)event->at_ns;
	char why[NOTE_TEXT / 2];

	e->stats.latencies_ns[e->stats.n_latencies++ % LATENCIES] = (uint32_t)ns;
	snprintf(why, sizeof(why), "used %llu us on CPU %u; written %lld us after it was seen",
		 (unsigned long long)(event->used_ns / NS_PER_US), event->cpu,
		 (long long)ns / NS_PER_US);
	tell_all(e, n_changes, why);
}

static void tell_refusal(struct engine *e, struct engine_pod *p, const char *why)
{
	int64_t now = engine_now_ns();

	e->stats.refusals++;
	if (p->told_refusal_ns && now - p->told_refusal_ns < tell_interval_ns)
		return;
	p->told_refusal_ns = now;
	engine_note(e, NOTE_REFUSED, p, why);
}

static void escalate(struct engine *e, struct engine_pod *p, const struct overrun_event *event)
{
	struct error err;
	size_t n;

	enum escalation_result r =
		escalation_overrun(&e->escalation, (uint32_t)(p - e->pods.items), event->limit,
				   (int64_t)event->at_ns, e->changes, &n);
	if (r == ESCALATION_NONE)
		return;
	if (r == ESCALATION_NO_ROOM)
		tell_refusal(e, p, "no room for a higher level");
	else if (carry_out(e, n, APPLY_RETRY_MS / 2, &err) < 0)
		tell_refusal(e, p, err.msg);
	else
		tell_escalation(e, n, event);
}

/* An overrun is rare: without this all that follows from it, here and in the kernel, has to come
 * from memory, which takes three times as long as to do it. */
static void rehearse(struct engine *e, struct engine_pod *p)
{
	size_t n;

	e->stats.rehearsals++;
	if (escalation_foresee(&e->escalation, (uint32_t)(p - e->pods.items), e->changes, &n) ==
	    ESCALATION_CHANGED) {
		want_changed(e, n);
		forest_rehearse(&e->forest);
	}
	if (++p->n_vain == VAIN_MAX)
		engine_watch(e, p);
}

static void rehearse_again(struct engine *e, struct engine_pod *p)
{
	bool is_left_alone = p->n_vain >= VAIN_MAX;

	p->n_vain = 0;
	if (is_left_alone)
		engine_watch(e, p);
}

void engine_on_overrun(const struct overrun_event *event, void *arg)
{
	struct engine *e = arg;
	struct engine_pod *p = pod_of(e, event->cgroup);

	if (!p)
		return;
	if (event->limit == OVERRUN_SOON) {
		rehearse(e, p);
		return;
	}
	e->stats.overruns++;
	p->n_vain = 0;
	p->last_overrun = *event;
	bool is_first = p->overruns++ == p->told_overruns;
	escalate(e, p, event);
	if (is_first)
		eventfd_write(e->note_fd, 1);
}

/* Many overruns are one note with their number. */
static void tell_overruns(struct engine *e, int64_t now_ns)
{
	array_each(p, &e->pods) {
		char text[NOTE_TEXT];

		if (p->overruns == p->told_overruns ||
		    (p->told_overrun_ns && now_ns - p->told_overrun_ns < tell_interval_ns))
			continue;
		snprintf(text, sizeof(text), "used %llu us of every %d us on CPU %u, C_low is %d",
			 (unsigned long long)(p->last_overrun.used_ns / NS_PER_US),
			 engine_state(e, p)->budget.period, p->last_overrun.cpu,
			 engine_state(e, p)->budget.low);
		engine_note_event(e, NOTE_OVERRUN, p, p->overruns - p->told_overruns, text);
		p->told_overruns = p->overruns;
		p->told_overrun_ns = now_ns;
	}
}

void engine_tell_counts(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		p->told_overrun_ns = 0;
	tell_overruns(e, engine_now_ns());
	pthread_mutex_unlock(&e->lock);
}

void engine_react(struct engine *e, unsigned queue)
{
	pthread_mutex_lock(&e->lock);
	overruns_read(e->overruns, queue);
	pthread_mutex_unlock(&e->lock);
}

static void recover(struct engine *e, int64_t now_ns)
{
	struct error err = ERROR_INIT;
	size_t n = escalation_recover(&e->escalation, now_ns, e->changes);

	if (n == 0)
		return;
	if (carry_out(e, n, APPLY_RETRY_MS, &err) < 0)
		engine_note(e, NOTE_REFUSED, &e->pods.items[e->changes[0].pod], err.msg);
	else
		tell_all(e, n, "calm again");
}

static int order(struct engine *e, const char *uid, enum level level, struct error *err)
{
	struct engine_pod *p = engine_find(e, uid);
	size_t n;

	if (!p)
		return error_set(err, -ESRCH, "pod %s is not wanted here", uid);
	switch (escalation_order(&e->escalation, (uint32_t)(p - e->pods.items), level,
				 engine_now_ns(), e->changes, &n)) {
	case ESCALATION_NONE:
		return 0;
	case ESCALATION_NO_ROOM:
		return error_set(err, -ENOSPC, "no room for level %s", level_name(level));
	case ESCALATION_CHANGED:
		break;
	}
	if (carry_out(e, n, APPLY_RETRY_MS, err) < 0)
		return err->code;
	tell_all(e, n, "mckube.io/rt-current was set");
	return 0;
}

int engine_order_level(struct engine *e, const char *uid, enum level level, struct error *err)
{
	pthread_mutex_lock(&e->lock);
	int r = order(e, uid, level, err);
	pthread_mutex_unlock(&e->lock);
	return r;
}

/* Put right once; a second time it is somebody's will, and only told. */
static void dispute(struct engine *e, struct engine_pod *p, bool *is_disputed, const char *text)
{
	if (*is_disputed)
		return;
	*is_disputed = true;
	e->stats.rewritten++;
	engine_note(e, NOTE_REWRITTEN, p, text);
}

/* What was refused before is tried again. */
static void check_budget(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct escalation_pod *state = engine_state(e, p);
	const struct bandwidth wanted = { state->budget.period,
					  engine_share(c, escalation_runtime(state)) };
	struct bandwidth kernel, ours;
	char text[NOTE_TEXT];

	if (forest_read(&e->forest, c->node, &kernel, &ours, NULL) < 0)
		return;
	if (budget_reads_as(kernel, ours) || e->backend->is_per_thread) {
		e->needs_refresh |= !budget_reads_as(kernel, wanted);
		return;
	}
	snprintf(text, sizeof(text), "somebody wrote %lld us of %lld us over its budget of %lld us",
		 (long long)kernel.runtime_us, (long long)kernel.period_us,
		 (long long)ours.runtime_us);
	e->needs_refresh |= !c->is_budget_disputed;
	dispute(e, p, &c->is_budget_disputed, text);
}

static void check_cpus(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct cpuset *cores = &engine_state(e, p)->cores;
	struct cpuset now;

	if (!c->is_pinned || pin_read(e->kernel, c->path, &now, NULL) < 0 || cpuset_eq(&now, cores))
		return;
	if (!c->is_cpus_disputed)
		pin_write(e->kernel, c->path, cores, NULL);
	dispute(e, p, &c->is_cpus_disputed,
		"somebody changed its CPUs (kubelet's static CPU manager?)");
}

static void check_all(struct engine *e)
{
	engine_drop_gone(e);
	e->has_leaving |= forest_let_go(&e->forest);
	forest_release(&e->forest);
	engine_retry_refused(e);
	array_each(p, &e->pods) {
		rehearse_again(e, p);
		for (size_t i = 0; i < p->n_containers; i++) {
			if (!p->containers[i].node || p->is_refused)
				continue;
			check_budget(e, p, &p->containers[i]);
			check_cpus(e, p, &p->containers[i]);
		}
	}
}

static void refresh(struct engine *e)
{
	struct error err;

	e->needs_refresh = false;
	engine_drop_gone(e);
	forest_refresh(&e->forest);
	engine_want_all(e);
	if (forest_apply(&e->forest, APPLY_RETRY_MS, &err) < 0 && e->pods.n)
		tell_refusal(e, &e->pods.items[0], err.msg);
}

static bool is_anybody_up(const struct engine *e)
{
	array_each(p, &e->escalation.pods)
		if (p->level != LEVEL_LOW || p->is_lent || p->is_cut)
			return true;
	return false;
}

/* Threads appear without a word. */
static bool must_check(const struct engine *e, int64_t now_ns)
{
	return now_ns - e->checked_ns >=
	       (e->backend->is_per_thread ? thread_interval_ns : check_interval_ns);
}

int engine_tick(struct engine *e, int64_t now_ns)
{
	pthread_mutex_lock(&e->lock);
	recover(e, now_ns);
	tell_overruns(e, now_ns);
	if (must_check(e, now_ns)) {
		e->checked_ns = now_ns;
		check_all(e);
	}
	if (e->has_leaving && !forest_let_go(&e->forest))
		engine_settle(e, NULL);
	if (e->needs_refresh)
		refresh(e);
	e->stats.lost = overruns_lost(e->overruns);
	int ms = e->has_leaving || is_anybody_up(e) ? TICK_BUSY_MS : TICK_IDLE_MS;
	pthread_mutex_unlock(&e->lock);
	return ms;
}

void engine_set_usage(struct engine *e, uint32_t used, int64_t now_ns)
{
	pthread_mutex_lock(&e->lock);
	escalation_set_usage(&e->escalation, used, now_ns);
	pthread_mutex_unlock(&e->lock);
}
