/* SPDX-License-Identifier: Apache-2.0 */
#include "top_run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/units.h"
#include "kube/watch.h"
#include "state/informer.h"

#include "screen.h"

enum { KEYS_MS = 100, CLOCK_TEXT = 48 };

int top_input_of(const struct top_run *t, const struct cluster *c, struct top_input *ret,
		 struct error *err)
{
	*ret = (struct top_input){
		.c = c,
		.settings = &t->settings,
		.uses = &t->uses,
		.ns = t->ns,
		.node = NONE,
		.now = c->taken_at,
	};
	if (!t->args->node)
		return 0;
	ret->node = cluster_node(c, t->args->node);
	bool is_read = c->nodes.n || c->taken_at;
	if (ret->node == NONE && is_read)
		return error_set(err, -ENOENT, "node '%s' not found", t->args->node);
	return 0;
}

static int draw(struct top_run *t, const struct cluster *c, const char *when, struct error *err)
{
	AUTO(str_done) struct str lines = STR_INIT;
	struct top_input in;
	unsigned width, height;

	screen_size(&width, &height);
	if (top_input_of(t, c, &in, err) < 0)
		return err->code;
	top_screen_draw(&t->screen, &in, when, width, height, t->style, &lines);
	t->drawn_ms = clock_ms();
	return screen_draw(&lines, err);
}

/* 1: something was typed; 2: the end. An escape key alone is known as one when nothing follows. */
static int type(struct top_run *t, struct error *err)
{
	int n = screen_read(t->keys + t->n_keys, sizeof(t->keys) - t->n_keys, err);
	size_t used;

	if (n < 0)
		return n;
	if (!n && !t->n_keys)
		return 0;
	t->n_keys += (size_t)n;
	bool is_end = top_screen_type(&t->screen, t->keys, t->n_keys, !n, &used);
	t->n_keys -= used;
	memmove(t->keys, t->keys + used, t->n_keys);
	return is_end ? 2 : 1;
}

static int exit_code(void)
{
	return screen_end_signal() ? EXIT_SIGNAL + screen_end_signal() : EXIT_DONE;
}

/* A snapshot does not change. */
int top_show_snapshot(struct top_run *t, const struct cluster *c, struct error *err)
{
	unsigned width, height;
	int typed = 1;

	while (typed != 2 && !screen_end_signal()) {
		if ((screen_size(&width, &height) || typed) && draw(t, c, "a snapshot", err) < 0)
			return err->code;
		usleep(KEYS_MS * 1000);
		typed = type(t, err);
		if (typed < 0)
			return typed;
	}
	return exit_code();
}

/* A cluster that is followed. */
struct follow {
	struct top_run *run;
	struct kube *kube;
	struct informer *informer;
	struct kube_watch leases;
	bool has_news;
	char when[CLOCK_TEXT];
};

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	struct follow *f = w->arg;
	struct slice item;
	int r = watch_whole_item(text, &item, ret_used);

	(void)err;
	if (r == 0)
		node_uses_take(&f->run->uses, item.s, item.n, false);
	f->has_news = true;
	return r;
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	struct follow *f = w->arg;

	(void)err;
	if (e->type > WATCH_DELETED)
		return 0;
	node_uses_take(&f->run->uses, e->object.s, e->object.n, e->type == WATCH_DELETED);
	f->has_news = true;
	return 0;
}

static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct follow *f = w->arg;

	if (!is_complete)
		node_uses_clear(&f->run->uses);
}

static void follow_done(struct follow *f)
{
	kube_watch_done(&f->leases);
	informer_free(f->informer);
}

static void follow_start(struct follow *f, const struct cli *cli, const char *server)
{
	f->informer = informer_start(f->kube, server, (uint32_t)cli->live.chunk,
				     &(struct informer_polls){ 0 });
	f->leases = (struct kube_watch){
		.resource = &kube_leases,
		.label_selector = HELPER_LABEL_KEY "=" HELPER_LABEL_VALUE,
		.is_forgiving = true,
		.chunk = (uint32_t)cli->live.chunk,
		.item = on_item,
		.event = on_event,
		.sync = on_sync,
		.arg = f,
	};
	kube_watch_start(f->kube, &f->leases);
	snprintf(f->when, sizeof(f->when), "reading the cluster");
}

/* The time at which the server last said something that is shown. */
static void commit(struct follow *f)
{
	struct store *store = informer_store(f->informer);
	time_t now = time(NULL);
	struct tm local;

	if (!informer_is_current(f->informer) || (!store_is_dirty(store) && !f->has_news))
		return;
	store_commit(store, now);
	f->has_news = false;
	localtime_r(&now, &local);
	strftime(f->when, sizeof(f->when), "as of %H:%M:%S", &local);
}

/* Works and waits for a moment. */
static int step(struct follow *f, struct error *err)
{
	int wait = informer_step(f->informer, err);

	if (wait < 0)
		return wait;
	if (kube_watch_step(&f->leases) < 0)
		return error_set(err, f->leases.result, "%s", f->leases.err.msg);
	http_wait(f->kube->http, wait < KEYS_MS ? wait : KEYS_MS);
	return 0;
}

static bool is_due(const struct top_run *t)
{
	return clock_ms() - t->drawn_ms >= t->args->interval / NS_PER_MS;
}

int top_follow(struct cli *cli, struct top_run *t, struct error *err)
{
	AUTO(live_close) struct live live = { 0 };
	AUTO(follow_done) struct follow f = { .run = t, .kube = &live.kube };
	unsigned width, height;
	int typed = 1;

	if (live_open(cli, &live, err) < 0)
		return err->code;
	follow_start(&f, cli, live.target.cluster.server);
	while (typed != 2 && !screen_end_signal()) {
		bool is_now = screen_size(&width, &height) || typed == 1;

		if (is_due(t))
			commit(&f);
		const struct cluster *c = store_cluster(informer_store(f.informer));
		if ((is_now || is_due(t)) && draw(t, c, f.when, err) < 0)
			return err->code;
		if (step(&f, err) < 0)
			return err->code;
		typed = type(t, err);
		if (typed < 0)
			return typed;
	}
	return exit_code();
}
