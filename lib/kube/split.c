/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/split.h"

#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/scan.h"

/* Where the next byte belongs. */
enum { AT_OBJECT, AT_MEMBER, AT_ITEM, AT_END };

void split_init(struct split *s)
{
	s->kind = s->api_version = s->version = s->token = (struct str)STR_INIT;
	s->window = (struct str)STR_INIT_MAX(SPLIT_ITEM_MAX);
	s->at = s->enough = 0;
	s->batch = SPLIT_WINDOW;
	s->n_items = 0;
	s->has_items = false;
	s->state = AT_OBJECT;
	s->is_first = true;
}

void split_done(struct split *s)
{
	str_done(&s->kind);
	str_done(&s->api_version);
	str_done(&s->version);
	str_done(&s->token);
	str_done(&s->window);
}

static struct slice rest(const struct split *s)
{
	return (struct slice){ s->window.s + s->at, s->window.n - s->at };
}

static int malformed(const struct split *s, struct error *err)
{
	return error_set(err, -EBADMSG, "the reply is not a list of objects, after %llu of them",
			 (unsigned long long)s->n_items);
}

/* Steps over blanks and, unless it is the first, over the comma before a member or item. Returns
 * the byte that follows, SCAN_SHORT, or SCAN_BAD. *ret_n is how far that is. */
static int step_in(const struct split *s, char closing, size_t *ret_n)
{
	struct scan scan = scan_of(rest(s));
	int c = scan_blank(&scan);

	if (c >= 0 && c != closing && !s->is_first) {
		if (c != ',')
			return SCAN_BAD;
		scan.at++;
		c = scan_blank(&scan);
		if (c == closing)
			return SCAN_BAD;
	}
	*ret_n = (size_t)(scan.at - (s->window.s + s->at));
	return c < 0 ? SCAN_SHORT : c;
}

static void keep_text(struct str *to, const cJSON *value)
{
	str_clear(to);
	if (json_text(value))
		str_add(to, json_text(value));
}

static int keep_member(struct split *s, struct slice key, struct slice text, struct error *err)
{
	AUTO_JSON cJSON *value = NULL;
	s->has_items |= slice_eq(key, "items") && slice_eq(text, "null");
	bool is_ours =
		slice_eq(key, "kind") || slice_eq(key, "apiVersion") || slice_eq(key, "metadata");

	if (!is_ours)
		return 0;
	if (json_parse(text.s, text.n, &value, err) < 0)
		return error_wrap(err, "%.*s", (int)key.n, key.s);
	if (slice_eq(key, "kind"))
		keep_text(&s->kind, value);
	else if (slice_eq(key, "apiVersion"))
		keep_text(&s->api_version, value);
	else {
		keep_text(&s->version, json_get(value, "resourceVersion"));
		keep_text(&s->token, json_get(value, "continue"));
	}
	return 0;
}

/* A whole member; of "items" only up to its bracket. */
static int take_member(struct split *s, struct error *err)
{
	size_t skip;
	int c = step_in(s, '}', &skip);
	struct slice text = rest(s), key;

	if (c < 0 || c == '}') {
		s->at += c == '}' ? skip + 1 : 0;
		s->state = c == '}' ? AT_END : AT_MEMBER;
		return c < 0 ? c : 0;
	}
	struct scan scan = scan_of((struct slice){ text.s + skip, text.n - skip });
	int r = scan_string(&scan, &key);
	if (r == 0 && scan_blank(&scan) != ':')
		r = scan.at == scan.end ? SCAN_SHORT : SCAN_BAD;
	if (r < 0)
		return r;
	scan.at++;
	c = scan_blank(&scan);
	const char *value = scan.at;
	if (slice_eq(key, "items") && c == '[') {
		s->at += (size_t)(value + 1 - text.s);
		s->state = AT_ITEM;
		s->is_first = s->has_items = true;
		return 0;
	}
	r = scan_skip(&scan);
	if (r == 0 && scan.at == scan.end)
		r = SCAN_SHORT; /* a number may go on */
	if (r < 0)
		return r;
	s->at += (size_t)(scan.at - text.s);
	s->is_first = false;
	return keep_member(s, key, (struct slice){ value, (size_t)(scan.at - value) }, err);
}

static int take_item(struct split *s, struct error *err)
{
	size_t skip, used;
	int c = step_in(s, ']', &skip);

	if (c < 0)
		return c;
	if (c == ']') {
		s->at += skip + 1;
		s->state = AT_MEMBER;
		s->is_first = false;
		return 0;
	}
	if (c != '{')
		return SCAN_BAD;
	struct slice text = rest(s);
	int r = s->take(s, (struct slice){ text.s + skip, text.n - skip }, &used, err);
	if (r < 0)
		return r;
	s->at += skip + used;
	s->is_first = false;
	s->n_items++;
	return 0;
}

static int take_object(struct split *s)
{
	struct scan scan = scan_of(rest(s));
	int c = scan_blank(&scan);

	if (c != '{')
		return c < 0 ? SCAN_SHORT : SCAN_BAD;
	s->at = (size_t)(scan.at + 1 - s->window.s);
	s->state = AT_MEMBER;
	s->is_first = true;
	return 0;
}

static int take_end(struct split *s)
{
	struct scan scan = scan_of(rest(s));

	if (scan_blank(&scan) >= 0)
		return SCAN_BAD;
	s->at = s->window.n;
	return SCAN_SHORT;
}

static int take_next(struct split *s, struct error *err)
{
	switch (s->state) {
	case AT_OBJECT:
		return take_object(s);
	case AT_MEMBER:
		return take_member(s, err);
	case AT_ITEM:
		return take_item(s, err);
	default:
		return take_end(s);
	}
}

/* Takes all that is whole in the window, and moves the rest to its front. */
static int take_all(struct split *s, struct error *err)
{
	struct error why = ERROR_INIT;
	int r;

	do {
		r = take_next(s, &why);
	} while (r == 0);
	if (r == SCAN_BAD && !why.msg[0])
		return malformed(s, err);
	if (r != SCAN_SHORT)
		return error_set(err, r, "%s", why.msg);
	memmove(s->window.s, s->window.s + s->at, s->window.n - s->at);
	str_cut(&s->window, s->window.n - s->at);
	s->at = 0;
	s->enough = s->window.n + s->window.n / 2;
	return 0;
}

int split_feed(struct split *s, struct slice bytes, struct error *err)
{
	str_addn(&s->window, bytes.s, bytes.n);
	if (s->window.is_full)
		return error_set(err, -EFBIG, "an object of the reply is larger than %d MiB",
				 SPLIT_ITEM_MAX >> 20);
	return s->window.n < s->batch || s->window.n < s->enough ? 0 : take_all(s, err);
}

int split_end(struct split *s, struct error *err)
{
	int r = s->window.n ? take_all(s, err) : 0;

	if (r < 0)
		return r;
	if (s->state != AT_END)
		return error_set(err, -EBADMSG, "the reply ends in the middle of a list");
	return 0;
}
