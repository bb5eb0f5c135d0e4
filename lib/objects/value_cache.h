/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_VALUE_CACHE_H
#define MCKUBE_OBJECTS_VALUE_CACHE_H

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

enum { KEPT = 64, KEPT_TEXT = 472, KEPT_RESULT = 528 };

/* Zeroed is empty. */
struct kept_values {
	struct kept {
		const void *where;
		uint16_t n, size, depth;
		char text[KEPT_TEXT];
		_Alignas(uint64_t) unsigned char result[KEPT_RESULT];
	} items[KEPT];
};

/* True if the value at hand is kept: *ret is filled and the scan stands behind it. */
bool kept_take(const struct kept_values *k, struct scan *s, const void *where, void *ret);

/* Keeps what came of the value from `from` to where the scan stands. */
void kept_add(struct kept_values *k, const struct scan *s, const char *from, const void *where,
	      const void *result, size_t size);

#endif
