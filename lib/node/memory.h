/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_MEMORY_H
#define MCKUBE_NODE_MEMORY_H

#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"
#include "plan/budget_tree.h"

/* What must survive a restart of the helper, but not one of the machine: a file below /run. What
 * budgets stood in the cgroups before us, so that leaving can give them back, and the levels of
 * pods, so that a restart never lowers anybody. */

struct memory {
	ARRAY(struct memory_group {
		char *path;
		uint32_t lane;
		struct bandwidth found;
	})
	groups;
	ARRAY(struct memory_pod {
		char *uid;
		uint8_t level;
	})
	pods;
};

/* A file that is not there is an empty memory. */
int memory_load(const char *path, struct memory *ret, struct error *err);
int memory_save(const char *path, const struct memory *m, struct error *err);
void memory_done(struct memory *m);

void memory_add_group(struct memory *m, const char *path, uint32_t lane, struct bandwidth found);
void memory_add_pod(struct memory *m, const char *uid, uint8_t level);

/* NULL: not remembered. */
const struct bandwidth *memory_found(const struct memory *m, const char *path, uint32_t lane);
/* -1: not remembered. */
int memory_level(const struct memory *m, const char *uid);

#endif
