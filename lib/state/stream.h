/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_STREAM_H
#define MCKUBE_STATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* A window that moves over a file, or over text in memory. What lies in the window is [at, end);
 * a reader of a part of it moves `at`. Pointers into it are good until stream_more(). */
struct stream {
	const char *at, *end;
	bool is_whole; /* there is nothing behind `end` */
	int fd;	       /* -1: memory; not owned */
	bool can_seek;
	char *buffer;
	size_t capacity;
	uint64_t offset; /* in the file, of `end` */
};

void stream_init_fd(struct stream *s, int fd);
void stream_init_text(struct stream *s, struct slice text);
void stream_done(struct stream *s);

/* Reads on: the rest of the window moves to the front of the buffer, which grows when it is full,
 * to OBJECT_MAX_BYTES at most. 0 also at the end of the file, when is_whole turns true. */
int stream_more(struct stream *s, struct error *err);

/* A second window that begins at the same place and moves by itself. Needs can_seek, or memory. */
void stream_fork(const struct stream *s, struct stream *ret);

/* The line on which `at` stands, from 1; 0 where that cannot be told. */
uint32_t stream_line(const struct stream *s);

/* Where `at` stands, in bytes. */
uint64_t stream_offset(const struct stream *s);

#endif
