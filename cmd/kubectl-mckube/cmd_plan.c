/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/yaml.h"
#include "output/plan_html.h"
#include "output/plan_text.h"
#include "output/table.h"
#include "plan/file/diff.h"
#include "plan/file/plan_file.h"
#include "plan/plan.h"
#include "plan/target.h"

#include "command.h"
#include "execute.h"
#include "ref.h"
#include "what_if.h"

enum dry_run { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER };

struct plan_args {
	int32_t output;	 /* enum format */
	int32_t dry_run; /* enum dry_run */
	const char *out, *diff, *target;
	struct policy_args policy;
	struct what_if_args what_if;
	bool has_detailed_exitcode, has_no_headers;
};

static const char *const dry_runs[] = { "none", "client", "server", NULL };

static const struct option options[] = {
	OPT_ENUM('o', "output", struct plan_args, output, plan_formats, "FORMAT", "output format",
		 .preset = "table"),
	OPT_STRING(0, "out", struct plan_args, out, "FILE",
		   "save the plan to this file as JSON, for 'apply'", .complete = "file"),
	OPT_STRING(0, "diff", struct plan_args, diff, "FILE",
		   "show the differences from the plan saved in this file", .complete = "file"),
	OPT_BOOL(0, "detailed-exitcode", struct plan_args, has_detailed_exitcode,
		 "exit with 2 if the plan changes something, with 3 if a pod cannot be placed"),
	OPT_ENUM(0, "dry-run", struct plan_args, dry_run, dry_runs, "MODE",
		 "client is the default: a plan never writes; server sends every write with "
		 "dryRun=All",
		 .bare = "client", .preset = "none"),
	OPT_STRING(0, "target", struct plan_args, target, "pod/NAME",
		   "only what the plan does with this pod and for it", .complete = "pod"),
	POLICY_OPTIONS(struct plan_args, policy),
	WHAT_IF_OPTIONS(struct plan_args, what_if),
	OPT_BOOL(0, "no-headers", struct plan_args, has_no_headers,
		 "leave out the headings of -o wide"),
	{},
};

static int add_yaml(const struct plan *plan, struct str *out, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	plan_write_json(plan, &json);
	return yaml_from_json(json.s, json.n, out, err);
}

static int render(const struct cli *cli, const struct plan_args *a, const struct inputs *in,
		  const struct plan *plan, struct str *out, struct error *err)
{
	struct plan_view view = { .ns = inputs_namespace(cli), .has_header = !a->has_no_headers };

	switch ((enum format)a->output) {
	case FORMAT_TABLE:
		plan_text(plan, &view, &cli->style, out);
		return 0;
	case FORMAT_WIDE:
		return plan_wide(plan, &view, &cli->style, out, err);
	case FORMAT_JSON:
		plan_write_json(plan, out);
		return 0;
	case FORMAT_YAML:
		return add_yaml(plan, out, err);
	case FORMAT_NAME:
		plan_names(plan, &view, out);
		return 0;
	case FORMAT_HTML:
		plan_html(&in->cluster, plan, out);
		return 0;
	}
	return 0;
}

static int add_diff(const struct cli *cli, const char *path, const struct plan *plan,
		    struct str *out, struct error *err)
{
	AUTO(plan_done) struct plan before = { 0 };
	AUTO(plan_diff_done) struct plan_diff diff = { 0 };

	if (input_read_plan(path, &before, err) < 0)
		return err->code;
	plan_diff_make(&before, plan, &diff);
	plan_diff_text(&diff, &cli->style, out);
	return 0;
}

static int save(const char *path, const struct plan *plan, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	plan_write_json(plan, &json);
	return file_write(path, (struct slice){ json.s, json.n }, err);
}

/* Sends each write with dryRun=All: the server checks it and stores nothing. */
static int ask_server(struct cli *cli, struct inputs *in, struct plan *plan, struct error *err)
{
	struct pass_lock none = { 0 };

	option_preset(write_options, &cli->write, &cli->arena);
	in->live.kube.is_dry_run = true;
	return execute_plan(cli, &in->live, &none, &in->cluster, plan, err);
}

static void add_answers(const struct cli *cli, const struct plan *plan, struct str *out)
{
	str_addc(out, '\n');
	plan_results(plan, true, &cli->style, out);
	str_add(out, dry_run_note);
}

static int exit_code(const struct plan_args *a, const struct plan *plan)
{
	if (!a->has_detailed_exitcode)
		return EXIT_DONE;
	if (plan->unplaced.n)
		return EXIT_UNPLACED;
	return plan_has_actions(plan) ? EXIT_CHANGES : EXIT_DONE;
}

/* Combinations that mean nothing. */
static int check_args(struct cli *cli, const struct plan_args *a, struct error *err)
{
	bool asks_server = a->dry_run == DRY_RUN_SERVER;

	if (asks_server && cli->input.snapshots.n)
		return usage_error(cli, err, "--dry-run=server cannot be used with --snapshot");
	if (a->diff && a->output != FORMAT_TABLE)
		return usage_error(cli, err, "--diff cannot be used with -o %s",
				   plan_formats[a->output]);
	if (a->policy.core && !a->policy.engine)
		return usage_error(cli, err,
				   "--core-scheduler cannot be used without --ask-policy");
	if (what_if_is_given(&a->what_if) && (a->out || asks_server))
		return usage_error(cli, err,
				   "%s cannot be used with --drain, --add-node, --scale and "
				   "--without: such a plan is not of this cluster",
				   a->out ? "--out" : "--dry-run=server");
	return 0;
}

static int make_plan(struct cli *cli, const struct plan_args *a, struct inputs *in,
		     struct plan *ret, struct error *err)
{
	struct ref ref = REF_NOTHING;

	what_if_sources(cli, &a->what_if);
	if (inputs_load(cli, false, in, err) < 0 || what_if_apply(cli, &a->what_if, in, err) < 0 ||
	    (a->target && ref_find(cli, in, a->target, REF_PODS, &ref, err) < 0) ||
	    inputs_plan(in, ret, err) < 0)
		return err->code;
	if (a->target) {
		const struct meta *m = &in->cluster.pods.items[ref.pod].meta;

		plan_limit(ret, cluster_str(&in->cluster, m->ns),
			   cluster_str(&in->cluster, m->name));
	}
	return 0;
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct plan_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (check_args(cli, a, err) < 0 || make_plan(cli, a, &in, &plan, err) < 0)
		return err->code;
	if (a->policy.engine && ask_policy(cli, &a->policy, &in.cluster, &plan, err) < 0)
		return err->code;
	if (a->dry_run == DRY_RUN_SERVER && ask_server(cli, &in, &plan, err) < 0)
		return err->code;

	if (a->diff ? add_diff(cli, a->diff, &plan, &out, err) < 0
		    : render(cli, a, &in, &plan, &out, err) < 0)
		return err->code;
	if (a->dry_run == DRY_RUN_SERVER && a->output == FORMAT_TABLE && !a->diff)
		add_answers(cli, &plan, &out);
	if (a->out && save(a->out, &plan, err) < 0)
		return err->code;
	return print_text(&out, exit_code(a, &plan), err);
}

const struct command command_plan = {
	.name = "plan",
	.synopsis = "[--snapshot FILE] [-f FILE]... [options]",
	.summary = "show what would change, and why",
	.description =
		"Show what one planning round would change, and why. Nothing is written.\n"
		"\n"
		"A plan always covers the whole cluster: real-time pods get cores, less critical "
		"pods yield where\nthere is no room. --namespace only limits what is listed.\n"
		"\n"
		"A line has a pod's cores, its runtime_low of its period, its criticality, and how its "
		"node holds\nthat: \"watch\", the kernel has runtime_hi and use above runtime_low is "
		"noticed; \"raise\", the kernel\nhas runtime_low, and more after an overrun. Below it is "
		"the load with the pod, by mode: Low, all at\nruntime_low; Middle and High, pods of at "
		"least that criticality at their raised budgets, the others\nat their floors.",
	.examples =
		"# plan the cluster of the current context\n"
		"kubectl mckube plan\n"
		"\n"
		"# plan a snapshot\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml\n"
		"\n"
		"# what if these objects were created?\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml "
		"-f test/example/more.yaml\n"
		"\n"
		"# what if a node were drained, and what if there were one more pod?\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml --drain front\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml -n vehicle "
		"--scale rs/logger=2\n"
		"\n"
		"# save the plan, to be applied exactly as it was reviewed\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml --out plan.json\n"
		"\n"
		"# a page with the cores of every node, before and after\n"
		"kubectl mckube plan --snapshot test/example/cluster.yaml -o html > plan.html\n",
	.options = options,
	.args_size = sizeof(struct plan_args),
	.needs = NEEDS_INPUT,
	.run = run,
};
