/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include <string.h>

#include "base/alloc.h"

/* Multiply and fold, eight bytes at a time. The table holds names of one cluster: a poor hash would
 * cost time, never correctness. */
static uint32_t hash_of(const unsigned char *s, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n;

	while (n >= 8) {
		uint64_t w;

		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		s += 8;
		n -= 8;
	}
	uint64_t w = 0;
	memcpy(&w, s, n);
	h = (h ^ w) * 0xff51afd7ed558ccdu;
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h >> 32);
}

static void grow_slots(struct intern *t, uint32_t want)
{
	free(t->slots);
	t->mask = want - 1;
	t->slots = xcalloc(want, sizeof(*t->slots));
	for (uint32_t id = 0; id < t->n; id++) {
		uint32_t at = t->entries[id].hash & t->mask;

		while (t->slots[at])
			at = (at + 1) & t->mask;
		t->slots[at] = id + 1;
	}
}

/* The slot where the string is, or where it would go. */
static uint32_t slot_of(const struct intern *t, const void *s, size_t n, uint32_t hash)
{
	uint32_t at = hash & t->mask;

	for (; t->slots[at]; at = (at + 1) & t->mask) {
		const struct intern_entry *e = &t->entries[t->slots[at] - 1];

		if (e->hash == hash && e->n == n && memcmp(e->s, s, n) == 0)
			break;
	}
	return at;
}

static str_id add_entry(struct intern *t, const void *s, size_t n, uint32_t hash, uint32_t at)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap + t->cap / 2 : 64;
		t->entries = xreallocarray(t->entries, t->cap, sizeof(*t->entries));
	}
	t->entries[t->n] = (struct intern_entry){
		.s = arena_strndup(&t->arena, s, n),
		.n = (uint32_t)n,
		.hash = hash,
	};
	t->slots[at] = ++t->n;
	return t->n - 1;
}

str_id intern_add(struct intern *t, const void *s, size_t n)
{
	if (n > UINT32_MAX - 1)
		abort();
	if (!t->slots) {
		uint32_t empty = hash_of((const unsigned char *)"", 0);

		grow_slots(t, 1024);
		add_entry(t, "", 0, empty, empty & t->mask);
	}
	uint32_t hash = hash_of(s, n);
	uint32_t at = slot_of(t, s, n, hash);
	if (t->slots[at])
		return t->slots[at] - 1;

	if (t->n + 1 > t->mask / 4 * 3) {
		grow_slots(t, (t->mask + 1) * 2);
		at = slot_of(t, s, n, hash);
	}
	return add_entry(t, s, n, hash, at);
}

str_id intern_cstr(struct intern *t, const char *s)
{
	return intern_add(t, s, strlen(s));
}

str_id intern_find(const struct intern *t, const void *s, size_t n)
{
	if (n == 0)
		return 0;
	if (!t->slots)
		return INTERN_NONE;

	uint32_t at = slot_of(t, s, n, hash_of(s, n));
	return t->slots[at] ? t->slots[at] - 1 : INTERN_NONE;
}

const char *intern_str(const struct intern *t, str_id id)
{
	return id < t->n ? t->entries[id].s : "";
}

size_t intern_len(const struct intern *t, str_id id)
{
	return id < t->n ? t->entries[id].n : 0;
}

void intern_done(struct intern *t)
{
	arena_done(&t->arena);
	free(t->entries);
	free(t->slots);
	*t = (struct intern){ 0 };
}
