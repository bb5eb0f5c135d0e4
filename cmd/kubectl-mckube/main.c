/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/nearest.h"

#include "command.h"
#include "help.h"

static const char completion_prefix[] = "kubectl_complete-";

static int unknown_command(struct cli *cli, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			nearest_offer(&nearest, (*c)->name);
	if (nearest.best)
		return usage_error(cli, err, "unknown command \"%s\" for \"%s\" (did you mean %s?)",
				   name, program_name, nearest.best);
	return usage_error(cli, err, "unknown command \"%s\" for \"%s\"", name, program_name);
}

/* Takes the command's name out of the words; "--version" alone is one. */
static int find_command(struct cli *cli, int *argc, char **argv, struct error *err)
{
	int i = command_index(*argc, argv);

	if (*argc == 1 && strcmp(argv[0], "--version") == 0) {
		cli->command = &command_version;
		*argc = 0;
		return 0;
	}
	if (i == *argc) {
		cli->command = &command_help;
		return 0;
	}
	cli->command = command_find(argv[i]);
	if (!cli->command)
		return unknown_command(cli, argv[i], err);
	memmove(argv + i, argv + i + 1, (size_t)(*argc - i - 1) * sizeof(*argv));
	*argc -= 1;
	return 0;
}

/* "pod brake" is pod/brake, as kubectl takes it. */
static void join_kind_and_name(struct cli *cli)
{
	AUTO(str_done) struct str word = STR_INIT;

	if (!(cli->command->needs & NAMES_OBJECT) || cli->words.n != 2)
		return;
	str_addf(&word, "%s/%s", cli->words.items[0], cli->words.items[1]);
	cli->words.items[0] = arena_strndup(&cli->arena, word.s, word.n);
	cli->words.n = 1;
}

static int check_words(struct cli *cli, struct error *err)
{
	const struct command *c = cli->command;

	if (cli->words.n > c->max_words)
		return usage_error(cli, err, "unexpected argument \"%s\"",
				   cli->words.items[c->max_words]);
	if (cli->words.n < c->min_words)
		return usage_error(cli, err, "%s needs an argument: %s", c->name, c->synopsis);
	return 0;
}

static int parse(struct cli *cli, int argc, char **argv, struct error *err)
{
	cli->sets = command_sets(cli, cli->command);
	if (cli->command->needs & TAKES_RAW) {
		for (int i = 0; i < argc; i++)
			*array_add(&cli->words) = argv[i];
		return 0;
	}
	if (option_parse(cli->sets, argc, argv, &cli->arena, &cli->words, err) < 0) {
		cli->is_usage_error = true;
		return err->code;
	}
	if (cli->global.is_help)
		return 0;
	if (cli->command->needs & WRITES && write_environment(cli, err) < 0)
		return err->code;
	join_kind_and_name(cli);
	return check_words(cli, err);
}

static int run(struct cli *cli, int argc, char **argv, struct error *err)
{
	if (!cli->command && find_command(cli, &argc, argv, err) < 0)
		return err->code;
	if (parse(cli, argc, argv, err) < 0)
		return err->code;

	log_set_level(cli->global.verbosity);
	cli->style = terminal_style(STDOUT_FILENO, cli->global.color);
	if (cli->global.is_help) {
		AUTO(str_done) struct str out = STR_INIT;

		help_command(cli->command, &out);
		return print_text(&out, EXIT_DONE, err);
	}
	return cli->command->run(cli, cli->command->options ? cli->sets->values : NULL, err);
}

static void report(const struct cli *cli, const struct error *err)
{
	AUTO(str_done) struct str message = STR_INIT;

	text_add(&message, err->msg);
	fprintf(stderr, "error: %s\n", message.s);
	if (cli->is_usage_error && cli->command)
		fprintf(stderr, "See '%s %s --help' for usage.\n", program_name,
			cli->command->name);
	else if (cli->is_usage_error)
		fprintf(stderr, "See '%s --help' for usage.\n", program_name);
}

static void cli_done(struct cli *cli)
{
	if (cli->sets)
		option_done(cli->sets);
	array_done(&cli->words);
	arena_done(&cli->arena);
}

int main(int argc, char **argv)
{
	AUTO(cli_done) struct cli cli = { 0 };
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *base = slash ? slash + 1 : argc ? argv[0] : "";
	struct error err = ERROR_INIT;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (strncmp(base, completion_prefix, strlen(completion_prefix)) == 0)
		cli.command = &command_complete;

	int code = run(&cli, argc - (argc > 0), argv + (argc > 0), &err);
	if (code == -EPIPE) /* the reader has ended, as in "| head" */
		return EXIT_SIGNAL + SIGPIPE;
	if (code < 0)
		report(&cli, &err);
	return code < 0 ? EXIT_ERROR : code;
}
