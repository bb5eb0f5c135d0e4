/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_LOAD_H
#define MCKUBE_STATE_LOAD_H

#include "base/error.h"
#include "base/str.h"
#include "model/cluster.h"
#include "state/reader.h"

/* Objects into a snapshot. A loader is used once:
 *
 *	struct loader *l = loader_new();
 *	loader_files(l, sources, n, &err)	any number of times; later objects win
 *	loader_finish(l, &cluster)		the caller owns the cluster
 *	loader_free(l)
 *
 * An object that cannot be used (no name, a name that is none, a wrong type in a field that the
 * plan needs) is left out and becomes a problem of the cluster; the rest goes on. Only what makes
 * the input as a whole unreadable is an error. */
struct loader;

struct loader *loader_new(void);
void loader_free(struct loader *l);

int loader_files(struct loader *l, const struct source *sources, size_t n, struct error *err);

/* One object as JSON text; `where` names it in problems until its name is known. The live client
 * uses this for the items of a LIST as their bytes arrive. */
int loader_object(struct loader *l, struct slice json, const char *where, struct error *err);

/* The object that text begins with, an item of a list that an API server sends: as objects_add()
 * (objects/objects.h) does it. */
struct object_origin;
int loader_item(struct loader *l, struct slice text, const struct object_origin *origin,
		size_t *ret_used, struct error *err);

/* Does a WorkloadOptimizer of those read scale? */
bool loader_scales(const struct loader *l);

/* What was read so far: neither sorted nor resolved, and of an object that came twice both. */
const struct cluster *loader_cluster(const struct loader *l);

/* Where and when the objects were read; a file says that itself. */
void loader_taken(struct loader *l, const char *server, int64_t taken_at);

/* Sorts, resolves and digests; the loader is empty afterwards. */
void loader_finish(struct loader *l, struct cluster *ret);

#endif
