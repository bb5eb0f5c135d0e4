/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_INTERN_H
#define MCKUBE_BASE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A set of byte strings, each known by a small number: equal strings have equal ids, and comparing
 * ids replaces comparing text. Id 0 is the empty string in every table. Ids are given in order of
 * arrival, so they say nothing about the order of the text. Strings may hold NUL bytes and are
 * followed by a NUL that does not count; their addresses are stable until intern_sweep(). Zeroed is
 * empty. */
typedef uint32_t str_id;

struct intern {
	struct arena arena;
	struct intern_entry *entries; /* by id */
	uint32_t n, cap;
	uint32_t spare, n_spare;   /* the first id to be given again, plus 1; how many */
	struct intern_slot *slots; /* open addressing, at most three quarters full */
	uint32_t mask;
	uint32_t n_sweeps; /* times that ids were released: see intern_sweep() */
};

struct intern_entry {
	const char *s;	/* NULL: to be given again, */
	uint32_t n;	/* ... after it this one, plus 1 */
	int32_t number; /* see intern_number() */
};

/* The hash stands here, so that a search reads no other entry than the right one. */
struct intern_slot {
	uint32_t hash;
	uint32_t next_id; /* id + 1, 0: free */
};

/* The id of the n bytes at s, added when they are new. */
str_id intern_add(struct intern *t, const void *s, size_t n);
str_id intern_cstr(struct intern *t, const char *s);

/* The same in two steps, for callers with other work in between: the first prefetches the place in
 * the table and gives the hash for the second. */
uint32_t intern_prefetch(const struct intern *t, const void *s, size_t n);
str_id intern_add_hashed(struct intern *t, const void *s, size_t n, uint32_t hash);

/* The id of a string that is there already, else INTERN_NONE. */
str_id intern_find(const struct intern *t, const void *s, size_t n);
#define INTERN_NONE UINT32_MAX

const char *intern_str(const struct intern *t, str_id id);
size_t intern_len(const struct intern *t, str_id id);

/* The string as a whole number: digits, with a '-' at most before them, which fit in 32 bits. False
 * if it is none. It is worked out when the string comes, so that asking touches no text. */
bool intern_number(const struct intern *t, str_id id, int32_t *ret);

/* Forgets all strings but those with is_live[id]; the empty string always stays. Ids that stay keep
 * their meaning, the others will be given again. */
void intern_sweep(struct intern *t, const bool *is_live);

void intern_done(struct intern *t);

#endif
