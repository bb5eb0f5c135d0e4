/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_GRPC_H
#define MCKUBE_CHECKPOINT_GRPC_H

#include "base/error.h"
#include "base/str.h"

/* gRPC calls over a socket of this machine, by libcurl's HTTP/2
 * (grpc.io: "gRPC over HTTP2"). One connection a call; any thread. */

enum { GRPC_REPLY_MAX = 4 << 20 };

/* Of https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
enum grpc_status { GRPC_OK = 0, GRPC_UNKNOWN = 2, GRPC_NOT_FOUND = 5, GRPC_EXISTS = 6 };

struct grpc {
	const char *socket;    /* its path */
	const char *namespace; /* of containerd */
	const char *lease;     /* what a call makes is kept by it; NULL: none */
};

/* To be called once before any other thread runs. */
int grpc_load(struct error *err);

/* `method` is "containerd.services.tasks.v1.Tasks/Pause". The reply's message goes to ret_message,
 * which the caller has initialised. Negative where there was no reply or its status is not GRPC_OK:
 * -ENOENT for GRPC_NOT_FOUND, -EEXIST, -ETIMEDOUT, else -EIO, with the server's text. */
int grpc_call(const struct grpc *g, const char *method, struct slice message, int64_t timeout_ms,
	      struct str *ret_message, struct error *err);

/* A call with any number of messages in its reply, which `take` gets one by one; what it returns
 * below zero ends the call, and is returned. */
typedef int grpc_take(void *arg, struct slice message, struct error *err);
int grpc_stream(const struct grpc *g, const char *method, struct slice message, int64_t timeout_ms,
		grpc_take *take, void *arg, struct error *err);

/* One frame: a zero byte, a length of four bytes, a message. -EBADMSG: it is not one whole frame,
 * or a compressed one. */
int grpc_unframe(struct slice body, struct slice *ret_message, struct error *err);

/* A header or trailer line of the reply: keeps the number of grpc-status, -1 before it came, and
 * the text of grpc-message, with %XX decoded. */
struct grpc_trailer {
	int status;
	struct str message;
};
void grpc_take_header(struct grpc_trailer *t, struct slice line);

#endif
