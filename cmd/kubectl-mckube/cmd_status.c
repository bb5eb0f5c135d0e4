/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "output/namespaces.h"
#include "output/optimizer.h"
#include "output/status.h"
#include "output/table.h"
#include "output/top.h"

#include "command.h"
#include "ref.h"
#include "status_watch.h"

struct status_args {
	int32_t output; /* enum format */
	const char *selector, *sort_by;
	bool has_no_headers, watches, shows_cores, shows_costs;
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct status_args, output, listing_formats, "FORMAT",
		 "output format; table draws the cores, the others list the pods",
		 .preset = "table"),
	OPT_BOOL(0, "no-headers", struct status_args, has_no_headers, "leave out the headings"),
	OPT_STRING('l', "selector", struct status_args, selector, "SELECTOR",
		   "only pods with such labels; as kubectl takes it: =, ==, !=, in, notin"),
	OPT_STRING(0, "sort-by", struct status_args, sort_by, "COLUMN",
		   "list the pods by this column, by its title or its key in JSON"),
	OPT_BOOL('w', "watch", struct status_args, watches,
		 "list the pods, then each whose row changes, until interrupted"),
	OPT_BOOL(0, "cores", struct status_args, shows_cores,
		 "list the cores, with the load of each in each mode"),
	OPT_BOOL(0, "costs", struct status_args, shows_costs,
		 "list the nodes: what each costs and draws, and what of it no pod has"),
	{},
};

static const unsigned kinds =
	REF_PODS | REF_NODES | REF_OPTIMIZERS | REF_ALL_OPTIMIZERS | REF_NAMESPACES;

static int show_optimizers(struct cli *cli, const struct status_args *a, const struct inputs *in,
			   const struct ref *ref, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	if (optimizer_list(&in->cluster, &in->settings, inputs_namespace(cli), ref->optimizer,
			   (enum format)a->output, &cli->style, !a->has_no_headers, &out, err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static int print_table(struct cli *cli, const struct status_args *a, struct table *t,
		       struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	if (a->sort_by) {
		int column = table_find_column(t, a->sort_by, err);

		if (column < 0)
			return error_wrap(err, "--sort-by");
		table_sort(t, (size_t)column, false);
	}
	if (table_render(t, (enum format)a->output, &cli->style, !a->has_no_headers, &out, err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static int list_cores(struct cli *cli, const struct status_args *a, const struct inputs *in,
		      const struct ref *ref, struct error *err)
{
	AUTO(table_done) struct table t = { 0 };

	core_table(&in->cluster, &in->settings, ref->node, &t);
	return print_table(cli, a, &t, err);
}

static int list_costs(struct cli *cli, const struct status_args *a, const struct inputs *in,
		      const struct ref *ref, struct error *err)
{
	AUTO(table_done) struct table t = { 0 };

	optimizer_node_table(&in->cluster, &in->settings, ref->node, &t);
	return print_table(cli, a, &t, err);
}

static int list_namespaces(struct cli *cli, const struct status_args *a, const struct inputs *in,
			   const struct ref *ref, struct error *err)
{
	AUTO(table_done) struct table t = { 0 };

	if (namespace_table(&in->cluster, &in->settings, ref->ns, &t, err) < 0)
		return err->code;
	return print_table(cli, a, &t, err);
}

static int show(struct cli *cli, const struct status_args *a, const struct inputs *in,
		const struct ref *ref, struct status_view *view, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	if (status_render(&in->cluster, &in->settings, view, (enum format)a->output, &cli->style,
			  &out, err) < 0)
		return err->code;
	if (ref->node != NONE && a->output == FORMAT_TABLE && !a->sort_by)
		optimizer_node_text(&in->cluster, &in->settings, ref->node, &cli->style, &out);
	return print_text(&out, EXIT_DONE, err);
}

static int check(struct cli *cli, const struct status_args *a, struct error *err)
{
	if (a->watches && (cli->input.snapshots.n || cli->input.files.n))
		return usage_error(cli, err, "--watch: a snapshot does not change");
	if (a->watches && (a->shows_cores || a->shows_costs || cli->words.n))
		return usage_error(cli, err,
				   "--watch: lists all pods, or those of a namespace or "
				   "selector");
	if (a->shows_cores && a->shows_costs)
		return usage_error(cli, err, "--cores and --costs are two lists");
	if (a->shows_cores && a->output == FORMAT_NAME)
		return usage_error(cli, err, "-o name: cores have no names");
	return 0;
}

static int run_with(struct cli *cli, const struct status_args *a,
		    const struct label_selector *selector, struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };
	struct ref ref = REF_NOTHING;
	struct status_view view = {
		.ns = inputs_namespace(cli),
		.node = NONE,
		.pod = NONE,
		.selector = a->selector ? selector : NULL,
		.sort_by = a->sort_by,
		.has_header = !a->has_no_headers,
	};

	if (a->watches)
		return status_watch(cli, &view, (enum format)a->output, err);
	if (inputs_load(cli, false, &in, err) < 0)
		return err->code;
	if (cli->words.n && ref_find(cli, &in, cli->words.items[0], kinds, &ref, err) < 0)
		return err->code;
	if (ref.is_all_optimizers || ref.optimizer != NONE)
		return show_optimizers(cli, a, &in, &ref, err);
	if (ref.is_all_namespaces || ref.ns)
		return list_namespaces(cli, a, &in, &ref, err);
	if (a->shows_cores)
		return list_cores(cli, a, &in, &ref, err);
	if (a->shows_costs)
		return list_costs(cli, a, &in, &ref, err);
	view.node = ref.node;
	view.pod = ref.pod;
	return show(cli, a, &in, &ref, &view, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct status_args *a = args;
	AUTO(label_selector_done) struct label_selector selector = { 0 };

	if (check(cli, a, err) < 0)
		return err->code;
	if (a->selector && label_selector_parse(a->selector, &cli->arena, &selector, err) < 0)
		return error_wrap(err, "--selector");
	return run_with(cli, a, &selector, err);
}

static const char *const word_kinds[] = { "ref", NULL };

const struct command command_status = {
	.name = "status",
	.synopsis = "[node/NAME|pod/NAME|ns[/NAME]|wo[/NAME]] [--snapshot FILE] [options]",
	.summary = "show which pods run on which cores, with what budget",
	.description =
		"Show the cluster as cores: which pods run on them, the load of each core in each "
		"mode, and the\npods without cores. With pod/NAME, everything about one pod. With "
		"node/NAME also what the node costs\nand draws, and what of it no pod has, where there "
		"are WorkloadOptimizers; --costs lists the same. With ns, what\nnamespaces may ask for and what their pods "
		"hold; with ns/NAME, those of one. With wo, a list of WorkloadOptimizers:\nwhat their "
		"pods cost and draw in this snapshot, and the phase of the last plan; with wo/NAME, one "
		"of\nthem in full.\n\n"
		"jsonpath, custom-columns and go-template are kubectl's: \"kubectl get mckubes -o ...\" "
		"has core, level\nand conditions of each McKube.",
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
		    "# what namespaces may ask for, and what they have of it\n"
		    "kubectl mckube status ns --snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# a list, for a script\n"
		    "kubectl mckube status --snapshot test/example/cluster.yaml -o json\n"
		    "\n"
		    "# the load of each core\n"
		    "kubectl mckube status --cores --snapshot test/example/cluster.yaml -o json\n"
		    "\n"
		    "# what each node costs and draws, and what of it is idle\n"
		    "kubectl mckube status --costs --snapshot test/example/cluster.yaml -o json\n"
		    "\n"
		    "# the pods of a workload by level, and every change\n"
		    "kubectl mckube status -l app=brake --sort-by level --watch\n",
	.options = options,
	.args_size = sizeof(struct status_args),
	.needs = NEEDS_INPUT | NAMES_OBJECT,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
