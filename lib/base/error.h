/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_ERROR_H
#define MCKUBE_BASE_ERROR_H

#include <errno.h>

/* An error is a value: a negative errno and one line of text. It owns nothing, so it may be
 * copied, overwritten and forgotten.
 *
 * A function that can fail returns 0 or the negative code, and takes `struct error *err` last.
 * Making the error is the return statement:
 *
 *	if (!server)
 *		return error_set(err, -EINVAL, "context '%s' has no server", name);
 *	if (kube_list(k, path, pods, err) < 0)
 *		return error_wrap(err, "load snapshot");
 *
 * err may be NULL where a caller wants only the code. */
struct error {
	int code;
	char msg[512];
};

#define ERROR_INIT ((struct error){ 0 })

/* Fills err and returns code, which must be negative. The message is made printable (base/str.h):
 * much of what is quoted here comes from outside. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/* Puts "<text>: " before the message that err holds and returns its code. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* error_set() with ": <strerror(errno)>" behind the text; returns -errno. */
int error_errno(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

#endif
