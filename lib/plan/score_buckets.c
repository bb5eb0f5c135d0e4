/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/score_buckets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t bit_of(node_id node)
{
	return (uint64_t)1 << node % 64;
}

void score_buckets_init(struct score_buckets *l, size_t n_nodes)
{
	*l = (struct score_buckets){ .n_words = n_nodes / 64 + 1 };
	l->buckets = xcalloc((SCORE_MAX + 1) * l->n_words, sizeof(*l->buckets));
	l->score = xcalloc(n_nodes, sizeof(*l->score));
	l->n_on[0] = (uint32_t)n_nodes;
	for (node_id node = 0; node < n_nodes; node++)
		l->buckets[node / 64] |= bit_of(node);
}

void score_buckets_done(struct score_buckets *l)
{
	free(l->buckets);
	free(l->score);
}

void score_buckets_set(struct score_buckets *l, node_id node, uint32_t score)
{
	size_t old = l->score[node];

	l->buckets[old * l->n_words + node / 64] &= ~bit_of(node);
	l->n_on[old]--;
	l->buckets[score * l->n_words + node / 64] |= bit_of(node);
	l->n_on[score]++;
	l->score[node] = (uint8_t)score;
}

/* The iterator is before its first word, as if the bucket above were done. */
struct score_iterator score_iterator_start(const struct score_buckets *l, const uint64_t *allowed,
					   node_id only)
{
	struct score_iterator c = {
		.score_buckets = l,
		.allowed = allowed,
		.end = l->n_words,
		.mask = UINT64_MAX,
		.score = SCORE_MAX + 1,
	};

	if (only != NONE) {
		c.first = only / 64;
		c.end = c.first + 1;
		c.mask = bit_of(only);
	}
	c.word = c.end;
	return c;
}

/* The next bucket that is not empty. */
static bool step_down(struct score_iterator *c)
{
	while (c->score > 0)
		if (c->score_buckets->n_on[--c->score] > 0) {
			c->word = c->first;
			return true;
		}
	return false;
}

node_id score_iterator_next(struct score_iterator *c)
{
	while (!c->left) {
		if (c->word >= c->end && !step_down(c))
			return NONE;
		c->left =
			c->score_buckets->buckets[c->score * c->score_buckets->n_words + c->word] &
			c->mask;
		if (c->allowed)
			c->left &= c->allowed[c->word];
		c->word++;
	}
	node_id node = (node_id)(c->word - 1) * 64 + (node_id)__builtin_ctzll(c->left);

	c->left &= c->left - 1;
	return node;
}
