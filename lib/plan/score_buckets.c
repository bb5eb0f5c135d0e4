/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/score_buckets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t bit_of(node_id node)
{
	return (uint64_t)1 << node % 64;
}

void ladder_init(struct ladder *l, size_t n_nodes)
{
	*l = (struct ladder){ .n_words = n_nodes / 64 + 1 };
	l->rungs = xcalloc((SCORE_MAX + 1) * l->n_words, sizeof(*l->rungs));
	l->score = xcalloc(n_nodes, sizeof(*l->score));
	l->n_on[0] = (uint32_t)n_nodes;
	for (node_id node = 0; node < n_nodes; node++)
		l->rungs[node / 64] |= bit_of(node);
}

void ladder_done(struct ladder *l)
{
	free(l->rungs);
	free(l->score);
}

void ladder_move(struct ladder *l, node_id node, uint32_t score)
{
	size_t old = l->score[node];

	l->rungs[old * l->n_words + node / 64] &= ~bit_of(node);
	l->n_on[old]--;
	l->rungs[score * l->n_words + node / 64] |= bit_of(node);
	l->n_on[score]++;
	l->score[node] = (uint8_t)score;
}

/* The climb stands before its first word, as if that of a rung above were done. */
struct climb climb_start(const struct ladder *l, const uint64_t *allowed, node_id only)
{
	struct climb c = {
		.ladder = l,
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

/* The next rung that somebody stands on. */
static bool step_down(struct climb *c)
{
	while (c->score > 0)
		if (c->ladder->n_on[--c->score] > 0) {
			c->word = c->first;
			return true;
		}
	return false;
}

node_id climb_next(struct climb *c)
{
	while (!c->left) {
		if (c->word >= c->end && !step_down(c))
			return NONE;
		c->left = c->ladder->rungs[c->score * c->ladder->n_words + c->word] & c->mask;
		if (c->allowed)
			c->left &= c->allowed[c->word];
		c->word++;
	}
	node_id node = (node_id)(c->word - 1) * 64 + (node_id)__builtin_ctzll(c->left);

	c->left &= c->left - 1;
	return node;
}
