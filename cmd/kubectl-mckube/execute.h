/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_EXECUTE_H
#define MCKUBE_CMD_EXECUTE_H

#include "base/option.h"
#include "kube/lease.h"
#include "plan/plan.h"

#include "live.h"

/* Executing a plan on an API server, for `apply` and for `plan --dry-run=server`. */

/* Options of the commands that write. */
struct execute_args {
	const char *lease;		      /* NAMESPACE/NAME */
	const char *operator_name, *pod_name; /* OPERATOR_NAME, POD_NAME; NULL */
	int64_t lock_timeout;		      /* ns */
	const char *policy_engine, *policy_ca, *policy_token_file;
	const char *core_scheduler, *core_ca, *core_token_file;
	const char *influx_url, *influx_org, *influx_bucket, *influx_token_file;
	int32_t parallel;
	int32_t gone_timeout_s;
	bool keeps_bare; /* no option of all writers: execute_on_api()'s */
};

struct cli;

extern const struct option write_options[];

/* What the environment says where no option does. */
int write_environment(struct cli *cli, struct error *err);

/* What is asked about moves and told of them, by options and the environment; texts are in the
 * cli's arena. */
struct move_services_options;
int services_options(struct cli *cli, struct move_services_options *ret, struct error *err);

/* Asks the policy engine about the moves of a plan that is only shown, and the core scheduler about
 * what it does for cost and power; what they deny becomes warnings. */
struct policy_args {
	const char *engine; /* "": that of POLICY_ENGINE_URL */
	const char *ca, *token_file;
	const char *core; /* NULL: that of CORE_SCHEDULER_URL */
	const char *core_ca, *core_token_file;
};
/* Rows NAME-ca and NAME-token-file: how a service is reached that must allow what a plan does. */
#define OPT_SERVICE_FILES(name, args, ca, token_file, service, variable)                    \
	OPT_STRING(0, name "-ca", args, ca, "FILE",                                         \
		   "the certificate authority of the " service ", instead of the system's", \
		   .complete = "file"),                                                     \
		OPT_STRING(0, name "-token-file", args, token_file, "FILE",                 \
			   "the bearer token for the " service " (default $" variable ")",  \
			   .complete = "file")
#define POLICY_SERVICE_FILES(args, ca, token_file) \
	OPT_SERVICE_FILES("policy", args, ca, token_file, "policy engine", "POLICY_ENGINE_TOKEN")
#define CORE_SERVICE_FILES(args, ca, token_file)                                    \
	OPT_SERVICE_FILES("core-scheduler", args, ca, token_file, "core scheduler", \
			  "CORE_SCHEDULER_TOKEN")

#define POLICY_OPTIONS(args, member)                                                                \
	OPT_STRING(                                                                                 \
		0, "ask-policy", args, member.engine, "URL",                                        \
		"ask this policy engine, or that of $POLICY_ENGINE_URL, whether it allows the "     \
		"moves to other nodes, and the core scheduler whether it allows what is done for "  \
		"cost and power: what they deny is a warning",                                      \
		.bare = ""),                                                                        \
		POLICY_SERVICE_FILES(args, member.ca, member.token_file),                           \
		OPT_STRING(                                                                         \
			0, "core-scheduler", args, member.core, "URL",                              \
			"the core scheduler that --ask-policy asks (default $CORE_SCHEDULER_URL)"), \
		CORE_SERVICE_FILES(args, member.core_ca, member.core_token_file)

int ask_policy(struct cli *cli, const struct policy_args *a, const struct cluster *c,
	       struct plan *plan, struct error *err);

/* Printed below the results of dryRun=All. */
extern const char dry_run_note[];

/* SIGINT and SIGTERM let the running writes end; the second of a kind ends the program at once.
 */
void interrupt_catch(void);

/* "interrupted (SIGINT)"; NULL while nothing was caught. */
const char *interrupt_reason(void);

struct cli;

/* The Lease that keeps two passes from running at once, over a connection of its own. It is
 * acquired before the cluster is read and released by pass_lock_release(), also after an error. */
struct pass_lock {
	struct live live;
	struct kube_lease lease;
	char *ns;
};

int pass_lock_take(const struct cli *cli, struct pass_lock *ret, struct error *err);
void pass_lock_release(struct pass_lock *l);

/* For the time of a pass: renews the Lease, and says why the pass is to stop, after a signal or the
 * loss of the Lease; NULL: it is not. A lock that was never taken cannot be lost. */
const char *pass_lock_stop_reason(void *lock);

/* Fills plan->results; shows progress on a terminal. SIGINT and SIGTERM let what runs end and skip
 * the rest, so does the loss of the lock. */
int execute_plan(struct cli *cli, struct live *live, struct pass_lock *lock,
		 const struct cluster *c, struct plan *plan, struct error *err);

#endif
