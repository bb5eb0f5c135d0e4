/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_HTML_MAP_H
#define MCKUBE_OUTPUT_HTML_MAP_H

#include "base/str.h"
#include "output/coremap.h"
#include "output/html.h"

/* One node of the map as HTML: a fold-out with its cores before, unless no pod was there, and
 * after. Its anchor is "n" and the index. */
void html_add_node(const struct coremap *m, uint32_t index, bool is_open,
		   struct html_lengths *lengths, struct str *out);

#endif
