/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "output/table.h"
#include "plugins/policies.h"

#include "command.h"

struct policies_args {
	int32_t output; /* enum format */
	bool has_no_headers;
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct policies_args, output, listing_formats, "FORMAT",
		 "output format", .preset = "table"),
	OPT_BOOL(0, "no-headers", struct policies_args, has_no_headers, "leave out the headings"),
	{},
};

static const struct column columns[] = {
	{ "NAME", "name", .is_name = true },
	{ "DESCRIPTION", "description" },
	{},
};

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct policies_args *a = args;
	AUTO(table_done) struct table t = { .columns = columns };
	AUTO(str_done) struct str out = STR_INIT;

	for (const struct policy *const *p = policies; *p; p++)
		table_row(&t, CELL_TEXT((*p)->name), CELL_TEXT((*p)->help));
	if (table_render(&t, (enum format)a->output, &cli->style, !a->has_no_headers, &out, err) <
	    0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_policies = {
	.name = "policies",
	.synopsis = "[options]",
	.summary = "list the policies that can rank cores",
	.description =
		"List the policies. A policy ranks the suitable cores of a pod; the weights of "
		"several are set in the configuration or by --policy.",
	.examples = "# all policies\n"
		    "kubectl mckube policies\n"
		    "\n"
		    "# only the names\n"
		    "kubectl mckube policies -o name\n",
	.options = options,
	.args_size = sizeof(struct policies_args),
	.run = run,
};
