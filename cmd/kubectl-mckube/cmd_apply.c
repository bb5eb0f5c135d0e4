/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "execute/stale.h"
#include "execute/to_snapshot.h"
#include "output/plan_text.h"
#include "plan/plan.h"

#include "command.h"
#include "confirm.h"
#include "execute.h"
#include "progress.h"

struct apply_args {
	int32_t output; /* enum list_format */
	const char *out;
	bool replans, is_agreed, is_forced;
	int32_t dry_run; /* enum dry_run */
};

enum dry_run { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER };

static const char *const dry_runs[] = { "none", "client", "server", NULL };

static const char *const formats[] = {
	[LIST_JSON] = "json",
	[LIST_YAML] = "yaml",
	NULL,
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct apply_args, output, formats, "FORMAT",
		 "output format of the new state", .preset = "yaml"),
	OPT_STRING(0, "out", struct apply_args, out, "FILE",
		   "write the new state to this file instead of standard output; it may be the "
		   "snapshot itself",
		   .complete = "file"),
	OPT_BOOL(0, "replan", struct apply_args, replans,
		 "make a new plan when the cluster has changed since the saved one"),
	OPT_BOOL('y', "yes", struct apply_args, is_agreed,
		 "do not ask before pods are evicted or moved to other nodes"),
	OPT_BOOL(0, "force", struct apply_args, is_forced,
		 "also evict pods without a controller, which nothing recreates"),
	OPT_ENUM(0, "dry-run", struct apply_args, dry_run, dry_runs, "MODE",
		 "client only prints the plan; server sends every write with dryRun=All",
		 .bare = "client", .preset = "none"),
	{},
};

/* The saved plan, if it still fits the cluster. 0: it does not, and a new one may be made. */
static int load_plan(struct cli *cli, const struct apply_args *a, const struct inputs *in,
		     struct plan *ret, struct error *err)
{
	AUTO(str_done) struct str stale = STR_INIT;
	AUTO(plan_done) struct plan saved = { 0 };

	if (input_read_plan(cli->words.items[0], &saved, err) < 0)
		return err->code;
	if (plan_check_fresh(&saved, &in->cluster, &stale, err) == 0) {
		*ret = saved;
		saved = (struct plan){ 0 };
		return 1;
	}
	progress_lines(stale.s);
	if (a->replans)
		return 0;
	const struct error cause = *err;
	return error_set(err, cause.code, "%s: %s (--replan makes a new plan)", cli->words.items[0],
			 cause.msg);
}

static int get_plan(struct cli *cli, const struct apply_args *a, const struct inputs *in,
		    struct plan *ret, struct error *err)
{
	int r = cli->words.n ? load_plan(cli, a, in, ret, err) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	return inputs_plan(in, ret, err);
}

static int write_state(const struct apply_args *a, const struct inputs *in, struct plan *plan,
		       struct error *err)
{
	AUTO(save_done) struct save out = { 0 };

	if (save_open(&out, a->out ? a->out : "-", err) < 0 ||
	    execute_on_files(plan, in->sources.items, in->sources.n, (enum list_format)a->output,
			     out.f, err) < 0)
		return err->code;
	return save_commit(&out, err);
}

static int exit_code(const struct plan *plan)
{
	array_each(r, &plan->results)
		if (r->state != RESULT_DONE)
			return EXIT_PARTIAL;
	return EXIT_DONE;
}

static void add_results(const struct plan *plan, bool is_dry_run, const struct style *style,
			struct str *out)
{
	size_t n = plan->unplaced.n;

	plan_results(plan, is_dry_run, style, out);
	if (n)
		str_addf(out, "%zu pod%s unplaced: 'kubectl mckube plan' shows the reasons.\n", n,
			 n == 1 ? " is" : "s are");
}

/* The result of each action: on standard output, unless the new state went there. */
static int print_results(const struct cli *cli, const struct apply_args *a, const struct plan *plan,
			 struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct style style = a->out ? cli->style : terminal_style(STDERR_FILENO, cli->global.color);

	add_results(plan, false, &style, &out);
	if (a->out)
		return print_text(&out, exit_code(plan), err);
	fwrite(out.s, 1, out.n, stderr);
	return exit_code(plan);
}

/* On the API server. */

/* A saved plan was reviewed already; and without a terminal there is no answer. */
static bool asks(const struct cli *cli, const struct apply_args *a)
{
	return !a->is_agreed && a->dry_run == DRY_RUN_NONE && !cli->words.n &&
	       confirm_is_possible();
}

enum { ASKED = INT_MAX };

/* The exit code; ASKED: pods were agreed upon, and the cluster is to be read again. */
static int run_live(struct cli *cli, const struct apply_args *a, struct pass_lock *lock,
		    struct agreed *agreed, struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (inputs_load(cli, false, &in, err) < 0 || get_plan(cli, a, &in, &plan, err) < 0)
		return err->code;
	cli->write.keeps_bare = !a->is_forced;
	if (asks(cli, a) && confirm_is_needed(&plan, &in.cluster, !a->is_forced, agreed)) {
		pass_lock_release(lock);
		return confirm_ask(&plan, &in.cluster, !a->is_forced, &cli->style, agreed, err) < 0
			       ? err->code
			       : ASKED;
	}
	if (a->dry_run == DRY_RUN_CLIENT) {
		plan_text(&plan, &(struct plan_view){ .has_header = true }, &cli->style, &out);
		return print_text(&out, EXIT_DONE, err);
	}
	in.live.kube.is_dry_run = a->dry_run == DRY_RUN_SERVER;
	if (execute_plan(cli, &in.live, lock, &in.cluster, &plan, err) < 0)
		return err->code;
	add_results(&plan, in.live.kube.is_dry_run, &cli->style, &out);
	if (in.live.kube.is_dry_run)
		str_add(&out, dry_run_note);
	return print_text(&out, exit_code(&plan), err);
}

/* While the question is open the lock is free; what is executed then is a new plan, and one that
 * takes other pods away is asked about too. */
static int run_locked(struct cli *cli, const struct apply_args *a, struct error *err)
{
	AUTO(agreed_done) struct agreed agreed = { 0 };
	int r = ASKED;

	if (a->out || cli->input.files.n)
		return usage_error(cli, err, "--out and --filename need --snapshot");
	while (r == ASKED) {
		AUTO(pass_lock_release) struct pass_lock lock = { 0 };

		if (a->dry_run == DRY_RUN_NONE && pass_lock_take(cli, &lock, err) < 0)
			return err->code;
		r = run_live(cli, a, &lock, &agreed, err);
	}
	return r;
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct apply_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };

	if (!cli->input.snapshots.n)
		return run_locked(cli, a, err);
	if (inputs_load(cli, true, &in, err) < 0 || get_plan(cli, a, &in, &plan, err) < 0 ||
	    write_state(a, &in, &plan, err) < 0)
		return err->code;
	return print_results(cli, a, &plan, err);
}

static const char *const word_kinds[] = { "file", NULL };

const struct command command_apply = {
	.name = "apply",
	.synopsis = "[PLAN] [--snapshot FILE [-f FILE]...] [options]",
	.summary = "execute one planning round, or exactly a saved plan",
	.description =
		"Execute one planning round, or exactly the plan that 'plan --out' saved.\n"
		"\n"
		"On an API server a Lease keeps two passes from running at once. A pod that has "
		"changed since it\nwas read for the plan is left for the next pass. SIGTERM lets "
		"the running writes end and reports\nthe rest as not done.\n"
		"\n"
		"On a terminal the plan is shown and a question asked before pods are evicted or "
		"moved to other\nnodes; --yes answers it. There is none for a saved plan, nor where "
		"standard input or output is no\nterminal, as in cron and CI. A pod without a "
		"controller is evicted with --force alone: without\nit that eviction and what waits for "
		"it are skipped, the rest is done, and the exit code is 4.\n"
		"\n"
		"With --snapshot the plan is executed on the objects in the files, and their new "
		"state is\nwritten as a List: to standard output, or to --out. A saved plan is "
		"refused when one of its\nobjects has changed since, and each of them is named.",
	.examples = "# execute one planning round\n"
		    "kubectl mckube apply\n"
		    "\n"
		    "# the same on a snapshot\n"
		    "kubectl mckube apply --snapshot test/example/cluster.yaml --out new.yaml\n"
		    "\n"
		    "# execute the plan that was reviewed\n"
		    "kubectl mckube plan --snapshot test/example/cluster.yaml --out plan.json\n"
		    "kubectl mckube apply plan.json --snapshot test/example/cluster.yaml "
		    "--out new.yaml\n",
	.options = options,
	.args_size = sizeof(struct apply_args),
	.needs = NEEDS_INPUT | WRITES,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
