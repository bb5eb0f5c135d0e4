/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/save.h"
#include "execute/to_snapshot.h"
#include "plan/plan.h"

#include "command.h"

struct snapshot_args {
	int32_t output; /* enum list_format */
	const char *out;
};

static const char *const formats[] = {
	[LIST_JSON] = "json",
	[LIST_YAML] = "yaml",
	NULL,
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct snapshot_args, output, formats, "FORMAT", "output format",
		 .preset = "yaml"),
	OPT_STRING(0, "out", struct snapshot_args, out, "FILE",
		   "write to this file instead of standard output", .complete = "file"),
	{},
};

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct snapshot_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(save_done) struct save out = { 0 };
	struct plan nothing = { 0 };

	if (inputs_load(cli, true, &in, err) < 0)
		return err->code;
	nothing.server = cluster_str(&in.cluster, in.cluster.server);
	nothing.taken_at = in.cluster.taken_at;
	if (save_open(&out, a->out ? a->out : "-", err) < 0 ||
	    execute_on_files(&nothing, in.sources.items, in.sources.n, (enum list_format)a->output,
			     out.f, err) < 0 ||
	    save_commit(&out, err) < 0)
		return err->code;
	return EXIT_DONE;
}

const struct command command_snapshot = {
	.name = "snapshot",
	.synopsis = "[--snapshot FILE] [-f FILE]... [options]",
	.summary = "write what a plan reads, as one List",
	.description = "Write what a plan reads as one List: several files, documents and folders "
		       "become one, and of an\nobject that stands twice the last one is kept.",
	.examples = "# one file of many\n"
		    "kubectl mckube snapshot --snapshot test/example/cluster.yaml -o json --out "
		    "cluster.json\n",
	.options = options,
	.args_size = sizeof(struct snapshot_args),
	.needs = NEEDS_INPUT,
	.run = run,
};
