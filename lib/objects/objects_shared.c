/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/objects_internal.h"

const struct range *shared_find(const struct shared_runs *s, const void *key, size_t n)
{
	str_id id = intern_find(&s->keys, key, n);

	return id != INTERN_NONE && id < s->ranges.n ? &s->ranges.items[id] : NULL;
}

void shared_add(struct shared_runs *s, const void *key, size_t n, struct range range)
{
	if (s->ranges.n == 0) {
		intern_cstr(&s->keys, "");
		*array_add(&s->ranges) = (struct range){ 0 };
	}
	if (intern_add(&s->keys, key, n) == s->ranges.n)
		*array_add(&s->ranges) = range;
}

void shared_done(struct shared_runs *s)
{
	intern_done(&s->keys);
	array_done(&s->ranges);
}

void shared_runs_done(struct objects *o)
{
	shared_done(&o->labels);
	shared_done(&o->amounts);
	intern_done(&o->placements);
	shared_done(&o->terms);
	shared_done(&o->rules);
	shared_done(&o->rule_texts);
}

int decode_whole(struct objects *o, const struct field *fields, void *into, struct object_meta *m,
		 enum object_scope scope)
{
	int r = decode_object(&o->d, fields, into);

	if (r < 0)
		return r;
	if (o->d.has_duplicate)
		return DECODE_DUPLICATE;
	decoder_finish(&o->d);
	o->d.depth = 0;
	return meta_check(o, m, scope);
}
