/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/score_buckets.h"

#include <string.h>

#include "test/unit/plan/build.h"
#include "test/unit/test.h"

enum { NODES = 200, WORDS = NODES / 64 + 1 };

TEST(nodes_of_equal_score_come_by_number)
{
	struct score_buckets l;

	score_buckets_init(&l, 3);
	score_buckets_set(&l, 1, 70);
	score_buckets_set(&l, 2, 70);

	struct score_iterator c = score_iterator_start(&l, NULL, NONE);
	assert_int_equal(score_iterator_next(&c), 1);
	assert_int_equal(score_iterator_next(&c), 2);
	assert_int_equal(score_iterator_next(&c), 0);
	assert_int_equal(score_iterator_next(&c), NONE);
	assert_int_equal(score_iterator_next(&c), NONE);
	score_buckets_done(&l);
}

TEST(a_single_node_is_returned_only_if_allowed)
{
	uint64_t allowed[WORDS] = { [1] = 1 };
	struct score_buckets l;

	score_buckets_init(&l, NODES);
	score_buckets_set(&l, 64, SCORE_MAX);

	struct score_iterator c = score_iterator_start(&l, allowed, 64);
	assert_int_equal(score_iterator_next(&c), 64);
	assert_int_equal(score_iterator_next(&c), NONE);
	c = score_iterator_start(&l, allowed, 65);
	assert_int_equal(score_iterator_next(&c), NONE);
	score_buckets_done(&l);
}

TEST(buckets_without_nodes_return_none)
{
	struct score_buckets l;

	score_buckets_init(&l, 0);

	struct score_iterator c = score_iterator_start(&l, NULL, NONE);
	assert_int_equal(score_iterator_next(&c), NONE);
	score_buckets_done(&l);
}

/* The allowed node that comes after `last`, looked for among all; NONE: from the top. */
static node_id next_of_all(const struct score_buckets *l, const uint64_t *allowed, node_id last)
{
	node_id best = NONE;

	for (node_id n = 0; n < NODES; n++) {
		bool is_after = last == NONE || l->score[n] < l->score[last] ||
				(l->score[n] == l->score[last] && n > last);

		if (!(allowed[n / 64] >> n % 64 & 1) || !is_after)
			continue;
		if (best == NONE || l->score[n] > l->score[best])
			best = n;
	}
	return best;
}

TEST(iteration_returns_all_nodes_in_order)
{
	uint32_t seed = 1;
	struct score_buckets l;

	score_buckets_init(&l, NODES);
	for (int round = 0; round < 50; round++) {
		uint64_t allowed[WORDS] = { 0 };
		node_id last = NONE;

		for (int i = 0; i < NODES; i++) {
			node_id n = random_below(&seed, NODES);

			score_buckets_set(&l, random_below(&seed, NODES),
					  random_below(&seed, SCORE_MAX + 1));
			allowed[n / 64] |= (uint64_t)1 << n % 64;
		}
		struct score_iterator c = score_iterator_start(&l, allowed, NONE);
		do {
			node_id expect = next_of_all(&l, allowed, last);

			last = score_iterator_next(&c);
			assert_int_equal(last, expect);
		} while (last != NONE);
	}
	score_buckets_done(&l);
}
