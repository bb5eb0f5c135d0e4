/* SPDX-License-Identifier: Apache-2.0 */

/* Makes the kernel agree with the assignments. */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "node/engine/internal.h"

enum { APPLY_TRIES = 2 };

static uint32_t capacity_ppm(const struct kernel *k, const struct cgroups *f)
{
	int64_t cap = k->rt_runtime_us < 0 ? PPM : k->rt_runtime_us * PPM / k->rt_period_us;

	return (uint32_t)(f->capacity_us && f->capacity_us < cap ? f->capacity_us : cap);
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

static bool has_headroom(const struct escalation_pod *p)
{
	return p->enforcement == ENFORCE_RAISE && p->headroom_us;
}

static void report_applied(struct engine *e, const struct engine_pod *p)
{
	const struct escalation_pod *state = engine_state(e, p);
	char text[NODE_EVENT_TEXT], cores[CPUSET_TEXT];

	snprintf(text, sizeof(text), "%d us of every %d us on CPU %.60s, %s%s%s",
		 escalation_runtime(state), state->budget.period,
		 cpuset_count(&state->cores) ? cpuset_format(&state->cores, cores) : "any",
		 enforcement_name(state->enforcement), has_headroom(state) ? " with headroom" : "",
		 e->backend->is_rt ? "" : "; a bandwidth cap, no real-time guarantee");
	engine_add_event(e, NODE_EVENT_APPLIED, p, text);
}

void engine_confirm(struct engine *e, struct engine_pod *p)
{
	bool is_applied = engine_read_back(e, p);

	if (p->is_confirmed || (!is_applied && backend_enforces(e->backend)))
		return;
	p->is_confirmed = true;
	if (is_applied)
		report_applied(e, p);
	else
		engine_add_event(e, NODE_EVENT_UNENFORCED, p,
				 "no budget is enforced: the node's backend is noop");
}

/* After pods or containers came, went or changed. Allocates all that the overrun handler needs. A
 * container that goes away meanwhile, or a new unmanaged group, leads to another try. */
int engine_settle(struct engine *e, struct error *err)
{
	e->escalation.cap = capacity_ppm(e->kernel, &e->cgroups);
	e->changes = xreallocarray(e->changes, e->pods.n + 1, sizeof(*e->changes));
	size_t n_changes = escalation_settle(&e->escalation, e->changes);
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
	array_each(p, &e->pods) {
		engine_watch(e, p);
		engine_read_back(e, p);
	}
	if (r == 0)
		engine_report_cuts(e, n_changes);
	e->has_retiring = cgroups_restore_retiring(&e->cgroups);
	e->is_dirty = true;
	e->revision++;
	if (r == 0)
		engine_give_classes(e, false);
	return r;
}

void engine_drop_gone(struct engine *e)
{
	if (engine_close_gone(e))
		engine_settle(e, NULL);
}
