/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CONFIG_H
#define MCKUBE_NODE_CONFIG_H

#include "base/arena.h"
#include "run.h"

/* rt-operator.yaml, read as it is: log_level, kube_path, node_name, cgroup_handler and
 * cgroup_v1_capacity. What the command line says wins; a key that is not known is an error that
 * names the nearest. Texts are the arena's. */
int config_read(const char *path, struct run_args *args, struct common_args *common,
		struct arena *arena, struct error *err);

#endif
