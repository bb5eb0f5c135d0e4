/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_NEAREST_H
#define MCKUBE_BASE_NEAREST_H

#include <stddef.h>

/* Finds the word that was probably meant, for "did you mean ...?".
 *
 *	struct nearest n = NEAREST_OF(typed);
 *	for (...)
 *		nearest_offer(&n, known[i]);
 *	if (n.best)
 *		...
 */
struct nearest {
	const char *word;
	const char *best; /* NULL while nothing is near enough; the first one wins a tie */
	size_t distance;
};

#define NEAREST_OF(word_) ((struct nearest){ .word = (word_) })

/* `candidate` must outlive n. Near enough means: a third of the typed letters wrong at most, or two
 * of a short word, counted as insertions, deletions, substitutions and swaps of neighbours; or that
 * one word begins with the other. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
