/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/log.h"

/* Under way at a time: each connection costs a server as much as a small list, and all of them are
 * opened while the largest list waits. */
enum { LISTS_AT_ONCE = 6 };

enum { MEASURED_MS = 10000 };

static int take_item(struct split *s, struct slice text, size_t *ret_used, struct error *err)
{
	struct kube_list *l = s->arg;

	return l->take(l, text, ret_used, err);
}

static int on_bytes(struct http_call *call, struct slice bytes, struct error *err)
{
	struct kube_list *l = call->arg;

	l->has_bytes = true;
	if (split_feed(&l->split, bytes, err) < 0)
		return err->code;
	return l->n_items + l->split.n_items > LIST_ITEMS_MAX
		       ? error_set(err, -EFBIG, "more than %d items", LIST_ITEMS_MAX)
		       : 0;
}

static void on_page(struct http_call *call);

/* Asks for the page that `token` leads to; NULL for the first. */
static void ask(struct kube_list *l, const char *token)
{
	struct kube_request *r = &l->request;
	char limit[16];

	kube_request_done(r);
	*r = (struct kube_request){ .path = STR_INIT, .body = STR_INIT };
	snprintf(limit, sizeof(limit), "%u", l->chunk ? l->chunk : LIST_CHUNK);
	kube_path(&r->path, l->resource, l->ns, NULL, NULL);
	kube_query(&r->path, "limit", limit);
	if (l->label_selector)
		kube_query(&r->path, "labelSelector", l->label_selector);
	if (l->field_selector)
		kube_query(&r->path, "fieldSelector", l->field_selector);
	if (token)
		kube_query(&r->path, "continue", token);
	r->call.method = "GET";
	if (l->is_measured) {
		r->call.is_stream = true;
		r->call.timeout_ms = MEASURED_MS;
	}
	r->call.sink = on_bytes;
	r->call.done = on_page;
	r->call.arg = l;
	split_done(&l->split);
	split_init(&l->split);
	kube_start(l->kube, r);
}

static void end(struct kube_list *l, int result)
{
	l->result = result;
	l->is_running = false;
	if (result < 0)
		error_wrap(&l->err, "list %s", l->resource->plural);
	if (l->done)
		l->done(l);
}

/* Is this an end after which the list may begin again? A connection that never brought anything is
 * none: http.c has tried that already. */
static bool may_restart(const struct kube_list *l, const struct http_call *call)
{
	bool is_late = call->code == 410;
	bool is_broken = call->result == -ECONNRESET && (l->n_pages || l->has_bytes);

	return l->restart && (is_late || is_broken) && l->n_restarts < LIST_RESTARTS;
}

/* A success with something else in it (a proxy's {}, a Status, another kind) is no empty list.
 * Kinds are compared without case: an older definition of McKube spells it MCKube. */
static int check_page(const struct kube_list *l, struct error *err)
{
	const struct split *s = &l->split;
	AUTO_FREE char *kind = xasprintf("%sList", l->resource->kind);

	if (strcasecmp(s->kind.s, kind) != 0 && strcmp(s->kind.s, "List") != 0)
		return error_set(err, -EBADMSG, "reply: kind must be %s, is '%.80s'", kind,
				 s->kind.s);
	if (!s->has_items)
		return error_set(err, -EBADMSG, "reply: items is missing");
	if (!s->version.n && !l->is_measured)
		return error_set(err, -EBADMSG, "reply: metadata.resourceVersion is missing");
	return 0;
}

/* Does the list make progress and stay within bounds? */
static int check_progress(struct kube_list *l, struct error *err)
{
	l->n_empty_pages = l->split.n_items ? 0 : l->n_empty_pages + 1;
	if (l->split.token.n && l->n_empty_pages > LIST_EMPTY_PAGES)
		return error_set(err, -EBADMSG, "reply: %d pages without items", l->n_empty_pages);
	return 0;
}

static void restart(struct kube_list *l)
{
	log_v(2, "relisting %s: %s", l->resource->plural, l->err.msg);
	l->n_restarts++;
	l->n_items = l->n_pages = 0;
	l->n_empty_pages = 0;
	l->has_bytes = false;
	l->restart(l);
	ask(l, NULL);
}

/* Part of the items have come: none shall be left. */
static void forget(struct kube_list *l)
{
	if (l->restart)
		l->restart(l);
}

static void on_page(struct http_call *call)
{
	struct kube_list *l = call->arg;
	int r = call->result;

	l->err = call->err;
	if (r == 0)
		r = split_end(&l->split, &l->err);
	if (r == 0)
		r = check_page(l, &l->err);
	if (r == 0)
		r = check_progress(l, &l->err);
	if (r < 0 && ((call->code == 404 && l->is_optional) ||
		      (call->code == 403 && l->is_forgiving) || l->is_measured)) {
		l->is_missing = true;
		if (l->is_measured)
			log_v(2, "list %s: %s", l->resource->plural, l->err.msg);
		if (l->n_pages || l->has_bytes)
			forget(l);
		end(l, 0);
		return;
	}
	if (r < 0 && may_restart(l, call)) {
		restart(l);
		return;
	}
	if (r < 0) {
		end(l, r);
		return;
	}
	l->n_items += l->split.n_items;
	l->n_pages++;
	str_clear(&l->version);
	str_add(&l->version, l->split.version.s);
	if (!l->split.token.n) {
		end(l, 0);
		return;
	}
	AUTO(str_done) struct str token = l->split.token;
	l->split.token = (struct str)STR_INIT;
	ask(l, token.s);
}

void kube_list_start(struct kube *k, struct kube_list *l)
{
	l->kube = k;
	l->version = (struct str)STR_INIT;
	l->split.take = take_item;
	l->split.arg = l;
	split_init(&l->split);
	l->is_running = true;
	ask(l, NULL);
}

static unsigned count_running(const struct kube_list *lists, size_t n)
{
	unsigned running = 0;

	for (size_t i = 0; i < n; i++)
		running += lists[i].is_running;
	return running;
}

int kube_list_all(struct kube *k, struct kube_list *lists, size_t n, struct error *err)
{
	size_t started = 0;

	while (started < n || count_running(lists, n) > 0) {
		if (started < n && count_running(lists, started) < LISTS_AT_ONCE)
			kube_list_start(k, &lists[started++]);
		else
			http_run(k->http, 1000);
	}
	for (size_t i = 0; i < n; i++)
		if (lists[i].result < 0)
			return error_set(err, lists[i].result, "%s", lists[i].err.msg);
	return 0;
}

void kube_list_done(struct kube_list *l)
{
	if (!l->kube)
		return;
	kube_request_done(&l->request);
	split_done(&l->split);
	str_done(&l->version);
	l->kube = NULL;
}
