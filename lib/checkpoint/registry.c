/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "kube/header.h"

#define PREFIX "/v2/mig/"

enum { ID_LENGTH = MOVE_ID_SIZE - 1, DIGITS_MAX = 18 };

size_t registry_head(struct slice text)
{
	const char *end = memmem(text.s, text.n, "\r\n\r\n", 4);

	return end ? (size_t)(end - text.s) + 4 : 0;
}

static bool take(struct slice *text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (text->n < n || memcmp(text->s, prefix, n) != 0)
		return false;
	*text = (struct slice){ text->s + n, text->n - n };
	return true;
}

static bool take_id(struct slice *text, char ret[static MOVE_ID_SIZE])
{
	if (text->n < ID_LENGTH)
		return false;
	memcpy(ret, text->s, ID_LENGTH);
	ret[ID_LENGTH] = '\0';
	*text = (struct slice){ text->s + ID_LENGTH, text->n - ID_LENGTH };
	return move_id_is_valid(ret);
}

static bool take_number(struct slice *text, int64_t *ret)
{
	int64_t n = 0;
	size_t i = 0;

	for (; i < text->n && i < DIGITS_MAX && text->s[i] >= '0' && text->s[i] <= '9'; i++)
		n = n * 10 + (text->s[i] - '0');
	*text = (struct slice){ text->s + i, text->n - i };
	*ret = n;
	return i > 0;
}

static bool take_digest(struct slice *text, char ret[static SHA256_HEX])
{
	if (!take(text, "sha256:") || text->n < SHA256_HEX - 1)
		return false;
	memcpy(ret, text->s, SHA256_HEX - 1);
	ret[SHA256_HEX - 1] = '\0';
	*text = (struct slice){ text->s + SHA256_HEX - 1, text->n - (SHA256_HEX - 1) };
	return strspn(ret, "0123456789abcdef") == SHA256_HEX - 1;
}

static bool take_path(struct slice *line, struct registry_request *r)
{
	int64_t container;

	if (!take(line, PREFIX) || !take_id(line, r->id) || !take(line, "-") ||
	    !take_number(line, &container) || container >= MOVE_CONTAINERS)
		return false;
	r->container = (unsigned)container;
	if (take(line, "/blobs/")) {
		r->want = WANT_BLOB;
		return take_digest(line, r->digest);
	}
	if (take(line, "/threads")) {
		r->want = WANT_THREADS;
		return true;
	}
	r->want = WANT_MANIFEST;
	return take(line, "/manifests/") && (take_digest(line, r->digest) || take(line, "v1"));
}

/* "Range: bytes=100-": what containerd asks for after a broken connection. */
static void take_range(struct slice headers, struct registry_request *r)
{
	while (headers.n) {
		const char *end = memchr(headers.s, '\n', headers.n);
		size_t n = end ? (size_t)(end - headers.s) + 1 : headers.n;
		struct slice name, value;
		int64_t from;

		if (header_split((struct slice){ headers.s, n }, &name, &value) &&
		    header_is(name, "Range") && take(&value, "bytes=") &&
		    take_number(&value, &from) && value.n == 1 && *value.s == '-')
			r->from = from;
		headers = (struct slice){ headers.s + n, headers.n - n };
	}
}

int registry_parse(struct slice head, struct registry_request *ret, struct error *err)
{
	struct registry_request r = { 0 };
	const char *end = memmem(head.s, head.n, "\r\n", 2);

	if (!end)
		return error_set(err, -EBADMSG, "no HTTP request");
	struct slice line = { head.s, (size_t)(end - head.s) };
	r.is_head = take(&line, "HEAD ");
	if (!r.is_head && !take(&line, "GET "))
		return error_set(err, -EBADMSG, "no HTTP request for an image");
	if (!take_path(&line, &r))
		return error_set(err, -ENOENT, "no such image");
	/* Anything may be asked behind the path, such as "?ns=". */
	if (line.n == 0 || (*line.s != ' ' && *line.s != '?'))
		return error_set(err, -ENOENT, "no such image");
	take_range((struct slice){ end + 2, head.n - (size_t)(end + 2 - head.s) }, &r);
	*ret = r;
	return 0;
}

static const char *status_text(unsigned status)
{
	return status == 200   ? "OK"
	       : status == 206 ? "Partial Content"
	       : status == 404 ? "Not Found"
			       : "Error";
}

void registry_reply(struct str *out, unsigned status, const char *type, const char *digest,
		    int64_t length, int64_t from, int64_t total)
{
	str_addf(out, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %lld\r\n", status,
		 status_text(status), (long long)length);
	if (type)
		str_addf(out, "Content-Type: %s\r\n", type);
	if (digest)
		str_addf(out, "Docker-Content-Digest: sha256:%s\r\n", digest);
	if (from > 0)
		str_addf(out, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)from,
			 (long long)total - 1, (long long)total);
	str_add(out, "\r\n");
}

void registry_ask_threads(struct str *out, const char *id, unsigned container)
{
	str_addf(out, "GET " PREFIX "%s-%u/threads HTTP/1.1\r\nHost: mckube\r\n\r\n", id,
		 container);
}

/* A reply says its length, and one that was cut short has less. */
static bool has_length(struct slice headers, size_t length)
{
	struct slice name, value;
	int64_t n;

	while (headers.n) {
		const char *end = memchr(headers.s, '\n', headers.n);
		size_t line = end ? (size_t)(end - headers.s) + 1 : headers.n;

		if (header_split((struct slice){ headers.s, line }, &name, &value) &&
		    header_is(name, "Content-Length"))
			return take_number(&value, &n) && n == (int64_t)length;
		headers = (struct slice){ headers.s + line, headers.n - line };
	}
	return false;
}

int registry_body(struct slice reply, struct slice *ret, struct error *err)
{
	size_t head = registry_head(reply);
	struct slice rest = reply;

	if (!head || !take(&rest, "HTTP/1.1 "))
		return error_set(err, -EBADMSG, "no HTTP reply");
	if (!take(&rest, "200 "))
		return error_set(err, -ENOENT, "it has nothing to tell");
	if (!has_length((struct slice){ reply.s, head }, reply.n - head))
		return error_set(err, -EBADMSG, "the reply is cut short");
	*ret = (struct slice){ reply.s + head, reply.n - head };
	return 0;
}
