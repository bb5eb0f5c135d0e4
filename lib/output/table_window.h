/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_TABLE_WINDOW_H
#define MCKUBE_OUTPUT_TABLE_WINDOW_H

#include "output/table.h"

/* A part of a table in a window of fixed size: the rows that match a text, from one of them on, in
 * lines that never take more columns than there are. Where it is too narrow whole columns are left
 * out, by their rank; then the longest texts are cut. Pure. */

struct table_window {
	unsigned width, height; /* of which one line is the heading */
	size_t first;		/* row that is shown first; of too many: the last ones are */
	const char *filter;	/* rows with this text in a cell, in any case; NULL or "": all */
	size_t sorted;		/* column that is marked in the heading */
};

/* Adds `height` lines, each ended by a line feed; those that nothing is in are empty. Returns how
 * many rows match. *ret_first is the row that was shown first. */
size_t table_window_draw(const struct table *t, const struct table_window *w,
			 const struct style *style, size_t *ret_first, struct str *out);

#endif
