/* SPDX-License-Identifier: Apache-2.0 */
#include "model/match.h"
#include "plan/emit/emit.h"

void emit_finalizers(struct emitter *e)
{
	const struct cluster *c = e->trial->c;

	for (unit_id id = 0; id < e->trial->units.n; id++) {
		mckube_id m = emit_mckube_of(e, id);

		if (m == NONE || e->finalizer[m] || c->mckubes.items[m].has_finalizer ||
		    !emit_is_granted(e, id))
			continue;
		struct action *a = emit_action(e, ACTION_FINALIZER, REASON_FINALIZER_ADDED,
					       emit_mckube(e, &c->mckubes.items[m]));
		a->message = "finalizer: assignments are removed before deletion";
		e->finalizer[m] = a->id;
	}
}

void emit_finalizer_removal(struct emitter *e, mckube_id id)
{
	const struct cluster *c = e->trial->c;
	const struct mckube *m = &c->mckubes.items[id];
	ARRAY(uint32_t) ids = { 0 };

	if (!m->is_deleting || !m->has_finalizer)
		return;
	array_each(f, &e->forgotten)
		if (match_mckube(c, m, &c->pods.items[f->pod]))
			*array_add(&ids) = f->action;
	struct action *a =
		emit_action(e, ACTION_FINALIZER, REASON_FINALIZER_REMOVED, emit_mckube(e, m));
	emit_after(e, a, ids.items, (uint32_t)ids.n);
	array_done(&ids);
	a->message = "finalizer: no assignment is left after this plan";
}
