/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

enum { BLOCK = 64 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

static struct arena_block *block_new(struct arena *a, size_t size)
{
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	b->size = size;
	b->used = 0;
	b->next = a->head;
	a->head = b;
	return b;
}

static struct arena_block *block_for(struct arena *a, size_t size)
{
	if (a->head && a->head->size - a->head->used >= size)
		return a->head;
	if (size < BLOCK / 4)
		return block_new(a, BLOCK);

	/* A large piece gets a block of its own behind the head, which keeps its room. */
	struct arena_block *head = a->head;
	struct arena_block *b = block_new(a, size);
	if (head) {
		b->next = head->next;
		head->next = b;
		a->head = head;
	}
	return b;
}

/* size bytes from a position that is a multiple of align, not zeroed. */
static void *take(struct arena *a, size_t size, size_t align)
{
	if (size > SIZE_MAX / 2)
		abort();

	struct arena_block *b = block_for(a, size + align - 1);
	size_t at = (b->used + align - 1) / align * align;

	b->used = at + size;
	a->used += size;
	return b->data + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size, _Alignof(max_align_t)), 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = take(a, n + 1, 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

void arena_done(struct arena *a)
{
	for (struct arena_block *b = a->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){ 0 };
}
