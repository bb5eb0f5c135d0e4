/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "output/optimizer.h"
#include "output/status.h"
#include "output/table.h"

#include "command.h"
#include "ref.h"

struct status_args {
	int32_t output; /* enum format */
	bool has_no_headers;
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct status_args, output, listing_formats, "FORMAT",
		 "output format; table draws the cores, the others list the pods",
		 .preset = "table"),
	OPT_BOOL(0, "no-headers", struct status_args, has_no_headers, "leave out the headings"),
	{},
};

static const unsigned kinds = REF_PODS | REF_NODES | REF_OPTIMIZERS | REF_ALL_OPTIMIZERS;

static int show_optimizers(struct cli *cli, const struct status_args *a, const struct inputs *in,
			   const struct ref *ref, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	if (optimizer_list(&in->cluster, &in->settings, inputs_namespace(cli), ref->optimizer,
			   (enum format)a->output, &cli->style, !a->has_no_headers, &out, err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct status_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(str_done) struct str out = STR_INIT;
	struct ref ref = REF_NOTHING;

	if (inputs_load(cli, false, &in, err) < 0)
		return err->code;
	if (cli->words.n && ref_find(cli, &in, cli->words.items[0], kinds, &ref, err) < 0)
		return err->code;
	if (ref.is_all_optimizers || ref.optimizer != NONE)
		return show_optimizers(cli, a, &in, &ref, err);

	struct status_view view = {
		.ns = inputs_namespace(cli),
		.node = ref.node,
		.pod = ref.pod,
		.has_header = !a->has_no_headers,
	};
	if (status_render(&in.cluster, &in.settings, &view, (enum format)a->output, &cli->style,
			  &out, err) < 0)
		return err->code;
	if (ref.node != NONE && a->output == FORMAT_TABLE)
		optimizer_node_text(&in.cluster, &in.settings, ref.node, &cli->style, &out);
	return print_text(&out, EXIT_DONE, err);
}

static const char *const word_kinds[] = { "ref", NULL };

const struct command command_status = {
	.name = "status",
	.synopsis = "[node/NAME|pod/NAME|wo[/NAME]] [--snapshot FILE] [options]",
	.summary = "show which pods run on which cores, with what budget",
	.description =
		"Show the cluster as cores: which pods run on them, the load of each core in each "
		"mode, and the\npods without cores. With pod/NAME, everything about one pod. With node/NAME "
		"also what the node costs\nand draws, and what of it no pod has, where there are "
		"WorkloadOptimizers. With wo, a list of these:\nwhat their pods cost and draw in this "
		"snapshot, and the phase of the last plan; with wo/NAME, one of\nthem in full.",
	.examples = "# every node\n"
		    "kubectl mckube status --snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# one pod\n"
		    "kubectl mckube status pod/steering -n vehicle "
		    "--snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# what the workloads of WorkloadOptimizers cost and draw\n"
		    "kubectl mckube status wo --snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# a list, for a script\n"
		    "kubectl mckube status --snapshot test/example/cluster.yaml -o json\n",
	.options = options,
	.args_size = sizeof(struct status_args),
	.needs = NEEDS_INPUT,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
