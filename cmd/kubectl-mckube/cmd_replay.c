/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/yaml.h"
#include "output/replay.h"

#include "command.h"
#include "history.h"

enum { REPLAY_TEXT, REPLAY_JSON, REPLAY_YAML };

static const char *const formats[] = { "text", "json", "yaml", NULL };

struct replay_args {
	const char *pod;
	uint32_t within; /* ppm */
	int32_t output;	 /* index in formats */
};

static const struct option options[] = {
	OPT_STRING(0, "pod", struct replay_args, pod, "NAME", "only the pods of this name",
		   .complete = "pod"),
	OPT_RATIO(0, "within", struct replay_args, within, HISTORY_WITHIN_MIN, HISTORY_WITHIN_MAX,
		  "share of the periods that the suggested runtime_low shall be enough for",
		  .preset = HISTORY_WITHIN),
	OPT_ENUM('o', "output", struct replay_args, output, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

struct wanted {
	const char *ns, *name; /* NULL: any */
};

static bool is_shown(const struct replay_pod *p, void *arg)
{
	const struct wanted *w = arg;

	return (!w->ns || strcmp(p->ns, w->ns) == 0) && (!w->name || strcmp(p->name, w->name) == 0);
}

static int check_wanted(const struct replay *r, struct wanted *w, struct error *err)
{
	array_each(p, &r->pods)
		if (is_shown(p, w))
			return 0;
	return !w->ns && !w->name
		       ? 0
		       : error_set(err, -ENOENT, "no pod %s%s%s in the history", w->ns ? w->ns : "",
				   w->ns && w->name ? "/" : "", w->name ? w->name : "");
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct replay_args *a = args;
	struct wanted wanted = { cli->global.ns, a->pod };
	AUTO(history_done) struct history h = { 0 };
	AUTO(replay_done) struct replay r = { 0 };
	AUTO(str_done) struct str out = STR_INIT, yaml = STR_INIT;

	for (size_t i = 0; i < cli->words.n; i++)
		if (history_load(cli->words.items[i], &h, err) < 0)
			return err->code;
	if (replay_run(&h, a->within, &r, err) < 0 || check_wanted(&r, &wanted, err) < 0)
		return err->code;
	if (a->output == REPLAY_TEXT)
		replay_text(&r, is_shown, &wanted, &cli->style, &out);
	else
		replay_json(&r, is_shown, &wanted, &out);
	if (a->output == REPLAY_YAML && yaml_from_json(out.s, out.n, &yaml, err) < 0)
		return err->code;
	return print_text(a->output == REPLAY_YAML ? &yaml : &out, EXIT_DONE, err);
}

static const char *const word_kinds[] = { "file", NULL };

const struct command command_replay = {
	.name = "replay",
	.synopsis = "FILE... [options]",
	.summary = "play a node's recorded overruns through the rules, and suggest budgets",
	.description =
		"Play what `mckube-node run --history-file` has recorded on a node through the rules of the helper:\n"
		"how often each pod was at each level, which budgets would have been enough, and a runtime_low. Of a\n"
		"history that was rotated the older file comes first; - is standard input. In a cluster the helpers\n"
		"record with `manifests --set 'node.extraArgs=[\"--history-file=/run/mckube-node/history.jsonl\"]'`;\n"
		"the file is on the node.\n"
		"\n"
		"A suggestion is the smallest budget, rounded up by at most an eighth, that was enough for the given\n"
		"share of the periods in which the pod ran. Its confidence is shown: how many periods it was enough\n"
		"for, of how many, seen in how much time. There is none with too few periods (ten must be expected\n"
		"above it: 10000 periods for 0.999), none where too many periods used all that the pod had, and none\n"
		"where the helper could not count periods (it needs BPF and the backend rt or soft). Whether a core\n"
		"has room for it, `plan` says.\n"
		"\n"
		"\"With the suggestions\" is the most that could have come with suggestions that are higher than the\n"
		"budgets were. Levels that were set from outside are not replayed.",
	.examples = "# all pods of a node\n"
		    "kubectl mckube replay test/example/history.jsonl\n"
		    "\n"
		    "# a budget for 99.99 per cent of the periods of one pod\n"
		    "kubectl mckube replay test/example/history.jsonl -n vehicle --pod brake "
		    "--within 0.9999\n"
		    "\n"
		    "# for a script\n"
		    "kubectl mckube replay test/example/history.jsonl -o json\n",
	.options = options,
	.args_size = sizeof(struct replay_args),
	.min_words = 1,
	.max_words = 64,
	.word_kinds = word_kinds,
	.run = run,
};
