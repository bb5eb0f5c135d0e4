/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_REGISTRY_H
#define MCKUBE_CHECKPOINT_REGISTRY_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/str.h"
#include "migrate/move_id.h"

/* As much of a registry as a pull of one image needs (opencontainers/distribution-spec), and what
 * helpers ask each other besides:
 *
 *	HEAD, GET	/v2/mig/ID-N/manifests/v1, /v2/mig/ID-N/manifests/sha256:HEX
 *	GET		/v2/mig/ID-N/blobs/sha256:HEX
 *	GET		/v2/mig/ID-N/threads	as checkpoint/thread_cpus.h has them
 *
 * ID is that of a move, N the number of the container in its pod. One request a connection. */

enum {
	REGISTRY_PORT = 9809,
	REGISTRY_HEAD_MAX = 8 << 10,
};

enum registry_want { WANT_MANIFEST, WANT_BLOB, WANT_THREADS };

struct registry_request {
	bool is_head;
	enum registry_want want;
	char id[MOVE_ID_SIZE];
	unsigned container;
	char digest[SHA256_HEX]; /* "": by the tag */
	int64_t from;		 /* of a Range: the first byte */
};

/* Does a request's head (up to and with the empty line) begin the text? Its length, 0: not yet. */
size_t registry_head(struct slice text);

/* Reads a head. -EBADMSG: no HTTP, -ENOENT: nothing that we have. */
int registry_parse(struct slice head, struct registry_request *ret, struct error *err);

/* The head of the reply. `length` is the body's, `total` the whole blob's (where from > 0). */
void registry_reply(struct str *out, unsigned status, const char *type, const char *digest,
		    int64_t length, int64_t from, int64_t total);

/* The helpers' side as a client: a request, and the body of a whole reply that is no refusal. */
void registry_ask_threads(struct str *out, const char *id, unsigned container);
int registry_body(struct slice reply, struct slice *ret, struct error *err);

#endif
