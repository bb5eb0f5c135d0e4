/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/stream.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/units.h"

void stream_set_timeout(const struct stream *s, int ms)
{
	const struct timeval limit = { .tv_sec = ms / MS_PER_S,
				       .tv_usec =
					       (suseconds_t)ms % MS_PER_S * (US_PER_S / MS_PER_S) };

	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

ssize_t stream_read(const struct stream *s, void *to, size_t n)
{
	ssize_t r;

	if (!s->ssl) {
		do
			r = read(s->fd, to, n);
		while (r < 0 && errno == EINTR);
		return r < 0 ? -errno : r;
	}
	int code = SSL_read(s->ssl, to, n > INT32_MAX ? INT32_MAX : (int)n);
	if (code > 0)
		return code;
	return SSL_get_error(s->ssl, code) == SSL_ERROR_ZERO_RETURN ? 0 : -EIO;
}

static ssize_t write_some(const struct stream *s, const char *from, size_t n)
{
	if (!s->ssl) {
		ssize_t r = send(s->fd, from, n, MSG_NOSIGNAL);
		return r < 0 ? -errno : r;
	}
	int code = SSL_write(s->ssl, from, n > INT32_MAX ? INT32_MAX : (int)n);
	return code > 0 ? code : -EIO;
}

int stream_write(const struct stream *s, const void *from, size_t n)
{
	const char *at = from;

	while (n) {
		ssize_t r = write_some(s, at, n);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return (int)r;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

void stream_close(struct stream *s)
{
	if (s->ssl) {
		SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
	}
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct stream)STREAM_INIT;
}
