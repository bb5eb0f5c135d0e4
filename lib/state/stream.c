/* SPDX-License-Identifier: Apache-2.0 */
#include "state/stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "state/reader.h"

/* Small enough for the second level cache, which the decoder then reads from. */
enum { FIRST_CAPACITY = 256 << 10 };

void stream_init_fd(struct stream *s, int fd)
{
	*s = (struct stream){ .fd = fd, .can_seek = lseek(fd, 0, SEEK_CUR) >= 0 };
	s->capacity = FIRST_CAPACITY;
	s->buffer = xmalloc(s->capacity);
	s->at = s->end = s->buffer;
	if (s->can_seek)
		s->offset = (uint64_t)lseek(fd, 0, SEEK_CUR);
}

void stream_init_text(struct stream *s, struct slice text)
{
	*s = (struct stream){
		.at = text.s,
		.end = text.s + text.n,
		.is_whole = true,
		.fd = -1,
	};
}

void stream_done(struct stream *s)
{
	free(s->buffer);
	*s = (struct stream){ .fd = -1 };
}

static int make_room(struct stream *s, struct error *err)
{
	size_t rest = (size_t)(s->end - s->at);

	if (rest == s->capacity && s->capacity >= OBJECT_MAX_BYTES)
		return error_set(err, -EFBIG, "an object is larger than %d MiB",
				 OBJECT_MAX_BYTES >> 20);
	memmove(s->buffer, s->at, rest);
	if (rest > s->capacity / 2) {
		s->capacity *= 2;
		s->buffer = xreallocarray(s->buffer, s->capacity, 1);
	}
	s->at = s->buffer;
	s->end = s->buffer + rest;
	return 0;
}

int stream_more(struct stream *s, struct error *err)
{
	ssize_t n;

	if (s->is_whole)
		return 0;
	if (make_room(s, err) < 0)
		return -EFBIG;
	do {
		size_t room = s->capacity - (size_t)(s->end - s->buffer);
		char *to = s->buffer + (s->end - s->buffer);

		n = s->can_seek ? pread(s->fd, to, room, (off_t)s->offset) : read(s->fd, to, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "read");
	s->is_whole = n == 0;
	s->end += n;
	s->offset += (uint64_t)n;
	return 0;
}

void stream_fork(const struct stream *s, struct stream *ret)
{
	*ret = *s;
	if (s->fd < 0)
		return;
	ret->buffer = xmalloc(s->capacity);
	memcpy(ret->buffer, s->at, (size_t)(s->end - s->at));
	ret->at = ret->buffer;
	ret->end = ret->buffer + (s->end - s->at);
}

uint64_t stream_offset(const struct stream *s)
{
	return s->offset - (uint64_t)(s->end - s->at);
}

uint32_t stream_line(const struct stream *s)
{
	uint64_t left = stream_offset(s), offset = 0;
	AUTO_FREE char *buffer = NULL;
	uint32_t line = 1;

	if (s->fd < 0 || !s->can_seek)
		return 0;
	buffer = xmalloc(FIRST_CAPACITY);
	while (left > 0) {
		size_t want = left < FIRST_CAPACITY ? (size_t)left : FIRST_CAPACITY;
		ssize_t n = pread(s->fd, buffer, want, (off_t)offset);

		if (n <= 0)
			return 0;
		for (const char *p = buffer, *end = p + n; (p = memchr(p, '\n', (size_t)(end - p)));
		     p++)
			line++;
		offset += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return line;
}
