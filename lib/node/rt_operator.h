/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_RT_OPERATOR_H
#define MCKUBE_NODE_RT_OPERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* rt-operator.yaml, read as it is: one mapping of log_level, kube_path, node_name, cgroup_handler
 * and cgroup_v1_capacity. Every key may be left out, and an empty file is a good one. */
struct rt_operator {
	int log_level; /* of base/log.h: WARN 0, INFO 1, DEBUG 4; RT_OPERATOR_SILENT: not given */
	const char *kube_path, *node_name, *cgroup_handler; /* NULL: not given */
	int64_t cgroup_v1_capacity; /* us of a second, 0 to 1,000,000; 0 too where it is not given
				     */
};

enum { RT_OPERATOR_SILENT = -1 };

/* Texts are the arena's. An unknown key is an error that names the nearest. */
int rt_operator_parse(const char *text, size_t n, struct arena *arena, struct rt_operator *ret,
		      struct error *err);

#endif
