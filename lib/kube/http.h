/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_HTTP_H
#define MCKUBE_KUBE_HTTP_H

#include <signal.h>

#include "kube/auth.h"
#include "kube/status.h"

/* HTTP to one API server: the only user of libcurl. Calls run side by side over one curl multi
 * handle, in one thread; nothing happens outside http_run(), http_wait() and http_do().
 *
 * Kept for all calls: HTTP/1.1, TLS 1.2 or later, no redirects, no cookies, gzip unless it is
 * turned off, credentials asked of kube_auth for each try, and never in a log.
 *
 * Retries are client-go's (rest/with_retry.go): 429 and 5xx with a Retry-After of whole seconds
 * (but an eviction that a PodDisruptionBudget forbids is over), at most HTTP_TRIES times, and for
 * GET a connection that breaks before the reply, HTTP_BROKEN_TRIES times; none after HTTP_PAUSES_MS
 * of waiting. A timeout bounds a call as a whole, its retries and pauses included. A 401 is tried
 * once more where there may be a newer credential. No reply is ever handed on twice: once bytes of
 * a body have gone to a sink there is no retry here. */
struct http;

enum {
	HTTP_TRIES = 10,
	HTTP_BROKEN_TRIES = 3,
	HTTP_PAUSES_MS = 60000,	    /* before tries of one call, together */
	HTTP_HEAD_MAX = 256 << 10,  /* header lines of a reply, those of 1xx included */
	HTTP_BODY_MAX = 64 << 20,   /* of a reply that is kept */
	HTTP_ERROR_MAX = 256 << 10, /* of one that is no success */
	HTTP_STALL_SECONDS = 90,    /* the API server itself gives up after 60 */
};

struct http_options {
	const char *user_agent;
	uint32_t qps, burst;	  /* token bucket over all calls; qps 0: no limit */
	uint32_t max_connections; /* 0: 16 */
	uint32_t buffer_bytes;	  /* of each connection; 0: 256 KiB, for large lists */
	uint32_t stall_seconds; /* slower than 64 bytes a second for so long is an error; 0: default
				 */
	void (*on_warning)(const char *text, void *arg); /* each text once; NULL: dropped */
	void *arg;
};

/* One request. The caller zeroes it, fills the first part, keeps it (and the texts that it points
 * to) until it is over, and releases it with http_call_done(). */
struct http_call {
	const char *method;
	const char *path;	   /* begins with '/', is escaped already, may have a query */
	const char *accept;	   /* NULL: application/json */
	const char *content_type;  /* of the body */
	const char *authorization; /* instead of the target's token */
	struct slice body;
	uint32_t stall_seconds; /* a stream without a byte for so long is over; 0: the client's */
	int64_t timeout_ms;	/* besides --request-timeout; 0: no other, -1: none at all */
	bool is_stream;		/* a watch: quiet is normal, nothing is compressed or retried */
	bool is_secret;		/* neither body is in a log */

	/* Takes the bytes of a success as they come; NULL: they are kept in `reply`. A negative
	 * result, with err set, ends the call. */
	int (*sink)(struct http_call *call, struct slice bytes, struct error *err);
	/* Called once when it is over; may start other calls. NULL: none. */
	void (*done)(struct http_call *call);
	void *arg;

	/* The outcome: `result` is 0 or negative, then err has the message. */
	int result;
	int code; /* HTTP status; 0: there was no reply */
	struct kube_status status;
	struct str reply;
	struct error err;

	struct http_try *try; /* private: while it runs */
};

struct http_stats {
	uint64_t requests, retries;
	uint64_t bytes_in, bytes_out; /* of bodies, as they went over the transfer */
};

/* The target must outlive it. */
int http_open(const struct kube_target *t, const struct http_options *options, struct http **ret,
	      struct error *err);
void http_close(struct http *h);

/* Makes the call run at the next http_run(). */
void http_start(struct http *h, struct http_call *call);

/* Works for at most timeout_ms, less when a call is over or a stream has brought something. Returns
 * how many are still to end. */
unsigned http_run(struct http *h, int timeout_ms);

/* The same for a loop that has more to do than calls: it also waits when there is none, and until
 * http_wake(), which is for other threads. What came since it returned last counts, too. */
void http_wait(struct http *h, int timeout_ms);
void http_wake(struct http *h);

/* Starts a call and works until it is over. Returns its result, with a copy of its error. */
int http_do(struct http *h, struct http_call *call, struct error *err);

/* Releases what it holds; one that still runs ends without calling done(). */
void http_call_done(struct http_call *call);

struct http_stats http_stats(const struct http *h);

/* Calls `observer` after each try that ended: call->code is its status, 0 when there was no reply.
 */
typedef void (*http_observer)(const struct http_call *call, int64_t ms, void *arg);
void http_observe(struct http *h, http_observer observer, void *arg);

/* Warnings that the server sent so far, each text counted once. */
size_t http_warnings(const struct http *h);

#endif
