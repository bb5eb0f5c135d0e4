/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_MOVING_H
#define MCKUBE_CMD_MOVING_H

#include "plan/migrate/migrate.h"

#include "command.h"

/* What `migrate` and `drain` have in common: moves to other nodes that a user asks for. */

enum moving_dry_run { MOVING_FOR_REAL, MOVING_DRY_CLIENT, MOVING_DRY_SERVER };
extern const char *const moving_dry_runs[];

struct moving {
	const char *word; /* what the user names: a pod, or a node */
	bool is_node;
	const char *to;	 /* NULL: any node */
	const char *out; /* save the plan there; NULL: do not */
	int32_t dry_run; /* enum moving_dry_run */
	int64_t wait_ms; /* how long pods that stay are tried again */
	bool cordons;	 /* the node takes no new pods */
};

/* Plans and, on a server, executes; returns an exit code: EXIT_PARTIAL when a
 * pod was not moved. */
int moving_run(struct cli *cli, const struct moving *m, struct error *err);

#endif
