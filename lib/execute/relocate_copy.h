/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_RELOCATE_COPY_H
#define MCKUBE_EXECUTE_RELOCATE_COPY_H

#include "base/str.h"
#include "plan/plan.h"

/* The copy of a bare pod that moves by Restart. */

/* Its name: the pod's, less what an earlier move has put behind it, "-m" and five letters that the
 * uid gives, so that a second try makes no second copy; allocated. */
char *relocate_copy_name(const char *name, const char *uid);

/* The object to create, of the pod's text: labels, annotations and spec, but for what the old
 * place, an assignment and other writers have left there. It waits for us, with MIGRATE_FROM and
 * MIGRATE_TO. Allocated; NULL: the text is not that of the pod. */
char *relocate_copy(const struct action *a, struct slice pod, const char *name);

#endif
