/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_OBJECT_KEY_H
#define MCKUBE_EXECUTE_OBJECT_KEY_H

#include "base/str.h"
#include "plan/plan.h"

/* By what an object is known across a plan and the files: API group (no version), kind, namespace
 * and name, as one string. McKube and MCKube are two spellings of one kind. A Pod, a McKube or a
 * PodDisruptionBudget without a namespace is in "default". A ScaleTarget has the key of the object
 * that it tells of. */

/* Appends the key of an object that is JSON text; false when it has no name or is no object. */
bool object_key_of_text(struct slice json, struct str *ret);

void object_key_of_target(const struct target *t, struct str *ret);

/* The finalizer that is ours on an object of its kind. */
const char *object_finalizer(const struct target *t);

#endif
