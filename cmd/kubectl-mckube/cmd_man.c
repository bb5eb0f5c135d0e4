/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/man.h"

#include "build.h"
#include "command.h"
#include "help.h"

/* The manual page, made from the same tables as the help: the build writes it with
 * 'kubectl-mckube __man'. */

static void add_command(const struct command *c, struct str *out)
{
	str_addf(out, ".SS %s\n", c->name);
	AUTO_FREE char *usage = xasprintf("%s %s %s", program_name, c->name, c->synopsis);
	str_add(out, ".B ");
	man_prose(usage, out);
	str_add(out, ".PP\n");
	man_prose(c->description ? c->description : c->summary, out);
	if (c->options)
		option_man(c->options, out);
	if (c->needs & NEEDS_INPUT)
		str_addf(out, ".PP\nand the input%s options.\n",
			 c->needs & WRITES ? " and write" : "");
	if (c->examples)
		man_literal(c->examples, out);
}

static void add_topics(struct str *out)
{
	for (const struct help_topic *t = help_topics + 1; t->name; t++) {
		AUTO(str_done) struct str text = STR_INIT;

		str_add(out, ".SH ");
		for (const char *s = t->name; *s; s++)
			str_addc(out, (char)(*s == '-' ? ' ' : *s - 'a' + 'A'));
		t->add(&text);
		str_addc(out, '\n');
		man_literal(text.s, out);
	}
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	(void)cli;
	(void)args;
	str_addf(&out,
		 ".TH KUBECTL\\-MCKUBE 1 \"\" \"kubectl\\-mckube %s\" \"User Commands\"\n"
		 ".SH NAME\nkubectl\\-mckube \\- place real\\-time pods on the cores of a "
		 "Kubernetes cluster\n"
		 ".SH SYNOPSIS\n.B %s\n.I COMMAND\n[options]\n.SH COMMANDS\n",
		 MCKUBE_VERSION, program_name);
	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			add_command(*c, &out);
	str_add(&out, ".SH INPUT OPTIONS\n");
	option_man(input_options, &out);
	str_add(&out, ".SH WRITE OPTIONS\n");
	option_man(write_options, &out);
	str_add(&out, ".SH GLOBAL OPTIONS\n");
	option_man(global_options, &out);
	add_topics(&out);
	str_add(&out, ".SH SEE ALSO\n.BR kubectl (1)\n");
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_man = {
	.name = "__man",
	.synopsis = "",
	.summary = "print the manual page",
	.description = "Print the manual page as source for man(1).",
	.needs = IS_HIDDEN,
	.run = run,
};
