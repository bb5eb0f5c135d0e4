/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value_cache.h"

#include <string.h>

enum { HASHED = 16 };

/* By the kind and the first bytes; there are HASHED of them at p. */
static size_t slot_of(const void *where, const char *p)
{
	uint64_t words[HASHED / sizeof(uint64_t)];

	memcpy(words, p, sizeof(words));

	uint64_t hash = (words[0] ^ (uintptr_t)where) * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ words[1]) * UINT64_C(0xff51afd7ed558ccd);
	return hash >> 32 & (VALUE_CACHE - 1);
}

bool value_cache_take(const struct value_cache *k, struct scan *s, const void *where, void *ret)
{
	size_t left = (size_t)(s->end - s->at);

	if (left < HASHED)
		return false;

	const struct cached_value *v = &k->items[slot_of(where, s->at)];
	if (v->where != where || s->depth > v->depth || v->n > left ||
	    memcmp(v->text, s->at, v->n) != 0)
		return false;
	memcpy(ret, v->result, v->size);
	s->at += v->n;
	return true;
}

void value_cache_add(struct value_cache *k, const struct scan *s, const char *from,
		     const void *where, const void *result, size_t size)
{
	size_t n = (size_t)(s->at - from);
	bool is_container = *from == '{' || *from == '[';

	if (!is_container || s->end - from < HASHED || n > VALUE_CACHE_TEXT ||
	    size > VALUE_CACHE_RESULT)
		return;

	struct cached_value *v = &k->items[slot_of(where, from)];
	v->where = where;
	v->n = (uint16_t)n;
	v->size = (uint16_t)size;
	v->depth = (uint16_t)s->depth;
	memcpy(v->text, from, n);
	memcpy(v->result, result, size);
}
