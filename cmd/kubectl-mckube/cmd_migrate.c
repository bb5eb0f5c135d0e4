/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "moving.h"

struct migrate_args {
	const char *to, *out;
	int32_t dry_run;
};

static const struct option options[] = {
	OPT_STRING(0, "to", struct migrate_args, to, "NODE",
		   "move it to this node; else to the one with the most room", .complete = "node"),
	OPT_STRING(0, "out", struct migrate_args, out, "FILE",
		   "save the plan to this file as JSON, for 'apply'", .complete = "file"),
	OPT_ENUM(0, "dry-run", struct migrate_args, dry_run, moving_dry_runs, "MODE",
		 "client only prints the plan; server sends every write with dryRun=All",
		 .bare = "client", .preset = "none"),
	{},
};

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct migrate_args *a = args;
	const struct moving m = {
		.word = cli->words.items[0],
		.to = a->to,
		.out = a->out,
		.dry_run = a->dry_run,
	};

	return moving_run(cli, &m, err);
}

static const char *const word_kinds[] = { "pod", NULL };

const struct command command_migrate = {
	.name = "migrate",
	.synopsis = "pod/NAME [--to NODE] [--dry-run] [options]",
	.summary = "move a pod to another node",
	.description =
		"Move a pod to another node that all filters and, with a real-time budget, the "
		"admission test\nallow: with its memory where both nodes can, else by a restart "
		"there. A bare pod is created\nagain under another name before it is evicted. "
		"PodDisruptionBudgets are kept, and what\nthe annotation or the McKube's "
		"spec.migration says of it.\n"
		"\n"
		"The exit code is 4 when the pod stays. With --snapshot only the plan is printed.",
	.examples = "# what would be done?\n"
		    "kubectl mckube migrate pod/logger -n vehicle "
		    "--snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# to this node\n"
		    "kubectl mckube migrate pod/logger -n vehicle --to rear "
		    "--snapshot test/example/cluster.yaml --out plan.json\n",
	.options = options,
	.args_size = sizeof(struct migrate_args),
	.needs = NEEDS_INPUT | WRITES | NAMES_OBJECT,
	.min_words = 1,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
