/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_HTML_MAP_H
#define MCKUBE_OUTPUT_HTML_MAP_H

#include "base/str.h"
#include "output/coremap.h"

/* One node of the map as HTML: a fold-out with its cores before and after. */
void html_add_node(const struct coremap *m, uint32_t index, struct str *out);

#endif
