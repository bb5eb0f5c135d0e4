/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "base/nearest.h"
#include "objects/config.h"
#include "reconcile/watch_metrics.h"

enum { HELP_WIDTH = 90 };

static void add_options(struct str *out)
{
	str_add(out, "The following options can be passed to any command:\n\n");
	option_help(global_options, HELP_WIDTH, out);
	str_add(out, "\nThese select the API server and the credentials. They are "
		     "kubectl's:\n\n");
	option_help(kube_global_options, HELP_WIDTH, out);
	str_add(out, "\nThese limit the rate of requests:\n\n");
	option_help(live_options, HELP_WIDTH, out);
}

static void add_config(struct str *out)
{
	const struct style style = { .width = HELP_WIDTH };

	str_add(out,
		"The configuration is a YAML or JSON file, named by --config or "
		"MCKUBE_CONFIG:\n\n"
		"  apiVersion: " MCKUBE_API_VERSION "\n"
		"  kind: Configuration\n"
		"  coreUtilizationThreshold: 0.85\n"
		"  policies:\n"
		"  - { name: spread }\n"
		"  - { name: topology, weight: 3 }\n"
		"  search: { steps: 1000000 }\n\n"
		"All keys are optional. Flags override environment variables, which override the "
		"file.\n"
		"An unknown key is an error. The keys, and their environment variables:\n");
	for (const struct option *key = config_keys; key->name; key++) {
		AUTO(str_done) struct str domain = STR_INIT;

		option_domain(key, &domain);
		str_addf(out, "\n  %s", key->name);
		str_addf(out, " (%s%sdefault %s)\n      ", domain.n ? domain.s : "",
			 domain.n ? ", " : "", key->preset);
		config_variable(key->name, out);
		str_addc(out, '\n');
		style_wrap(&style, out, COLOR_NONE, 6, key->help);
	}
}

static void add_metrics(struct str *out)
{
	str_add(out, "Metrics of watch, in the text format of Prometheus. Those to alert on are "
		     "mckube_run_status,\nmckube_last_success_timestamp_seconds and "
		     "mckube_unplaced_pods. The series of cores and pods\nare limited in number; "
		     "mckube_series_left_out counts the others. Overruns and changes of\nlevels "
		     "are those seen in the API; mckube-node counts all of them.\n\n");
	watch_metrics_describe(out);
}

static void add_exit_codes(struct str *out)
{
	str_add(out, "   0  done\n"
		     "   1  error: one line on standard error names object and field\n"
		     "   2  plan --detailed-exitcode: the plan changes something\n"
		     "   3  plan --detailed-exitcode: some pod cannot be placed (3 beats 2)\n"
		     "   4  apply: some actions were executed and some were not\n"
		     " 130  interrupted (SIGINT)\n"
		     " 141  standard output was closed by its reader (SIGPIPE)\n"
		     " 143  terminated (SIGTERM)\n");
}

const struct help_topic help_topics[] = {
	{ "options", "the options of every command", add_options },
	{ "config", "the configuration file and its environment variables", add_config },
	{ "metrics", "the metrics of watch", add_metrics },
	{ "exit-codes", "what the exit codes mean", add_exit_codes },
	{},
};

static void add_list(const char *title, struct str *out)
{
	str_addf(out, "%s\n", title);
	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			str_addf(out, "  %-12s %s\n", (*c)->name, (*c)->summary);
}

static void add_overview(struct str *out)
{
	str_add(out,
		"Places mixed-criticality real-time pods on the cores of a cluster, and explains "
		"every decision.\n\n"
		"A cluster is read into a snapshot, a plan is made from it, and the plan is shown,\n"
		"saved or executed.\n\n");
	add_list("Commands:", out);
	str_add(out, "\nOther help topics:\n");
	for (const struct help_topic *t = help_topics; t->name; t++)
		str_addf(out, "  %-12s %s\n", t->name, t->summary);
	str_addf(out,
		 "\nUsage:\n  %s COMMAND [options]\n\n"
		 "Use \"%s help COMMAND\" for more about a command.\n",
		 program_name, program_name);
}

/* Every line with two blanks before it. */
static void add_indented(const char *text, struct str *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		str_addf(out, n ? "  %.*s\n" : "\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void help_command(const struct command *command, struct str *out)
{
	if (command == &command_help) {
		add_overview(out);
		return;
	}
	str_addf(out, "%s\n", command->description);
	if (command->examples) {
		str_add(out, "\nExamples:\n");
		add_indented(command->examples, out);
	}
	if (command->options) {
		str_add(out, "\nOptions:\n");
		option_help(command->options, HELP_WIDTH, out);
	}
	if (command->needs & NEEDS_INPUT) {
		str_add(out, "\nInput options:\n");
		option_help(input_options, HELP_WIDTH, out);
	}
	if (command->needs & WRITES) {
		str_add(out, "\nWrite options:\n");
		option_help(write_options, HELP_WIDTH, out);
	}
	str_addf(out,
		 "\nUsage:\n  %s %s%s%s\n\n"
		 "Use \"%s help options\" for the options of every command.\n",
		 program_name, command->name, *command->synopsis ? " " : "", command->synopsis,
		 program_name);
}

static int unknown_topic(struct cli *cli, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			nearest_offer(&nearest, (*c)->name);
	for (const struct help_topic *t = help_topics; t->name; t++)
		nearest_offer(&nearest, t->name);
	if (nearest.best)
		return usage_error(cli, err, "unknown help topic \"%s\" (did you mean %s?)", name,
				   nearest.best);
	return usage_error(cli, err, "unknown help topic \"%s\"", name);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	const char *name = cli->words.n ? cli->words.items[0] : command_help.name;
	const struct command *command = command_find(name);
	const struct help_topic *topic = help_topics;

	(void)args;
	while (topic->name && strcmp(topic->name, name) != 0)
		topic++;
	if (command)
		help_command(command, &out);
	else if (topic->name)
		topic->add(&out);
	else
		return unknown_topic(cli, name, err);
	return print_text(&out, EXIT_DONE, err);
}

static const char *const word_kinds[] = { "topic", NULL };

const struct command command_help = {
	.name = "help",
	.synopsis = "[COMMAND|TOPIC]",
	.summary = "show how a command is used, or a help topic",
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
