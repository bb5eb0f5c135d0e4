/* SPDX-License-Identifier: Apache-2.0 */
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"

#include "command.h"

const char program_name[] = "kubectl mckube";

/* clang-format off */
const struct command *const commands[] = {
	&command_plan,
	&command_apply,
	&command_watch,
	&command_status,
	&command_top,
	&command_explain,
	&command_replay,
	&command_migrate,
	&command_drain,
	&command_snapshot,
	&command_doctor,
	&command_uninstall,
	&command_crd,
	&command_manifests,
	&command_policies,
	&command_version,
	&command_completion,
	&command_help,
	&command_complete,
	&command_man,
	NULL,
};
/* clang-format on */

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static const char *const colors[] = { "auto", "always", "never", NULL };

const struct option global_options[] = {
	OPT_BOOL('h', "help", struct global_args, is_help, "show how a command is used"),
	OPT_STRING('n', "namespace", struct global_args, ns, "NAME",
		   "namespace of pods given without one; limits listings"
		   " to it",
		   .complete = "namespace"),
	OPT_ENUM(0, "color", struct global_args, color, colors, "WHEN",
		 "coloured output; auto is on a terminal, unless NO_COLOR is set",
		 .preset = "auto"),
	OPT_INT('v', "v", struct global_args, verbosity, 0, 10, "LEVEL", "log verbosity",
		.preset = "0"),
	{},
};

struct option_set *command_sets(struct cli *cli, const struct command *command)
{
	struct option_set *sets = arena_new(&cli->arena, struct option_set, 7);
	struct option_set *set = sets;

	if (command && command->options)
		*set++ = (struct option_set){
			.title = "Options",
			.options = command->options,
			.values = arena_alloc(&cli->arena, command->args_size),
		};
	if (command && command->needs & NEEDS_INPUT)
		*set++ = (struct option_set){ "Input options", input_options, &cli->input };
	if (command && command->needs & WRITES)
		*set++ = (struct option_set){ "Write options", write_options, &cli->write };
	if (command && command->needs & (NEEDS_INPUT | NEEDS_SERVER)) {
		*set++ = (struct option_set){ "Connection options", kube_global_options,
					      &cli->live.kube };
		*set++ = (struct option_set){ "Pace options", live_options, &cli->live };
	}
	*set = (struct option_set){ "Global options", global_options, &cli->global };
	return sets;
}

int command_index(int argc, char **argv)
{
	const struct option_set sets[] = {
		{ "", global_options, NULL }, { "", input_options, NULL },
		{ "", write_options, NULL },  { "", kube_global_options, NULL },
		{ "", live_options, NULL },   {}
	};

	for (int i = 0; i < argc; i++) {
		const char *value;
		bool is_argument;

		if (argv[i][0] != '-' && !option_awaiting(sets, i + 1, argv, &value, &is_argument))
			return i;
	}
	return argc;
}

int usage_error(struct cli *cli, struct error *err, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli->is_usage_error = true;
	return error_set(err, -EINVAL, "%s", text);
}

int print_text(const struct str *text, int code, struct error *err)
{
	AUTO(str_done) struct str shown = STR_INIT;

	if (isatty(STDOUT_FILENO)) {
		text_add_data(&shown, text->s);
		text = &shown;
	}
	if (fwrite(text->s, 1, text->n, stdout) != text->n || fflush(stdout) != 0)
		return error_errno(err, "write standard output");
	return code;
}

enum { WIDTH_MAX = 120 }; /* longer lines are hard to read */

static bool wants_color(bool is_terminal)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

struct style terminal_style(int fd, enum color color)
{
	bool is_terminal = isatty(fd);
	struct winsize size = { 0 };
	struct style style = {
		.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.has_color =
			color == COLOR_ALWAYS || (color == COLOR_AUTO && wants_color(is_terminal)),
	};

	if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		style.width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
	return style;
}
