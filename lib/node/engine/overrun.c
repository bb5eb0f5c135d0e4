/* SPDX-License-Identifier: Apache-2.0 */

/* From an overrun to new budgets, and the recovery. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/units.h"
#include "node/cgroup/cpuset_file.h"
#include "node/engine/internal.h"

enum { TICK_BUSY_MS = 100, TICK_IDLE_MS = 1000 };
static const int64_t check_interval_ns = 5000000000, report_interval_ns = 10000000000;
static const int64_t thread_interval_ns = 1000000000;

static void want_pod(struct engine *e, const struct engine_pod *p, int32_t runtime_us)
{
	const struct escalation_pod *state = engine_state(e, p);

	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];

		if (c->node)
			cgroups_want(&e->cgroups, c->node, &state->cores,
				     (struct bandwidth){
					     state->budget.period,
					     engine_share(c, runtime_us),
				     });
	}
}

static enum node_event_kind kind_of(const struct escalation_change *c)
{
	if (c->to_level != c->from_level)
		return c->to_level > c->from_level ? NODE_EVENT_ESCALATED : NODE_EVENT_RECOVERED;
	if (c->is_cut)
		return NODE_EVENT_DEGRADED;
	return c->to_us > c->from_us ? NODE_EVENT_RESTORED : NODE_EVENT_RECOVERED;
}

static const char *name_of(uint8_t level, bool is_cut)
{
	return is_cut ? LEVEL_NAME_FLOOR : level_name(level);
}

static const struct engine_container *find_unconfirmed(const struct engine_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].node && !p->containers[i].is_applied)
			return &p->containers[i];
	return NULL;
}

/* What was read back, not what was written. */
static void report_change(struct engine *e, const struct escalation_change *c, const char *why)
{
	struct engine_pod *p = &e->pods.items[c->pod];
	enum node_event_kind kind = kind_of(c);
	char text[NODE_EVENT_TEXT];
	int n = snprintf(text, sizeof(text), "%s to %s", name_of(c->from_level, c->was_cut),
			 name_of(c->to_level, c->is_cut));

	engine_read_back(e, p);
	const struct engine_container *wrong = find_unconfirmed(p);
	if (!backend_enforces(e->backend))
		snprintf(text + n, sizeof(text) - (size_t)n, ", no budget is enforced: %s", why);
	else if (!wrong)
		snprintf(text + n, sizeof(text) - (size_t)n, ", budget %d to %d us: %s", c->from_us,
			 c->to_us, why);
	else
		snprintf(text + n, sizeof(text) - (size_t)n,
			 ", budget %d us is not in force: the kernel has %lld/%lld us", c->to_us,
			 (long long)wrong->in_kernel.runtime_us,
			 (long long)wrong->in_kernel.period_us);
	p->changed_ns = clock_ns();
	p->escalations += kind == NODE_EVENT_ESCALATED;
	e->stats.escalations += kind == NODE_EVENT_ESCALATED;
	e->stats.recoveries += kind == NODE_EVENT_RECOVERED;
	engine_add_event(e, wrong && backend_enforces(e->backend) ? NODE_EVENT_REFUSED : kind, p,
			 text);
}

static void want_changed(struct engine *e, size_t n_changes)
{
	for (size_t i = 0; i < n_changes; i++)
		want_pod(e, &e->pods.items[e->changes[i].pod], e->changes[i].to_us);
}

/* Writes what escalation.c decided, or undoes the decision. Groups that are gone meanwhile must not
 * count. */
static int apply_changes(struct engine *e, size_t n_changes, int retry_ms, struct error *err)
{
	want_changed(e, n_changes);
	int r = cgroups_apply(&e->cgroups, retry_ms, err);
	if (r < 0 && cgroups_sweep(&e->cgroups)) {
		want_changed(e, n_changes);
		r = cgroups_apply(&e->cgroups, retry_ms, err);
	}
	if (r < 0) {
		escalation_undo(&e->escalation);
		e->needs_refresh = true;
	}
	return r;
}

/* After apply_changes(): no longer urgent. */
static void report_all(struct engine *e, size_t n_changes, const char *why)
{
	engine_verify(e);
	for (size_t i = 0; i < n_changes; i++) {
		engine_watch(e, &e->pods.items[e->changes[i].pod]);
		report_change(e, &e->changes[i], why);
	}
	e->is_dirty |= n_changes > 0;
}

void engine_report_cuts(struct engine *e, size_t n_changes)
{
	for (size_t i = 0; i < n_changes; i++) {
		const struct escalation_change *c = &e->changes[i];

		if (c->was_cut != c->is_cut && e->pods.items[c->pod].is_confirmed)
			report_change(e, c, "other pods have come or gone");
	}
}

static struct engine_pod *pod_of(struct engine *e, uint64_t cgroup)
{
	array_each(w, &e->watched)
		if (w->cgroup == cgroup)
			return &e->pods.items[w->pod];
	return NULL;
}

static void report_escalation(struct engine *e, size_t n_changes, const struct overrun_event *event)
{
	int64_t ns = clock_ns() - (int64_t)event->at_ns;
	char why[NODE_EVENT_TEXT / 2];

	e->stats.latencies_ns[e->stats.n_latencies++ % LATENCIES] = (uint32_t)ns;
	snprintf(why, sizeof(why), "used %llu us on CPU %u; written %lld us after it was seen",
		 (unsigned long long)(event->used_ns / NS_PER_US), event->cpu,
		 (long long)ns / NS_PER_US);
	report_all(e, n_changes, why);
}

static void report_refusal(struct engine *e, struct engine_pod *p, const char *why)
{
	int64_t now = clock_ns();

	e->stats.refusals++;
	if (p->reported_refusal_ns && now - p->reported_refusal_ns < report_interval_ns)
		return;
	p->reported_refusal_ns = now;
	engine_add_event(e, NODE_EVENT_REFUSED, p, why);
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
		report_refusal(e, p, "no room for a higher level");
	else if (apply_changes(e, n, APPLY_RETRY_MS / 2, &err) < 0)
		report_refusal(e, p, err.msg);
	else
		report_escalation(e, n, event);
}

/* An overrun is rare: without this the code and data for it, here and in the kernel, are not in the
 * caches, and it takes three times as long. */
static void warm_up(struct engine *e, struct engine_pod *p)
{
	size_t n;

	e->stats.warm_ups++;
	if (escalation_preview(&e->escalation, (uint32_t)(p - e->pods.items), e->changes, &n) ==
	    ESCALATION_CHANGED) {
		want_changed(e, n);
		cgroups_warm_up(&e->cgroups);
	}
	if (++p->n_unused_warmups == UNUSED_WARMUPS_MAX)
		engine_watch(e, p);
}

static void rearm_warm_up(struct engine *e, struct engine_pod *p)
{
	bool was_paused = p->n_unused_warmups >= UNUSED_WARMUPS_MAX;

	p->n_unused_warmups = 0;
	if (was_paused)
		engine_watch(e, p);
}

void engine_on_overrun(const struct overrun_event *event, void *arg)
{
	struct engine *e = arg;
	struct engine_pod *p = pod_of(e, event->cgroup);

	if (!p)
		return;
	if (event->limit == OVERRUN_SOON) {
		warm_up(e, p);
		return;
	}
	e->stats.overruns++;
	p->n_unused_warmups = 0;
	p->last_overrun = *event;
	bool is_first = p->overruns++ == p->reported_overruns;
	escalate(e, p, event);
	if (is_first)
		eventfd_write(e->event_fd, 1);
}

/* Many overruns are one event with their count. */
void engine_report_overruns(struct engine *e, int64_t now_ns)
{
	array_each(p, &e->pods) {
		char text[NODE_EVENT_TEXT];

		if (p->overruns == p->reported_overruns ||
		    (p->reported_overrun_ns &&
		     now_ns - p->reported_overrun_ns < report_interval_ns))
			continue;
		snprintf(text, sizeof(text), "used %llu us of every %d us on CPU %u, C_low is %d",
			 (unsigned long long)(p->last_overrun.used_ns / NS_PER_US),
			 engine_state(e, p)->budget.period, p->last_overrun.cpu,
			 engine_state(e, p)->budget.low);
		engine_add_overrun_event(e, NODE_EVENT_OVERRUN, p,
					 p->overruns - p->reported_overruns, text);
		p->reported_overruns = p->overruns;
		p->reported_overrun_ns = now_ns;
	}
}

/* A pod that comes with a level, as one that is moved with its memory, keeps it until its
 * containers are here: before, it shows nothing by using nothing. */
static void keep_level_of_coming(struct engine *e, int64_t now_ns)
{
	array_each(p, &e->pods) {
		struct escalation_pod *state = engine_state(e, p);

		if (state->level && !p->has_begun)
			state->changed_ns = state->overrun_ns = now_ns;
	}
}

static void recover(struct engine *e, int64_t now_ns)
{
	keep_level_of_coming(e, now_ns);
	struct error err = ERROR_INIT;
	size_t n = escalation_recover(&e->escalation, now_ns, e->changes);

	if (n == 0)
		return;
	if (apply_changes(e, n, APPLY_RETRY_MS, &err) < 0)
		engine_add_event(e, NODE_EVENT_REFUSED, &e->pods.items[e->changes[0].pod], err.msg);
	else
		report_all(e, n, "calm again");
}

int engine_pod_set_level(struct engine *e, const char *uid, enum level level, struct error *err)
{
	struct engine_pod *p = engine_find(e, uid);
	size_t n;

	if (!p)
		return error_set(err, -ESRCH, "pod %s is not assigned to this node", uid);
	switch (escalation_set_level(&e->escalation, (uint32_t)(p - e->pods.items), level,
				     clock_ns(), e->changes, &n)) {
	case ESCALATION_NONE:
		return 0;
	case ESCALATION_NO_ROOM:
		return error_set(err, -ENOSPC, "no room for level %s", level_name(level));
	case ESCALATION_CHANGED:
		break;
	}
	if (apply_changes(e, n, APPLY_RETRY_MS, err) < 0)
		return err->code;
	report_all(e, n, MCKUBE_DOMAIN "/rt-current was set");
	return 0;
}

/* Corrected and reported once; a second write is left alone. */
static void report_external_write(struct engine *e, struct engine_pod *p, bool *is_reported_already,
				  const char *text)
{
	if (*is_reported_already)
		return;
	*is_reported_already = true;
	e->stats.rewritten++;
	engine_add_event(e, NODE_EVENT_REWRITTEN, p, text);
}

/* What was refused before is tried again. */
static void check_budget(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct escalation_pod *state = engine_state(e, p);
	const struct bandwidth wanted = { state->budget.period,
					  engine_share(c, escalation_runtime(state)) };
	struct bandwidth kernel, ours;
	char text[NODE_EVENT_TEXT];

	if (cgroups_read(&e->cgroups, c->node, &kernel, &ours, NULL) < 0)
		return;
	if (budget_reads_as(kernel, ours) || e->backend->is_per_thread) {
		e->needs_refresh |= !budget_reads_as(kernel, wanted);
		return;
	}
	snprintf(text, sizeof(text),
		 "another process changed the budget to %lld/%lld us, it was %lld/%lld us",
		 (long long)kernel.runtime_us, (long long)kernel.period_us,
		 (long long)ours.runtime_us, (long long)ours.period_us);
	e->needs_refresh |= !c->is_budget_rewritten;
	report_external_write(e, p, &c->is_budget_rewritten, text);
}

static void check_cpus(struct engine *e, struct engine_pod *p, struct engine_container *c)
{
	const struct cpuset *cores = &engine_state(e, p)->cores;
	struct cpuset now;

	if (!c->is_pinned || cpuset_file_read(e->kernel, c->path, &now, NULL) < 0 ||
	    cpuset_eq(&now, cores))
		return;
	if (!c->is_cpus_rewritten)
		cpuset_file_write(e->kernel, c->path, cores, NULL);
	report_external_write(e, p, &c->is_cpus_rewritten,
			      "another process changed its CPUs (kubelet's static CPU manager?)");
}

static void check_all(struct engine *e)
{
	engine_drop_gone(e);
	e->has_retiring |= cgroups_restore_retiring(&e->cgroups);
	cgroups_release(&e->cgroups);
	engine_retry_refused(e);
	array_each(p, &e->pods) {
		rearm_warm_up(e, p);
		engine_confirm(e, p);
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
	cgroups_refresh(&e->cgroups);
	engine_want_all(e);
	if (cgroups_apply(&e->cgroups, APPLY_RETRY_MS, &err) < 0 && e->pods.n)
		report_refusal(e, &e->pods.items[0], err.msg);
	array_each(p, &e->pods)
		engine_confirm(e, p);
}

static bool is_any_above_low(const struct engine *e)
{
	array_each(p, &e->escalation.pods)
		if (p->level != LEVEL_LOW || p->is_boosted || p->is_cut)
			return true;
	return false;
}

/* New threads are not reported by the kernel. */
static bool must_check(const struct engine *e, int64_t now_ns)
{
	return now_ns - e->checked_ns >=
	       (e->backend->is_per_thread ? thread_interval_ns : check_interval_ns);
}

static bool is_any_refused(const struct engine *e)
{
	array_each(p, &e->pods)
		if (p->refusal)
			return true;
	return false;
}

static void retry_soon(struct engine *e, int64_t now_ns)
{
	if (!e->retry_ns || now_ns < e->retry_ns)
		return;
	engine_retry_refused(e);
	if (!is_any_refused(e) || now_ns > e->retry_until_ns) {
		e->retry_ns = 0;
		return;
	}
	e->retry_after_ns *= 2;
	if (e->retry_after_ns > engine_retry_last_ns)
		e->retry_after_ns = engine_retry_last_ns;
	e->retry_ns = now_ns + e->retry_after_ns;
}

static int next_tick_ms(const struct engine *e, int64_t now_ns)
{
	int ms = e->has_retiring || is_any_above_low(e) ? TICK_BUSY_MS : TICK_IDLE_MS;
	int64_t left_ms = (e->retry_ns - now_ns) / NS_PER_MS + 1;

	return e->retry_ns && left_ms < ms ? (int)left_ms : ms;
}

/* New threads are not reported without BPF, or a report was lost. */
static bool must_look_for_threads(struct engine *e, int64_t now_ns)
{
	if (e->threads)
		return thread_watch_has_lost(e->threads);
	if (now_ns - e->threads_ns < thread_interval_ns)
		return false;
	e->threads_ns = now_ns;
	return true;
}

int engine_update(struct engine *e, int64_t now_ns)
{
	recover(e, now_ns);
	retry_soon(e, now_ns);
	engine_report_overruns(e, now_ns);
	const bool is_check = must_check(e, now_ns);
	if (is_check) {
		e->checked_ns = now_ns;
		check_all(e);
	}
	if (e->has_retiring && !cgroups_restore_retiring(&e->cgroups)) {
		engine_settle(e, NULL);
		engine_retry_refused(e);
	}
	if (e->needs_refresh)
		refresh(e);
	engine_give_classes(e, is_check || must_look_for_threads(e, now_ns));
	e->stats.lost = overruns_lost(e->overruns);
	return next_tick_ms(e, now_ns);
}
