/* SPDX-License-Identifier: Apache-2.0 */
#include "state/split_file.h"

#include <string.h>

#include "base/auto.h"
#include "base/scan.h"

enum { MAX_LISTS = 16 };

/* Puts the place where the stream stands before the message in err. */
static int fail_here(const struct framing *f, struct error *err)
{
	uint32_t line = f->line ? f->line : stream_line(f->stream);

	if (line)
		return error_wrap(err, "%s:%u", f->file, line);
	return error_wrap(err, "%s: byte %lu", f->file, stream_offset(f->stream));
}

static int fail(const struct framing *f, struct error *err, const char *why)
{
	error_set(err, -EINVAL, "%s", why);
	return fail_here(f, err);
}

/* After SCAN_SHORT: 0 if there is more in the window now. */
static int more_or_fail(struct framing *f, struct error *err)
{
	if (f->stream->is_whole)
		return fail(f, err, "the text ends in the middle of an object");
	return stream_more(f->stream, err) < 0 ? fail_here(f, err) : 0;
}

typedef int (*scan_step)(struct scan *s, struct slice *ret);

/* One step over the window, again with more text where it was too short. A step that ends with the
 * window may have been cut short too: a number does not say where it ends. */
static int step(struct framing *f, scan_step go, bool is_first, struct slice *ret,
		struct error *err)
{
	struct stream *stream = f->stream;

	for (;;) {
		struct scan s = {
			.at = stream->at,
			.end = stream->end,
			.depth = 1,
			.is_first = is_first,
		};
		int r = go(&s, ret);

		if (r >= 0 && (s.at < s.end || stream->is_whole)) {
			stream->at = s.at;
			return r;
		}
		if (r == SCAN_BAD) {
			stream->at = s.at;
			return fail(f, err, s.why);
		}
		if (more_or_fail(f, err) < 0)
			return -EINVAL;
	}
}

static int step_open(struct scan *s, struct slice *ret)
{
	(void)ret;
	return scan_open(s, '{');
}

static int step_open_list(struct scan *s, struct slice *ret)
{
	(void)ret;
	return scan_open(s, '[');
}

static int step_element(struct scan *s, struct slice *ret)
{
	(void)ret;
	return scan_element(s);
}

static int step_value(struct scan *s, struct slice *ret)
{
	int r = scan_blank(s) < 0 ? SCAN_SHORT : 0;

	ret->s = s->at;
	if (r == 0)
		r = scan_skip(s);
	ret->n = (size_t)(s->at - ret->s);
	return r;
}

static void list_done(struct list_text *list)
{
	str_done(&list->kind);
	str_done(&list->api_version);
	str_done(&list->metadata);
}

static void keep_text(struct str *to, struct slice json)
{
	str_clear(to);
	if (json.n >= 2 && json.s[0] == '"')
		scan_unescape((struct slice){ json.s + 1, json.n - 2 }, to);
}

static void keep_member(struct list_text *list, struct slice key, struct slice value)
{
	if (slice_eq(key, "kind")) {
		keep_text(&list->kind, value);
	} else if (slice_eq(key, "apiVersion")) {
		keep_text(&list->api_version, value);
	} else if (slice_eq(key, "metadata")) {
		str_clear(&list->metadata);
		str_addn(&list->metadata, value.s, value.n);
	}
}

enum key { KEY_OTHER, KEY_ITEMS, KEY_KIND, KEY_VERSION, KEY_METADATA };
static const struct slice keys[] = {
	[KEY_OTHER] = { "", 0 },
	[KEY_ITEMS] = { "items", 5 },
	[KEY_KIND] = { "kind", 4 },
	[KEY_VERSION] = { "apiVersion", 10 },
	[KEY_METADATA] = { "metadata", 8 },
};

/* The key is given as one of `keys`, because the window may move before its value is read. */
static int next_member(struct framing *f, bool is_first, struct slice *ret_key, struct error *err)
{
	struct slice key;
	int r = step(f, scan_member, is_first, &key, err);

	if (r <= 0)
		return r;
	*ret_key = keys[KEY_OTHER];
	for (size_t i = KEY_ITEMS; i <= KEY_METADATA; i++)
		if (key.n == keys[i].n && memcmp(key.s, keys[i].s, key.n) == 0)
			*ret_key = keys[i];
	return 1;
}

static int take_list(struct framing *f, struct error *err);

static int take_value(struct framing *f, const struct list_text *list, uint32_t item,
		      struct error *err)
{
	struct stream *s = f->stream;
	struct object_text object = {
		.file = f->file,
		.document = f->document,
		.item = item,
	};

	for (;;) {
		size_t used = SIZE_MAX;

		object.json = (struct slice){ s->at, (size_t)(s->end - s->at) };
		int r = f->taker->take(&object, list, f->taker->arg, &used, err);
		if (r == TAKEN_LIST)
			return take_list(f, err);
		if (r == SCAN_BAD && used != SIZE_MAX) {
			s->at += used;
			return fail_here(f, err);
		}
		if (r == 0)
			s->at += used;
		if (r != SCAN_SHORT)
			return r;
		if (more_or_fail(f, err) < 0)
			return -EINVAL;
	}
}

static int take_items(struct framing *f, const struct list_text *list, struct error *err)
{
	int r = step(f, step_open_list, false, NULL, err);

	for (uint32_t item = 1; r == 0; item++) {
		r = step(f, step_element, item == 1, NULL, err);
		if (r <= 0)
			break;
		r = take_value(f, list, item, err);
	}
	return r;
}

/* Reads the members of a list up to the end, without its items. */
static int keep_members(struct framing *f, struct list_text *list, struct error *err)
{
	struct slice key, value;
	int r;

	while ((r = next_member(f, false, &key, err)) > 0) {
		if (step(f, step_value, false, &value, err) < 0)
			return -EINVAL;
		keep_member(list, key, value);
	}
	return r;
}

/* The first item's own kind; the window stays where it is. */
static bool first_item_has_kind(struct framing *f)
{
	struct scan s = { .at = f->stream->at, .end = f->stream->end };
	struct slice key;
	int r = scan_open(&s, '[');

	if (r == 0)
		r = scan_element(&s) > 0 ? scan_open(&s, '{') : SCAN_BAD;
	while (r == 0 && (r = scan_member(&s, &key)) > 0) {
		if (slice_eq(key, "kind"))
			return true;
		r = scan_skip(&s);
	}
	return r < 0;
}

/* A PodList whose "kind" stands behind its items, which do not say what they are: looks for it with
 * a second window. What is wrong there will be met again. */
static void look_ahead(const struct framing *f, struct list_text *list)
{
	struct stream ahead;
	struct framing g = *f;
	struct slice items;
	struct error ignored;

	if (f->stream->fd >= 0 && !f->stream->can_seek)
		return;
	stream_fork(f->stream, &ahead);
	g.stream = &ahead;
	if (step(&g, step_open_list, false, NULL, &ignored) == 0) {
		int r;

		for (bool is_first = true;
		     (r = step(&g, step_element, is_first, NULL, &ignored)) > 0; is_first = false)
			if (step(&g, step_value, false, &items, &ignored) < 0)
				break;
		if (r == 0)
			keep_members(&g, list, &ignored);
	}
	stream_done(&ahead);
}

static int take_members(struct framing *f, struct list_text *list, struct error *err)
{
	struct slice key, value;
	bool is_first = true;
	int r;

	while ((r = next_member(f, is_first, &key, err)) > 0) {
		is_first = false;
		if (key.s == keys[KEY_ITEMS].s && f->stream->at < f->stream->end &&
		    *f->stream->at == '[') {
			if (!list->kind.n && !first_item_has_kind(f))
				look_ahead(f, list);
			r = take_items(f, list, err);
		} else {
			r = step(f, step_value, false, &value, err);
			if (r == 0)
				keep_member(list, key, value);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int take_list(struct framing *f, struct error *err)
{
	AUTO(list_done) struct list_text list = { STR_INIT, STR_INIT, STR_INIT };

	if (f->n_open == MAX_LISTS)
		return fail(f, err, "lists within lists, too deep");
	f->n_open++;
	int r = step(f, step_open, false, NULL, err);
	if (r == 0)
		r = take_members(f, &list, err);
	f->n_open--;
	if (r == 0 && f->taker->list)
		f->taker->list(&list, f->taker->arg);
	return r;
}

int framing_document(struct framing *f, struct error *err)
{
	static const struct list_text none = { STR_INIT, STR_INIT, STR_INIT };

	return take_value(f, &none, 0, err);
}

/* Past blanks and, between documents, a line of "---", which kubectl takes in JSON files too. */
int framing_next(struct framing *f, struct error *err)
{
	struct stream *s = f->stream;

	for (;;) {
		struct scan scan = { .at = s->at, .end = s->end };
		int c = scan_blank(&scan);

		s->at = scan.at;
		if (c < 0 && s->is_whole)
			return 0;
		if (c == '{')
			return 1;
		if (s->end - s->at < 4 && !s->is_whole) {
			if (stream_more(s, err) < 0)
				return fail_here(f, err);
			continue;
		}
		if (s->end - s->at < 4 || memcmp(s->at, "---\n", 4) != 0)
			return fail(f, err,
				    f->document ? "trailing characters after the object"
						: "an object was expected");
		s->at += 4;
	}
}
