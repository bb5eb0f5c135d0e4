/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store.h"

#include <malloc.h>
#include <string.h>

#include "base/auto.h"
#include "base/scan.h"
#include "objects/objects.h"

/* The least number of changes between two compactions, and the share of all rows (a quarter). */
enum { COMPACT_LEAST = 10000, COMPACT_SHARE = 4 };

/* An object that could not be read, or not in full, and by what it is known. */
struct refusal {
	unsigned kind;
	str_id ns, name;
	struct problem problem;
};

struct pending {
	ARRAY(uint8_t) marks; /* enum delta_mark, one for each row behind those that count */
	ARRAY(struct refusal) refusals;
	str_id list_kind, list_version; /* of its last list */
	bool is_new_list;
};

struct store {
	struct cluster cluster;
	struct objects *objects;
	struct pending pending[N_WATCHED_KINDS];
	ARRAY(struct refusal) refusals; /* those that count; cluster.problems says them */
	size_t n_since_compaction;
	struct store_stats stats;
};

struct store *store_new(const char *server)
{
	struct store *m = xcalloc(1, sizeof(*m));

	m->objects = objects_new(&m->cluster);
	m->cluster.server = intern_cstr(&m->cluster.strings, server);
	return m;
}

void store_free(struct store *m)
{
	if (!m)
		return;
	objects_free(m->objects);
	cluster_done(&m->cluster);
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		array_done(&m->pending[i].marks);
		array_done(&m->pending[i].refusals);
	}
	array_done(&m->refusals);
	free(m);
}

/* Pending changes. */

static size_t *count_of(struct store *m, unsigned kind)
{
	return watched_kinds[kind].rows->n(&m->cluster);
}

/* Room for a row behind all others, of which everything is zero, padding too. */
static void *new_row(struct store *m, unsigned kind)
{
	const struct delta_kind *rows = watched_kinds[kind].rows;
	size_t n_pending = m->pending[kind].marks.n;

	rows->reserve(&m->cluster, n_pending + 1);
	return memset(row_at(&m->cluster, rows, *count_of(m, kind) + n_pending), 0, rows->size);
}

static bool is_about(const struct refusal *r, unsigned kind, const struct meta *meta)
{
	return r->kind == kind && r->ns == meta->ns && r->name == meta->name;
}

/* The row that was added last counts from now on, in place of what was said about it before. */
static void add_mark(struct store *m, unsigned kind, enum delta_mark what)
{
	struct pending *k = &m->pending[kind];
	const struct meta *meta =
		row_at(&m->cluster, watched_kinds[kind].rows, *count_of(m, kind) + k->marks.n);
	size_t kept = 0;

	*array_add(&k->marks) = (uint8_t)what;
	array_each(r, &k->refusals)
		if (!is_about(r, kind, meta))
			k->refusals.items[kept++] = *r;
	k->refusals.n = kept;
	m->n_since_compaction++;
}

static void add_put(struct store *m, unsigned kind)
{
	const struct delta_kind *rows = watched_kinds[kind].rows;
	const struct pod *pod =
		row_at(&m->cluster, rows, *count_of(m, kind) + m->pending[kind].marks.n);
	bool has_ended = rows == &delta_of_pods && pod->phase == POD_ENDED;

	add_mark(m, kind, has_ended ? DELTA_DELETE : DELTA_PUT);
}

static int add_deleted(struct store *m, unsigned kind, struct slice object, struct error *err)
{
	struct meta *row = new_row(m, kind);

	if (!objects_name(m->objects, object, &row->ns, &row->name))
		return error_set(err, -EBADMSG, "%s: an object without a name",
				 watched_kinds[kind].resource->plural);
	add_mark(m, kind, DELTA_DELETE);
	return 0;
}

/* The last problem of the cluster is about this object: there is no row for it. */
static int add_refused(struct store *m, unsigned kind, struct slice object, struct error *err)
{
	struct refusal r = { .kind = kind };

	r.problem = m->cluster.problems.items[--m->cluster.problems.n];
	if (add_deleted(m, kind, object, err) < 0)
		return err->code;
	objects_name(m->objects, object, &r.ns, &r.name);
	*array_add(&m->pending[kind].refusals) = r;
	return 0;
}

/* The row behind all others, with the last problem of the cluster if there is a new one. */
static void add_row(struct store *m, unsigned kind, size_t n_problems)
{
	const struct meta *meta = row_at(&m->cluster, watched_kinds[kind].rows,
					 *count_of(m, kind) + m->pending[kind].marks.n);
	struct refusal r = { .kind = kind, .ns = meta->ns, .name = meta->name };

	add_put(m, kind);
	if (m->cluster.problems.n == n_problems)
		return;
	r.problem = m->cluster.problems.items[--m->cluster.problems.n];
	*array_add(&m->pending[kind].refusals) = r;
}

static int add(struct store *m, unsigned kind, struct slice text, size_t *ret_used,
	       struct error *err)
{
	const struct pending *k = &m->pending[kind];
	const struct object_origin origin = {
		.file = watched_kinds[kind].resource->plural,
		.list_kind = cluster_str(&m->cluster, k->list_kind),
		.list_version = cluster_str(&m->cluster, k->list_version),
		.only = watched_kinds[kind].resource->kind,
	};
	size_t *n = count_of(m, kind), n_committed = *n, n_problems = m->cluster.problems.n;

	new_row(m, kind);
	*n += k->marks.n;
	int r = objects_add(m->objects, text, &origin, ret_used, err);
	bool is_added = *n > n_committed + k->marks.n;
	*n = n_committed;
	if (r < 0)
		return r;
	if (is_added)
		add_row(m, kind, n_problems);
	else if (r == 0 && m->cluster.problems.n > n_problems)
		return add_refused(m, kind, (struct slice){ text.s, *ret_used }, err);
	else
		return error_set(err, -EPROTO, "%s: an object of another kind", origin.file);
	return 0;
}

void store_begin_list(struct store *m, unsigned kind)
{
	struct pending *k = &m->pending[kind];

	array_clear(&k->marks);
	array_clear(&k->refusals);
	k->is_new_list = true;
}

static void keep_text(struct store *m, str_id *id, const char *text)
{
	if (strcmp(cluster_str(&m->cluster, *id), text) != 0)
		*id = intern_cstr(&m->cluster.strings, text);
}

int store_item(struct store *m, unsigned kind, struct slice text, const char *list_kind,
	       const char *list_version, size_t *ret_used, struct error *err)
{
	keep_text(m, &m->pending[kind].list_kind, list_kind);
	keep_text(m, &m->pending[kind].list_version, list_version);
	return add(m, kind, text, ret_used, err);
}

/* An object says its kind itself in a stream; that of an empty list is not known. */
int store_event(struct store *m, unsigned kind, enum watch_type type, struct slice object,
		struct error *err)
{
	size_t used;

	m->stats.events++;
	if (type == WATCH_DELETED)
		return add_deleted(m, kind, object, err);
	int r = add(m, kind, object, &used, err);
	return r == SCAN_SHORT ? error_set(err, -EBADMSG, "%s: an object without an end",
					   watched_kinds[kind].resource->plural)
			       : r;
}

bool store_is_dirty(const struct store *m)
{
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		if (m->pending[i].marks.n || m->pending[i].is_new_list)
			return true;
	return false;
}

/* Committing. */

static bool is_outdated(struct store *m, const struct refusal *r)
{
	const struct pending *k = &m->pending[r->kind];
	size_t first = *count_of(m, r->kind);

	for (size_t i = 0; i < k->marks.n; i++)
		if (is_about(r, r->kind,
			     row_at(&m->cluster, watched_kinds[r->kind].rows, first + i)))
			return true;
	return k->is_new_list;
}

/* Before the rows are committed: true when one came or went. */
static bool commit_refusals(struct store *m)
{
	size_t kept = 0, before = m->refusals.n;
	bool has_more = false;

	array_each(r, &m->refusals)
		if (!is_outdated(m, r))
			m->refusals.items[kept++] = *r;
	m->refusals.n = kept;
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		array_each(r, &m->pending[i].refusals)
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room */
			*array_add(&m->refusals) = *r;
		has_more |= m->pending[i].refusals.n > 0;
		array_clear(&m->pending[i].refusals);
	}
	array_clear(&m->cluster.problems);
	array_each(r, &m->refusals)
		*array_add(&m->cluster.problems) = r->problem;
	return has_more || kept < before;
}

static unsigned commit_kind(struct store *m, unsigned kind)
{
	struct pending *k = &m->pending[kind];
	unsigned did = 0;

	if (k->marks.n || k->is_new_list)
		did = delta_commit(&m->cluster, watched_kinds[kind].rows, k->marks.items,
				   k->marks.n, k->is_new_list);
	m->stats.committed += k->marks.n;
	array_clear(&k->marks);
	k->is_new_list = false;
	return did;
}

/* Pods that are new point to nodes of now. */
static void resolve_new_pods(struct store *m, unsigned kind)
{
	const struct pending *k = &m->pending[kind];
	size_t first = *count_of(m, kind);

	for (size_t i = 0; i < k->marks.n; i++)
		if (k->marks.items[i] == DELTA_PUT)
			cluster_resolve_pod(&m->cluster,
					    row_at(&m->cluster, &delta_of_pods, first + i));
}

/* Nodes and priority classes go before the pods that refer to them. */
static unsigned commit_all(struct store *m)
{
	unsigned did = 0, pods = 0;
	bool must_resolve = false;

	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		const struct delta_kind *rows = watched_kinds[i].rows;

		if (rows == &delta_of_pods) {
			pods = i;
			continue;
		}
		unsigned this_did = commit_kind(m, i);
		did |= this_did;
		must_resolve |= rows == &delta_of_nodes && this_did & DELTA_RESIZED;
		must_resolve |= rows == &delta_of_priority_classes && this_did;
	}
	must_resolve |= m->pending[pods].is_new_list;
	if (!must_resolve)
		resolve_new_pods(m, pods);
	did |= commit_kind(m, pods);
	if (must_resolve)
		cluster_resolve(&m->cluster);
	cluster_resolve_heartbeats(&m->cluster);
	return did;
}

static size_t count_rows(struct store *m)
{
	size_t n = 0;

	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		n += *count_of(m, i);
	return n;
}

static void compact(struct store *m)
{
	ARRAY(str_id) keep = { 0 };

	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		*array_add(&keep) = m->pending[i].list_kind;
		*array_add(&keep) = m->pending[i].list_version;
	}
	array_each(r, &m->refusals) {
		*array_add(&keep) = r->ns;
		*array_add(&keep) = r->name;
	}
	objects_compact(m->objects, keep.items, keep.n);
	array_done(&keep);
	malloc_trim(0);
	m->n_since_compaction = 0;
	m->stats.compactions++;
}

bool store_commit(struct store *m, int64_t now)
{
	bool has_changed = commit_refusals(m);

	has_changed |= commit_all(m) != 0;
	m->cluster.taken_at = now;
	if (m->n_since_compaction > COMPACT_LEAST + count_rows(m) / COMPACT_SHARE)
		compact(m);
	return has_changed;
}

const struct cluster *store_cluster(const struct store *m)
{
	return &m->cluster;
}

struct store_stats store_stats(const struct store *m)
{
	return m->stats;
}
