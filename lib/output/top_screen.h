/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_TOP_SCREEN_H
#define MCKUBE_OUTPUT_TOP_SCREEN_H

#include "output/top.h"

/* What a terminal shows of output/top.h, and what its keys do. Pure: bytes that were typed in,
 * lines out. */

enum { TOP_FILTER_MAX = 64 };

struct top_screen {
	enum top_view view;
	size_t sorted[TOP_VIEWS]; /* a column */
	bool is_reversed[TOP_VIEWS];
	char filter[TOP_FILTER_MAX];
	bool is_typing; /* the filter */
	size_t first;	/* row */
	unsigned page;	/* rows of the last frame */
};

/* Pods first, those that use most of their budget on top. */
void top_screen_init(struct top_screen *s, enum top_view view);

/* Handles all bytes but those of an escape sequence that is not whole yet, unless `is_all`;
 * *ret_used is how many. True: end. */
bool top_screen_type(struct top_screen *s, const char *bytes, size_t n, bool is_all,
		     size_t *ret_used);

/* Adds exactly `height` lines of at most `width` columns, each ended by a line feed. `when` is
 * shown in the first line. */
void top_screen_draw(struct top_screen *s, const struct top_input *in, const char *when,
		     unsigned width, unsigned height, const struct style *style, struct str *out);

#endif
