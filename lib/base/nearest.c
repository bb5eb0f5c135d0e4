/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST = 63 }; /* longer words are never near anything */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Optimal string alignment, three rows at a time. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t k = 0; k <= n_b; k++)
		last[k] = k;
	for (size_t i = 1; i <= n_a; i++) {
		now[0] = i;
		for (size_t k = 1; k <= n_b; k++) {
			now[k] = min3(last[k] + 1, now[k - 1] + 1,
				      last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = min3(now[k], before[k - 2] + 1, now[k]);
		}
		size_t *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[n_b];
}

static bool is_prefix(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t n = n_a < n_b ? n_a : n_b;

	return n >= 2 && memcmp(a, b, n) == 0;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t n_word = strlen(n->word), n_candidate = strlen(candidate);
	size_t limit = n_word / 3 < 2 ? 2 : n_word / 3;

	if (n_word < 2 || n_word > LONGEST || n_candidate > LONGEST)
		return;
	size_t distance = edit_distance(n->word, n_word, candidate, n_candidate);
	if ((distance >= n_word || distance > limit) &&
	    !is_prefix(n->word, n_word, candidate, n_candidate))
		return;
	if (!n->best || distance < n->distance) {
		n->best = candidate;
		n->distance = distance;
	}
}
