/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_CONFIRM_H
#define MCKUBE_CMD_CONFIRM_H

#include <stdbool.h>

#include "base/array.h"
#include "base/error.h"
#include "output/style.h"
#include "plan/plan.h"

/* The question that `apply` asks before pods of a running cluster are taken away. */

/* The uids of the pods whose eviction or move was agreed to. */
struct agreed {
	ARRAY(char *) uids;
};
void agreed_done(struct agreed *a);

/* Can a question be answered? Standard input and standard output are a terminal then. */
bool confirm_is_possible(void);

/* Does the plan evict a pod, or move it to another node, that is not among these? Evictions that
 * are withheld without --force do not count. */
bool confirm_is_needed(const struct plan *p, const struct cluster *c, bool keeps_bare,
		       const struct agreed *agreed);

/* Shows the plan on standard output and asks on standard error. 0: its pods are among the agreed
 * now. -ECANCELED: any answer but "y" or "yes", or none. */
int confirm_ask(const struct plan *p, const struct cluster *c, bool keeps_bare,
		const struct style *style, struct agreed *agreed, struct error *err);

#endif
