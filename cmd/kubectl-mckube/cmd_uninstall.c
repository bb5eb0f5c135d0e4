/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/auto.h"
#include "base/units.h"
#include "output/plan_text.h"
#include "reconcile/uninstall.h"
#include "reconcile/watch.h"

#include "command.h"
#include "execute.h"

struct uninstall_args {
	const char *ns;
	int64_t timeout; /* ns */
	bool is_dry_run;
};

static const struct option options[] = {
	OPT_STRING(0, "install-namespace", struct uninstall_args, ns, "NAME",
		   "the namespace that the programs are installed in", .complete = "namespace",
		   .preset = "mckube-system"),
	OPT_DURATION(0, "timeout", struct uninstall_args, timeout,
		     "how long to wait for the pods of a program to end", .preset = "2m"),
	OPT_BOOL(0, "dry-run", struct uninstall_args, is_dry_run,
		 "print what would be done, and change nothing"),
	{},
};

static void say(const char *text)
{
	AUTO(str_done) struct str out = STR_INIT;

	text_add(&out, text);
	printf("%s\n", out.s);
	fflush(stdout);
}

/* What the plan holds: assignments, finalizers, taints. */
static int clean_objects(struct cli *cli, bool is_dry_run, struct inputs *in, struct error *err)
{
	AUTO(pass_lock_release) struct pass_lock lock = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (!is_dry_run && pass_lock_take(cli, &lock, err) < 0)
		return err->code;
	if (inputs_load(cli, false, in, err) < 0)
		return err->code;
	uninstall_plan(&in->cluster, &plan);
	if (is_dry_run)
		plan_text(&plan, &(struct plan_view){ .has_header = true }, &cli->style, &out);
	else if (execute_plan(cli, &in->live, &lock, &in->cluster, &plan, err) < 0)
		return err->code;
	else
		plan_results(&plan, false, &cli->style, &out);
	array_each(r, &plan.results)
		if (r->state != RESULT_DONE)
			return print_text(&out, EXIT_PARTIAL, err);
	return print_text(&out, EXIT_DONE, err);
}

static int clean_rest(struct cli *cli, const struct uninstall_options *o, struct inputs *in,
		      struct error *err)
{
	AUTO_FREE char *ns = NULL;
	struct kube *k = &in->live.kube;
	const char *name;

	if (lease_split(cli->write.lease, &ns, &name, err) < 0 ||
	    uninstall_stop(k, o, PROGRAM_NODE, err) < 0 ||
	    uninstall_nodes(k, o, &in->cluster, err) < 0 ||
	    uninstall_leases(k, o, ns, name, err) < 0)
		return err->code;
	say("What is left: 'kubectl mckube manifests | kubectl delete --ignore-not-found -f -', or what installed it, "
	    "such as 'helm uninstall'; McKubes are deleted with their definition.");
	return EXIT_DONE;
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct uninstall_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(live_close) struct live live = { 0 };
	const struct uninstall_options o = {
		.ns = a->ns,
		.timeout_ms = a->timeout / NS_PER_MS,
		.is_dry_run = a->is_dry_run,
		.stop = interrupt_reason,
		.say = say,
	};

	interrupt_catch();
	if (live_open(cli, &live, err) < 0 ||
	    uninstall_stop(&live.kube, &o, PROGRAM_WATCH, err) < 0)
		return err->code;
	int code = clean_objects(cli, a->is_dry_run, &in, err);
	return code != EXIT_DONE ? code : clean_rest(cli, &o, &in, err);
}

const struct command command_uninstall = {
	.name = "uninstall",
	.synopsis = "[options]",
	.summary = "remove what deleting an installation leaves behind",
	.description =
		"Remove what deleting an installation leaves behind: end the planners, remove "
		"assignments from pods,\nfinalizers from McKubes and the taint from nodes, end the "
		"node helpers, which restore the budgets in\nthe kernel, then remove what they "
		"reported on nodes, and the Leases. Nothing is planned, moved or\nevicted for "
		"that, and pods go on running.\n"
		"\n"
		"It may be called before or after the objects of the installation are deleted, and "
		"again. They and\nthe McKubes themselves stay; the last line says how they are "
		"deleted.",
	.examples = "# what would be done\n"
		    "kubectl mckube uninstall --dry-run\n"
		    "\n"
		    "# all of it\n"
		    "kubectl mckube uninstall\n"
		    "kubectl mckube manifests | kubectl delete --ignore-not-found -f -\n",
	.options = options,
	.args_size = sizeof(struct uninstall_args),
	.needs = NEEDS_SERVER | WRITES,
	.run = run,
};
