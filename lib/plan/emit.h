/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EMIT_H
#define MCKUBE_PLAN_EMIT_H

#include "plan/plan.h"
#include "plan/planner.h"

/* Writes down what the trial has become: the actions with their order and their reasons, what could
 * not be placed, and the warnings. Step 8, the cleaning up, is done here too, since it follows from
 * where everybody is in the end. */
void emit_plan(struct planner *p, struct plan *plan);

/* What the emitters of one plan share. */
struct emitter {
	struct planner *p;
	const struct world *w;
	struct plan *plan;
	uint8_t *enforcement;  /* by unit_id, enum enforcement */
	uint32_t *last_action; /* by unit_id: id of its latest action, 0 */
	unit_id *newcomers;    /* fresh units that have a place, by turn */
	size_t n_newcomers;
};

/* plan/emit_move.c: evictions, moves, assignments and bindings. */
void emit_displacements(struct emitter *e);
void emit_placements(struct emitter *e);

/* plan/emit_clean.c: levels, annotations, status and finalizers. */
void emit_cleaning(struct emitter *e);

/* plan/emit_unplaced.c */
void emit_unplaced(struct emitter *e);

/* An action with the next id about an object; the caller fills in the rest. The address is good
 * until the next one. */
struct action *emit_action(struct emitter *e, enum action_kind kind, enum reason reason,
			   struct target on);

struct target emit_pod(struct emitter *e, const struct pod *pod);
struct place emit_place(struct emitter *e, place_id id);
/* Where a running pod is, with all the cores that it is said to have. */
struct place emit_origin(struct emitter *e, const struct unit *u);
/* with what is granted there */
struct place emit_grant(struct emitter *e, unit_id id, place_id place, enum level level);

/* Fills in what the assignment's annotations will say: budget and source. */
void emit_request(struct emitter *e, struct action *a, const struct unit *u);

/* "0.350": parts per million as a decimal with three places, rounded up. */
const char *emit_ratio(struct emitter *e, uint64_t ppm);

#endif
