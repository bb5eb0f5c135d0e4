/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

struct pairs {
	str_id key, value; /* the last */
	unsigned n;
};

struct thing {
	str_id name, token;
	struct pairs pairs;
	int32_t size;
	struct slice rest;
	bool is_on;
	unsigned n_parts;
};

static int read_part(struct decoder *d, void *arg);

static int read_pair(struct decoder *d, struct slice key, void *arg)
{
	struct pairs *p = arg;

	p->n++;
	p->key = intern_add(d->strings, key.s, key.n);
	return decode_id(d, &p->value);
}

static int read_pairs(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	*(struct pairs *)into = (struct pairs){ 0 };
	return decode_map(d, read_pair, into);
}

static int read_parts(struct decoder *d, const struct field *f, void *into)
{
	return decode_list(d, read_part, (char *)into - f->offset);
}

static const struct field inner_fields[] = {
	FIELD("on", read_bool, struct thing, is_on),
	FIELD("size", read_i32, struct thing, size),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB("inner", inner_fields),
	FIELD("name", read_deferred_text, struct thing, name),
	FIELD_CACHED("pairs", read_pairs, struct thing, pairs),
	FIELD("parts", read_parts, struct thing, n_parts),
	FIELD("rest", read_slice, struct thing, rest),
	FIELD("token", read_deferred_token, struct thing, token),
	{ 0 },
};

static int read_part(struct decoder *d, void *arg)
{
	struct thing *t = arg;

	t->n_parts++;
	return decode_object(d, fields, t);
}

/* A text that lies in memory of just its size, decoded with or without a memory of others. */
struct run {
	struct decoder d;
	struct thing thing;
	char *copy;
	int result;
};

static void decode(struct run *run, struct intern *strings, struct slice text,
		   struct decoder_memory *memory)
{
	*run = (struct run){ .copy = malloc(text.n) };
	if (text.n)
		memcpy(run->copy, text.s, text.n);
	decoder_init(&run->d, strings);
	run->d.memory = memory;
	decoder_start(&run->d, (struct slice){ run->copy, text.n });
	run->result = decode_object(&run->d, fields, &run->thing);
	if (run->result == 0)
		decoder_finish(&run->d);
}

static void run_done(struct run *run)
{
	decoder_done(&run->d);
	free(run->copy);
}

static bool is_same_slice(const struct run *a, const struct run *b)
{
	const struct slice x = a->thing.rest, y = b->thing.rest;

	return x.n == y.n && (!x.s || x.s - a->copy == y.s - b->copy);
}

static bool is_same(const struct run *a, const struct run *b)
{
	const struct thing *x = &a->thing, *y = &b->thing;

	if (a->result != b->result || a->d.has_duplicate != b->d.has_duplicate)
		return false;
	if (a->result == DECODE_REFUSED)
		return strcmp(a->d.problem, b->d.problem) == 0;
	if (a->result == SCAN_BAD)
		return strcmp(a->d.scan.why, b->d.scan.why) == 0;
	if (a->result < 0)
		return true;
	return a->d.scan.at - a->copy == b->d.scan.at - b->copy && x->name == y->name &&
	       x->token == y->token && x->size == y->size && x->is_on == y->is_on &&
	       x->n_parts == y->n_parts && x->pairs.n == y->pairs.n &&
	       x->pairs.key == y->pairs.key && x->pairs.value == y->pairs.value &&
	       is_same_slice(a, b);
}

/* Lines are objects. What is remembered of the ones before changes nothing but the time it takes.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(intern_done) struct intern strings = { 0 };
	static struct decoder_memory memory;
	const char *at = (const char *)data, *end = at + n;

	memset(&memory, 0, sizeof(memory));
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct slice line = { at, (size_t)((stop ? stop : end) - at) };
		struct run plain, again;

		decode(&plain, &strings, line, NULL);
		decode(&again, &strings, line, &memory);
		if (!is_same(&plain, &again))
			abort();
		run_done(&plain);
		run_done(&again);
		at += line.n + (stop != NULL);
	}
	return 0;
}
