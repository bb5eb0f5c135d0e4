/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SCORE_BUCKETS_H
#define MCKUBE_PLAN_SCORE_BUCKETS_H

#include "plan/policy.h"
#include "plan/trial.h"

/* All nodes in the order of a score, without sorting them: each score is a bucket, a bit set of
 * nodes. The best node is found by iterating the buckets from the best down, skipping forbidden
 * nodes 64 at a time. */
struct score_buckets {
	uint64_t *buckets; /* n_words for each score */
	size_t n_words;
	uint32_t n_on[SCORE_MAX + 1];
	uint8_t *score; /* by node_id */
};

/* All nodes begin at score 0. */
void score_buckets_init(struct score_buckets *l, size_t n_nodes);
void score_buckets_done(struct score_buckets *l);
void score_buckets_set(struct score_buckets *l, node_id node, uint32_t score);

/* The buckets may not change meanwhile. */
struct score_iterator {
	const struct score_buckets *score_buckets;
	const uint64_t *allowed; /* a bit set of nodes; NULL: all */
	size_t first, end;	 /* the words that are looked at */
	uint64_t mask;		 /* of each */
	size_t score, word;
	uint64_t left; /* nodes of the word that are still to come */
};

/* Over the nodes of the bit set; with `only` (NONE: no such limit) over that node at most. */
struct score_iterator score_iterator_start(const struct score_buckets *l, const uint64_t *allowed,
					   node_id only);

/* The next node: the highest score first, then the lowest number. NONE at the end. */
node_id score_iterator_next(struct score_iterator *c);

#endif
