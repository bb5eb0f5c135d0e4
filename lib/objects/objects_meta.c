/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/dns_name.h"
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
	memset(&m->namespace_annotations, 0xff, sizeof(m->namespace_annotations));
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
#define ROW(member, key, ...) \
	FIELD(key, read_token, struct object_meta, namespace_annotations.member),
			NAMESPACE_ANNOTATIONS(ROW)
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

	struct object_meta *m = arg;

	if (r == 0 && slice_eq(text, MCKUBE_FINALIZER))
		m->has_finalizer = true;
	if (r == 0 && slice_eq(text, KCLOUD_FINALIZER))
		m->has_kcloud_finalizer = true;
	return r;
}

static int read_finalizers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_finalizer, into);
}

/* An entry of managedFields: does it apply spec.replicas, server-side? */
struct manager_draft {
	str_id name, operation;
	bool has_replicas;
};

static const struct field managed_spec_fields[] = {
	FIELD("f:replicas", read_exists, struct manager_draft, has_replicas),
	{ 0 },
};

static const struct field managed_fields[] = {
	FIELD_SUB("f:spec", managed_spec_fields),
	{ 0 },
};

static const struct field manager_fields[] = {
	FIELD_SUB("fieldsV1", managed_fields),
	FIELD("manager", read_text, struct manager_draft, name),
	FIELD("operation", read_text, struct manager_draft, operation),
	{ 0 },
};

static int read_manager(struct decoder *d, void *arg)
{
	struct manager_draft m = { 0 };
	str_id *first = arg;
	int r = decode_object(d, manager_fields, &m);

	if (r == 0 && m.has_replicas && !*first &&
	    strcmp(intern_str(d->strings, m.operation), "Apply") == 0)
		*first = m.name;
	return r;
}

static int read_managers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_manager, into);
}

#define META(key, read, member, unread) FIELD(key, read, struct object_meta, member, unread)
#define META_ROWS                                                                               \
	FIELD_WHOLE("annotations", read_annotations, annotation_fields, UNREAD_ANNOTATIONS),    \
		META("creationTimestamp", read_time, meta.created, UNREAD_DETAIL),              \
		META("deletionTimestamp", read_exists, is_terminating, 0),                      \
		FIELD_WHOLE("finalizers", read_finalizers, NULL, UNREAD_DETAIL),                \
		META("generation", read_generation, generation, UNREAD_SELF),                   \
		FIELD_CACHED("labels", read_labels, struct object_meta, labels, UNREAD_LABELS), \
		META("name", read_deferred_text, meta.name, UNREAD_NAME),                       \
		META("namespace", read_text, meta.ns, UNREAD_NAME),                             \
		FIELD_CACHED("ownerReferences", read_owners, struct object_meta, owner,         \
			     UNREAD_SELF),                                                      \
		META("resourceVersion", read_deferred_token, meta.version, 0),                  \
		META("uid", read_deferred_text, meta.uid, UNREAD_SELF)
const struct field meta_fields[] = { META_ROWS, { 0 } };
const struct field scalable_meta_fields[] = {
	META_ROWS,
	META("managedFields", read_managers, replicas_applied_by, UNREAD_DETAIL),
	{ 0 },
};
#undef META_ROWS
#undef META

static bool check_names(struct objects *o, const struct meta *m, bool is_namespaced)
{
	struct intern *strings = &o->c->strings;
	const char *name = intern_str(strings, m->name), *ns = intern_str(strings, m->ns);

	if (o->d.unread & UNREAD_NAME)
		return false;
	if (!m->name)
		decode_note(&o->d, UNREAD_NAME, "metadata.name: is missing");
	else if (!is_dns_subdomain(name, intern_len(strings, m->name)))
		decode_note(&o->d, UNREAD_NAME, "metadata.name: '%.60s' is not a name", name);
	else if (is_namespaced && !is_dns_label(ns, intern_len(strings, m->ns)))
		decode_note(&o->d, UNREAD_NAME, "metadata.namespace: '%.60s' is not a name", ns);
	return !(o->d.unread & UNREAD_NAME);
}

/* A name that is none is replaced by one that no other object has. */
static void make_name(struct objects *o, struct meta *m)
{
	struct intern *strings = &o->c->strings;

	if (!is_dns_label(intern_str(strings, m->ns), intern_len(strings, m->ns)))
		m->ns = intern_cstr(strings, "default");
	if (is_dns_subdomain(intern_str(strings, m->name), intern_len(strings, m->name)))
		return;

	AUTO_FREE char *name = xasprintf("unnamed-%u", ++o->n_unnamed);
	m->name = intern_cstr(strings, name);
}

int meta_check(struct objects *o, struct object_meta *m, enum object_scope scope)
{
	bool is_namespaced = scope != SCOPE_CLUSTER && (scope != SCOPE_EITHER || m->meta.ns);

	if (!is_namespaced)
		m->meta.ns = 0;
	else if (!m->meta.ns)
		m->meta.ns = intern_cstr(&o->c->strings, "default");
	if (check_names(o, &m->meta, is_namespaced))
		return 0;
	if (scope != SCOPE_COUNTS_UNNAMED)
		return DECODE_REFUSED;
	make_name(o, &m->meta);
	return 0;
}
