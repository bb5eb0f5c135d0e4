/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/scan.h"

/* The largest integer up to which a double holds every whole number. */
#define EXACT_DOUBLE (INT64_C(1) << 53)

struct builder {
	struct scan scan;
	struct str text; /* of the string at hand */
};

static int build(struct builder *b, cJSON **ret);

static cJSON *checked(cJSON *item)
{
	if (!item)
		abort();
	return item;
}

/* Fills b->text with what the string stands for. cJSON ends its strings with a NUL, so a NUL in
 * one would cut it short unseen. */
static int text_of(struct builder *b, struct slice content)
{
	str_clear(&b->text);
	if (b->scan.has_escape)
		scan_unescape(content, &b->text);
	else
		str_addn(&b->text, content.s, content.n);
	if (memchr(b->text.s, '\0', b->text.n)) {
		b->scan.why = "a NUL character in a string";
		return SCAN_BAD;
	}
	return 0;
}

static bool parse_whole(const char *s, int64_t *ret)
{
	char *end;

	errno = 0;
	long long v = strtoll(s, &end, 10);
	if (errno || end == s || *end)
		return false;
	*ret = v;
	return true;
}

static size_t count_digits(const char *s)
{
	size_t n = 0;

	for (; *s && *s != 'e' && *s != 'E'; s++)
		n += *s >= '0' && *s <= '9';
	return n;
}

/* Numbers of more than 15 digits, which neither a double holds for sure nor cJSON 1.7 prints, and
 * whole numbers that are not written as such (1.0, 1e3), stay as text. */
static int build_number(struct builder *b, cJSON **ret)
{
	struct slice token;
	int r = scan_number(&b->scan, &token);

	if (r < 0)
		return r;

	AUTO_FREE char *text = xstrndup(token.s, token.n);
	double value = strtod(text, NULL);
	bool is_written_whole = !strpbrk(text, ".eE");
	bool is_double =
		count_digits(text) <= 15 && (is_written_whole || value != __builtin_trunc(value));

	*ret = checked(is_double ? cJSON_CreateNumber(value) : cJSON_CreateRaw(text));
	return 0;
}

static int build_string(struct builder *b, cJSON **ret)
{
	struct slice content;
	int r = scan_string(&b->scan, &content);

	if (r == 0)
		r = text_of(b, content);
	if (r == 0)
		*ret = checked(cJSON_CreateString(b->text.s));
	return r;
}

struct member {
	cJSON *item;
	size_t at;
};

static int cmp_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->item->string, y->item->string);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void sort_members(cJSON *object)
{
	ARRAY(struct member) members = { 0 };

	while (object->child) {
		cJSON *item = cJSON_DetachItemViaPointer(object, object->child);

		*array_add(&members) = (struct member){ item, members.n };
	}
	if (members.n > 1)
		qsort(members.items, members.n, sizeof(*members.items), cmp_members);
	array_each(member, &members)
		cJSON_AddItemToArray(object, member->item);
	array_done(&members);
}

void json_sort(cJSON *root)
{
	cJSON *child;

	if (cJSON_IsObject(root))
		sort_members(root);
	cJSON_ArrayForEach(child, root)
		json_sort(child);
}

/* Takes out all but the last of the members that have the same key. */
static void drop_duplicates(cJSON *object)
{
	ARRAY(struct member) members = { 0 };
	cJSON *item;

	cJSON_ArrayForEach(item, object)
		*array_add(&members) = (struct member){ item, members.n };
	if (members.n > 1)
		qsort(members.items, members.n, sizeof(*members.items), cmp_members);
	for (size_t i = 1; i < members.n; i++) {
		cJSON *earlier = members.items[i - 1].item;

		if (strcmp(earlier->string, members.items[i].item->string) == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(object, earlier));
	}
	array_done(&members);
}

static int build_member(struct builder *b, cJSON *object, struct slice key)
{
	AUTO_JSON cJSON *value = NULL;
	int r = text_of(b, key);

	if (r < 0)
		return r;

	AUTO_FREE char *name = str_detach(&b->text);
	r = build(b, &value);
	if (r == 0)
		cJSON_AddItemToObject(object, name, TAKE(value));
	return r;
}

static int build_object(struct builder *b, cJSON **ret)
{
	AUTO_JSON cJSON *object = checked(cJSON_CreateObject());
	struct slice key;
	int r = scan_open(&b->scan, '{');

	while (r == 0 && (r = scan_member(&b->scan, &key)) > 0)
		r = build_member(b, object, key);
	if (r < 0)
		return r;
	drop_duplicates(object);
	*ret = TAKE(object);
	return 0;
}

static int build_array(struct builder *b, cJSON **ret)
{
	AUTO_JSON cJSON *array = checked(cJSON_CreateArray());
	int r = scan_open(&b->scan, '[');

	while (r == 0 && (r = scan_element(&b->scan)) > 0) {
		cJSON *item = NULL;

		r = build(b, &item);
		if (r == 0)
			cJSON_AddItemToArray(array, item);
	}
	if (r < 0)
		return r;
	*ret = TAKE(array);
	return 0;
}

static int build_literal(struct builder *b, cJSON **ret)
{
	char first = *b->scan.at;
	int r = scan_skip(&b->scan);

	if (r == 0)
		*ret = checked(first == 'n' ? cJSON_CreateNull() : cJSON_CreateBool(first == 't'));
	return r;
}

static int build(struct builder *b, cJSON **ret)
{
	switch (scan_blank(&b->scan)) {
	case -1:
		return SCAN_SHORT;
	case '{':
		return build_object(b, ret);
	case '[':
		return build_array(b, ret);
	case '"':
		return build_string(b, ret);
	case 't':
	case 'f':
	case 'n':
		return build_literal(b, ret);
	default:
		return build_number(b, ret);
	}
}

int json_parse(const char *text, size_t n, cJSON **ret, struct error *err)
{
	struct slice all = { text, n };
	struct builder b = { .scan = scan_of(all), .text = STR_INIT };
	AUTO_JSON cJSON *root = NULL;
	int r = build(&b, &root);

	if (r == 0 && scan_blank(&b.scan) >= 0) {
		b.scan.why = "trailing characters after the value";
		r = SCAN_BAD;
	}
	str_done(&b.text);
	if (r < 0)
		return scan_error(&b.scan, r, all, err);
	*ret = TAKE(root);
	return 0;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const cJSON *json_path(const cJSON *root, const char *path)
{
	AUTO_FREE char *copy = xstrdup(path);
	char *rest = copy;

	while (root && rest)
		root = json_get(root, strsep(&rest, "."));
	return root;
}

const char *json_text(const cJSON *j)
{
	return cJSON_IsString(j) ? j->valuestring : NULL;
}

bool json_int(const cJSON *j, int64_t *ret)
{
	if (cJSON_IsRaw(j))
		return parse_whole(j->valuestring, ret);
	if (!cJSON_IsNumber(j) || j->valuedouble != __builtin_trunc(j->valuedouble) ||
	    __builtin_fabs(j->valuedouble) > (double)EXACT_DOUBLE)
		return false;
	*ret = (int64_t)j->valuedouble;
	return true;
}
