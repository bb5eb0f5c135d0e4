/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "objects/objects_internal.h"

static int cmp_pairs(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int read_pair(struct decoder *d, struct slice key, void *arg)
{
	struct objects *o = objects_of(d);
	str_id id = intern_add(d->strings, key.s, key.n), value;
	int r = decode_id(d, &value);

	(void)arg;
	if (r == 0)
		*array_add(&o->pairs) = (struct label){ id, value };
	return r;
}

int read_labels(struct decoder *d, const struct field *f, void *into)
{
	struct objects *o = objects_of(d);
	struct range *ret = into;

	(void)f;
	array_clear(&o->pairs);
	int r = decode_map(d, read_pair, NULL);
	if (r < 0 || o->pairs.n == 0)
		return r;

	size_t n = o->pairs.n, size = n * sizeof(*o->pairs.items);
	qsort(o->pairs.items, n, sizeof(*o->pairs.items), cmp_pairs);
	for (size_t i = 1; i < n; i++)
		d->has_duplicate |= o->pairs.items[i - 1].key == o->pairs.items[i].key;

	const struct range *known = shared_find(&o->labels, o->pairs.items, size);
	if (known) {
		*ret = *known;
		return 0;
	}
	*ret = (struct range){ (uint32_t)o->c->labels.n, (uint32_t)n };
	shared_add(&o->labels, o->pairs.items, size, *ret);
	array_each(pair, &o->pairs)
		*array_add(&o->c->labels) = *pair;
	return 0;
}

/* Annotations of ours, of any type: their errors are reported where their values are used. */
static int read_pod_annotation(struct decoder *d, const struct field *f, void *into)
{
	struct object_meta *m = (struct object_meta *)(void *)((char *)into - f->offset);

	m->has_pod_annotations = true;
	return read_token(d, f, into);
}

static int read_annotations(struct decoder *d, const struct field *f, void *into)
{
	struct object_meta *m = into;

	memset(&m->annotations, 0xff, sizeof(m->annotations)); /* NONE */
	memset(&m->node_annotations, 0xff, sizeof(m->node_annotations));
	return read_object(d, f, into);
}

static const struct field annotation_fields[] = {
	FIELD(ANNOTATION_MIRROR, read_exists, struct object_meta, is_mirror),
#define ROW(member, key, ...) \
	FIELD(key, read_pod_annotation, struct object_meta, annotations.member),
	POD_ANNOTATIONS(ROW)
#undef ROW
#define ROW(member, key, ...) FIELD(key, read_token, struct object_meta, node_annotations.member),
		NODE_ANNOTATIONS(ROW)
#undef ROW
			{ 0 },
};

static const struct field owner_fields[] = {
	FIELD("controller", read_bool, struct owner, is_controller),
	FIELD("kind", read_text, struct owner, kind),
	FIELD("name", read_text, struct owner, name),
	FIELD("uid", read_text, struct owner, uid),
	{ 0 },
};

static int read_owner(struct decoder *d, void *arg)
{
	struct owner owner = { 0 };
	int r = decode_object(d, owner_fields, &owner);

	if (r == 0 && owner.is_controller)
		*(struct owner *)arg = owner;
	return r;
}

static int read_owners(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_owner, into);
}

static int read_finalizer(struct decoder *d, void *arg)
{
	struct slice text;
	int r = decode_text(d, &text);

	if (r == 0 && slice_eq(text, MCKUBE_FINALIZER))
		*(bool *)arg = true;
	return r;
}

static int read_finalizers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_finalizer, into);
}

const struct field meta_fields[] = {
	FIELD_WHOLE("annotations", read_annotations, annotation_fields),
	FIELD("creationTimestamp", read_time, struct object_meta, meta.created),
	FIELD("deletionTimestamp", read_exists, struct object_meta, is_terminating),
	FIELD("finalizers", read_finalizers, struct object_meta, has_finalizer),
	FIELD("generation", read_generation, struct object_meta, generation),
	FIELD_KEPT("labels", read_labels, struct object_meta, labels),
	FIELD("name", read_deferred_text, struct object_meta, meta.name),
	FIELD("namespace", read_text, struct object_meta, meta.ns),
	FIELD_KEPT("ownerReferences", read_owners, struct object_meta, owner),
	FIELD("resourceVersion", read_late_token, struct object_meta, meta.version),
	FIELD("uid", read_deferred_text, struct object_meta, meta.uid),
	{ 0 },
};

bool is_dns_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	return true;
}

/* A part may be longer than a label here: only the whole is limited. */
bool is_dns_subdomain(const char *s, size_t n)
{
	char last = '.';

	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; last = s[i++]) {
		bool is_alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
		bool is_good = s[i] == '-'   ? last != '.'
			       : s[i] == '.' ? last != '.' && last != '-'
					     : is_alnum;

		if (!is_good)
			return false;
	}
	return last != '.' && last != '-';
}

int meta_check(struct objects *o, struct object_meta *m, bool is_namespaced)
{
	struct intern *strings = &o->c->strings;
	const char *name = intern_str(strings, m->meta.name);

	if (!is_namespaced)
		m->meta.ns = 0;
	else if (!m->meta.ns)
		m->meta.ns = intern_cstr(strings, "default");

	const char *ns = intern_str(strings, m->meta.ns);
	size_t ns_len = intern_len(strings, m->meta.ns);
	if (!m->meta.name)
		return decode_refuse(&o->d, "metadata.name: is missing");
	if (!is_dns_subdomain(name, intern_len(strings, m->meta.name)))
		return decode_refuse(&o->d, "metadata.name: '%.60s' is not a name", name);
	if (is_namespaced && !is_dns_label(ns, ns_len))
		return decode_refuse(&o->d, "metadata.namespace: '%.60s' is not a name", ns);
	return 0;
}
