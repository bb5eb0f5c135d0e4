/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_DELTA_H
#define MCKUBE_MODEL_DELTA_H

#include "model/cluster.h"

/* The rows of one kind in a snapshot, changed many at a time.
 *
 * Behind the `n` rows that count, in order of their names, wait `n_news` that were added since:
 * news. Nobody who reads the snapshot sees them, until rows_settle() puts them in their places. So
 * a snapshot can be read at leisure while changes come in. */

enum news { NEWS_PUT, NEWS_GONE }; /* GONE: of the row only namespace and name count */

struct row_kind {
	size_t size;
	struct meta *(*first)(struct cluster *c); /* each row begins with its meta */
	size_t *(*n)(struct cluster *c);
	void (*reserve)(struct cluster *c, size_t more);
	void (*fit)(struct cluster *c); /* gives back room that is far too much */
	/* Do two rows say the same, but for their versions? */
	bool (*is_same)(const struct cluster *c, const void *a, const void *b);
};

extern const struct row_kind rows_of_nodes, rows_of_pods, rows_of_mckubes, rows_of_pdbs,
	rows_of_priority_classes, rows_of_volumes, rows_of_claims, rows_of_namespaces;

void *row_at(struct cluster *c, const struct row_kind *k, size_t i);

/* What settling did. */
enum { ROWS_CHANGED = 1, ROWS_CAME_OR_WENT = 2 };

/* Of news with the same name the last one counts. With is_new_list they are all there is. Returns
 * flags of the enum; 0 when no row says anything else than before. */
unsigned rows_settle(struct cluster *c, const struct row_kind *k, const uint8_t *news,
		     size_t n_news, bool is_new_list);

#endif
