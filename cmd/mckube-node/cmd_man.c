/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node __man: the manual page from the tables of the help. */
#include "base/auto.h"
#include "base/man.h"
#include "build.h"

#include "command.h"

static const char description[] =
	"mckube-node runs on each node. It sets the real-time budgets of the containers that the "
	"planner has assigned to the node, watches them for overruns, raises budgets and cuts those "
	"of less critical pods when a pod overruns, and restores them afterwards. It writes the "
	"state of pods and of the node to the API server.\n\n"
	"The budgets are those of the best backend that the kernel offers: RT groups of cgroup v1, "
	"HCBS, SCHED_DEADLINE, or a bandwidth cap without real-time guarantee. "
	"\"mckube-node check\" shows which.";

static const char files[] =
	"/run/mckube-node/state.json\n"
	"    budgets before the helper and levels of pods, kept across its restarts\n"
	"/etc/mckube/token\n"
	"    bearer token for POST requests over TCP\n";

static const char status[] = "0   done\n"
			     "1   an error, which is on standard error\n";

static void add_command(const struct command *c, struct str *out)
{
	str_addf(out, ".SS %s\n", c->name);
	man_prose(c->description ? c->description : c->summary, out);
	if (c->options)
		option_man(c->options, out);
}

static int man_run(const struct context *ctx, void *values, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	(void)values;
	(void)err;
	str_addf(&out,
		 ".TH MCKUBE\\-NODE 8 \"\" \"kubectl\\-mckube %s\" \"System Administration\"\n"
		 ".SH NAME\nmckube\\-node \\- real\\-time budgets of a node's containers\n"
		 ".SH SYNOPSIS\n.B mckube\\-node\n.I COMMAND\n[options]\n.SH DESCRIPTION\n",
		 MCKUBE_VERSION);
	man_prose(description, &out);
	str_add(&out, ".SH COMMANDS\n");
	for (const struct command *const *c = ctx->commands; *c; c++)
		if (!command_is_hidden(*c))
			add_command(*c, &out);
	str_add(&out, ".SH OPTIONS OF ALL COMMANDS\n");
	option_man(ctx->common_options, &out);
	str_add(&out, ".SH EXIT STATUS\n");
	man_literal(status, &out);
	str_add(&out, ".SH FILES\n");
	man_literal(files, &out);
	str_add(&out, ".SH SEE ALSO\n.BR kubectl\\-mckube (1)\n");
	fputs(out.s, ctx->out);
	return 0;
}

const struct command command_man = {
	.name = "__man",
	.summary = "print the manual page",
	.takes_words = true,
	.run = man_run,
};
