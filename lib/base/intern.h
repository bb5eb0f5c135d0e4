/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_INTERN_H
#define MCKUBE_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A set of byte strings, each known by a small number: equal strings have equal ids, and comparing
 * ids replaces comparing text. Id 0 is the empty string in every table. Ids are given in order of
 * arrival, so they say nothing about the order of the text. Strings may hold NUL bytes and are
 * followed by a NUL that does not count; their addresses are stable. Zeroed is empty. */
typedef uint32_t str_id;

struct intern {
	struct arena arena;
	struct intern_entry *entries; /* by id */
	uint32_t n, cap;
	uint32_t *slots; /* open addressing, id + 1, 0 is free */
	uint32_t mask;
};

struct intern_entry {
	const char *s;
	uint32_t n, hash;
};

/* The id of the n bytes at s, added when they are new. */
str_id intern_add(struct intern *t, const void *s, size_t n);
str_id intern_cstr(struct intern *t, const char *s);

/* The id of a string that is there already, else INTERN_NONE. */
str_id intern_find(const struct intern *t, const void *s, size_t n);
#define INTERN_NONE UINT32_MAX

const char *intern_str(const struct intern *t, str_id id);
size_t intern_len(const struct intern *t, str_id id);

void intern_done(struct intern *t);

#endif
