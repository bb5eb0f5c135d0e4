/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_ARRAY_H
#define MCKUBE_BASE_ARRAY_H

#include "base/alloc.h"

/* A growable array is any struct with the members `items` (a pointer), `n` and `cap`; zeroed it is
 * empty. Elements move when it grows: keep indices, not pointers.
 *
 *	struct { struct pod *items; size_t n, cap; } pods = { 0 };
 *	*array_add(&pods) = (struct pod){ .node = 3 };
 *	array_each (pod, &pods)
 *		use(pod);
 *	array_done(&pods);
 */
#define ARRAY(type)            \
	struct {               \
		type *items;   \
		size_t n, cap; \
	}

/* Makes room for n more. */
#define array_reserve(a, more)                                                             \
	do {                                                                               \
		size_t want_ = (a)->n + (more);                                            \
		if (want_ > (a)->cap) {                                                    \
			size_t cap_ = (a)->cap + (a)->cap / 2;                             \
			cap_ = cap_ < want_ ? want_ : cap_;                                \
			cap_ = cap_ < 8 ? 8 : cap_;                                        \
			(a)->items = xreallocarray((a)->items, cap_, sizeof(*(a)->items)); \
			(a)->cap = cap_;                                                   \
		}                                                                          \
	} while (0)

/* Adds one element and gives its address, not yet set. */
#define array_add(a)                   \
	({                             \
		array_reserve((a), 1); \
		&(a)->items[(a)->n++]; \
	})

#define array_each(it, a) \
	for (__typeof__(*(a)->items) *it = (a)->items; it && it < (a)->items + (a)->n; it++)

#define array_clear(a) ((void)((a)->n = 0))

#define array_done(a)                  \
	do {                           \
		free((a)->items);      \
		(a)->items = NULL;     \
		(a)->n = (a)->cap = 0; \
	} while (0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
