/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/emit/emit.h"

static mckube_id mckube_of(const struct emitter *e, unit_id id)
{
	return unit_request(e->trial, &e->trial->units.items[id])->mckube;
}

uint32_t emit_finalizer_of(const struct emitter *e, unit_id id)
{
	mckube_id m = mckube_of(e, id);

	return m == NONE ? 0 : e->finalizer[m];
}

void emit_finalizers(struct emitter *e)
{
	const struct cluster *c = e->trial->c;

	for (unit_id id = 0; id < e->trial->units.n; id++) {
		mckube_id m = mckube_of(e, id);

		if (m == NONE || e->finalizer[m] || c->mckubes.items[m].has_finalizer ||
		    !emit_is_granted(e, id))
			continue;
		struct action *a = emit_action(e, ACTION_FINALIZER, REASON_FINALIZER_ADDED,
					       emit_mckube(e, &c->mckubes.items[m]));
		a->message = "when it is deleted, what it has caused is cleaned up first";
		e->finalizer[m] = a->id;
	}
}
