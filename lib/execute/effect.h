/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_EFFECT_H
#define MCKUBE_EXECUTE_EFFECT_H

#include "base/json.h"
#include "plan/plan.h"

/* What an action does to the object it is about, when nothing but the object's text is there: the
 * table in execute/to_snapshot.h. Only the fields named there are touched, each stays where it
 * stood, new ones come last. */

enum effect_result { EFFECT_CHANGED, EFFECT_GONE };

/* False for kinds of actions that an object's text cannot take. */
bool effect_is_known(enum action_kind kind);

/* `object` is the Pod or McKube that a->on names. */
enum effect_result effect_apply(cJSON *object, const struct action *a);

/* What n evictions of pods that it covers do to a PodDisruptionBudget: they are taken from
 * status.disruptionsAllowed, which does not fall below 0. */
void effect_evictions(cJSON *pdb, uint32_t n);

#endif
