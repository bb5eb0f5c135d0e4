/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* A line is a kind, the index into watched_kinds[] as a character, and what its stream says; the
 * kind alone begins a new list. After an empty line all is committed. */
static void must(bool condition)
{
	if (!condition)
		abort();
}

static bool is_before(const struct cluster *c, const struct meta *a, const struct meta *b)
{
	int order = cluster_cmp(c, a->ns, b->ns);

	return order ? order < 0 : cluster_cmp(c, a->name, b->name) < 0;
}

/* Rows are in order of their names, each name once; pods point to the nodes that they name. */
static void commit(struct store *m)
{
	/* Rows are found through a snapshot that could be written to. */
	struct cluster *c = (struct cluster *)store_cluster(m);

	store_commit(m, 1);
	must(!store_is_dirty(m));
	for (unsigned kind = 0; kind < N_WATCHED_KINDS; kind++) {
		const struct delta_kind *rows = watched_kinds[kind].rows;

		for (size_t i = 1; i < *rows->n(c); i++)
			must(is_before(c, row_at(c, rows, i - 1), row_at(c, rows, i)));
	}
	array_each(pod, &c->pods)
		must(pod->node == NONE || (pod->node < c->nodes.n &&
					   c->nodes.items[pod->node].meta.name == pod->node_name));
}

static void take_line(struct store *m, struct slice line)
{
	AUTO(str_done) struct str version = STR_INIT;
	unsigned kind = (unsigned char)line.s[0] % N_WATCHED_KINDS;
	struct slice text = { line.s + 1, line.n - 1 };
	struct error err = ERROR_INIT;
	struct watch_event e;

	if (!text.n)
		store_begin_list(m, kind);
	else if (watch_parse(text, &e, &version, &err) == 0 && e.type <= WATCH_DELETED)
		must(store_event(m, kind, e.type, e.object, &err) == 0 || err.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice rest = { n ? (const char *)data : "", n };
	struct store *m = store_new("");

	while (rest.n) {
		const char *end = memchr(rest.s, '\n', rest.n);
		struct slice line = { rest.s, end ? (size_t)(end - rest.s) : rest.n };

		if (line.n)
			take_line(m, line);
		else
			commit(m);
		rest.s += line.n + (end != NULL);
		rest.n -= line.n + (end != NULL);
	}
	commit(m);
	store_free(m);
	return 0;
}
