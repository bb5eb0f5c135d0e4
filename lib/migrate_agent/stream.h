/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_STREAM_H
#define MCKUBE_MIGRATE_AGENT_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* A connection, with TLS or without. */

enum { STREAM_MS = 30000, STREAM_PIECE = 256 << 10 };

struct stream {
	int fd;
	SSL *ssl; /* NULL: none */
};

#define STREAM_INIT      \
	{                \
		.fd = -1 \
	}

/* Zero at its end, negative errno. */
ssize_t stream_read(const struct stream *s, void *to, size_t n);
/* All of it; negative errno. */
int stream_write(const struct stream *s, const void *from, size_t n);
/* So long each read and write waits at most: STREAM_MS, unless more is known. */
void stream_set_timeout(const struct stream *s, int ms);
void stream_close(struct stream *s);

#endif
