/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node __man: the manual page from the tables of the help. */
#include "base/auto.h"
#include "base/man.h"
#include "base/names.h"
#include "build.h"
#include "node/backend/backend.h"

#include "command.h"

static const char description[] =
	"mckube-node runs on each node. It sets the real-time budgets of the containers that the "
	"planner has assigned to the node, watches them for overruns, raises budgets and cuts those "
	"of less critical pods when a pod overruns, and restores them afterwards. It writes the "
	"state of pods and of the node to the API server.\n\n"
	"The budgets are those of the best backend that the kernel offers: RT groups of cgroup v1, "
	"HCBS, or a bandwidth cap without real-time guarantee. "
	"\"mckube-node check\" shows which.";

static const char signals[] =
	"SIGHUP reads the file of --static again. SIGTERM restores the budgets that were found at "
	"the start, unless --keep or --keep-while says otherwise. After any other end the budgets "
	"stay as they are, and the next start continues from --state-file. Budgets set by set-rt or "
	"POST /set-rt are counted and left alone.";

static const char annotations[] =
	"rt-containers\n"
	"    shares of the containers: \"app=70,logger=30\"; default: all to the first one\n"
	"rt-policy, rt-priority\n"
	"    FIFO or RR, and 1 to --max-priority: what the threads of these containers get, which need\n"
	"    no CAP_SYS_NICE; or one for each: \"app=FIFO,logger=RR\", \"app=20,logger=5\"\n"
	"rt-enforcement\n"
	"    watch: the kernel limits the pod to runtime_hi and the helper watches the lower budget;\n"
	"    raise: the kernel limits it to the budget of its level, plus --headroom where there is room\n"
	"rt-recovery\n"
	"    consumption or nodeCpu, and its parameters: when a pod returns to a lower level\n";

static const char files[] =
	"/run/mckube-node/state.json\n"
	"    budgets before the helper and levels of pods, kept across its restarts\n"
	"the file of --history-file, and FILE.1\n"
	"    overruns, levels and use as JSON lines (lib/budget/history.h), for kubectl mckube replay;\n"
	"    in /run they take memory. In Kubernetes the option is an item of the value node.extraArgs\n"
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
	str_add(&out,
		".SH BACKENDS\nThe first that the kernel supports, or that of \\-\\-backend:\n");
	for (const struct backend *const *b = backends; *b; b++) {
		str_add(&out, ".TP\n.B ");
		man_prose((*b)->name, &out);
		man_prose((*b)->guarantee, &out);
	}
	str_add(&out, ".SH ANNOTATIONS OF PODS\nTheir prefix is " MCKUBE_DOMAIN ":\n");
	man_literal(annotations, &out);
	str_add(&out, ".SH SIGNALS\n");
	man_prose(signals, &out);
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
