/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_STORE_H
#define MCKUBE_STATE_STORE_H

#include "kube/watch.h"
#include "state/watched_kinds.h"

/* A snapshot that lives long. What the server sends is decoded when it comes, and waits
 * behind the rows that count until store_commit(). In between the snapshot does not change,
 * whatever comes in, so a plan can be made of it and applied.
 *
 * An object is kept once, as its row. What rows leave behind when they are replaced (versions,
 * annotations) is dropped now and then: memory follows the size of the cluster, not the number of
 * changes. The digest is not kept up: it is empty. */
struct store;

/* `server` is written into the snapshot. */
struct store *store_new(const char *server);
void store_free(struct store *m);

/* Kinds are indices into watched_kinds[]. */

/* All objects of the kind that are known are void; its list follows. */
void store_begin_list(struct store *m, unsigned kind);

/* The object that text begins with, an item of the list: as objects_add() (objects/objects.h) takes
 * it. `list_kind` and `list_version` are what the list says. */
int store_item(struct store *m, unsigned kind, struct slice text, const char *list_kind,
	       const char *list_version, size_t *ret_used, struct error *err);

/* One event of a stream. */
int store_event(struct store *m, unsigned kind, enum watch_type type, struct slice object,
		struct error *err);

/* Is there anything to commit? */
bool store_is_dirty(const struct store *m);

/* Puts the changes into the snapshot, whose clock becomes `now` (seconds since 1970). True when
 * something changed that a plan reads: not when only versions did, as at a node's heartbeat. */
bool store_commit(struct store *m, int64_t now);

const struct cluster *store_cluster(const struct store *m);

struct store_stats {
	uint64_t events, committed, compactions;
};
struct store_stats store_stats(const struct store *m);

#endif
