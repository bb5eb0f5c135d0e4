/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_ARENA_H
#define MCKUBE_BASE_ARENA_H

#include <stddef.h>

/* Memory that is released all at once. Nothing in an arena is freed alone, addresses never move,
 * and there is no limit but the machine's. Zeroed is empty. */
struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out, for reports */
};

/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));

/* n objects of a type, zeroed. */
#define arena_new(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* A copy of n bytes with a NUL behind. */
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));

void arena_done(struct arena *a);

#endif
