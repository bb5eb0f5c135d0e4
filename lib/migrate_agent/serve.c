/* SPDX-License-Identifier: Apache-2.0 */

/* The two sockets: on loopback a registry for this node's containerd, which passes each request on
 * to the helper of the source; for those helpers, with TLS, the archives. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "checkpoint/registry.h"
#include "migrate/decide.h"
#include "migrate_agent/helper.h"

enum { BACKLOG = 32, CONNECTIONS_MAX = 32, TLS_HELLO = 0x16, LAST_PIECE = 512 };
/* A reply begins when the source has been dumped; a move that takes longer is called off. */
enum { REPLY_MS = MOVE_SECONDS * 1000 };
enum { HTTP_OK = 200, HTTP_PARTIAL = 206, HTTP_NOT_FOUND = 404 };

struct connection {
	struct helper *helper;
	struct stream stream;
	struct registry_request request;
	char head[REGISTRY_HEAD_MAX];
	size_t n_head;
};

static atomic_int n_connections;

static int refuse(const struct stream *s)
{
	AUTO(str_done) struct str head = STR_INIT;

	registry_reply(&head, HTTP_NOT_FOUND, NULL, NULL, 0, 0, 0);
	return stream_write(s, head.s, head.n);
}

static int read_head(struct connection *c, struct error *err)
{
	while (!registry_head((struct slice){ c->head, c->n_head })) {
		if (c->n_head == sizeof(c->head))
			return error_set(err, -EMSGSIZE, "request: head is too long");
		ssize_t n =
			stream_read(&c->stream, c->head + c->n_head, sizeof(c->head) - c->n_head);
		if (n <= 0)
			return error_set(err, -EPIPE, "request: connection ended");
		c->n_head += (size_t)n;
	}
	return registry_parse((struct slice){ c->head, c->n_head }, &c->request, err);
}

/* The source's side. */

static int send_text(const struct connection *c, const char *type, const char *digest,
		     struct slice text)
{
	AUTO(str_done) struct str head = STR_INIT;

	registry_reply(&head, HTTP_OK, type, digest, (int64_t)text.n, 0, 0);
	int r = stream_write(&c->stream, head.s, head.n);
	if (r == 0 && !c->request.is_head)
		r = stream_write(&c->stream, text.s, text.n);
	return r;
}

static int send_piece(void *arg, const void *bytes, size_t n)
{
	return stream_write(arg, bytes, n);
}

/* All but the last bytes, then the point of no return, then those. */
static int send_layer(struct connection *c, struct move_out *m, const struct archive *a)
{
	AUTO(str_done) struct str head = STR_INIT;
	int64_t from = c->request.from < a->size ? c->request.from : 0;
	int64_t last = a->size - from > LAST_PIECE ? a->size - LAST_PIECE : from;

	registry_reply(&head, from ? HTTP_PARTIAL : HTTP_OK, "application/octet-stream", a->layer,
		       a->size - from, from, a->size);
	int64_t begun = clock_ms();
	int r = stream_write(&c->stream, head.s, head.n);
	if (c->request.is_head || r < 0)
		return r;
	r = archive_read(a, from, last - from, send_piece, &c->stream);
	if (r < 0)
		return r;
	if (!source_commit(m))
		return -ECANCELED;
	r = archive_read(a, last, a->size - last, send_piece, &c->stream);
	log_v(1, "pod %s/%s: %lld bytes sent in %lld ms, %lld ms after it was paused", m->ns,
	      m->pod, (long long)(a->size - from), (long long)(clock_ms() - begun),
	      (long long)(clock_ms() - m->paused_ms));
	return r;
}

static int send_archive(struct connection *c, struct move_out *m)
{
	const struct registry_request *r = &c->request;

	if (r->container >= m->n_containers || !source_await(m))
		return refuse(&c->stream);
	const struct archive *a = &m->containers[r->container].archive;
	const char *threads = m->containers[r->container].threads;
	const struct slice manifest = { a->manifest_text.s, a->manifest_text.n };
	const struct slice config = { a->config_text.s, a->config_text.n };
	if (r->want == WANT_MANIFEST && (!*r->digest || strcmp(r->digest, a->manifest) == 0))
		return send_text(c, ARCHIVE_MANIFEST_TYPE, a->manifest, manifest);
	if (r->want == WANT_BLOB && strcmp(r->digest, a->config) == 0)
		return send_text(c, "application/octet-stream", a->config, config);
	if (r->want == WANT_BLOB && strcmp(r->digest, a->layer) == 0)
		return send_layer(c, m, a);
	if (r->want == WANT_THREADS && threads)
		return send_text(c, "text/plain", NULL, slice_of(threads));
	return refuse(&c->stream);
}

static void serve_peer(struct connection *c, struct error *err)
{
	char peer[SHA256_HEX];

	if (peer_accept(&c->helper->identity, c->stream.fd, &c->stream, peer, err) < 0)
		return;
	if (read_head(c, err) < 0) {
		refuse(&c->stream);
		return;
	}
	struct move_out *m = source_take(c->helper, c->request.id, peer);
	if (!m) {
		refuse(&c->stream);
		error_set(err, -ENOENT, "no move of that id for this peer");
		return;
	}
	int r = send_archive(c, m);
	if (r < 0)
		error_set(err, r, "send: %s", strerror(-r));
	source_release(m);
}

/* The target's side. */

static int relay(const struct connection *c, const struct stream *peer, bool *ret_whole)
{
	AUTO_FREE char *piece = xcalloc(1, STREAM_PIECE);
	int r = stream_write(peer, c->head, c->n_head);
	ssize_t n;

	if (r < 0)
		return r;
	stream_set_timeout(peer, REPLY_MS);
	while ((n = stream_read(peer, piece, STREAM_PIECE)) > 0) {
		stream_set_timeout(peer, STREAM_MS);
		r = stream_write(&c->stream, piece, (size_t)n);
		if (r < 0)
			return r;
	}
	*ret_whole = n == 0;
	return n < 0 ? (int)n : 0;
}

static void relay_to(struct connection *c, struct move_in *m, struct error *err)
{
	struct stream peer = STREAM_INIT;
	bool is_whole = false;

	if (peer_connect(&c->helper->identity, m->address, m->peer, &peer, err) == 0) {
		int r = relay(c, &peer, &is_whole);

		if (r < 0)
			error_set(err, r, "relay from %s: %s", m->address, strerror(-r));
		stream_close(&peer);
	} else {
		refuse(&c->stream);
	}
	target_release(m, is_whole && c->request.want == WANT_BLOB);
}

static void serve_registry(struct connection *c, struct error *err)
{
	static const char plain[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
	unsigned char first;

	stream_set_timeout(&c->stream, STREAM_MS);
	if (recv(c->stream.fd, &first, 1, MSG_PEEK) != 1)
		return;
	/* containerd tries TLS first, and without it only after such an answer. */
	if (first == TLS_HELLO) {
		stream_write(&c->stream, plain, sizeof(plain) - 1);
		return;
	}
	if (read_head(c, err) < 0) {
		refuse(&c->stream);
		return;
	}
	struct move_in *m = target_take(c->helper, c->request.id);
	if (m) {
		relay_to(c, m, err);
		return;
	}
	refuse(&c->stream);
	error_set(err, -ENOENT, "no move of id %s to this node", c->request.id);
}

/* Connections. */

static void end_connection(struct connection *c, const struct error *err)
{
	if (err->code)
		log_v(2, "connection: %s", err->msg);
	stream_close(&c->stream);
	free(c);
	n_connections--;
}

static void *run_peer(void *arg)
{
	struct error err = ERROR_INIT;

	serve_peer(arg, &err);
	end_connection(arg, &err);
	return NULL;
}

static void *run_registry(void *arg)
{
	struct error err = ERROR_INIT;

	serve_registry(arg, &err);
	end_connection(arg, &err);
	return NULL;
}

static void accept_on(struct helper *h, int listener, void *(*run)(void *))
{
	struct error err = ERROR_INIT;
	int one = 1;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (n_connections >= CONNECTIONS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		struct connection *c = xcalloc(1, sizeof(*c));
		c->helper = h;
		c->stream.fd = fd;
		n_connections++;
		if (helper_start(run, c, &err) < 0)
			end_connection(c, &err);
	}
}

static void *accept_peers(void *arg)
{
	struct helper *h = arg;

	accept_on(h, h->peer_fd, run_peer);
	return NULL;
}

static void *accept_registry(void *arg)
{
	struct helper *h = arg;

	accept_on(h, h->registry_fd, run_registry);
	return NULL;
}

static int listen_on(const char *address, uint16_t port, int *ret, struct error *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1;

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return error_set(err, -EINVAL, "'%.60s' is no IPv4 address", address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0) {
		error_errno(err, "listen on %s:%u", address, port);
		close(fd);
		return err->code;
	}
	*ret = fd;
	return 0;
}

static int listen_peers(const struct args *args, int *ret, struct error *err)
{
	const char *colon = strrchr(args->listen, ':');
	AUTO_FREE char *host =
		colon ? xstrndup(args->listen, (size_t)(colon - args->listen)) : NULL;
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (!host || port <= 0 || port > UINT16_MAX)
		return error_set(err, -EINVAL, "--listen: '%.60s' is no IP:PORT", args->listen);
	return listen_on(host, (uint16_t)port, ret, err);
}

int serve_open(struct helper *h, struct error *err)
{
	if (listen_on("127.0.0.1", REGISTRY_PORT, &h->registry_fd, err) < 0 ||
	    listen_peers(h->args, &h->peer_fd, err) < 0)
		return err->code;
	if (helper_start(accept_registry, h, err) < 0)
		return err->code;
	return helper_start(accept_peers, h, err);
}
