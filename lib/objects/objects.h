/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_OBJECTS_H
#define MCKUBE_OBJECTS_OBJECTS_H

#include "base/error.h"
#include "base/str.h"
#include "model/cluster.h"

/* The API objects that a plan reads, from JSON text into a cluster, one at a time and unsorted.
 *
 * Objects are told apart by kind and group. Those of other kinds than a plan reads are counted in
 * cluster.n_skipped. Of the others, what cannot be read still exists: an object with a value that
 * is of the wrong type or newer than us is kept with the rest of its values and marked (is_unread
 * in model/cluster.h), and is a problem of the cluster. Only what can count in no way, such as a
 * node without a name, is left out.
 *
 * Labels, placement rules and amounts that many pods have in common are stored once. */
struct objects;

/* Fills c, which must outlive it. */
struct objects *objects_new(struct cluster *c);
void objects_free(struct objects *o);

/* What an object does not say itself. */
struct object_origin {
	const char *file;	 /* names it in problems until its name is known, with */
	uint32_t document, item; /* ... these, where they are not 0 */
	const char *list_kind;	 /* of the list it stands in, "" if none or not known yet */
	const char *list_version;
	const char *only; /* the one kind that may come ("Pod", in any case); NULL: all. An object
			   * of another kind counts as one that no plan reads */
};

enum { OBJECT_IS_LIST = 1 };

/* Adds the object that `text` begins with; *ret_used is its length, more may stand behind it.
 * Returns
 *	0		it was added, skipped, or became a problem,
 *	OBJECT_IS_LIST	it has a member "items": nothing was done, its items are to be added,
 *	SCAN_SHORT	the text ends within the object: nothing was done, try again with more,
 *	SCAN_BAD	it is not JSON: err says why, *ret_used where. */
int objects_add(struct objects *o, struct slice text, const struct object_origin *origin,
		size_t *ret_used, struct error *err);

/* Namespace (0 where there is none) and name of an object; false when it has none. */
bool objects_name(struct objects *o, struct slice text, str_id *ret_ns, str_id *ret_name);

/* cluster_compact(), for a cluster to which more will be added; `keep` is the caller's. */
void objects_compact(struct objects *o, const str_id *keep, size_t n_keep);

#endif
