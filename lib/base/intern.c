/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include <string.h>

#include "base/alloc.h"

static inline uint64_t load8(const unsigned char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	return w;
}

static inline uint32_t load4(const unsigned char *s)
{
	uint32_t w;

	memcpy(&w, s, sizeof(w));
	return w;
}

/* All of n <= 8 bytes; the two halves may overlap. */
static inline uint64_t load_few(const unsigned char *s, size_t n)
{
	if (n >= 4)
		return load4(s) | (uint64_t)load4(s + n - 4) << 32;
	return n ? s[0] | (uint64_t)s[n / 2] << 8 | (uint64_t)s[n - 1] << 16 : 0;
}

/* Multiply and fold, eight bytes at a time. The table holds names of one cluster: a poor hash would
 * cost time, never correctness. */
static uint32_t hash_of(const unsigned char *s, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n;

	for (; n > 8; s += 8, n -= 8) {
		h = (h ^ load8(s)) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	h = (h ^ load_few(s, n)) * 0xff51afd7ed558ccdu;
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h >> 32);
}

enum { NO_NUMBER = INT32_MIN };

static int32_t number_of(const char *s, size_t n)
{
	bool is_negative = n && *s == '-';
	int64_t value = 0;

	if (n == is_negative)
		return NO_NUMBER;
	for (size_t i = is_negative; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return NO_NUMBER;
		value = value * 10 + (s[i] - '0');
		if (value > INT32_MAX)
			return NO_NUMBER;
	}
	return (int32_t)(is_negative ? -value : value);
}

static struct intern_slot *free_slot(const struct intern *t, uint32_t hash)
{
	uint32_t at = hash & t->mask;

	while (t->slots[at].next_id)
		at = (at + 1) & t->mask;
	return &t->slots[at];
}

static void grow_slots(struct intern *t, uint32_t want)
{
	struct intern_slot *old = t->slots;
	uint32_t n_old = old ? t->mask + 1 : 0;

	t->mask = want - 1;
	t->slots = xcalloc(want, sizeof(*t->slots));
	for (uint32_t i = 0; i < n_old; i++)
		if (old[i].next_id)
			*free_slot(t, old[i].hash) = old[i];
	free(old);
}

/* The slot where the string is, or where it would go. */
static struct intern_slot *slot_of(const struct intern *t, const void *s, size_t n, uint32_t hash)
{
	for (uint32_t at = hash & t->mask;; at = (at + 1) & t->mask) {
		struct intern_slot *slot = &t->slots[at];

		if (!slot->next_id)
			return slot;
		if (slot->hash != hash)
			continue;

		const struct intern_entry *e = &t->entries[slot->next_id - 1];
		if (e->n == n && memcmp(e->s, s, n) == 0)
			return slot;
	}
}

static str_id new_id(struct intern *t)
{
	if (t->n_spare) {
		str_id id = t->spare - 1;

		t->spare = t->entries[id].n;
		t->n_spare--;
		return id;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap + t->cap / 2 : 64;
		t->entries = xreallocarray(t->entries, t->cap, sizeof(*t->entries));
	}
	return t->n++;
}

static str_id add_entry(struct intern *t, const void *s, size_t n, uint32_t hash,
			struct intern_slot *slot)
{
	str_id id = new_id(t);

	t->entries[id] = (struct intern_entry){
		.s = arena_strndup(&t->arena, s, n),
		.n = (uint32_t)n,
		.number = number_of(s, n),
	};
	*slot = (struct intern_slot){ hash, id + 1 };
	return id;
}

static str_id add_empty(struct intern *t)
{
	uint32_t hash = hash_of((const unsigned char *)"", 0);

	grow_slots(t, 1024);
	return add_entry(t, "", 0, hash, slot_of(t, "", 0, hash));
}

uint32_t intern_prefetch(const struct intern *t, const void *s, size_t n)
{
	uint32_t hash = hash_of(s, n);

	if (t->slots)
		__builtin_prefetch(&t->slots[hash & t->mask], 1);
	return hash;
}

str_id intern_add_hashed(struct intern *t, const void *s, size_t n, uint32_t hash)
{
	if (n > UINT32_MAX - 1)
		abort();
	if (!t->slots)
		add_empty(t);

	struct intern_slot *slot = slot_of(t, s, n, hash);
	if (slot->next_id)
		return slot->next_id - 1;
	if (t->n - t->n_spare + 1 > t->mask / 4 * 3) {
		grow_slots(t, (t->mask + 1) * 2);
		slot = slot_of(t, s, n, hash);
	}
	return add_entry(t, s, n, hash, slot);
}

str_id intern_add(struct intern *t, const void *s, size_t n)
{
	return intern_add_hashed(t, s, n, hash_of(s, n));
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

	const struct intern_slot *slot = slot_of(t, s, n, hash_of(s, n));
	return slot->next_id ? slot->next_id - 1 : INTERN_NONE;
}

const char *intern_str(const struct intern *t, str_id id)
{
	return id < t->n ? t->entries[id].s : "";
}

size_t intern_len(const struct intern *t, str_id id)
{
	return id < t->n ? t->entries[id].n : 0;
}

bool intern_number(const struct intern *t, str_id id, int32_t *ret)
{
	if (id >= t->n || t->entries[id].number == NO_NUMBER)
		return false;
	*ret = t->entries[id].number;
	return true;
}

/* Strings that stay move to an arena of their own. */
void intern_sweep(struct intern *t, const bool *is_live)
{
	struct arena kept = { 0 };

	if (!t->slots)
		return;
	t->n_sweeps++;
	t->spare = t->n_spare = 0;
	memset(t->slots, 0, (t->mask + (size_t)1) * sizeof(*t->slots));
	for (uint32_t id = t->n; id-- > 0;) {
		struct intern_entry *e = &t->entries[id];

		if (e->s && (id == 0 || is_live[id])) {
			uint32_t hash = hash_of((const unsigned char *)e->s, e->n);

			e->s = arena_strndup(&kept, e->s, e->n);
			*free_slot(t, hash) = (struct intern_slot){ hash, id + 1 };
			continue;
		}
		*e = (struct intern_entry){ .n = t->spare };
		t->spare = id + 1;
		t->n_spare++;
	}
	arena_done(&t->arena);
	t->arena = kept;
}

void intern_done(struct intern *t)
{
	arena_done(&t->arena);
	free(t->entries);
	free(t->slots);
	*t = (struct intern){ 0 };
}
