/* SPDX-License-Identifier: Apache-2.0 */
#include "status_watch.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "state/informer.h"

#include "execute.h"
#include "live.h"

enum { LOOK_MS = 500 };

struct watched {
	struct cli *cli;
	struct status_view view;
	struct settings settings;
	enum format format;
	struct table shown; /* the rows of last time */
};

static bool same_cells(const struct cell *a, const struct cell *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].kind != b[i].kind || a[i].n != b[i].n ||
		    strcmp(a[i].text ? a[i].text : "", b[i].text ? b[i].text : "") != 0)
			return false;
	return true;
}

/* Rows are few, or seldom change. */
static bool was_shown(const struct watched *w, const struct cell *row, size_t n)
{
	for (size_t i = 0; i < w->shown.cells.n; i += n)
		if (same_cells(&w->shown.cells.items[i], row, n))
			return true;
	return false;
}

static int print_changes(struct watched *w, const struct cluster *c, struct error *err)
{
	AUTO(table_done) struct table changed = { 0 };
	AUTO(str_done) struct str out = STR_INIT;
	struct table now = { 0 };

	if (status_table(c, &w->settings, &w->view, &now, err) < 0) {
		table_done(&now);
		return err->code;
	}
	size_t n = table_columns(&now);
	changed.columns = now.columns;
	for (size_t i = 0; i < now.cells.n; i += n)
		if (!w->shown.columns || !was_shown(w, &now.cells.items[i], n))
			table_add(&changed, &now.cells.items[i]);
	bool is_first = !w->shown.columns;
	table_done(&w->shown);
	w->shown = now;
	if (!is_first && !changed.cells.n)
		return 0;
	if (table_render(&changed, w->format, &w->cli->style, is_first && w->view.has_header, &out,
			 err) < 0)
		return err->code;
	return print_text(&out, EXIT_DONE, err);
}

static int turn(struct watched *w, struct informer *f, struct live *live, int64_t *due_ms,
		struct error *err)
{
	struct store *store = informer_store(f);
	int wait = informer_step(f, err);

	if (wait < 0)
		return wait;
	http_wait(live->kube.http, wait < LOOK_MS ? wait : LOOK_MS);
	if (!informer_is_current(f) || clock_ms() < *due_ms ||
	    (w->shown.columns && !store_is_dirty(store)))
		return 0;
	*due_ms = clock_ms() + LOOK_MS;
	store_commit(store, time(NULL));
	return print_changes(w, store_cluster(store), err);
}

int status_watch(struct cli *cli, const struct status_view *view, enum format format,
		 struct error *err)
{
	AUTO(live_close) struct live live = { 0 };
	struct watched w = { .cli = cli, .view = *view, .format = format };
	int64_t due_ms = 0;
	int r = 0;

	interrupt_catch();
	if (inputs_settings(cli, &w.settings, err) < 0 || live_open(cli, &live, err) < 0)
		return err->code;
	struct informer *f =
		informer_start(&live.kube, live.target.cluster.server, (uint32_t)cli->live.chunk,
			       &(struct informer_polls){ 0 });
	while (r >= 0 && !interrupt_reason())
		r = turn(&w, f, &live, &due_ms, err);
	informer_free(f);
	table_done(&w.shown);
	return r < 0 ? r : EXIT_DONE;
}
