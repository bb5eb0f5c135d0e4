/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/yaml.h"
#include "output/explain.h"
#include "output/optimizer.h"
#include "plan/explain/explain.h"
#include "plan/explain/optimizer.h"
#include "plugins/policies.h"

#include "command.h"
#include "history.h"
#include "ref.h"

enum { EXPLAIN_TEXT, EXPLAIN_JSON, EXPLAIN_YAML };

static const char *const formats[] = { "text", "json", "yaml", NULL };

struct explain_args {
	struct option_list history; /* files */
	int32_t output;		    /* index in formats */
};

static const struct option options[] = {
	OPT_STRINGS(
		0, "history", struct explain_args, history, "FILE",
		"also show what the node's helper recorded of the pod (see replay); the older file "
		"first",
		.complete = "file"),
	OPT_ENUM('o', "output", struct explain_args, output, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

/* As text as it is, as YAML what the JSON says. */
static int print(int32_t format, const struct str *text, struct error *err)
{
	AUTO(str_done) struct str yaml = STR_INIT;

	if (format == EXPLAIN_YAML && yaml_from_json(text->s, text->n, &yaml, err) < 0)
		return err->code;
	return print_text(format == EXPLAIN_YAML ? &yaml : text, EXIT_DONE, err);
}

static int show_pod(const struct cli *cli, const struct inputs *in, const struct explain_args *a,
		    pod_id pod, struct error *err)
{
	AUTO(history_done) struct history h = { 0 };
	AUTO(replay_done) struct replay replay = { 0 };
	const struct replay *recorded = a->history.n ? &replay : NULL;
	AUTO(explanation_done) struct explanation e = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	for (size_t i = 0; i < a->history.n; i++)
		if (history_load(a->history.items[i], &h, err) < 0)
			return err->code;
	if (recorded && replay_run(&h, HISTORY_WITHIN_PPM, &replay, err) < 0)
		return err->code;
	if (explain_pod(&in->cluster, policies, &in->settings, pod, &e, err) < 0)
		return err->code;
	if (a->output == EXPLAIN_TEXT)
		explain_text(&e, recorded, &cli->style, &out);
	else
		explain_json(&e, recorded, &out);
	return print(a->output, &out, err);
}

static int show_optimizer(const struct cli *cli, const struct inputs *in, int32_t format,
			  uint32_t optimizer, struct error *err)
{
	AUTO(optimizer_explanation_done) struct optimizer_explanation e = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (explain_optimizer(&in->cluster, policies, &in->settings, optimizer, &e, err) < 0)
		return err->code;
	if (format == EXPLAIN_TEXT)
		optimizer_explain_text(&e, &cli->style, &out);
	else
		optimizer_explain_json(&e, &out);
	return print(format, &out, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct explain_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	struct ref ref = REF_NOTHING;

	if (inputs_load(cli, false, &in, err) < 0 ||
	    ref_find(cli, &in, cli->words.items[0], REF_PODS | REF_OPTIMIZERS, &ref, err) < 0)
		return err->code;
	if (ref.optimizer == NONE)
		return show_pod(cli, &in, a, ref.pod, err);
	if (a->history.n)
		return usage_error(cli, err, "--history is of a pod");
	return show_optimizer(cli, &in, a->output, ref.optimizer, err);
}

static const char *const word_kinds[] = { "workload", NULL };

const struct command command_explain = {
	.name = "explain",
	.synopsis = "pod/NAME|wo/NAME [--snapshot FILE] [options]",
	.summary =
		"show why a pod runs where it does, or why it is unplaced; why a workload costs what it "
		"does",
	.description =
		"Show why a pod is where the next plan puts it, or why it is unplaced: its request, "
		"what the plan\ndoes with it and which pods yield to it, each node and core with the "
		"reason that rules it out, and\nthe changes that would let an unplaced pod fit.\n"
		"\n"
		"With wo/NAME, why the pods of a WorkloadOptimizer cost what they do once the plan is "
		"done: its limits,\nwhen its budget ends, each pod's share of its node, and the node "
		"where it would cost less with what\nkeeps it from there. For a pod of one, what each "
		"node would cost with it, term by term, and which\nlimit refuses it there.\n"
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
		    "# which runtime_low would have been enough?\n"
		    "kubectl mckube explain pod/brake -n vehicle "
		    "--snapshot test/example/cluster.yaml \\\n"
		    "  --history test/example/history.jsonl\n"
		    "\n"
		    "# every node and core, for a script\n"
		    "kubectl mckube explain pod/training -n vehicle "
		    "--snapshot test/example/cluster.yaml -o json\n",
	.options = options,
	.args_size = sizeof(struct explain_args),
	.needs = NEEDS_INPUT | NAMES_OBJECT,
	.min_words = 1,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
