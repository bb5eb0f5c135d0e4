/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/event.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/units.h"
#include "kube/micro_time.h"
#include "kube/rate_limit.h"

enum { EVENT_BUSY_MS = 500 };

struct series {
	struct event_writer *writer;
	char *key, *ns, *name; /* the Event's own name */
	struct str first;      /* members of the Event but for its series, until it was written */
	struct kube_request request;
	uint64_t count, sent_count; /* what happened, what the server knows */
	int64_t last_ms, sent_ms, due_ms;
	char last_time[MICRO_TIME_TEXT];
	unsigned n_failed, n_forbidden; /* answers since the last success */
	bool is_busy, is_written, is_dead, is_single;
};

struct event_writer {
	struct kube *kube;
	char *controller, *instance;
	ARRAY(struct series *) all;
	struct rate_limit limit;
	struct event_stats stats;
};

struct event_writer *event_writer_new(struct kube *k, const char *controller, const char *instance)
{
	struct event_writer *w = xcalloc(1, sizeof(*w));

	w->kube = k;
	w->controller = xstrdup(controller);
	w->instance = xstrdup(instance);
	return w;
}

void event_writer_limit(struct event_writer *w, uint32_t qps, uint32_t burst)
{
	rate_limit_init(&w->limit, qps, burst, clock_ms());
}

static void series_free(struct series *s)
{
	kube_request_done(&s->request);
	str_done(&s->first);
	free(s->key);
	free(s->ns);
	free(s->name);
	free(s);
}

void event_writer_free(struct event_writer *w)
{
	if (!w)
		return;
	array_each(s, &w->all)
		series_free(*s);
	array_done(&w->all);
	free(w->controller);
	free(w->instance);
	free(w);
}

char *event_text(const char *text, size_t max)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t written = 0;

	while (*s) {
		size_t n = str_utf8_len(s);

		written += n ? n : sizeof("\xef\xbf\xbd") - 1; /* what str_add_json() writes */
		if (written > max)
			break;
		s += n ? n : 1;
	}
	return xstrndup(text, (size_t)(s - (const unsigned char *)text));
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

char *event_name(const char *object, uint64_t number)
{
	AUTO(str_done) struct str name = STR_INIT_MAX(EVENT_NAME_MAX);

	for (const char *p = object; *p; p++) {
		char c = *p;
		bool is_first = !name.n || name.s[name.n - 1] == '.';

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (is_alnum(c) || (!is_first && (c == '-' || c == '.')))
			str_addc(&name, c);
		else if (!is_first)
			str_addc(&name, '-');
		/* "a-.b": no label ends with anything else */
		while (c == '.' && name.n > 1 && !is_alnum(name.s[name.n - 2])) {
			str_cut(&name, name.n - 2);
			str_addc(&name, '.');
		}
	}
	while (name.n && !is_alnum(name.s[name.n - 1]))
		str_cut(&name, name.n - 1);
	return xasprintf("%s.%llx", name.n ? name.s : "event", (unsigned long long)number);
}

/* Members of the Event that stay the same. */
static void make_event(const struct event_writer *w, const struct event *e, struct series *s)
{
	AUTO_FREE char *note = event_text(e->note, EVENT_NOTE_MAX);
	AUTO_FREE char *instance = event_text(w->instance, EVENT_WORD_MAX);
	AUTO(json_out_done) struct json_out o = { .out = &s->first, .is_compact = true };

	json_out_bare_object(&o);
	json_out_member(&o, "apiVersion", kube_events.api_version);
	json_out_member(&o, "kind", kube_events.kind);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", s->name);
	json_out_member(&o, "namespace", s->ns);
	json_out_end(&o);
	json_out_member(&o, "eventTime", s->last_time);
	json_out_member(&o, "reportingController", w->controller);
	json_out_member(&o, "reportingInstance", instance);
	json_out_member(&o, "action", e->action);
	json_out_member(&o, "reason", e->reason);
	json_out_member(&o, "type", e->is_warning ? "Warning" : "Normal");
	json_out_member(&o, "note", note);
	json_out_key(&o, "regarding");
	json_out_object(&o);
	json_out_member(&o, "apiVersion", e->resource->api_version);
	json_out_member(&o, "kind", e->resource->kind);
	json_out_member(&o, "name", e->name);
	json_out_given(&o, "namespace", e->ns);
	json_out_given(&o, "uid", e->uid);
	json_out_end(&o);
	json_out_end(&o);
}

/* ... and what is told of those after the first. */
static void add_series(const struct series *s, struct json_out *o)
{
	json_out_key(o, "series");
	json_out_object(o);
	json_out_member_int(o, "count", (int64_t)s->count);
	json_out_member(o, "lastObservedTime", s->last_time);
	json_out_end(o);
}

static struct series *find(const struct event_writer *w, const char *key)
{
	array_each(s, &w->all)
		if (!(*s)->is_dead && strcmp((*s)->key, key) == 0)
			return *s;
	return NULL;
}

static void set_last_time(struct series *s, const struct event *e)
{
	if (e->at_us)
		micro_time_format(e->at_us, s->last_time);
	else
		micro_time_now(s->last_time);
}

static struct series *begin(struct event_writer *w, const struct event *e, const char *key)
{
	struct series *s = xcalloc(1, sizeof(*s));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	s->writer = w;
	s->is_single = e->is_single;
	s->key = xstrdup(key);
	s->ns = xstrdup(e->ns && *e->ns ? e->ns : "default");
	s->name = event_name(e->name, (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec);
	s->first = (struct str)STR_INIT;
	set_last_time(s, e);
	make_event(w, e, s);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&w->all) = s;
	return s;
}

void event_post(struct event_writer *w, const struct event *e)
{
	AUTO_FREE char *key =
		xasprintf("%s\n%s\n%s\n%s\n%s\n%s\n%d", e->resource->kind, e->ns ? e->ns : "",
			  e->name, e->uid ? e->uid : "", e->reason, e->action, e->is_warning);
	struct series *s = find(w, key);

	w->stats.posted++;
	if (!s && w->all.n >= EVENT_SERIES_MAX) {
		w->stats.dropped++;
		return;
	}
	if (!s)
		s = begin(w, e, key);
	else
		set_last_time(s, e);
	s->count += e->count ? e->count : 1;
	s->last_ms = clock_ms();
}

/* Requests. */

/* After a refusal: may it be asked again? A server that was unavailable long forbids at first, too.
 */
static bool may_try_again(struct series *s, int code)
{
	if (code == 401 || code == 403)
		return ++s->n_forbidden < EVENT_FORBIDDEN_TRIES;
	return (code == 0 || code == 429 || code >= 500) && ++s->n_failed < EVENT_TRIES;
}

static void on_reply(struct http_call *call)
{
	struct series *s = call->arg;
	struct event_writer *w = s->writer;

	s->is_busy = false;
	if (call->result == 0) {
		w->stats.written++;
		s->is_written = true;
		s->is_dead = s->is_single;
		s->n_failed = s->n_forbidden = 0;
		s->sent_ms = clock_ms();
		str_done(&s->first);
		return;
	}
	log_v(4, "event %s/%s: %s", s->ns, s->name, call->err.msg);
	if (!may_try_again(s, call->code)) {
		w->stats.dropped++;
		s->is_dead = true;
		return;
	}
	s->sent_count = 0;
	s->due_ms = clock_ms() + EVENT_RETRY_MS / 2 + random() % EVENT_RETRY_MS;
}

/* What happened several times before the first could be told is a series from the start. */
static void create(struct series *s)
{
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &json, .is_compact = true };

	json_out_object(&o);
	json_out_members(&o, s->first.s);
	if (s->count > 1)
		add_series(s, &o);
	json_out_end(&o);
	kube_create(&s->request, s->writer->kube, &kube_events, s->ns,
		    (struct slice){ json.s, json.n });
}

static void patch(struct series *s)
{
	const struct kube_ref ref = { .resource = &kube_events, .ns = s->ns, .name = s->name };
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &json, .is_compact = true };

	json_out_bare_object(&o);
	add_series(s, &o);
	json_out_end(&o);
	kube_patch(&s->request, s->writer->kube, &ref, &(struct kube_change){ .json = json.s });
}

static void send(struct series *s)
{
	kube_request_done(&s->request);
	if (s->is_written)
		patch(s);
	else
		create(s);
	s->sent_count = s->count;
	s->request.call.done = on_reply;
	s->request.call.arg = s;
	s->is_busy = true;
	kube_start(s->writer->kube, &s->request);
}

/* When there is something to do for it: a count to send, or its end. */
static int64_t due_at(const struct series *s)
{
	int64_t end = s->last_ms + EVENT_FINISH_MS, refresh = s->sent_ms + EVENT_REFRESH_MS;
	int64_t at = s->sent_count < 2 ? 0 : refresh < end ? refresh : end;

	if (s->is_busy)
		return INT64_MAX;
	if (s->is_dead)
		return 0;
	if (s->count == s->sent_count)
		return end;
	return at > s->due_ms ? at : s->due_ms;
}

static size_t count_busy(const struct event_writer *w)
{
	size_t n = 0;

	array_each(s, &w->all)
		n += (*s)->is_busy;
	return n;
}

/* May one more be sent? If not, *ret_at is when to try the next; a reply may come before. */
static bool may_send(struct event_writer *w, size_t n_busy, int64_t now, int64_t *ret_at)
{
	if (n_busy < EVENT_PARALLEL)
		return rate_limit_take(&w->limit, now, ret_at);
	*ret_at = now + EVENT_BUSY_MS;
	return false;
}

int event_step(struct event_writer *w)
{
	int64_t now = clock_ms(), next = now + EVENT_STEP_MS;
	size_t n = 0, n_busy = count_busy(w);

	for (size_t i = 0; i < w->all.n; i++) {
		struct series *s = w->all.items[i];
		int64_t at = due_at(s);

		if (at <= now && (s->is_dead || s->count == s->sent_count)) {
			series_free(s);
			continue;
		}
		w->all.items[n++] = s;
		if (at <= now && !may_send(w, n_busy, now, &at))
			next = at < next ? at : next;
		else if (at <= now && ++n_busy)
			send(s);
		else if (!s->is_busy)
			kube_request_done(&s->request);
		next = at > now && at < next ? at : next;
	}
	w->all.n = n;
	return (int)(next - now);
}

static bool is_open(const struct event_writer *w)
{
	array_each(s, &w->all)
		if ((*s)->is_busy || (!(*s)->is_dead && (*s)->count != (*s)->sent_count))
			return true;
	return false;
}

/* http_run() returns at once where no call runs, though one is due later. */
static void wait_for_reply(struct event_writer *w, int64_t until)
{
	int64_t left = until - clock_ms();

	if (left > 0 && http_run(w->kube->http, (int)left) == 0 && is_open(w))
		http_wait(w->kube->http, (int)(until - clock_ms()));
}

void event_flush(struct event_writer *w, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;

	while (is_open(w) && clock_ms() < end) {
		int64_t now = clock_ms(), due = end;
		size_t n_busy = count_busy(w);

		array_each(s, &w->all)
			if (!(*s)->is_busy && !(*s)->is_dead && (*s)->count != (*s)->sent_count &&
			    may_send(w, n_busy, now, &due) && ++n_busy)
				send(*s);
		wait_for_reply(w, due < end ? due : end);
	}
}

struct event_stats event_stats(const struct event_writer *w)
{
	return w->stats;
}
