/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node: real-time budgets of this node's containers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/nearest.h"
#include "command.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, HELP_WIDTH = 100 };

static const struct command *const commands[] = {
	&command_run,	   &command_check,   &command_status,
	&command_set_rt,   &command_seccomp, &command_version,
	&command_complete, &command_man,     NULL,
};

static const struct option common_options[] = {
	OPT_STRING(0, "backend", struct common_args, backend, "NAME",
		   "use this backend instead of the best that the kernel offers", .preset = "auto",
		   .complete = "backend"),
	OPT_STRING(0, "cgroup-root", struct common_args, cgroup_root, "DIR",
		   "where the host's cgroups are mounted (default $MCKUBE_CGROUP_ROOT or "
		   "/sys/fs/cgroup)",
		   .complete = "directory"),
	OPT_STRING(0, "proc-root", struct common_args, proc_root, "DIR",
		   "where the host's /proc is mounted", .preset = "/proc", .complete = "directory"),
	OPT_STRING(0, "sys-root", struct common_args, sys_root, "DIR",
		   "where the host's /sys is mounted", .preset = "/sys", .complete = "directory"),
	OPT_INT('v', "v", struct common_args, verbosity, 0, 10, "N", "log verbosity (0-10)",
		.preset = "0"),
	OPT_BOOL('h', "help", struct common_args, is_help, "show this help"),
	{},
};

/* In the helper's container the variable stands for every program that is run there. */
static void set_cgroup_root(struct common_args *common)
{
	const char *given = getenv("MCKUBE_CGROUP_ROOT");

	if (!common->cgroup_root)
		common->cgroup_root = given && *given ? given : "/sys/fs/cgroup";
}

static void print_usage(FILE *f)
{
	fputs("mckube-node keeps the real-time budgets of this node's containers.\n\n"
	      "Usage:\n  mckube-node COMMAND [options]\n\nCommands:\n",
	      f);
	for (const struct command *const *c = commands; *c; c++)
		if (!command_is_hidden(*c))
			fprintf(f, "  %-8s %s\n", (*c)->name, (*c)->summary);
	fputs("\nUse \"mckube-node COMMAND --help\" for the options of a command.\n", f);
}

static void print_help(const struct command *c, const struct option_set *sets)
{
	AUTO(str_done) struct str text = STR_INIT;

	printf("%s\n\nUsage:\n  mckube-node %s [options]%s%s\n", c->summary, c->name,
	       c->usage ? " " : "", c->usage ? c->usage : "");
	for (; sets->options; sets++) {
		str_clear(&text);
		option_help(sets->options, HELP_WIDTH, &text);
		printf("\n%s:\n%s\n", sets->title, text.s);
	}
}

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static int refuse_command(const char *name, struct error *err)
{
	struct nearest n = NEAREST_OF(name);

	for (const struct command *const *c = commands; *c; c++)
		if (!command_is_hidden(*c))
			nearest_offer(&n, (*c)->name);
	if (n.best)
		return error_set(err, -EINVAL,
				 "unknown command \"%s\" for \"mckube-node\" (did you mean %s?)",
				 name, n.best);
	return error_set(err, -EINVAL, "unknown command \"%s\" for \"mckube-node\"", name);
}

static int run_command(const struct command *c, int argc, char **argv, struct error *err)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct common_args common = { 0 };
	struct option_list args = { 0 };
	struct option_set sets[] = {
		{ "Options", c->options, arena_alloc(&arena, c->size) },
		{ "Options of all commands", common_options, &common },
		{},
	};
	struct context ctx = {
		.common = &common,
		.args = &args,
		.arena = &arena,
		.out = stdout,
		.commands = commands,
		.common_options = common_options,
	};

	int r = 0;
	if (c->takes_words)
		ctx.words = (struct words){ argc, argv };
	else
		r = option_parse(sets, argc, argv, &arena, &args, err);
	log_set_level(common.verbosity);
	set_cgroup_root(&common);
	if (r == 0 && common.is_help)
		print_help(c, sets);
	else if (r == 0)
		r = c->run(&ctx, sets[0].values, err);
	option_done(sets);
	array_done(&args);
	return r;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	const char *name = argc > 1 ? argv[1] : "help";

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	const struct command *c = find_command(strcmp(name, "--version") == 0 ? "version" : name);
	if (!c)
		refuse_command(name, &err);
	else
		run_command(c, argc - 2, argv + 2, &err);
	if (err.code == 0 && fflush(stdout) != 0)
		error_errno(&err, "write to standard output");
	if (err.code == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: %s\n", err.msg);
	return EXIT_ERROR;
}
