/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SERVE_SERVE_H
#define MCKUBE_SERVE_SERVE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* A small HTTP server for metrics, health and a few commands, in a thread of its own. Handlers are
 * called in that thread, one at a time. Bodies are limited to 64 KiB, connections to 32 in all and
 * 8 from one address. A request with its reply has SERVE_REQUEST_MS, however slowly its bytes come:
 * a connection that takes longer, or idles as long, is closed.
 *
 * libmicrohttpd and the libraries that it brings along are loaded when the first server starts. */
enum { SERVE_REQUEST_MS = 10000, SERVE_CONNECTIONS = 32, SERVE_CONNECTIONS_OF_ONE = 8 };

struct serve;

struct serve_request {
	const char *method, *path;
	const char *authorization; /* the header's value, NULL */
	struct slice body;
	bool is_unix; /* came over a socket in the file system */
};

/* Fills the reply and returns the HTTP status; without a reply it is the status in words. */
typedef unsigned (*serve_handler)(const struct serve_request *r, void *arg, struct str *reply);

struct serve_route {
	const char *method, *path;
	serve_handler handler;
};

/* HTTPS: PEM files, looked at every SERVE_TLS_LOOK_S seconds; a new certificate that goes with its
 * key serves the connections from then on, another is told and left. TLS 1.2 and later. */
struct serve_tls {
	const char *cert_file, *key_file;
	unsigned look_s; /* 0: SERVE_TLS_LOOK_S */
};
enum { SERVE_TLS_LOOK_S = 2 };

struct serve_options {
	const struct serve_route *routes; /* the row without a method is the last */
	const struct serve_tls *tls;	  /* NULL: HTTP; it outlives the server */
	/* Asked before a handler: 0, or the status that refuses the request. NULL: all may pass. */
	unsigned (*admit)(const struct serve_request *r, void *arg);
	void *arg;
	unsigned request_ms; /* 0: SERVE_REQUEST_MS */
};

/* ADDRESS is "unix:/PATH" (mode 0600), "PORT" (on 127.0.0.1), "HOST:PORT" with a numeric host, an
 * IPv6 one in brackets, or ":PORT" for all of them. Port 0 lets the kernel choose. */
int serve_start(const char *address, const struct serve_options *options, struct serve **ret,
		struct error *err);

/* Where it listens: "http://127.0.0.1:9870", "https://...", "unix:/PATH". */
const char *serve_address(const struct serve *s);

bool serve_is_unix(const struct serve *s);

void serve_stop(struct serve *s);

#endif
