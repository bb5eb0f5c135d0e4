/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"
#include "base/intern.h"
#include "base/scan.h"
#include "base/yaml_scalar.h"

/* JSON is written while libyaml's events come in; nothing is built. An anchor keeps the JSON text
 * of its node, and an alias copies it. */

/* A member of an open mapping, as offsets into the output: "key":value */
struct entry {
	size_t key, value, end;
	bool is_dropped;
};

/* An open mapping or sequence. */
struct frame {
	bool is_map;
	bool has_key;	 /* a key was read, its value not yet */
	bool is_merge;	 /* ... and the key is << */
	bool has_item;	 /* of a sequence: a comma goes before the next */
	size_t at;	 /* where the text begins */
	size_t merge_at; /* where the value of << begins */
	size_t entries;	 /* index of the first */
	uint32_t nodes;	 /* how many there were when it opened */
	uint32_t height; /* containers below, in the deepest branch */
	str_id anchor;	 /* 0: none */
};

struct anchor {
	char *json; /* NULL while its node is open */
	size_t n;
	uint32_t nodes, height;
};

struct converter {
	yaml_parser_t parser;
	struct yaml_limits limits;
	struct str out;
	ARRAY(struct frame) frames;
	ARRAY(struct entry) entries; /* of the open mappings */
	ARRAY(struct entry) sorted;
	struct intern names;
	ARRAY(struct anchor) anchors; /* by name */
	uint32_t nodes, n_aliased;
	size_t copied; /* bytes kept for anchors and copied by aliases */
	uint32_t line; /* of the event at hand */
};

static int fail(const struct converter *c, struct error *err, const char *what)
{
	return error_set(err, -EINVAL, "line %u: %s", c->line, what);
}

static struct frame *top(struct converter *c)
{
	return c->frames.n ? &c->frames.items[c->frames.n - 1] : NULL;
}

static struct slice entry_key(const struct converter *c, const struct entry *e)
{
	return (struct slice){ c->out.s + e->key, e->value - e->key };
}

static int cmp_entries(const void *a, const void *b, void *arg)
{
	const struct converter *c = arg;
	const struct entry *x = a, *y = b;
	struct slice xs = entry_key(c, x), ys = entry_key(c, y);
	int order = memcmp(xs.s, ys.s, xs.n < ys.n ? xs.n : ys.n);

	if (order == 0)
		order = (xs.n > ys.n) - (xs.n < ys.n);
	return order ? order : (x->key > y->key) - (x->key < y->key);
}

/* Marks the entries of a mapping, from index `first`, whose key comes again. */
static bool mark_duplicates(struct converter *c, size_t first)
{
	size_t n = c->entries.n - first;
	bool found = false;

	if (n < 2)
		return false;

	struct entry *entries = c->entries.items + first;
	array_clear(&c->sorted);
	for (size_t i = 0; i < n; i++) {
		*array_add(&c->sorted) = entries[i];
		c->sorted.items[i].end = i;
	}

	struct entry *sorted = c->sorted.items;
	qsort_r(sorted, n, sizeof(*sorted), cmp_entries, c);
	for (size_t i = 1; i < n; i++) {
		struct slice a = entry_key(c, &sorted[i - 1]), b = entry_key(c, &sorted[i]);

		if (a.n == b.n && memcmp(a.s, b.s, a.n) == 0)
			found = entries[sorted[i - 1].end].is_dropped = true;
	}
	return found;
}

/* Of members with the same key the last one stays. */
static void drop_duplicates(struct converter *c, const struct frame *f)
{
	AUTO(str_done) struct str kept = STR_INIT;

	if (!mark_duplicates(c, f->entries))
		return;
	for (size_t i = f->entries; i < c->entries.n; i++) {
		const struct entry *e = &c->entries.items[i];

		if (e->is_dropped)
			continue;
		if (kept.n)
			str_addc(&kept, ',');
		str_addn(&kept, c->out.s + e->key, e->end - e->key);
	}
	str_cut(&c->out, f->at + 1);
	str_addn(&c->out, kept.s, kept.n);
}

/* Room for an entry; its key is to be written now. */
static void begin_entry(struct converter *c, const struct frame *f)
{
	if (c->entries.n > f->entries)
		str_addc(&c->out, ',');
	*array_add(&c->entries) = (struct entry){ .key = c->out.n };
}

static void end_key(struct converter *c)
{
	str_addc(&c->out, ':');
	c->entries.items[c->entries.n - 1].value = c->out.n;
}

static void end_entry(struct converter *c)
{
	c->entries.items[c->entries.n - 1].end = c->out.n;
}

/* Adds the members of one JSON object to the mapping that is open. */
static int merge_object(struct converter *c, const struct frame *f, struct slice json)
{
	struct scan s = scan_of(json);
	struct slice key;
	int r = scan_open(&s, '{');

	while (r == 0 && (r = scan_member(&s, &key)) > 0) {
		const char *value = s.at;

		r = scan_skip(&s);
		begin_entry(c, f);
		str_addn(&c->out, key.s - 1, key.n + 2);
		end_key(c);
		str_addn(&c->out, value, (size_t)(s.at - value));
		end_entry(c);
	}
	return r;
}

/* The value of << has been written: takes it out again and adds what it names. Of a list, the
 * first mapping wins over those behind it. */
static int merge(struct converter *c, const struct frame *f)
{
	AUTO_FREE char *text = xstrndup(c->out.s + f->merge_at, c->out.n - f->merge_at);
	struct slice json = { text, c->out.n - f->merge_at };
	ARRAY(struct slice) parts = { 0 };
	struct scan s = scan_of(json);
	int r = 0;

	str_cut(&c->out, f->merge_at);
	if (*text != '[') {
		*array_add(&parts) = json;
	} else {
		scan_open(&s, '[');
		while (r == 0 && (r = scan_element(&s)) > 0) {
			const char *from = s.at;

			r = scan_skip(&s);
			*array_add(&parts) = (struct slice){ from, (size_t)(s.at - from) };
		}
	}
	while (r == 0 && parts.n > 0)
		r = merge_object(c, f, parts.items[--parts.n]);
	array_done(&parts);
	return r;
}

/* A value has been written, with `height` levels of containers in it. */
static int value_done(struct converter *c, uint32_t height, struct error *err)
{
	struct frame *f = top(c);

	if (!f)
		return 0;
	f->height = f->height > height ? f->height : height;
	f->has_item = true;
	if (!f->is_map)
		return 0;
	f->has_key = false;
	if (!f->is_merge) {
		end_entry(c);
		return 0;
	}
	f->is_merge = false;
	return merge(c, f) < 0
		       ? fail(c, err, "the value of << is not a mapping, nor a list of them")
		       : 0;
}

/* Does the next node stand where a key does? */
static bool is_at_key(struct converter *c)
{
	const struct frame *f = top(c);

	return f && f->is_map && !f->has_key;
}

static void begin_value(struct converter *c)
{
	const struct frame *f = top(c);

	if (f && !f->is_map && f->has_item)
		str_addc(&c->out, ',');
}

/* Writes a scalar's JSON as a key: numbers and truth values become strings. */
static int write_key(struct converter *c, struct slice json, struct error *err)
{
	struct frame *f = top(c);
	bool is_text = json.s[0] == '"';

	if (!is_text && strchr("{[n", json.s[0]))
		return fail(c, err, "a key that is neither text nor a number");
	begin_entry(c, f);
	str_add(&c->out, is_text ? "" : "\"");
	str_addn(&c->out, json.s, json.n);
	str_add(&c->out, is_text ? "" : "\"");
	end_key(c);
	f->has_key = true;
	return 0;
}

/* Finds or makes the anchor's place; it is open until anchor_set(). */
static str_id anchor_open(struct converter *c, const yaml_char_t *name)
{
	if (!name)
		return 0;

	str_id id = intern_cstr(&c->names, (const char *)name);
	while (c->anchors.n <= id)
		*array_add(&c->anchors) = (struct anchor){ 0 };
	free(c->anchors.items[id].json);
	c->anchors.items[id] = (struct anchor){ 0 };
	return id;
}

static int count_bytes(struct converter *c, size_t n, struct error *err)
{
	c->copied += n;
	return c->copied > c->limits.max_bytes ? fail(c, err, "aliases make this file too large")
					       : 0;
}

static int anchor_set(struct converter *c, str_id id, struct slice json, uint32_t nodes,
		      uint32_t height, struct error *err)
{
	if (!id)
		return 0;
	free(c->anchors.items[id].json);
	c->anchors.items[id] = (struct anchor){
		.json = xstrndup(json.s, json.n),
		.n = json.n,
		.nodes = nodes,
		.height = height,
	};
	return count_bytes(c, json.n, err);
}

static int on_scalar(struct converter *c, const yaml_event_t *event, struct error *err)
{
	struct slice text = { (const char *)event->data.scalar.value, event->data.scalar.length };
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_plain = event->data.scalar.plain_implicit;
	AUTO(str_done) struct str json = STR_INIT;

	if (is_at_key(c) && is_plain && slice_eq(text, "<<")) {
		top(c)->has_key = top(c)->is_merge = true;
		top(c)->merge_at = c->out.n;
		return 0;
	}

	str_id anchor = anchor_open(c, event->data.scalar.anchor);
	if (yaml_scalar_to_json(text, tag, is_plain, &json, err) < 0)
		return error_wrap(err, "line %u", c->line);
	int r = anchor_set(c, anchor, (struct slice){ json.s, json.n }, 1, 0, err);
	if (r < 0)
		return r;
	if (is_at_key(c))
		return write_key(c, (struct slice){ json.s, json.n }, err);
	begin_value(c);
	str_addn(&c->out, json.s, json.n);
	return value_done(c, 0, err);
}

static int on_alias(struct converter *c, const yaml_event_t *event, struct error *err)
{
	const char *name = (const char *)event->data.alias.anchor;
	str_id id = intern_find(&c->names, name, strlen(name));
	const struct anchor *a = id < c->anchors.n ? &c->anchors.items[id] : NULL;

	if (!a || !a->json)
		return fail(c, err,
			    a ? "an alias stands inside what it names"
			      : "an alias of an anchor that is not there");
	c->nodes += a->nodes;
	c->n_aliased += a->nodes;
	if (c->n_aliased > c->limits.max_aliased)
		return fail(c, err, "aliases expand to too many nodes");
	if (c->frames.n + a->height > c->limits.max_depth)
		return fail(c, err, "nested too deep");
	if (count_bytes(c, a->n, err) < 0)
		return -EINVAL;
	if (is_at_key(c))
		return write_key(c, (struct slice){ a->json, a->n }, err);
	begin_value(c);
	str_addn(&c->out, a->json, a->n);
	return value_done(c, a->height, err);
}

static int on_open(struct converter *c, const yaml_char_t *anchor, bool is_map, struct error *err)
{
	if (is_at_key(c))
		return fail(c, err, "a key that is neither text nor a number");
	if (c->frames.n >= c->limits.max_depth)
		return fail(c, err, "nested too deep");
	begin_value(c);

	struct frame f = {
		.is_map = is_map,
		.at = c->out.n,
		.entries = c->entries.n,
		.nodes = c->nodes - 1,
		.anchor = anchor_open(c, anchor),
	};
	*array_add(&c->frames) = f;
	str_addc(&c->out, is_map ? '{' : '[');
	return 0;
}

static int on_close(struct converter *c, struct error *err)
{
	struct frame f = c->frames.items[--c->frames.n];
	uint32_t height = f.height + 1;

	if (f.is_map)
		drop_duplicates(c, &f);
	c->entries.n = f.entries;
	str_addc(&c->out, f.is_map ? '}' : ']');

	struct slice json = { c->out.s + f.at, c->out.n - f.at };
	int r = anchor_set(c, f.anchor, json, c->nodes - f.nodes, height, err);
	return r < 0 ? r : value_done(c, height, err);
}

static int on_node(struct converter *c, const yaml_event_t *event, struct error *err)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		c->nodes++;
		return on_scalar(c, event, err);
	case YAML_ALIAS_EVENT:
		return on_alias(c, event, err);
	case YAML_MAPPING_START_EVENT:
		c->nodes++;
		return on_open(c, event->data.mapping_start.anchor, true, err);
	case YAML_SEQUENCE_START_EVENT:
		c->nodes++;
		return on_open(c, event->data.sequence_start.anchor, false, err);
	default:
		return on_close(c, err);
	}
}

static int parser_error(const struct converter *c, struct error *err)
{
	const yaml_parser_t *p = &c->parser;
	const char *what = p->problem ? p->problem : "not YAML";

	if (p->error == YAML_READER_ERROR)
		return error_set(err, -EINVAL, "byte %zu: %s", p->problem_offset, what);
	return error_set(err, -EINVAL, "line %zu: %s%s%s", p->problem_mark.line + 1, what,
			 p->context ? " " : "", p->context ? p->context : "");
}

static int next_event(struct converter *c, yaml_event_t *ret, struct error *err)
{
	if (!yaml_parser_parse(&c->parser, ret))
		return parser_error(c, err);
	c->line = (uint32_t)ret->start_mark.line + 1;
	return 0;
}

static void anchors_clear(struct converter *c)
{
	array_each(a, &c->anchors)
		free(a->json);
	array_clear(&c->anchors);
	intern_done(&c->names);
	intern_cstr(&c->names, "");
}

/* The nodes of a document up to its end, as JSON in c->out; ret_line is where the first stands. */
static int convert_document(struct converter *c, uint32_t *ret_line, struct error *err)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	int r = 0;

	str_clear(&c->out);
	anchors_clear(c);
	c->nodes = c->n_aliased = 0;
	c->copied = 0;
	for (bool is_first = true; r == 0; is_first = false) {
		yaml_event_t event;

		r = next_event(c, &event, err);
		if (r < 0)
			return r;
		type = event.type;
		if (is_first)
			*ret_line = c->line;
		if (type != YAML_DOCUMENT_END_EVENT)
			r = on_node(c, &event, err);
		yaml_event_delete(&event);
		if (type == YAML_DOCUMENT_END_EVENT)
			break;
	}
	return r;
}

static void converter_done(struct converter *c)
{
	yaml_parser_delete(&c->parser);
	anchors_clear(c);
	intern_done(&c->names);
	array_done(&c->anchors);
	array_done(&c->frames);
	array_done(&c->entries);
	array_done(&c->sorted);
	str_done(&c->out);
}

static struct yaml_limits with_defaults(const struct yaml_limits *l)
{
	struct yaml_limits all = l ? *l : (struct yaml_limits){ 0 };

	all.max_bytes = all.max_bytes ? all.max_bytes : 64 << 20;
	all.max_depth = all.max_depth ? all.max_depth : 100;
	all.max_aliased = all.max_aliased ? all.max_aliased : 100000;
	return all;
}

int yaml_each(const char *text, size_t n, const struct yaml_limits *limits, yaml_visitor visit,
	      void *arg, struct error *err)
{
	AUTO(converter_done) struct converter c = { .limits = with_defaults(limits) };
	uint32_t document = 0;

	c.out = (struct str)STR_INIT;
	if (!yaml_parser_initialize(&c.parser))
		abort();
	if (n > c.limits.max_bytes)
		return error_set(err, -EFBIG, "larger than %zu MiB", c.limits.max_bytes >> 20);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, n);

	for (;;) {
		yaml_event_t event;
		uint32_t line = 0;
		int r = next_event(&c, &event, err);

		if (r < 0)
			return r;
		yaml_event_type_t type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		r = convert_document(&c, &line, err);
		document++;
		if (r == 0 && strcmp(c.out.s, "null") != 0)
			r = visit((struct slice){ c.out.s, c.out.n }, document, line, arg, err);
		if (r < 0)
			return r;
	}
}

enum { STOP = -ECANCELED };

static int keep_first(struct slice json, uint32_t document, uint32_t line, void *arg,
		      struct error *err)
{
	(void)line;
	(void)err;
	if (document == 1)
		str_addn(arg, json.s, json.n);
	return STOP;
}

int yaml_to_json(const char *text, size_t n, const struct yaml_limits *limits, struct str *ret_json,
		 struct error *err)
{
	size_t before = ret_json->n;
	int r = yaml_each(text, n, limits, keep_first, ret_json, err);

	if (r < 0 && r != STOP)
		return r;
	if (ret_json->n == before)
		str_add(ret_json, "null");
	return 0;
}
