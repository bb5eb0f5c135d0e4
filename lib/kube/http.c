/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/http.h"

#include <limits.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "base/units.h"
#include "kube/curl_late.h"
#include "kube/endpoint.h"
#include "kube/header.h"
#include "kube/http_try.h"
#include "kube/rate_limit.h"
#include "kube/transfer.h"

enum {
	DEFAULT_CONNECTIONS = 16,
	DEFAULT_BUFFER = 256 << 10,
	WARNINGS_MAX = 100, /* texts that are kept apart */
	LOGGED_MAX = 1024,
};

struct http {
	struct endpoint endpoint;
	struct kube_auth *auth;
	struct transfer transfer;
	struct http_options options;
	struct {
		struct http_try **items;
		size_t n, cap;
	} tries; /* in order of arrival */
	ARRAY(char *) warnings;
	ARRAY(CURL *) idle; /* prepared for identity `generation`, to be aimed again */
	unsigned generation;
	struct rate_limit rate_limit;
	unsigned n_sent;
	uint64_t n_news; /* calls that ended, and pieces that streams brought, ever */
	uint64_t n_seen; /* the same when http_wait() returned last */
	struct http_stats stats;
	http_observer observer; /* NULL: none */
	void *observer_arg;
};

int http_open(const struct kube_target *t, const struct http_options *options, struct http **ret,
	      struct error *err)
{
	if (curl_late_load(err) < 0)
		return -ENOENT;

	struct http *h = xcalloc(1, sizeof(*h));
	h->options = *options;
	if (endpoint_init(&h->endpoint, t, err) < 0) {
		endpoint_done(&h->endpoint);
		free(h);
		return -EINVAL;
	}
	h->endpoint.user_agent = xstrdup(options->user_agent);
	h->endpoint.stall_seconds =
		options->stall_seconds ? options->stall_seconds : HTTP_STALL_SECONDS;
	h->endpoint.buffer_bytes = options->buffer_bytes ? options->buffer_bytes : DEFAULT_BUFFER;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!h->options.max_connections)
		h->options.max_connections = DEFAULT_CONNECTIONS;
	transfer_open(&h->transfer, h->options.max_connections);
	h->auth = kube_auth_new(t);
	rate_limit_init(&h->rate_limit, options->qps, options->burst, clock_ms());
	*ret = h;
	return 0;
}

static void stop_transfer(struct http_try *t)
{
	struct http *h = t->http;

	if (!t->easy)
		return;
	curl_multi_remove_handle(h->transfer.multi, t->easy);
	if (t->generation == h->generation)
		*array_add(&h->idle) = t->easy;
	else
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	h->n_sent--;
}

static void forget(struct http_try *t)
{
	struct http *h = t->http;
	size_t i = 0;

	stop_transfer(t);
	while (h->tries.items[i] != t)
		i++;
	memmove(&h->tries.items[i], &h->tries.items[i + 1],
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
		(--h->tries.n - i) * sizeof(*h->tries.items));
	t->call->try = NULL;
	free(t);
}

static void drop_idle(struct http *h)
{
	while (h->idle.n)
		curl_easy_cleanup(h->idle.items[--h->idle.n]);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	while (h->tries.n)
		forget(h->tries.items[0]);
	drop_idle(h);
	array_each(text, &h->warnings)
		free(*text);
	array_done(&h->tries);
	array_done(&h->idle);
	array_done(&h->warnings);
	transfer_close(&h->transfer);
	kube_auth_free(h->auth);
	endpoint_done(&h->endpoint);
	free(h);
}

/* What libcurl calls back. */

static long status_of(const struct http_try *t)
{
	long code = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static void keep(struct http_try *t, const char *s, size_t n, size_t max)
{
	t->call->reply.max = max;
	str_addn(&t->call->reply, s, n);
	t->is_too_large |= t->call->reply.is_full;
}

static size_t on_body(char *s, size_t size, size_t n, void *arg)
{
	struct http_try *t = arg;
	struct http_call *call = t->call;
	bool is_good = http_is_success(status_of(t));

	n *= size;
	if (is_good && call->sink) {
		t->has_sunk = true;
		t->received_ms = clock_ms();
		t->http->n_news += call->is_stream;
		call->result = call->sink(call, (struct slice){ s, n }, &call->err);
		return call->result < 0 ? CURL_WRITEFUNC_ERROR : n;
	}
	keep(t, s, n, is_good ? HTTP_BODY_MAX : HTTP_ERROR_MAX);
	return t->is_too_large ? CURL_WRITEFUNC_ERROR : n;
}

static void add_warning(const char *text, void *arg)
{
	struct http *h = arg;

	array_each(known, &h->warnings)
		if (strcmp(*known, text) == 0)
			return;
	if (h->warnings.n == WARNINGS_MAX)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): with room there are items */
	*array_add(&h->warnings) = xstrdup(text);
	if (h->options.on_warning)
		h->options.on_warning(text, h->options.arg);
}

static size_t on_header(char *s, size_t size, size_t n, void *arg)
{
	struct http_try *t = arg;
	struct slice name, value;

	n *= size;
	t->head_bytes += n;
	t->is_head_too_large = t->head_bytes > HTTP_HEAD_MAX;
	if (t->is_head_too_large)
		return 0;
	if (!header_split((struct slice){ s, n }, &name, &value))
		return n;
	if (header_is(name, "Warning"))
		header_warnings(value, add_warning, t->http);
	else if (header_is(name, "Retry-After") && !header_retry_after(value, &t->retry_after))
		t->retry_after = -1;
	return n;
}

/* Before the request, and with it the credentials, is sent. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct http_try *t = arg;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	t->has_legacy_name = !endpoint_has_alternative_name(t->easy);
	return t->has_legacy_name ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* How much of a body a log line holds. */
static int shown(size_t n)
{
	return n < LOGGED_MAX ? (int)n : LOGGED_MAX;
}

/* Sending. */

static CURL *new_easy(const struct http *h, const struct kube_identity *id)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		abort();
	endpoint_prepare(&h->endpoint, easy, id);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	return easy;
}

static CURL *take_easy(struct http *h, const struct kube_identity *id)
{
	if (id->generation != h->generation) {
		drop_idle(h);
		h->generation = id->generation;
	}
	return h->idle.n ? h->idle.items[--h->idle.n] : new_easy(h, id);
}

static void end_try(struct http_try *t)
{
	struct http_call *call = t->call;

	t->http->n_news++;
	forget(t);
	if (call->done)
		call->done(call);
}

static void send_try(struct http_try *t)
{
	struct http *h = t->http;
	struct http_call *call = t->call;
	int64_t timeout = endpoint_timeout(&h->endpoint, call);
	struct kube_identity id;

	call->result = kube_auth_get(h->auth, &id, &call->err);
	if (call->result < 0) {
		end_try(t);
		return;
	}
	str_clear(&call->reply);
	call->code = 0;
	t->retry_after = -1;
	t->is_too_large = t->is_head_too_large = t->has_legacy_name = false;
	t->head_bytes = 0;
	t->detail[0] = '\0';
	t->easy = take_easy(h, &id);
	t->generation = id.generation;
	int64_t now = clock_ms();
	if (!t->tries)
		t->end_ms = timeout > 0 ? now + timeout : INT64_MAX;
	endpoint_aim(&h->endpoint, t->easy, call, timer_left(t->end_ms, now, INT_MAX), &id,
		     &t->headers);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->detail);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	t->sent_ms = t->received_ms = now;
	t->tries++;
	h->n_sent++;
	h->stats.requests++;
	h->stats.retries += t->tries > 1;
	h->stats.bytes_out += call->body.n;
	if (call->body.n && !call->is_secret)
		log_v(8, "%s %s body: %.*s", call->method, call->path, shown(call->body.n),
		      call->body.s);
	curl_multi_add_handle(h->transfer.multi, t->easy);
}

/* Sends what is due. Returns the milliseconds until the next one will be, at most `limit`. */
static int64_t send_due(struct http *h, int64_t limit)
{
	int64_t now = clock_ms(), next = now + limit, due;

	for (size_t i = 0; i < h->tries.n; i++) {
		struct http_try *t = h->tries.items[i];

		if (t->easy)
			continue;
		if (t->due_ms > now) {
			next = t->due_ms < next ? t->due_ms : next;
			continue;
		}
		if (h->n_sent >= h->options.max_connections)
			break;
		if (!rate_limit_take(&h->rate_limit, now, &due)) {
			next = due < next ? due : next;
			break;
		}
		send_try(t);
		if (i < h->tries.n && h->tries.items[i] != t)
			i--;
	}
	return next > now ? next - now : 0;
}

/* Receiving. */

static void count(struct http_try *t)
{
	int64_t ms = clock_ms() - t->sent_ms;
	curl_off_t n = 0;

	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &n);
	t->http->stats.bytes_in += (uint64_t)n;
	if (t->http->observer)
		t->http->observer(t->call, ms, t->http->observer_arg);
	log_v(6, "%s %s%s %d in %lld ms, %lld bytes", t->call->method,
	      t->http->endpoint.target->cluster.server, t->call->path, t->call->code, (long long)ms,
	      (long long)n);
	if (t->call->reply.n && !t->call->is_secret)
		log_v(8, "reply: %.*s", shown(t->call->reply.n), t->call->reply.s);
}

static void on_end(struct http_try *t, CURLcode curl)
{
	t->call->code = (int)status_of(t);
	count(t);

	bool is_final = t->call->result < 0 || t->is_too_large || t->is_head_too_large;
	int64_t delay = is_final ? -1 : http_try_delay(t, t->http->auth, curl);
	if (delay >= 0) {
		log_v(6, "%s %s: retry in %lld ms%s%s", t->call->method, t->call->path,
		      (long long)delay, *t->detail ? ": " : "", t->detail);
		stop_transfer(t);
		t->due_ms = clock_ms() + delay;
		return;
	}
	http_try_judge(t, &t->http->endpoint, curl);
	end_try(t);
}

static void take_messages(struct http *h)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->transfer.multi, &left))) {
		struct http_try *t;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		on_end(t, m->data.result);
	}
}

/* Quiet streams. */

static int64_t stalls_at(const struct http *h, const struct http_try *t)
{
	uint32_t own = t->call->stall_seconds;

	if (!t->easy || !t->call->is_stream)
		return INT64_MAX;
	return t->received_ms + 1000 * (int64_t)(own ? own : h->endpoint.stall_seconds);
}

/* When the first of the streams will have been quiet for too long. */
static int64_t next_stall(const struct http *h)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < h->tries.n; i++) {
		int64_t at = stalls_at(h, h->tries.items[i]);

		next = at < next ? at : next;
	}
	return next;
}

/* One at a time: done() may end others. libcurl's own bound (LOW_SPEED_TIME) wakes up each second
 * for each stream. */
static void end_stalled(struct http *h)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < h->tries.n; i++) {
		struct http_try *t = h->tries.items[i];
		struct http_call *call = t->call;

		if (stalls_at(h, t) > now)
			continue;
		call->code = (int)status_of(t);
		call->result = error_set(&call->err, -ETIMEDOUT, "%s: no data for %lld ms",
					 call->path, (long long)(now - t->received_ms));
		count(t);
		end_try(t);
		return;
	}
}

void http_start(struct http *h, struct http_call *call)
{
	struct http_try *t = xcalloc(1, sizeof(*t));

	call->try = t;
	call->result = 0;
	call->status = (struct kube_status){ 0 };
	if (!call->reply.s)
		call->reply = (struct str)STR_INIT;
	t->http = h;
	t->call = call;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&h->tries) = t;
}

/* False when the time is up. */
static bool step(struct http *h, int64_t end)
{
	uint64_t before = h->n_news;
	int64_t now = clock_ms(), left = end - now;
	int64_t wait = send_due(h, left > 0 ? left : 0);
	int64_t until_stall = next_stall(h) - now;

	wait = until_stall < wait ? until_stall : wait;
	transfer_step(&h->transfer, before == h->n_news && wait > 0 ? (int)wait : 0);
	take_messages(h);
	end_stalled(h);
	return left > 0;
}

unsigned http_run(struct http *h, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;
	uint64_t before = h->n_news;

	while (h->tries.n > 0 && before == h->n_news && step(h, end))
		;
	return (unsigned)h->tries.n;
}

void http_wait(struct http *h, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;

	while (!h->transfer.is_woken && h->n_seen == h->n_news && step(h, end))
		;
	h->transfer.is_woken = false;
	h->n_seen = h->n_news;
}

void http_wake(struct http *h)
{
	transfer_wake(&h->transfer);
}

int http_do(struct http *h, struct http_call *call, struct error *err)
{
	http_start(h, call);
	while (call->try)
		http_run(h, 1000);
	if (call->result < 0 && err)
		*err = call->err;
	return call->result;
}

void http_call_done(struct http_call *call)
{
	if (call->try)
		forget(call->try);
	if (call->reply.s)
		str_done(&call->reply);
}

struct http_stats http_stats(const struct http *h)
{
	return h->stats;
}

void http_observe(struct http *h, http_observer observer, void *arg)
{
	h->observer = observer;
	h->observer_arg = arg;
}

size_t http_warnings(const struct http *h)
{
	return h->warnings.n;
}
