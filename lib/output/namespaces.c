/* SPDX-License-Identifier: Apache-2.0 */
#include "output/namespaces.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/nearest.h"
#include "model/request.h"
#include "plan/namespace_limits.h"

static const struct column columns[] = {
	{ "NAME", "name", .is_name = true, .kind = "namespace" },
	{ "PODS", "pods" },
	{ "WAITING", "waiting" },
	{ "USED", "usedPpm" },
	{ "QUOTA", "quotaPpm" },
	{ "MAX-CRITICALITY", "maxCriticality" },
	{ "MAX-PRIORITY", "maxPriority" },
	{ "PROBLEM", "problem" },
	{},
};

/* A namespace by its name, and the object where the snapshot has it. */
struct row {
	str_id name;
	const struct namespace *of; /* NULL: it is not in the snapshot */
	int64_t n_pods, n_waiting;
};

struct rows {
	ARRAY(struct row) list;
};

static struct row *row_of(struct rows *rows, str_id name)
{
	array_each(row, &rows->list)
		if (row->name == name)
			return row;
	struct row *row = array_add(&rows->list);
	*row = (struct row){ .name = name };
	return row;
}

static void collect(const struct cluster *c, const struct requests *requests, const char *only,
		    struct rows *rows)
{
	array_each(ns, &c->namespaces)
		if ((only && strcmp(cluster_str(c, ns->meta.name), only) == 0) ||
		    (!only && limits_are_set(c, ns)))
			row_of(rows, ns->meta.name)->of = ns;
	array_each(r, &requests->list) {
		const struct meta *meta = &c->pods.items[r->pod].meta;

		if (only && strcmp(cluster_str(c, meta->ns), only) != 0)
			continue;
		struct row *row = row_of(rows, meta->ns);
		row->n_pods += r->has_cores;
		row->n_waiting += !r->has_cores;
	}
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;

	return strcmp(cluster_str(arg, x->name), cluster_str(arg, y->name));
}

static void add_row(const struct cluster *c, const struct requests *requests, const struct row *row,
		    struct table *t)
{
	struct namespace_use use;

	limits_use(c, requests, row->name, row->of, &use);
	table_row(t, CELL_TEXT(cluster_str(c, row->name)), CELL_INT(row->n_pods),
		  CELL_INT(row->n_waiting), CELL_RATIO(use.used),
		  use.has_quota ? CELL_RATIO(use.quota) : CELL_NULL, CELL_TEXT(use.max_criticality),
		  CELL_TEXT(use.max_priority), CELL_TEXT(use.problem));
}

static int no_namespace(const struct cluster *c, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	array_each(ns, &c->namespaces)
		nearest_offer(&nearest, cluster_str(c, ns->meta.name));
	array_each(pod, &c->pods)
		nearest_offer(&nearest, cluster_str(c, pod->meta.ns));
	if (nearest.best)
		return error_set(err, -ENOENT, "namespace \"%s\" not found (did you mean %s?)",
				 name, nearest.best);
	return error_set(err, -ENOENT, "namespace \"%s\" not found", name);
}

int namespace_table(const struct cluster *c, const struct settings *settings, const char *only,
		    struct table *ret, struct error *err)
{
	struct arena arena = { 0 };
	struct warnings warnings = { .arena = &arena };
	struct requests requests;
	struct rows rows = { 0 };

	*ret = (struct table){ .columns = columns };
	requests_read(c, settings, &requests, &warnings);
	collect(c, &requests, only, &rows);
	if (rows.list.n)
		qsort_r(rows.list.items, rows.list.n, sizeof(*rows.list.items), by_name, (void *)c);
	array_each(row, &rows.list)
		add_row(c, &requests, row, ret);
	size_t n = rows.list.n;
	array_done(&rows.list);
	requests_done(&requests);
	array_done(&warnings.list);
	arena_done(&arena);
	return only && !n ? no_namespace(c, only, err) : 0;
}
