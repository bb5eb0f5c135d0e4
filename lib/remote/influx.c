/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/influx.h"

#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "kube/client.h"
#include "remote/service.h"

enum { CALL_MS = 5000 };

struct influx {
	struct service service;
	struct http_call call;
	struct str path, body, authorization;
	ARRAY(char *) lines;
	size_t n_sent; /* of the lines, by the call that runs */
	bool is_running, has_failed;
	int64_t due_ms;
	struct influx_stats stats;
};

static void add_tag(struct str *out, const char *key, const char *value)
{
	str_addf(out, ",%s=", key);
	for (; *value; value++) {
		if (*value == ',' || *value == ' ' || *value == '=' || *value == '\\')
			str_addc(out, '\\');
		str_addc(out, (char)(*value == '\n' ? ' ' : *value));
	}
}

void influx_write(const struct influx_point *point, struct str *out)
{
	str_add(out, "pod_migration");
	add_tag(out, "pod_name", point->pod);
	add_tag(out, "source_node", point->source);
	add_tag(out, "target_node", point->target);
	add_tag(out, "success", point->success ? "true" : "false");
	str_addf(out, " migration_count=1i %lld\n", (long long)point->at_ns);
}

int influx_open(const struct influx_options *o, struct influx **ret, struct error *err)
{
	struct influx *x = xcalloc(1, sizeof(*x));

	x->path = x->body = x->authorization = (struct str)STR_INIT;
	str_add(&x->path, "/api/v2/write");
	kube_query(&x->path, "org", o->org ? o->org : "");
	kube_query(&x->path, "bucket", o->bucket ? o->bucket : "");
	kube_query(&x->path, "precision", "ns");
	if (o->token && *o->token)
		str_addf(&x->authorization, "Token %s", o->token);
	if (service_open(&x->service, o->url, NULL, NULL, CALL_MS, err) < 0) {
		influx_close(x);
		return err->code;
	}
	*ret = x;
	return 0;
}

static void drop_first(struct influx *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(x->lines.items[i]);
	x->lines.n -= n;
	memmove(x->lines.items, x->lines.items + n, x->lines.n * sizeof(*x->lines.items));
}

void influx_add(struct influx *x, const struct influx_point *point)
{
	AUTO(str_done) struct str line = STR_INIT;

	if (!x)
		return;
	if (x->lines.n >= INFLUX_KEPT && !x->is_running) {
		drop_first(x, 1);
		x->stats.dropped++;
	}
	influx_write(point, &line);
	*array_add(&x->lines) = xstrdup(line.s);
	x->due_ms = x->has_failed ? x->due_ms : 0;
}

static bool is_refusal(int code)
{
	return code >= 400 && code < 500 && code != 401 && code != 404 && code != 408 &&
	       code != 429;
}

static void on_written(struct http_call *call)
{
	struct influx *x = call->arg;
	bool is_done = call->result == 0 && call->code >= 200 && call->code < 300;

	x->is_running = false;
	if (!is_done && (!x->has_failed || is_refusal(call->code)))
		log_warning("InfluxDB: %zu points %s: %s", x->n_sent,
			    is_refusal(call->code) ? "refused" : "not written yet", call->err.msg);
	x->has_failed = !is_done;
	x->due_ms = is_done ? 0 : clock_ms() + INFLUX_RETRY_MS;
	if (!is_done && !is_refusal(call->code))
		return;
	x->stats.written += is_done ? x->n_sent : 0;
	x->stats.dropped += is_done ? 0 : x->n_sent;
	drop_first(x, x->n_sent);
}

static void send(struct influx *x)
{
	http_call_done(&x->call);
	str_clear(&x->body);
	array_each(line, &x->lines)
		str_add(&x->body, *line);
	x->n_sent = x->lines.n;
	x->call = (struct http_call){
		.method = "POST",
		.path = x->path.s,
		.content_type = "text/plain; charset=utf-8",
		.authorization = x->authorization.n ? x->authorization.s : NULL,
		.body = { x->body.s, x->body.n },
		.timeout_ms = CALL_MS,
		.is_stream = true, /* our own tries count */
		.done = on_written,
		.arg = x,
	};
	x->is_running = true;
	http_start(x->service.http, &x->call);
}

void influx_step(struct influx *x)
{
	if (!x)
		return;
	if (!x->is_running && x->lines.n && clock_ms() >= x->due_ms)
		send(x);
	if (x->is_running)
		http_run(x->service.http, 0);
}

void influx_flush(struct influx *x, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;

	while (x && x->lines.n && clock_ms() < end && !x->has_failed) {
		influx_step(x);
		if (x->is_running)
			http_run(x->service.http, 100);
	}
}

void influx_close(struct influx *x)
{
	if (!x)
		return;
	http_call_done(&x->call);
	service_close(&x->service);
	drop_first(x, x->lines.n);
	array_done(&x->lines);
	str_done(&x->path);
	str_done(&x->body);
	str_done(&x->authorization);
	free(x);
}

struct influx_stats influx_stats(const struct influx *x)
{
	struct influx_stats stats = x->stats;

	stats.kept = x->lines.n;
	return stats;
}
