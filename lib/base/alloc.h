/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_ALLOC_H
#define MCKUBE_BASE_ALLOC_H

#include <stddef.h>
#include <stdlib.h>

/* Allocators that abort when memory runs out, so that callers never check. What comes from
 * outside is bounded before it gets here: an abort means the machine is out of memory. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
