/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_EXECUTE_H
#define MCKUBE_CMD_EXECUTE_H

#include "kube/lease.h"
#include "plan/plan.h"

#include "live.h"

/* A plan carried out on an API server, for `apply` and for `plan --dry-run=server`. */

struct execute_args {
	const char *lease;    /* NAMESPACE/NAME */
	int64_t lock_timeout; /* ns */
	int32_t parallel;
	int32_t gone_timeout_s;
};

/* What is said below the results of dryRun=All. */
extern const char carry_out_dry[];

struct cli;

/* The Lease that keeps two passes from running at once, over a connection of its own. It is taken
 * before the cluster is read and given back by pass_lock_release(), also after an error. */
struct pass_lock {
	struct live live;
	struct kube_lease lease;
	char *ns;
};

int pass_lock_take(const struct cli *cli, const struct execute_args *a, struct pass_lock *ret,
		   struct error *err);
void pass_lock_release(struct pass_lock *l);

/* Fills plan->results; shows progress on a terminal. SIGINT and SIGTERM let what runs end and skip
 * the rest, so does the loss of the lock. `lock` may be NULL. */
int execute_plan(const struct cli *cli, const struct execute_args *a, struct live *live,
		 struct pass_lock *lock, const struct cluster *c, struct plan *plan,
		 struct error *err);

#endif
