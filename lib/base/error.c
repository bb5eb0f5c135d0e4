/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static int set(struct error *err, int code, const char *fmt, va_list ap, const char *tail)
{
	if (!err)
		return code;

	err->code = code;
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	if (tail && n >= 0 && (size_t)n < sizeof(err->msg))
		snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, "%s", tail);
	str_make_printable(err->msg);
	return code;
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, fmt, ap, NULL);
	va_end(ap);
	return code;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	if (!err)
		return -EIO;

	struct error inner = *err;
	char tail[sizeof(inner.msg) + 2];
	va_list ap;

	snprintf(tail, sizeof(tail), ": %s", inner.msg);
	va_start(ap, fmt);
	set(err, inner.code, fmt, ap, tail);
	va_end(ap);
	return err->code;
}

int error_errno(struct error *err, const char *fmt, ...)
{
	int code = -errno;
	char tail[128];
	va_list ap;

	snprintf(tail, sizeof(tail), ": %s", strerror(-code));
	va_start(ap, fmt);
	set(err, code, fmt, ap, tail);
	va_end(ap);
	return code;
}
