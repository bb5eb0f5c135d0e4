/* SPDX-License-Identifier: Apache-2.0 */
#include "state/load.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/decode.h"
#include "base/names.h"
#include "objects/objects.h"
#include "state/digest.h"

_Static_assert(TAKEN_LIST == (int)OBJECT_IS_LIST, "what objects_add() says is handed on");

struct loader {
	struct cluster cluster;
	struct objects *objects;
};

struct loader *loader_new(void)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->objects = objects_new(&l->cluster);
	return l;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	objects_free(l->objects);
	cluster_done(&l->cluster);
	free(l);
}

static int take(const struct object_text *object, const struct list_text *list, void *arg,
		size_t *ret_used, struct error *err)
{
	const struct object_origin origin = {
		.file = object->file,
		.document = object->document,
		.item = object->item,
		.list_kind = list->kind.s,
		.list_version = list->api_version.s,
	};
	struct loader *l = arg;

	return objects_add(l->objects, object->json, &origin, ret_used, err);
}

/* What `kubectl mckube snapshot` annotations on its list. */
struct snapshot_annotations {
	int64_t taken_at;
	str_id server;
};

static const struct field annotation_fields[] = {
	FIELD(SNAPSHOT_SERVER, read_text, struct snapshot_annotations, server),
	FIELD(SNAPSHOT_TAKEN_AT, read_time, struct snapshot_annotations, taken_at),
	{ 0 },
};

static const struct field list_fields[] = {
	FIELD_SUB("annotations", annotation_fields),
	{ 0 },
};

static void take_list(const struct list_text *list, void *arg)
{
	struct loader *l = arg;
	struct snapshot_annotations annotations = { 0 };
	struct decoder d;

	decoder_init(&d, &l->cluster.strings);
	decoder_start(&d, (struct slice){ list->metadata.s, list->metadata.n });
	if (list->metadata.n && decode_object(&d, list_fields, &annotations) == 0) {
		if (annotations.server)
			l->cluster.server = annotations.server;
		if (annotations.taken_at)
			l->cluster.taken_at = annotations.taken_at;
	}
	decoder_done(&d);
}

int loader_files(struct loader *l, const struct source *sources, size_t n, struct error *err)
{
	const struct object_taker taker = { .take = take, .list = take_list, .arg = l };
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = objects_take(&sources[i], &taker, err);
	return r;
}

int loader_object(struct loader *l, struct slice json, const char *where, struct error *err)
{
	const struct object_origin origin = { .file = where, .list_kind = "", .list_version = "" };
	size_t used;
	int r = objects_add(l->objects, json, &origin, &used, err);

	if (r == SCAN_SHORT)
		return error_set(err, -EINVAL, "%s: the text ends in the middle of an object",
				 where);
	if (r == OBJECT_IS_LIST)
		return error_set(err, -EINVAL, "%s: a list where an object was expected", where);
	return r < 0 ? error_wrap(err, "%s", where) : 0;
}

int loader_item(struct loader *l, struct slice text, const struct object_origin *origin,
		size_t *ret_used, struct error *err)
{
	return objects_add(l->objects, text, origin, ret_used, err);
}

bool loader_scales(const struct loader *l)
{
	return cluster_scales(&l->cluster);
}

const struct cluster *loader_cluster(const struct loader *l)
{
	return &l->cluster;
}

void loader_taken(struct loader *l, const char *server, int64_t taken_at)
{
	l->cluster.server = intern_cstr(&l->cluster.strings, server);
	l->cluster.taken_at = taken_at;
}

void loader_finish(struct loader *l, struct cluster *ret)
{
	objects_free(l->objects);
	l->objects = NULL;
	cluster_finish(&l->cluster);
	cluster_digest(&l->cluster);
	*ret = l->cluster;
	l->cluster = (struct cluster){ 0 };
}
