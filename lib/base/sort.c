/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sort.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static unsigned digit_of(uint64_t key, unsigned shift)
{
	return (unsigned)(key >> shift) & (DIGITS - 1);
}

/* The bits in which not all keys are the same. */
static uint64_t differences(const uint32_t *ids, size_t n, const uint64_t *keys)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < n; i++)
		bits |= keys[ids[i]] ^ keys[ids[0]];
	return bits;
}

/* By one digit, from one array to the other. */
static void deal(const uint32_t *from, size_t n, const uint64_t *keys, unsigned shift, uint32_t *to)
{
	uint32_t place[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		place[digit_of(keys[from[i]], shift)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t count = place[d];

		place[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[digit_of(keys[from[i]], shift)]++] = from[i];
}

void sort_ids(uint32_t *ids, size_t n, const uint64_t *keys)
{
	uint64_t bits = differences(ids, n, keys);

	if (!bits)
		return;
	AUTO_FREE uint32_t *dealt = xmalloc(n * sizeof(*dealt));
	uint32_t *from = ids, *to = dealt;

	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (!digit_of(bits, shift))
			continue;
		deal(from, n, keys, shift, to);
		uint32_t *other = from;
		from = to;
		to = other;
	}
	if (from == dealt)
		memcpy(ids, dealt, n * sizeof(*ids));
}
