/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_STATE_FILE_H
#define MCKUBE_NODE_STATE_FILE_H

#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"
#include "budget/cgroup_tree.h"
#include "budget/cpuset.h"
#include "node/container_class.h"

/* What must survive a restart of the helper, but not one of the machine: a file below /run. The
 * budgets, policies and CPUs that were found, so that they can be restored, and the levels of pods,
 * so that a restart never lowers a level. The wanted budgets are for `mckube-node status`.
 */

struct saved_group {
	char *path;
	uint32_t cpu_domain;
	struct bandwidth found;
	struct bandwidth wanted;
	bool is_container;
	bool is_retained; /* the container is no longer assigned; the kernel keeps its budget */
};

struct saved_pod {
	char *uid;
	char *name; /* namespace/name */
	uint8_t level;
	uint8_t enforcement;
};

/* The class that the threads of a container got, and what they had before. */
struct saved_class {
	char *path;
	struct thread_class class;
	struct class_found found;
};

/* The CPUs that a pinned container got, and those that it had before. */
struct saved_cpus {
	char *path;
	struct cpuset found, wanted;
};

struct saved_state {
	ARRAY(struct saved_group) groups;
	ARRAY(struct saved_pod) pods;
	ARRAY(struct saved_class) classes;
	ARRAY(struct saved_cpus) cpus;
};

/* A file that does not exist is an empty state. */
int state_file_load(const char *path, struct saved_state *ret, struct error *err);
int state_file_save(const char *path, const struct saved_state *m, struct error *err);
void saved_state_done(struct saved_state *m);

/* Copies path, uid and name. */
void saved_state_add_group(struct saved_state *m, const struct saved_group *group);
void saved_state_add_pod(struct saved_state *m, const struct saved_pod *pod);

void saved_state_add_class(struct saved_state *m, const struct saved_class *class);
void saved_state_add_cpus(struct saved_state *m, const struct saved_cpus *cpus);

/* NULL: not known. */
const struct saved_class *saved_state_class(const struct saved_state *m, const char *path);
const struct saved_cpus *saved_state_cpus(const struct saved_state *m, const char *path);
const struct bandwidth *saved_state_found(const struct saved_state *m, const char *path,
					  uint32_t cpu_domain);
/* -1: not known. */
int saved_state_level(const struct saved_state *m, const char *uid);

#endif
