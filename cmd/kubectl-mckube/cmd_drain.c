/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "moving.h"

struct drain_args {
	const char *to, *out;
	int32_t dry_run;
	int64_t timeout; /* ns */
};

static const struct option options[] = {
	OPT_STRING(0, "to", struct drain_args, to, "NODE",
		   "move all pods to this node; else each to the one with the most room",
		   .complete = "node"),
	OPT_STRING(0, "out", struct drain_args, out, "FILE",
		   "save the plan to this file as JSON, for 'apply'", .complete = "file"),
	OPT_DURATION(0, "timeout", struct drain_args, timeout,
		     "how long pods that may not leave yet are tried again", .preset = "5m"),
	OPT_ENUM(0, "dry-run", struct drain_args, dry_run, moving_dry_runs, "MODE",
		 "client only prints the plan; server sends every write with dryRun=All",
		 .bare = "client", .preset = "none"),
	{},
};

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct drain_args *a = args;
	const struct moving m = {
		.word = cli->words.items[0],
		.is_node = true,
		.to = a->to,
		.out = a->out,
		.dry_run = a->dry_run,
		.wait_ms = a->timeout / 1000000,
		.cordons = true,
	};

	return moving_run(cli, &m, err);
}

static const char *const word_kinds[] = { "node", NULL };

const struct command command_drain = {
	.name = "drain",
	.synopsis = "NODE [--dry-run] [options]",
	.summary = "move all pods of a node to others",
	.description =
		"Make a node take no new pods, and move those that it has to others, as 'migrate' "
		"does, the least\ncritical first. Pods of DaemonSets and static pods stay. Pods "
		"whose PodDisruptionBudget allows\nno eviction yet are tried again until "
		"--timeout; the exit code is 4 when some stay.\n"
		"\n"
		"'kubectl uncordon NODE' lets the node take pods again. With --snapshot only the "
		"plan is printed.",
	.examples = "# what would be done?\n"
		    "kubectl mckube drain front --snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# save it for a review\n"
		    "kubectl mckube drain front --snapshot test/example/cluster.yaml "
		    "--out plan.json\n",
	.options = options,
	.args_size = sizeof(struct drain_args),
	.needs = NEEDS_INPUT | WRITES,
	.min_words = 1,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
