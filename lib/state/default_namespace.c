/* SPDX-License-Identifier: Apache-2.0 */
#include "state/default_namespace.h"

#include "base/array.h"
#include "base/auto.h"
#include "base/json_out.h"
#include "base/scan.h"

/* Of an object, as far as it matters here. */
struct outline {
	struct slice kind;
	const char *metadata; /* the first byte of its content; NULL: none */
	bool has_items, has_namespace, has_members;
};

static int read_metadata(struct scan *s, struct outline *o)
{
	struct slice key, ns;
	int r = scan_open(s, '{');

	o->metadata = s->at;
	while (r == 0 && (r = scan_member(s, &key)) > 0) {
		bool is_text = slice_eq(key, "namespace") && *s->at == '"';

		o->has_members = true;
		r = is_text ? scan_string(s, &ns) : scan_skip(s);
		o->has_namespace |= is_text && r == 0 && ns.n > 0;
	}
	return r;
}

/* Also finds the end of the object, unless it is a list. */
static int read_outline(struct scan *s, struct outline *o)
{
	struct slice key;
	int r = scan_open(s, '{');

	while (r == 0 && (r = scan_member(s, &key)) > 0) {
		if (*s->at == '[' && slice_eq(key, "items")) {
			o->has_items = true;
			return 0;
		}
		if (slice_eq(key, "kind") && *s->at == '"')
			r = scan_string(s, &o->kind);
		else if (slice_eq(key, "metadata") && *s->at == '{')
			r = read_metadata(s, o);
		else
			r = scan_skip(s);
	}
	return r;
}

/* The items of a typed list have the kind of the list, without "List". */
static bool is_namespaced(struct slice kind, const struct list_text *list)
{
	static const char *const kinds[] = {
		"Pod",		"McKube", "MCKube", "PodDisruptionBudget", "PersistentVolumeClaim",
		"ResourceClaim"
	};

	if (kind.n == 0 && list->kind.n > 4)
		kind = (struct slice){ list->kind.s, list->kind.n - 4 };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_eq(kind, kinds[i]))
			return true;
	return false;
}

static void add_namespace(struct slice json, const struct outline *o, const char *ns,
			  struct str *out)
{
	AUTO(json_out_done) struct json_out value = { .out = out, .is_compact = true };
	size_t before = (size_t)(o->metadata - json.s);

	str_addn(out, json.s, before);
	str_add(out, "\"namespace\":");
	json_out_text(&value, ns);
	str_add(out, o->has_members ? "," : "");
	str_addn(out, json.s + before, json.n - before);
}

static int take(const struct object_text *object, const struct list_text *list, void *arg,
		size_t *ret_used, struct error *err)
{
	const struct default_namespace *d = arg;
	struct scan s = scan_of(object->json);
	struct outline o = { .kind = SLICE("") };
	AUTO(str_done) struct str text = STR_INIT;
	struct object_text changed = *object;

	/* What is not JSON is told by the taker. */
	if (read_outline(&s, &o) != 0 || o.has_items || !o.metadata || o.has_namespace ||
	    !is_namespaced(o.kind, list))
		return d->taker->take(object, list, d->taker->arg, ret_used, err);

	size_t used = (size_t)(s.at - object->json.s);
	add_namespace((struct slice){ object->json.s, used }, &o, d->ns, &text);
	changed.json = (struct slice){ text.s, text.n };
	int r = d->taker->take(&changed, list, d->taker->arg, ret_used, err);
	if (*ret_used != SIZE_MAX)
		*ret_used = used;
	return r;
}

static void pass_list(const struct list_text *list, void *arg)
{
	const struct default_namespace *d = arg;

	d->taker->list(list, d->taker->arg);
}

struct object_taker default_namespace_taker(struct default_namespace *d)
{
	return (struct object_taker){ take, d->taker->list ? pass_list : NULL, d };
}
