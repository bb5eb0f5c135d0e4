/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_STATE_FILE_H
#define MCKUBE_NODE_STATE_FILE_H

#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"
#include "budget/cgroup_tree.h"

/* What must survive a restart of the helper, but not one of the machine: a file below /run. What
 * budgets stood in the cgroups before us, so that leaving can give them back, and the levels of
 * pods, so that a restart never lowers anybody. What is wanted is there for `mckube-node status`.
 */

struct memory_group {
	char *path;
	uint32_t lane;
	struct bandwidth found;
	struct bandwidth wanted;
};

struct memory_pod {
	char *uid;
	char *name; /* namespace/name */
	uint8_t level;
	uint8_t enforcement;
};

struct memory {
	ARRAY(struct memory_group) groups;
	ARRAY(struct memory_pod) pods;
};

/* A file that is not there is an empty memory. */
int memory_load(const char *path, struct memory *ret, struct error *err);
int memory_save(const char *path, const struct memory *m, struct error *err);
void memory_done(struct memory *m);

/* Copies path, uid and name. */
void memory_add_group(struct memory *m, const struct memory_group *group);
void memory_add_pod(struct memory *m, const struct memory_pod *pod);

/* NULL: not remembered. */
const struct bandwidth *memory_found(const struct memory *m, const char *path, uint32_t lane);
/* -1: not remembered. */
int memory_level(const struct memory *m, const char *uid);

#endif
