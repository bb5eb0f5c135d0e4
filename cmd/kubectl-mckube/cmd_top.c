/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/names.h"
#include "kube/watch.h"

#include "command.h"
#include "screen.h"
#include "top_run.h"

static const struct option options[] = {
	OPT_BOOL(0, "once", struct top_args, is_once,
		 "print one listing, as where standard input or output is no terminal"),
	OPT_ENUM('o', "output", struct top_args, output, listing_formats, "FORMAT",
		 "output format of one listing; another one than table implies --once",
		 .preset = "table"),
	OPT_BOOL(0, "no-headers", struct top_args, has_no_headers, "leave out the headings"),
	OPT_STRING(0, "sort-by", struct top_args, sort_by, "COLUMN",
		   "sort a listing by this column, by its title or its key in JSON"),
	OPT_BOOL(0, "reverse", struct top_args, is_reversed, "the largest first"),
	OPT_STRING(0, "node", struct top_args, node, "NAME", "only this node", .complete = "node"),
	OPT_DURATION(0, "interval", struct top_args, interval,
		     "how often the screen is drawn again at most", .preset = "1s"),
	{},
};

static void top_run_done(struct top_run *t)
{
	node_uses_done(&t->uses);
}

static int print(const struct top_run *t, const struct cluster *c, enum top_view view,
		 struct error *err)
{
	AUTO(table_done) struct table table = { 0 };
	AUTO(str_done) struct str out = STR_INIT;
	struct top_input in;

	if (top_input_of(t, c, &in, err) < 0)
		return err->code;
	top_table(&in, view, &table);
	if (t->args->sort_by) {
		int column = table_find_column(&table, t->args->sort_by, err);

		if (column < 0)
			return error_wrap(err, "--sort-by");
		table_sort(&table, (size_t)column, t->args->is_reversed);
	}
	if (table_render(&table, (enum format)t->args->output, t->style, !t->args->has_no_headers,
			 &out, err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static int take_object(const struct object_text *object, void *arg, struct error *err)
{
	(void)err;
	node_uses_take(arg, object->json.s, object->json.n, false);
	return 0;
}

static int take_item(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	struct slice item;
	int r = watch_whole_item(text, &item, ret_used);

	(void)err;
	if (r == 0)
		node_uses_take(l->arg, item.s, item.n, false);
	return r;
}

/* As the planner reads these Leases, one may not be allowed to. */
static int list_uses(struct live *live, uint32_t chunk, struct node_uses *uses, struct error *err)
{
	struct kube_list list = {
		.resource = &kube_leases,
		.label_selector = HELPER_LABEL_KEY "=" HELPER_LABEL_VALUE,
		.is_forgiving = true,
		.chunk = chunk,
		.take = take_item,
		.arg = uses,
	};
	int r = kube_list_all(&live->kube, &list, 1, err);

	kube_list_done(&list);
	return r;
}

static int read_uses(struct cli *cli, struct inputs *in, struct node_uses *uses, struct error *err)
{
	if (in->is_live && list_uses(&in->live, (uint32_t)cli->live.chunk, uses, err) < 0)
		return err->code;
	array_each(source, &in->sources)
		if (objects_read(source, take_object, uses, err) < 0)
			return err->code;
	return 0;
}

static int view_of(struct cli *cli, enum top_view *ret, struct error *err)
{
	const char *word = cli->words.n ? cli->words.items[0] : "pods";

	for (int i = 0; top_views[i]; i++) {
		size_t n = strlen(top_views[i]);

		if (strcmp(word, top_views[i]) == 0 ||
		    (strlen(word) == n - 1 && strncmp(word, top_views[i], n - 1) == 0)) {
			*ret = (enum top_view)i;
			return 0;
		}
	}
	return usage_error(cli, err, "'%s': must be pods, nodes or cores", word);
}

static int run_once(struct cli *cli, struct top_run *t, enum top_view view, bool is_screen,
		    struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };

	if (inputs_load(cli, true, &in, err) < 0 || read_uses(cli, &in, &t->uses, err) < 0)
		return err->code;
	t->settings = in.settings;
	if (!is_screen)
		return print(t, &in.cluster, view, err);
	if (screen_open(err) < 0)
		return err->code;
	int r = top_show_snapshot(t, &in.cluster, err);
	screen_close();
	return r;
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct top_args *a = args;
	AUTO(top_run_done) struct top_run t = { .args = a, .ns = inputs_namespace(cli) };
	bool is_screen = !a->is_once && a->output == FORMAT_TABLE && !a->sort_by &&
			 isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	enum top_view view = TOP_PODS;

	if (view_of(cli, &view, err) < 0)
		return err->code;
	if (view == TOP_CORES && a->output == FORMAT_NAME)
		return usage_error(cli, err, "-o name: cores have no names");
	t.style = &cli->style;
	top_screen_init(&t.screen, view);
	if (!is_screen || cli->input.snapshots.n || cli->input.files.n)
		return run_once(cli, &t, view, is_screen, err);
	if (inputs_settings(cli, &t.settings, err) < 0 || screen_open(err) < 0)
		return err->code;
	int r = top_follow(cli, &t, err);
	screen_close();
	return r;
}

static const char *const word_kinds[] = { "top", NULL };

const struct command command_top = {
	.name = "top",
	.synopsis = "[pods|nodes|cores] [--snapshot FILE] [options]",
	.summary = "show what pods use of their budgets, live",
	.description =
		"Show what pods use of their budgets in each period, on each of their cores: the "
		"mean of the last\nminute (USED) and the 99th percentile of the periods in which "
		"they ran (P99), their levels, overruns\nand when a level last changed; or the "
		"same as sums of nodes or cores.\n\n"
		"On a terminal it is drawn again whenever the cluster changes, until q. What is "
		"used comes from the\nnode helpers' Leases, every ten seconds: reading it needs no "
		"permission beyond those of status.\nA backend that counts no periods has no P99, "
		"and there USED is the CPU time of all threads.",
	.examples = "# all pods, live\n"
		    "kubectl mckube top\n"
		    "\n"
		    "# the cores of one node, once\n"
		    "kubectl mckube top cores --node front --snapshot test/example/cluster.yaml "
		    "--once\n"
		    "\n"
		    "# for a script\n"
		    "kubectl mckube top nodes --snapshot test/example/cluster.yaml -o json\n",
	.options = options,
	.args_size = sizeof(struct top_args),
	.needs = NEEDS_INPUT,
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
