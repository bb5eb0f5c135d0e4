/* SPDX-License-Identifier: Apache-2.0 */

/* What the engine tells others: notes, counters, what must survive a restart. */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/engine_internal.h"

static void add_note(struct engine *e, const struct note *about, const struct engine_pod *p,
		     const char *text)
{
	const struct escalation_pod *state = engine_state(e, p);

	e->revision++;
	if (e->n_notes == NOTES) {
		e->stats.notes_lost++;
		return;
	}
	struct note *n = &e->notes[(e->first_note + e->n_notes++) % NOTES];
	n->kind = about->kind;
	n->count = about->count;
	n->at_ns = about->at_ns;
	n->level = state->level;
	n->runtime_us = escalation_runtime(state);
	snprintf(n->uid, sizeof(n->uid), "%s", p->uid);
	snprintf(n->ns, sizeof(n->ns), "%s", p->ns);
	snprintf(n->name, sizeof(n->name), "%s", p->name);
	snprintf(n->text, sizeof(n->text), "%s", text);
	eventfd_write(e->note_fd, 1);
}

void engine_note(struct engine *e, enum note_kind kind, const struct engine_pod *p,
		 const char *text)
{
	add_note(e, &(struct note){ .kind = kind, .count = 1, .at_ns = engine_now_ns() }, p, text);
}

void engine_note_event(struct engine *e, enum note_kind kind, const struct engine_pod *p,
		       uint64_t count, const char *text)
{
	add_note(e,
		 &(struct note){
			 .kind = kind,
			 .count = count,
			 .at_ns = (int64_t)p->last_overrun.at_ns,
		 },
		 p, text);
}

bool engine_take_note(struct engine *e, struct note *ret)
{
	bool has_one;

	pthread_mutex_lock(&e->lock);
	has_one = e->n_notes > 0;
	if (has_one) {
		*ret = e->notes[e->first_note];
		e->n_notes--;
		/* A ring that is empty begins anew: what it never held takes no memory. */
		e->first_note = e->n_notes ? (e->first_note + 1) % NOTES : 0;
	}
	pthread_mutex_unlock(&e->lock);
	return has_one;
}

static void remember_groups(const struct engine *e, struct memory *ret)
{
	array_each(it, &e->forest.nodes) {
		const struct forest_node *n = *it;

		for (uint32_t lane = 0; !n->is_foreign && lane < e->forest.n_lanes; lane++) {
			const struct budget_tree *t = &e->forest.lanes[lane].tree;

			memory_add_group(ret, &(struct memory_group){
						      n->path,
						      lane,
						      n->found[lane],
						      t->nodes.items[n->index].now,
					      });
		}
	}
}

static void remember_pods(const struct engine *e, struct memory *ret)
{
	for (size_t i = 0; i < e->pods.n; i++) {
		const struct escalation_pod *state = &e->escalation.pods.items[i];
		AUTO_FREE char *name =
			xasprintf("%s/%s", e->pods.items[i].ns, e->pods.items[i].name);

		memory_add_pod(ret, &(struct memory_pod){
					    e->pods.items[i].uid,
					    name,
					    state->level,
					    state->enforcement,
				    });
	}
}

bool engine_remember(struct engine *e, struct memory *ret)
{
	*ret = (struct memory){ 0 };
	pthread_mutex_lock(&e->lock);
	bool is_dirty = e->is_dirty;
	if (is_dirty) {
		remember_groups(e, ret);
		remember_pods(e, ret);
	}
	e->is_dirty = false;
	pthread_mutex_unlock(&e->lock);
	return is_dirty;
}

void engine_refresh(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->needs_refresh = true;
	pthread_mutex_unlock(&e->lock);
}

void engine_get_stats(struct engine *e, struct engine_stats *ret)
{
	pthread_mutex_lock(&e->lock);
	*ret = e->stats;
	pthread_mutex_unlock(&e->lock);
}

uint64_t engine_revision(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	uint64_t revision = e->revision;
	pthread_mutex_unlock(&e->lock);
	return revision;
}

void engine_each(struct engine *e, engine_visitor visit, void *arg)
{
	pthread_mutex_lock(&e->lock);
	array_each(p, &e->pods)
		visit(p, engine_state(e, p), arg);
	pthread_mutex_unlock(&e->lock);
}
