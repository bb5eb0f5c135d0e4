/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "output/table.h"
#include "reconcile/health.h"

#include "command.h"

struct doctor_args {
	const char *ns;
	int32_t output; /* enum format */
	bool has_no_headers;
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct doctor_args, output, listing_formats, "FORMAT",
		 "output format", .preset = "table"),
	OPT_BOOL(0, "no-headers", struct doctor_args, has_no_headers, "leave out the headings"),
	OPT_STRING(0, "install-namespace", struct doctor_args, ns, "NAME",
		   "the namespace that the programs are installed in", .complete = "namespace",
		   .preset = "mckube-system"),
	{},
};

static const struct column columns[] = {
	{ "CHECK", "check", .is_name = true },
	{ "STATE", "state" },
	{ "DETAIL", "detail" },
	{},
};

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct doctor_args *a = args;
	AUTO(live_close) struct live live = { 0 };
	AUTO(health_done) struct health health = { 0 };
	AUTO(table_done) struct table table = { .columns = columns };
	AUTO(str_done) struct str out = STR_INIT;

	if (live_open(cli, &live, err) < 0)
		return err->code;
	const struct health_options o = { live.target.cluster.server, a->ns,
					  (uint32_t)cli->live.chunk };
	if (health_check(&live.kube, &o, &health, err) < 0)
		return err->code;
	array_each(f, &health.findings)
		table_row(&table, CELL_TEXT(f->check), CELL_TEXT(health_state_name(f->state)),
			  CELL_TEXT(f->detail));
	if (table_render(&table, (enum format)a->output, &cli->style, !a->has_no_headers, &out,
			 err) < 0)
		return err->code;
	return print_text(&out, health.n_missing ? EXIT_ERROR : EXIT_DONE, err);
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[options]",
	.summary = "check an installation: what is missing, what is left over",
	.description =
		"Check an installation: is the server reachable, are McKube objects defined, are "
		"the permissions\nfor plan and apply granted, are the programs rolled out, what do "
		"the nodes enforce, and what did\nolder operators leave behind. Exits with 1 when "
		"something is missing.",
	.examples = "# the cluster of the current context\n"
		    "kubectl mckube doctor\n"
		    "\n"
		    "# in a script\n"
		    "kubectl mckube doctor -o json\n",
	.options = options,
	.args_size = sizeof(struct doctor_args),
	.needs = NEEDS_SERVER,
	.run = run,
};
