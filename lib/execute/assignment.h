/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_ASSIGNMENT_H
#define MCKUBE_EXECUTE_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "kube/client.h"
#include "plan/plan.h"

/* What an action does to the annotations that hold a pod's assignment (DESIGN 2): the same on files
 * and on a server. */
extern const char assignment_gate[];	  /* the scheduling gate that placing a pod takes off */
extern const char assignment_finalizer[]; /* ours, on a McKube */

/* Annotations to set, or to drop where the value is NULL. Values point into the action and into
 * the change itself, so it must not be copied. */
struct notes_change {
	struct kube_pair pairs[12];
	char numbers[12][12];
	size_t n;
};

/* Bind, Assign and Move: the whole assignment. */
void assignment_set(const struct action *a, struct notes_change *c);

/* SetLevel: only where it runs now. */
void assignment_set_level(const struct action *a, struct notes_change *c);

/* Takes the assignment off. Where the annotations were also the request (their rt-source is
 * "annotations"; NULL: there is none), that part is the user's and stays. */
void assignment_clear(const char *source, struct notes_change *c);

#endif
