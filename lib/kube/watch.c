/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/scan.h"
#include "base/timer.h"

/* One line. */

static bool type_parse(struct slice text, enum watch_type *ret)
{
	static const char *const names[] = {
		[WATCH_ADDED] = "ADDED",     [WATCH_MODIFIED] = "MODIFIED",
		[WATCH_DELETED] = "DELETED", [WATCH_BOOKMARK] = "BOOKMARK",
		[WATCH_ERROR] = "ERROR",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq(text, names[i])) {
			*ret = (enum watch_type)i;
			return true;
		}
	return false;
}

/* Steps into the member of an object, NULL-terminated path; the text of its value. 1: found. */
static int find(struct slice object, const char *const *path, struct slice *ret)
{
	struct scan s = scan_of(object);
	struct slice key;
	int r = scan_open(&s, '{');

	while (r == 0 && (r = scan_member(&s, &key)) > 0) {
		const char *from = s.at;

		r = scan_skip(&s);
		if (r < 0)
			return r;
		if (!slice_eq(key, *path))
			continue;
		*ret = (struct slice){ from, (size_t)(s.at - from) };
		return path[1] ? find(*ret, path + 1, ret) : 1;
	}
	return r;
}

static int take_version(struct slice object, struct str *version)
{
	static const char *const path[] = { "metadata", "resourceVersion", NULL };
	struct slice value = { 0 }, text;
	int r = find(object, path, &value);

	str_clear(version);
	if (r <= 0)
		return r;
	struct scan s = scan_of(value);
	scan_blank(&s);
	if (scan_string(&s, &text) == 0)
		scan_unescape(text, version);
	return 1;
}

int watch_whole_item(struct slice text, struct slice *ret, size_t *ret_used)
{
	struct scan scan = scan_of(text);
	int r = scan_skip(&scan);

	if (r < 0)
		return r;
	*ret_used = (size_t)(scan.at - text.s);
	*ret = (struct slice){ text.s, *ret_used };
	return 0;
}

int watch_parse(struct slice line, struct watch_event *ret, struct str *version, struct error *err)
{
	static const char *const type_path[] = { "type", NULL }, *const object_path[] = { "object",
											  NULL };
	struct slice type = { 0 }, name;

	if (scan_check(line, err) < 0)
		return error_wrap(err, "watch");
	if (find(line, type_path, &type) <= 0 || find(line, object_path, &ret->object) <= 0)
		return error_set(err, -EBADMSG, "watch: an event without type or object");
	struct scan s = scan_of(type);
	scan_blank(&s);
	if (scan_string(&s, &name) < 0 || !type_parse(name, &ret->type))
		return error_set(err, -EBADMSG, "watch: an event of unknown type %.*s",
				 (int)(type.n < 40 ? type.n : 40), type.s);
	if (ret->type != WATCH_ERROR && take_version(ret->object, version) <= 0)
		return error_set(err, -EBADMSG, "watch: an object without resourceVersion");
	ret->version = version->s;
	return 0;
}

/* The stream. */

static int on_error_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	struct kube_status status;
	int r = kube_status_error(500, e->object, &status, err);

	w->is_expired = status.code == 410;
	return r;
}

static int on_line(struct kube_watch *w, struct slice line, struct error *err)
{
	AUTO(str_done) struct str version = STR_INIT;
	struct watch_event e = { 0 };

	if (watch_parse(line, &e, &version, err) < 0)
		return -EBADMSG;
	if (e.type == WATCH_ERROR)
		return on_error_event(w, &e, err);
	w->n_events++;
	if (e.type != WATCH_BOOKMARK && w->event(w, &e, err) < 0) {
		w->has_failed = true;
		return err->code ? err->code : -ECANCELED;
	}
	str_clear(&w->version);
	str_add(&w->version, version.s);
	return 0;
}

static bool is_empty(struct slice line)
{
	struct scan s = scan_of(line);

	return scan_blank(&s) < 0;
}

static int on_bytes(struct http_call *call, struct slice bytes, struct error *err)
{
	struct kube_watch *w = call->arg;
	const char *end;

	w->has_streamed = true;
	w->received_ms = clock_ms();
	while (bytes.n && (end = memchr(bytes.s, '\n', bytes.n))) {
		size_t n = (size_t)(end - bytes.s);

		str_addn(&w->line, bytes.s, n);
		bytes = (struct slice){ end + 1, bytes.n - n - 1 };
		if (w->line.is_full)
			break;
		struct slice line = { w->line.s, w->line.n };
		int r = is_empty(line) ? 0 : on_line(w, line, err);
		str_clear(&w->line);
		if (r < 0)
			return r;
	}
	str_addn(&w->line, bytes.s, bytes.n);
	return w->line.is_full ? error_set(err, -EFBIG, "watch: an event is larger than %d MiB",
					   WATCH_LINE_MAX >> 20)
			       : 0;
}

/* After a stream: the pause before the next one. */
static void pause_next(struct kube_watch *w)
{
	int64_t now = clock_ms();

	if (now - w->began_ms >= WATCH_HEALTHY_MS)
		w->n_pauses = 0;
	w->due_ms = now + jittered_ms(backoff_ms(WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS,
						 ++w->n_pauses));
}

/* Refusals that a retry cannot change, unless a stream was open before. */
static bool is_final(const struct kube_watch *w, int code)
{
	bool is_refused = code == 400 || code == 401 || code == 403 || code == 404 || code == 405 ||
			  code == 422;

	return is_refused && !w->has_streamed && !(code == 404 && w->is_optional) &&
	       !(code == 403 && w->is_forgiving);
}

static void fail(struct kube_watch *w, int result, const struct error *err)
{
	w->has_failed = true;
	w->result = result;
	w->err = *err;
	error_wrap(&w->err, "watch %s", w->resource->plural);
}

static void on_stream_end(struct http_call *call)
{
	struct kube_watch *w = call->arg;

	w->is_streaming = false;
	w->has_streamed |= call->code == 200;
	str_clear(&w->line);
	if (w->has_failed || is_final(w, call->code)) {
		fail(w, call->result, &call->err);
		return;
	}
	if (call->code == 410 || call->code == 404)
		w->is_expired = true;
	log_v(4, "watch %s: stream ended: %s", w->resource->plural,
	      call->result < 0 ? call->err.msg : "by the server");
	if (call->result == 0 && clock_ms() - w->began_ms >= WATCH_SHORT_MS)
		w->due_ms = 0;
	else
		pause_next(w);
}

static void ask(struct kube_watch *w)
{
	struct kube_request *r = &w->request;
	char seconds[16];

	kube_request_done(r);
	*r = (struct kube_request){ .path = STR_INIT, .body = STR_INIT };
	snprintf(seconds, sizeof(seconds), "%ld",
		 w->stream_seconds ? (long)w->stream_seconds : 300 + random() % 301);
	kube_path(&r->path, w->resource, w->ns, NULL, NULL);
	kube_query(&r->path, "watch", "1");
	kube_query(&r->path, "allowWatchBookmarks", "true");
	kube_query(&r->path, "timeoutSeconds", seconds);
	kube_query(&r->path, "resourceVersion", w->version.s);
	if (w->label_selector)
		kube_query(&r->path, "labelSelector", w->label_selector);
	if (w->field_selector)
		kube_query(&r->path, "fieldSelector", w->field_selector);
	r->call.method = "GET";
	r->call.is_stream = true;
	r->call.timeout_ms = -1;
	r->call.stall_seconds = w->stall_seconds ? w->stall_seconds : WATCH_STALL_SECONDS;
	r->call.sink = on_bytes;
	r->call.done = on_stream_end;
	r->call.arg = w;
	w->is_streaming = true;
	w->began_ms = clock_ms();
	w->n_streams++;
	kube_start(w->kube, r);
}

/* The list before the streams. */

static int on_item(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	struct kube_watch *w = l->arg;
	int r = w->item(w, text, ret_used, err);

	w->has_failed = r < 0 && r != SCAN_SHORT;
	return r;
}

static void on_restart(struct kube_list *l)
{
	struct kube_watch *w = l->arg;

	w->sync(w, false);
}

static void on_list_end(struct kube_list *l)
{
	struct kube_watch *w = l->arg;

	w->is_listing = false;
	if (l->result == 0) {
		w->n_lists++;
		w->received_ms = clock_ms();
		w->is_expired = l->is_missing || w->is_measured;
		w->n_pauses = 0;
		w->due_ms = w->is_measured  ? clock_ms() + w->poll_ms
			    : l->is_missing ? clock_ms() + WATCH_MISSING_MS
					    : 0;
		str_clear(&w->version);
		str_add(&w->version, l->version.s);
		w->sync(w, true);
	} else if (w->has_failed || is_final(w, l->request.call.code)) {
		fail(w, l->result, &l->err);
	} else {
		log_v(4, "watch %s: %s", w->resource->plural, l->err.msg);
		pause_next(w);
	}
}

static void begin_list(struct kube_watch *w)
{
	kube_list_done(&w->list);
	w->list = (struct kube_list){
		.resource = w->resource,
		.ns = w->ns,
		.label_selector = w->label_selector,
		.field_selector = w->field_selector,
		.chunk = w->chunk,
		.is_optional = w->is_optional,
		.is_forgiving = w->is_forgiving,
		.is_measured = w->is_measured,
		.take = on_item,
		.restart = on_restart,
		.done = on_list_end,
		.arg = w,
	};
	w->is_listing = true;
	w->began_ms = clock_ms();
	w->sync(w, false);
	kube_list_start(w->kube, &w->list);
}

void kube_watch_start(struct kube *k, struct kube_watch *w)
{
	w->kube = k;
	w->line = (struct str)STR_INIT_MAX(WATCH_LINE_MAX);
	w->version = (struct str)STR_INIT;
	w->is_expired = true;
}

int kube_watch_step(struct kube_watch *w)
{
	int wait = timer_left(w->due_ms, clock_ms(), WATCH_STEP_MS);

	if (w->has_failed)
		return -1;
	if (w->is_listing || w->is_streaming)
		return WATCH_STEP_MS;
	if (wait > 0)
		return wait;
	if (w->is_expired)
		begin_list(w);
	else
		ask(w);
	return WATCH_STEP_MS;
}

void kube_watch_hurry(struct kube_watch *w, int64_t received_ms)
{
	int64_t soon = received_ms + random() % WATCH_SHORT_MS;

	if (!w->is_listing && !w->is_streaming && w->began_ms < received_ms && w->due_ms > soon)
		w->due_ms = soon;
}

void kube_watch_done(struct kube_watch *w)
{
	if (!w->kube)
		return;
	kube_list_done(&w->list);
	kube_request_done(&w->request);
	str_done(&w->line);
	str_done(&w->version);
	w->kube = NULL;
}
