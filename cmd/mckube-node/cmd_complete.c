/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node __complete: answers the shells' completion scripts, as kubectl's plugins do: the last
 * word, maybe empty, is being completed. A choice is a line, with a tab and its description; the
 * last line is ":" and one of cobra's directives. */
#include <string.h>

#include "base/auto.h"

#include "command.h"

enum { COMPLETE_FILES = 0, COMPLETE_NO_FILES = 4 };

static void add_commands(const struct context *ctx, const char *typed, struct str *out)
{
	for (const struct command *const *c = ctx->commands; *c; c++)
		if (!command_is_hidden(*c) && strncmp((*c)->name, typed, strlen(typed)) == 0)
			str_addf(out, "%s\t%s\n", (*c)->name, (*c)->summary);
}

static const struct command *find_command(const struct context *ctx, const char *name)
{
	for (const struct command *const *c = ctx->commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static void add_backends(const char *typed, struct str *out)
{
	for (const struct backend *const *b = backends; *b; b++)
		if (strncmp((*b)->name, typed, strlen(typed)) == 0)
			str_addf(out, "%s\t%s\n", (*b)->name, (*b)->guarantee);
}

static int complete(const struct context *ctx, const char *typed, struct str *out)
{
	int n = ctx->words.n;
	const struct command *c = n > 1 ? find_command(ctx, ctx->words.items[0]) : NULL;
	const struct option_set sets[] = {
		{ .options = c ? c->options : NULL },
		{ .options = ctx->common_options },
		{},
	};
	const char *value;
	bool is_argument = false;

	if (n < 2) {
		add_commands(ctx, typed, out);
		return COMPLETE_NO_FILES;
	}
	if (!c || !c->options)
		return COMPLETE_NO_FILES;
	const struct option *o =
		option_awaiting(sets, n - 1, ctx->words.items + 1, &value, &is_argument);
	if (!o) {
		if (*typed == '-' && !is_argument)
			option_complete(sets, typed, out);
		return COMPLETE_NO_FILES;
	}
	if (o->complete && strcmp(o->complete, "backend") == 0)
		add_backends(value, out);
	else
		option_complete_value(o, value, out);
	return o->complete && strcmp(o->complete, "backend") != 0 ? COMPLETE_FILES
								  : COMPLETE_NO_FILES;
}

static int complete_run(const struct context *ctx, void *values, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	const char *typed = ctx->words.n ? ctx->words.items[ctx->words.n - 1] : "";

	(void)values;
	(void)err;
	int directive = complete(ctx, typed, &out);
	fprintf(ctx->out, "%s:%d\n", out.s, directive);
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.summary = "complete a command line",
	.takes_words = true,
	.run = complete_run,
};
