/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_out.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"

/* An open object or array. */
struct json_frame {
	bool is_array, is_bare;
	bool has_items;
	size_t body;	     /* where its content begins in the text */
	size_t first_member; /* in json_out.members */
};

/* A member of an open object: its key, and where its text lies. */
struct json_member {
	const char *key;
	size_t at, end;
};

/* The innermost open container; there must be one. */
static struct json_frame *top(struct json_out *o)
{
	return &o->frames.items[o->frames.n - 1];
}

static void new_line(struct json_out *o)
{
	if (o->is_canonical || o->is_compact)
		return;
	str_addc(o->out, '\n');
	for (size_t i = 0; i < o->frames.n; i++)
		str_add(o->out, "  ");
}

static void begin_item(struct json_out *o, struct json_frame *f)
{
	if (f->has_items)
		str_addc(o->out, ',');
	f->has_items = true;
	new_line(o);
}

static void begin_value(struct json_out *o)
{
	if (o->frames.n && top(o)->is_array)
		begin_item(o, top(o));
}

static void open_container(struct json_out *o, bool is_array)
{
	begin_value(o);
	str_addc(o->out, is_array ? '[' : '{');
	*array_add(&o->frames) = (struct json_frame){
		.is_array = is_array,
		.body = o->out->n,
		.first_member = o->members.n,
	};
}

void json_out_object(struct json_out *o)
{
	open_container(o, false);
}

void json_out_array(struct json_out *o)
{
	open_container(o, true);
}

void json_out_bare_object(struct json_out *o)
{
	*array_add(&o->frames) = (struct json_frame){ .is_bare = true };
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct json_member *)a)->key, ((const struct json_member *)b)->key);
}

/* Puts the members of the innermost object, whose text ends here, into the order of their keys. */
static void sort_members(struct json_out *o, const struct json_frame *f)
{
	struct json_member *members = o->members.items + f->first_member;
	size_t n = o->members.n - f->first_member;

	if (n < 2)
		return;
	members[n - 1].end = o->out->n;
	for (size_t i = 0; i + 1 < n; i++)
		members[i].end = members[i + 1].at - 1;
	qsort(members, n, sizeof(*members), by_key);

	AUTO(str_done) struct str body = STR_INIT;
	str_addn(&body, o->out->s + f->body, o->out->n - f->body);
	str_cut(o->out, f->body);
	for (size_t i = 0; i < n; i++) {
		if (i)
			str_addc(o->out, ',');
		str_addn(o->out, body.s + (members[i].at - f->body),
			 members[i].end - members[i].at);
	}
}

void json_out_end(struct json_out *o)
{
	struct json_frame f = *top(o);

	o->frames.n--;
	if (o->is_canonical && !f.is_array)
		sort_members(o, &f);
	o->members.n = f.first_member;
	if (f.is_bare)
		return;
	if (f.has_items)
		new_line(o);
	str_addc(o->out, f.is_array ? ']' : '}');
}

void json_out_key(struct json_out *o, const char *key)
{
	begin_item(o, top(o));
	if (o->is_canonical)
		*array_add(&o->members) = (struct json_member){ .key = key, .at = o->out->n };
	str_add_json(o->out, key);
	str_add(o->out, o->is_canonical || o->is_compact ? ":" : ": ");
}

void json_out_text(struct json_out *o, const char *s)
{
	begin_value(o);
	str_add_json(o->out, s);
}

void json_out_int(struct json_out *o, int64_t value)
{
	begin_value(o);
	str_addf(o->out, "%" PRId64, value);
}

void json_out_micro(struct json_out *o, int64_t micro)
{
	AUTO(str_done) struct str text = STR_INIT;

	decimal_add(&text, micro, 0);
	json_out_raw(o, text.s);
}

void json_out_bool(struct json_out *o, bool value)
{
	begin_value(o);
	str_add(o->out, value ? "true" : "false");
}

void json_out_null(struct json_out *o)
{
	json_out_raw(o, "null");
}

void json_out_raw(struct json_out *o, const char *json)
{
	begin_value(o);
	str_add(o->out, json);
}

void json_out_member(struct json_out *o, const char *key, const char *text)
{
	json_out_key(o, key);
	json_out_text(o, text);
}

void json_out_given(struct json_out *o, const char *key, const char *text)
{
	if (text && *text)
		json_out_member(o, key, text);
}

void json_out_member_int(struct json_out *o, const char *key, int64_t value)
{
	json_out_key(o, key);
	json_out_int(o, value);
}

void json_out_member_bool(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_bool(o, value);
}

void json_out_flag(struct json_out *o, const char *key, bool value)
{
	if (value)
		json_out_member_bool(o, key, true);
}

void json_out_members(struct json_out *o, const char *json)
{
	if (!json || !*json)
		return;
	begin_item(o, top(o));
	str_add(o->out, json);
}

void json_out_done(struct json_out *o)
{
	array_done(&o->frames);
	array_done(&o->members);
}
