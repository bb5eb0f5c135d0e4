/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_CONFIG_H
#define MCKUBE_NODE_CMD_CONFIG_H

#include "base/arena.h"
#include "run.h"

/* Fills in what the command line does not say from a rt-operator.yaml (node/rt_operator.h). Texts
 * are the arena's. */
int config_read(const char *path, struct run_args *args, struct common_args *common,
		struct arena *arena, struct error *err);

#endif
