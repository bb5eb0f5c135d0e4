/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "output/top.h"
#include "plugins/policies.h"

#include "command.h"
#include "complete_live.h"
#include "help.h"

/* Answers kubectl's completion of plugins (kubectl, pkg/cmd/plugin/plugin_completion.go): the words
 * typed so far are the arguments, the last one, maybe empty, is being completed. A choice is a
 * line, with a tab and its description behind; the last line is ":" and a sum of cobra's
 * directives. An exit code other than 0 would throw all choices away. */
enum directive {
	COMPLETE_FILES = 0, /* the shell adds file names */
	COMPLETE_NO_FILES = 4,
};

static void add_word(const char *word, const char *help, const char *typed, struct str *out)
{
	if (strncmp(word, typed, strlen(typed)) == 0)
		str_addf(out, "%s\t%s\n", word, help);
}

static enum directive add_commands(const char *typed, struct str *out)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			add_word((*c)->name, (*c)->summary, typed, out);
	return COMPLETE_NO_FILES;
}

static enum directive add_topics(struct cli *cli, const char *typed, struct str *out)
{
	(void)cli;
	add_commands(typed, out);
	for (const struct help_topic *t = help_topics; t->name; t++)
		add_word(t->name, t->summary, typed, out);
	return COMPLETE_NO_FILES;
}

static enum directive add_policies(struct cli *cli, const char *typed, struct str *out)
{
	(void)cli;
	for (const struct policy *const *p = policies; *p; p++)
		add_word((*p)->name, (*p)->help, typed, out);
	return COMPLETE_NO_FILES;
}

static enum directive add_shells(struct cli *cli, const char *typed, struct str *out)
{
	(void)cli;
	add_word("bash", "the Bourne-again shell", typed, out);
	add_word("fish", "the friendly interactive shell", typed, out);
	add_word("zsh", "the Z shell", typed, out);
	return COMPLETE_NO_FILES;
}

static enum directive add_files(struct cli *cli, const char *typed, struct str *out)
{
	(void)cli;
	(void)typed;
	(void)out;
	return COMPLETE_FILES;
}

static enum directive add_top_views(struct cli *cli, const char *typed, struct str *out)
{
	(void)cli;
	for (size_t i = 0; top_views[i]; i++)
		add_word(top_views[i], "what is listed", typed, out);
	return COMPLETE_NO_FILES;
}

#define LIVE(name)                                                                            \
	static enum directive add_##name(struct cli *cli, const char *typed, struct str *out) \
	{                                                                                     \
		complete_##name(cli, typed, out);                                             \
		return COMPLETE_NO_FILES;                                                     \
	}

LIVE(contexts)
LIVE(clusters)
LIVE(users)
LIVE(namespaces)
LIVE(refs)
LIVE(workloads)
LIVE(pods)
LIVE(nodes)

/* What the kinds of values and arguments are completed with. */
static const struct {
	const char *kind;
	enum directive (*add)(struct cli *cli, const char *typed, struct str *out);
} kinds[] = {
	{ "cluster", add_clusters },	 { "context", add_contexts }, { "file", add_files },
	{ "namespace", add_namespaces }, { "node", add_nodes },	      { "pod", add_pods },
	{ "policy", add_policies },	 { "ref", add_refs },	      { "shell", add_shells },
	{ "top", add_top_views },	 { "topic", add_topics },     { "user", add_users },
	{ "workload", add_workloads },
};

static enum directive add_kind(struct cli *cli, const char *kind, const char *typed,
			       struct str *out)
{
	for (size_t i = 0; kind && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].add(cli, typed, out);
	return COMPLETE_NO_FILES;
}

/* The kind of a command's argument number i; the last kind stands for all further ones. */
static const char *word_kind(const struct command *c, size_t i)
{
	const char *const *kind = c->word_kinds;

	if (!kind || i >= c->max_words)
		return NULL;
	while (i-- && kind[1])
		kind++;
	return *kind;
}

/* Takes in the words before the one being typed; how many of them are arguments. What they say
 * about the connection stays in the cli. */
static size_t read_words(struct cli *cli, struct option_set *sets, int argc, char **argv)
{
	struct option_list words = { 0 };

	option_parse(sets, argc, argv, &cli->arena, &words, NULL);
	size_t n = words.n;
	array_done(&words);
	return n;
}

static enum directive complete_for(struct cli *cli, const struct command *command, int argc,
				   char **argv, struct str *out)
{
	struct option_set *sets = cli->sets = command_sets(cli, command);
	const char *typed = argv[argc - 1], *value;
	bool is_argument;
	const struct option *o = option_awaiting(sets, argc, argv, &value, &is_argument);
	size_t n_words = read_words(cli, sets, argc - 1, argv);

	if (o) {
		option_complete_value(o, value, out);
		return add_kind(cli, o->complete, value, out);
	}
	if (typed[0] == '-' && !is_argument) {
		option_complete(sets, typed, out);
		return COMPLETE_NO_FILES;
	}
	if (!command)
		return add_commands(typed, out);
	return add_kind(cli, word_kind(command, n_words), typed, out);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	static char empty[] = "";
	const struct command *command = NULL;

	(void)args;
	if (!cli->words.n)
		*array_add(&cli->words) = empty;

	char **argv = (char **)cli->words.items;
	int argc = (int)cli->words.n, at = command_index(argc - 1, argv);
	if (at < argc - 1) {
		command = command_find(argv[at]);
		memmove(argv + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*argv));
		argc--;
	}
	enum directive directive = COMPLETE_NO_FILES;
	if (command || at == (int)cli->words.n - 1)
		directive = complete_for(cli, command, argc, argv, &out);
	complete_in_time();
	str_addf(&out, ":%d\n", directive);
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_complete = {
	.name = "__complete",
	.synopsis = "WORD...",
	.summary = "answer the completion of kubectl or of a shell",
	.description = "Print the completions of the last word, by the protocol of "
		       "kubectl_complete-mckube.",
	.needs = TAKES_RAW | IS_HIDDEN,
	.max_words = UINT32_MAX,
	.run = run,
};
