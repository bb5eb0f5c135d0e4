/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_ESCALATION_INTERNAL_H
#define MCKUBE_BUDGET_ESCALATION_INTERNAL_H

#include "budget/escalation.h"

/* Between escalation.c (which pods go up or have calmed), escalation_level.c (the next level) and
 * escalation_room.c (room: what follows for all pods).
 *
 * A decision begins with escalation_begin(). From then on the pods that it has touched are known,
 * with what they were before, so that what it costs depends on them and not on the number of pods;
 * only where room has to be made are all looked at. */

/* Recomputes loads and importance where they may have changed since the last decision. */
void escalation_begin(struct escalation *e);

/* Pods that are as they were before were not touched: after a recovery all were looked at, and the
 * next decision, which may be urgent, begins with those that were. */
void escalation_end(struct escalation *e);

/* Restores the state before the decision. */
void escalation_rollback(struct escalation *e);

/* The largest level with the same budget: a pod without medium goes from low to hi. */
enum level escalation_top_level(const struct budget *b, enum level level);

/* The next level with a larger budget; the level itself where there is none. */
enum level escalation_next_level(const struct escalation_pod *p);

/* Brings a pod to a higher level, with the room that it needs there. False: there is none, and the
 * decision must be undone. */
bool escalation_raise(struct escalation *e, struct escalation_pod *p, enum level level);

/* Boosts a Low pod to its hi. False: there is no room. */
bool escalation_boost(struct escalation *e, struct escalation_pod *p);

/* Each pod gets the budget of its level, and cuts follow from that: neither boosts and headroom nor
 * a raised pod of the same rank may keep a pod cut. Then needless cuts are undone, and headroom,
 * watching and boosts are granted, the most important pods first. */
void escalation_rebalance(struct escalation *e);

#endif
