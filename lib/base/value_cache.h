/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_VALUE_CACHE_H
#define MCKUBE_BASE_VALUE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/scan.h"

/* Values that were read before. The labels, the owner, the resources and the tolerations of a pod
 * are most often written as those of the pod before it. Where a text goes on with the very bytes of
 * an object or a list that was read, it is the same one, and what came of it is copied.
 *
 * That is right for values of which nothing comes but the result, and as long as what the result
 * refers to (ids) exists. `where` is any address that stands for the kind of the value. */

enum { VALUE_CACHE = 64, VALUE_CACHE_TEXT = 472, VALUE_CACHE_RESULT = 536 };

/* Zeroed is empty. */
struct value_cache {
	struct cached_value {
		const void *where;
		uint16_t n, size, depth;
		char text[VALUE_CACHE_TEXT];
		_Alignas(uint64_t) unsigned char result[VALUE_CACHE_RESULT];
	} items[VALUE_CACHE];
};

/* True if the value at hand is in the cache: *ret is filled and the scan stands behind it. */
bool value_cache_take(const struct value_cache *k, struct scan *s, const void *where, void *ret);

/* Keeps what came of the value from `from` to where the scan stands. */
void value_cache_add(struct value_cache *k, const struct scan *s, const char *from,
		     const void *where, const void *result, size_t size);

#endif
