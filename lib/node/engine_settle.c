/* SPDX-License-Identifier: Apache-2.0 */

/* Makes the kernel agree with the assignments. */
#include <errno.h>

#include "base/alloc.h"
#include "node/engine_internal.h"

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

/* After pods or containers came, went or changed. Allocates all that the overrun handler needs. A
 * container that goes away meanwhile, or a new unmanaged group, leads to another try. */
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

void engine_drop_gone(struct engine *e)
{
	if (engine_close_gone(e))
		engine_settle(e, NULL);
}
