/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_LATE_H
#define MCKUBE_BASE_LATE_H

#include <stddef.h>

#include "base/error.h"

/* Libraries that are loaded when they are first needed. libcurl brings thirty others along:
 * `kubectl-mckube version` takes 0.9 ms (mckube-node's 2.2 ms) without it, 5.6 ms with libcurl
 * linked and 10 ms with libmicrohttpd too; completion starts the program at every key.
 *
 * The functions are a struct of pointers, and a row for each says where its pointer lies. In a
 * static build (MCKUBE_STATIC) they are linked, and nothing is loaded. */
struct late_row {
	const char *name;
	size_t offset;
	void *linked; /* NULL but in a static build */
};

#ifdef MCKUBE_STATIC
#define LATE_LINKED(name) ((void *)(name))
#else
#define LATE_LINKED(name) NULL
#endif
#define LATE_ROW(table, name)                                               \
	{                                                                   \
#name, offsetof(__typeof__(table), name), LATE_LINKED(name) \
	}

/* Fills the pointers of `table`. `what` cannot be done without the library. */
int late_load(const char *library, const char *what, const struct late_row *rows, size_t n,
	      void *table, struct error *err);

#endif
