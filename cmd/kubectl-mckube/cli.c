/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"

#include "command.h"

struct option_set *command_sets(struct cli *cli, const struct command *command)
{
	struct option_set *sets = arena_new(&cli->arena, struct option_set, 6);
	struct option_set *set = sets;

	if (command && command->options)
		*set++ = (struct option_set){
			.title = "Options",
			.options = command->options,
			.values = arena_alloc(&cli->arena, command->args_size),
		};
	if (command && command->needs & NEEDS_INPUT)
		*set++ = (struct option_set){ "Input options", input_options, &cli->input };
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
	const struct option_set sets[] = { { "", global_options, NULL },
					   { "", input_options, NULL },
					   { "", kube_global_options, NULL },
					   { "", live_options, NULL },
					   {} };

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
