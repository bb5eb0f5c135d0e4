/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_NAMESPACES_H
#define MCKUBE_OUTPUT_NAMESPACES_H

#include "model/cluster.h"
#include "model/settings.h"
#include "output/table.h"

/* What namespaces may ask for, and what their pods hold: those with limits or with pods that
 * request real time, by name. `only`: that one, whatever it has; NULL: all. -ENOENT: there is none
 * of that name. */
int namespace_table(const struct cluster *c, const struct settings *settings, const char *only,
		    struct table *ret, struct error *err);

#endif
