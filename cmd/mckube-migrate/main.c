/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-migrate: moves running containers between nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "build.h"
#include "migrate_agent/helper.h"
#include "options.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1 };

static int complete_args(struct args *args, struct arena *arena, struct error *err)
{
	const char *ip = getenv("NODE_IP");

	if (!args->node_name && !(args->node_name = getenv("NODE_NAME")))
		return error_set(err, -EINVAL, "--node-name: must be given");
	if (args->address)
		return 0;
	const char *port = strrchr(args->listen, ':');
	if (!ip || !port)
		return error_set(err, -EINVAL, "--address: must be given");
	AUTO(str_done) struct str text = STR_INIT;
	str_addf(&text, strchr(ip, ':') ? "[%s]%s" : "%s%s", ip, port);
	args->address = arena_strndup(arena, text.s, text.n);
	return 0;
}

/* What the build and the shells ask for. */
static bool describe(int argc, char **argv)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (argc > 1 && strcmp(argv[1], "__man") == 0)
		options_man(&text);
	else if (argc > 1 && strcmp(argv[1], "__complete") == 0)
		options_complete(argc - 2, argv + 2, &text);
	else
		return false;
	fputs(text.s, stdout);
	return true;
}

static void print_version(void)
{
	printf("mckube-migrate: %s\n", MCKUBE_VERSION);
	if (*MCKUBE_GIT_COMMIT)
		printf("git commit: %s\n", MCKUBE_GIT_COMMIT);
	printf("compiler: %s\nplatform: %s\n", MCKUBE_COMPILER, MCKUBE_PLATFORM);
}

/* The word of the other programs is taken, too: "version". */
static bool asks_for_version(const struct args *args, const struct option_list *words)
{
	return args->is_version || (words->n == 1 && strcmp(words->items[0], "version") == 0);
}

static int run(int argc, char **argv, struct error *err)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct args args = { 0 };
	struct option_list words = { 0 };
	struct option_set sets[] = { { "Options", helper_options, &args }, {} };
	AUTO(str_done) struct str help = STR_INIT;

	int r = option_parse(sets, argc - 1, argv + 1, &arena, &words, err);
	log_set_level(args.verbosity);
	if (r == 0 && args.is_help)
		options_help(&help);
	else if (r == 0 && asks_for_version(&args, &words))
		print_version();
	else if (r == 0 && words.n)
		r = error_set(err, -EINVAL, "unknown argument \"%s\"", words.items[0]);
	else if (r == 0 && (r = complete_args(&args, &arena, err)) == 0)
		r = helper_run(&args, err);
	fputs(help.s, stdout);
	option_done(sets);
	array_done(&words);
	return r;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	if (describe(argc, argv) || run(argc, argv, &err) == 0)
		return EXIT_DONE;
	fprintf(stderr, "error: %s\n", err.msg);
	return EXIT_ERROR;
}
