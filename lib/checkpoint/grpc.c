/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/grpc.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "kube/curl_late.h"
#include "kube/header.h"

enum { FRAME_HEAD = 5, MESSAGE_MAX = 1024, DIGITS_MAX = 4 };

int grpc_load(struct error *err)
{
	if (curl_late_load(err) < 0)
		return err->code;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, -EIO, "libcurl cannot be used");
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
		return error_set(err, -ENOSYS, "libcurl has no HTTP/2, which containerd speaks");
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_unescaped(struct str *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] == '%' && i + 2 < text.n && hex(text.s[i + 1]) >= 0 &&
		    hex(text.s[i + 2]) >= 0) {
			str_addc(out, (char)(hex(text.s[i + 1]) << 4 | hex(text.s[i + 2])));
			i += 2;
		} else {
			str_addc(out, text.s[i]);
		}
	}
}

static int number_of(struct slice text)
{
	int n = 0;

	if (text.n == 0 || text.n > DIGITS_MAX)
		return GRPC_UNKNOWN;
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] < '0' || text.s[i] > '9')
			return GRPC_UNKNOWN;
		n = n * 10 + (text.s[i] - '0');
	}
	return n;
}

void grpc_take_header(struct grpc_trailer *t, struct slice line)
{
	struct slice name, value;

	if (!header_split(line, &name, &value))
		return;
	if (header_is(name, "grpc-status")) {
		t->status = number_of(value);
	} else if (header_is(name, "grpc-message")) {
		str_clear(&t->message);
		t->message.max = MESSAGE_MAX;
		add_unescaped(&t->message, value);
	}
}

/* Of the first frame; 0: its head is not whole yet. */
static size_t frame_size(struct slice body)
{
	const unsigned char *b = (const unsigned char *)body.s;

	if (body.n < FRAME_HEAD)
		return 0;
	return FRAME_HEAD + ((size_t)b[1] << 24 | (size_t)b[2] << 16 | (size_t)b[3] << 8 | b[4]);
}

int grpc_unframe(struct slice body, struct slice *ret_message, struct error *err)
{
	const unsigned char *b = (const unsigned char *)body.s;

	if (body.n < FRAME_HEAD || b[0] != 0)
		return error_set(err, -EBADMSG, "no gRPC message");
	if (frame_size(body) != body.n)
		return error_set(err, -EBADMSG, "a gRPC message of another length than it says");
	*ret_message = (struct slice){ body.s + FRAME_HEAD, body.n - FRAME_HEAD };
	return 0;
}

/* What has come of the reply. */
struct reply {
	struct str *body;
	grpc_take *take; /* NULL: it is taken as a whole */
	void *arg;
	struct error *err;
	int code; /* of `take` */
};

/* Whole frames are taken off the front. */
static int take_frames(struct reply *r)
{
	struct slice rest = { r->body->s, r->body->n }, message = { 0 };
	size_t n;

	while ((n = frame_size(rest)) && n <= rest.n) {
		int code = grpc_unframe((struct slice){ rest.s, n }, &message, r->err);
		if (code == 0)
			code = r->take(r->arg, message, r->err);
		if (code < 0)
			return code;
		rest = (struct slice){ rest.s + n, rest.n - n };
	}
	memmove(r->body->s, rest.s, rest.n);
	str_cut(r->body, rest.n);
	return 0;
}

static size_t on_body(char *s, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;

	str_addn(r->body, s, size * n);
	if (r->take)
		r->code = take_frames(r);
	return r->body->is_full || r->code < 0 ? 0 : size * n;
}

static size_t on_header(char *s, size_t size, size_t n, void *arg)
{
	grpc_take_header(arg, (struct slice){ s, size * n });
	return size * n;
}

static int status_error(int status)
{
	return status == GRPC_NOT_FOUND ? -ENOENT : status == GRPC_EXISTS ? -EEXIST : -EIO;
}

static int judge(CURLcode code, const char *method, struct grpc_trailer *t, struct error *err)
{
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(err, -ETIMEDOUT, "%s: no answer in time", method);
	if (code != CURLE_OK)
		return error_set(err, -EIO, "%s: %s", method, curl_easy_strerror(code));
	if (t->status != GRPC_OK)
		return error_set(err, status_error(t->status), "%s: %s", method,
				 t->message.n	 ? t->message.s
				 : t->status < 0 ? "no gRPC status"
						 : "refused");
	return 0;
}

static struct curl_slist *make_headers(const struct grpc *g)
{
	AUTO(str_done) struct str ns = STR_INIT;
	struct curl_slist *l = curl_slist_append(NULL, "content-type: application/grpc");

	l = curl_slist_append(l, "te: trailers");
	l = curl_slist_append(l, "expect:");
	str_addf(&ns, "containerd-namespace: %s", g->namespace);
	l = curl_slist_append(l, ns.s);
	if (!g->lease)
		return l;
	str_clear(&ns);
	str_addf(&ns, "containerd-lease: %s", g->lease);
	return curl_slist_append(l, ns.s);
}

static void frame(struct slice message, struct str *out)
{
	const char head[FRAME_HEAD] = { 0, (char)(message.n >> 24), (char)(message.n >> 16),
					(char)(message.n >> 8), (char)message.n };

	str_addn(out, head, sizeof(head));
	str_addn(out, message.s, message.n);
}

static CURLcode perform(const struct grpc *g, const char *method, const struct str *request,
			int64_t timeout_ms, struct reply *reply, struct grpc_trailer *t)
{
	AUTO(str_done) struct str url = STR_INIT;
	CURL *easy = curl_easy_init();

	if (!easy)
		return CURLE_OUT_OF_MEMORY;
	struct curl_slist *headers = make_headers(g);
	str_addf(&url, "http://localhost/%s", method);
	curl_easy_setopt(easy, CURLOPT_URL, url.s);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, g->socket);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->s);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->n);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	CURLcode code = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	return code;
}

static int call(const struct grpc *g, const char *method, struct slice message, int64_t timeout_ms,
		struct reply *reply, struct error *err)
{
	AUTO(str_done) struct str request = STR_INIT;
	struct grpc_trailer t = { .status = -1, .message = STR_INIT };

	frame(message, &request);
	CURLcode code = perform(g, method, &request, timeout_ms, reply, &t);
	int r = reply->code < 0 ? reply->code : judge(code, method, &t, err);
	str_done(&t.message);
	return r;
}

int grpc_call(const struct grpc *g, const char *method, struct slice message, int64_t timeout_ms,
	      struct str *ret_message, struct error *err)
{
	AUTO(str_done) struct str body = STR_INIT_MAX(GRPC_REPLY_MAX);
	struct reply whole = { .body = &body };
	struct slice reply = { 0 };

	int r = call(g, method, message, timeout_ms, &whole, err);
	if (r < 0)
		return r;
	if (grpc_unframe((struct slice){ body.s, body.n }, &reply, err) < 0)
		return error_wrap(err, "%s", method);
	str_addn(ret_message, reply.s, reply.n);
	return 0;
}

int grpc_stream(const struct grpc *g, const char *method, struct slice message, int64_t timeout_ms,
		grpc_take *take, void *arg, struct error *err)
{
	AUTO(str_done) struct str body = STR_INIT_MAX(GRPC_REPLY_MAX);
	struct reply reply = { .body = &body, .take = take, .arg = arg, .err = err };

	int r = call(g, method, message, timeout_ms, &reply, err);
	if (r == 0 && body.n)
		r = error_set(err, -EBADMSG, "%s: the reply is cut short", method);
	return r;
}
