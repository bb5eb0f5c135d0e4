/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/yaml.h"
#include "output/explain.h"
#include "plan/explain/explain.h"
#include "plugins/policies.h"

#include "command.h"
#include "ref.h"

enum { EXPLAIN_TEXT, EXPLAIN_JSON, EXPLAIN_YAML };

static const char *const formats[] = { "text", "json", "yaml", NULL };

struct explain_args {
	int32_t output; /* index in formats */
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct explain_args, output, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

static int render(const struct cli *cli, int32_t format, const struct explanation *e,
		  struct str *out, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	if (format == EXPLAIN_TEXT) {
		explain_text(e, &cli->style, out);
		return 0;
	}
	explain_json(e, format == EXPLAIN_JSON ? out : &json);
	return format == EXPLAIN_JSON ? 0 : yaml_from_json(json.s, json.n, out, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct explain_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(explanation_done) struct explanation e = { 0 };
	AUTO(str_done) struct str out = STR_INIT;
	struct ref ref = { .node = NONE, .pod = NONE };

	if (inputs_load(cli, false, &in, err) < 0 ||
	    ref_find(cli, &in, cli->words.items[0], true, &ref, err) < 0)
		return err->code;
	if (explain_pod(&in.cluster, policies, &in.settings, ref.pod, &e, err) < 0 ||
	    render(cli, a->output, &e, &out, err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static const char *const word_kinds[] = { "pod", NULL };

const struct command command_explain = {
	.name = "explain",
	.synopsis = "pod/NAME [--snapshot FILE] [options]",
	.summary = "show why a pod runs where it does, or why it is unplaced",
	.description =
		"Show why a pod is where the next plan puts it, or why it is unplaced: its request, "
		"what the plan\ndoes with it and which pods yield to it, each node and core with the "
		"reason that rules it out, and\nthe changes that would let an unplaced pod fit.\n"
		"\n"
		"Loads are those after the plan, including this pod: in each mode they must stay "
		"within the\ncapacity of the core. Nothing is written.",
	.examples = "# why here?\n"
		    "kubectl mckube explain pod/brake -n vehicle "
		    "--snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# why unplaced, and what would have to change?\n"
		    "kubectl mckube explain pod/training -n vehicle "
		    "--snapshot test/example/cluster.yaml\n"
		    "\n"
		    "# every node and core, for a script\n"
		    "kubectl mckube explain pod/training -n vehicle "
		    "--snapshot test/example/cluster.yaml -o json\n",
	.options = options,
	.args_size = sizeof(struct explain_args),
	.needs = NEEDS_INPUT,
	.min_words = 1,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
