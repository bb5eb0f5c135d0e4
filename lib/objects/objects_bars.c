/* SPDX-License-Identifier: Apache-2.0 */

/* What of a pod keeps its containers from being moved with their memory. */
#include "objects/objects_internal.h"

int read_bar(struct decoder *d, const struct field *f, void *into)
{
	const uint16_t *bar = f->more;
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)into;
	if (r == 0 && (first == '"' ? token.n > 0 : slice_eq(token, "true")))
		objects_of(d)->bars |= *bar;
	return r;
}

int read_host_users(struct decoder *d, const struct field *f, void *into)
{
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	(void)into;
	if (r == 0 && slice_eq(token, "false"))
		objects_of(d)->bars |= BAR_USER_NAMESPACE;
	return r;
}

/* The container that is given up first; NULL: no liveness probe may end one. */
static const struct container *shortest_probe(const struct objects *o)
{
	const struct container *least = NULL;

	array_each(c, &o->containers)
		if (c->patience_seconds &&
		    (!least || c->patience_seconds < least->patience_seconds))
			least = c;
	return least;
}

static void add_name(struct objects *o, size_t line, struct slice name)
{
	if (o->key.n > line)
		str_add(&o->key, ", ");
	scan_unescape(name, &o->key);
}

/* Ends the line that began there. */
static bool end_line(struct objects *o, size_t line)
{
	bool has_names = o->key.n > line;

	str_addc(&o->key, '\n');
	return has_names;
}

static bool add_volumes(struct objects *o, const struct slice *names, size_t n)
{
	size_t line = o->key.n;

	for (size_t i = 0; i < n; i++)
		add_name(o, line, names[i]);
	return end_line(o, line);
}

void take_bars(struct objects *o, struct pod *pod)
{
	const struct container *least = shortest_probe(o);
	unsigned bars = pod->bars;

	str_clear(&o->key);
	bars |= add_volumes(o, o->empty_dirs.items, o->empty_dirs.n) ? BAR_EMPTY_DIR : 0;
	bars |= add_volumes(o, o->host_paths.items, o->host_paths.n) ? BAR_HOST_PATH : 0;
	pod->bars = (uint16_t)bars;
	if (least) {
		pod->patience_seconds = least->patience_seconds < UINT16_MAX
						? (uint16_t)least->patience_seconds
						: UINT16_MAX;
		scan_unescape(least->name, &o->key);
	}
	if (o->key.n > BAR_OF_PROBE)
		pod->bar_names = intern_add(o->d.strings, o->key.s, o->key.n);
}
