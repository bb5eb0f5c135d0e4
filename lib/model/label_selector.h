/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_LABEL_SELECTOR_H
#define MCKUBE_MODEL_LABEL_SELECTOR_H

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "model/cluster.h"

/* A selector as kubectl's -l takes it: requirements separated by commas, all of which must hold.
 *
 *	key=value  key==value  key!=value  key in (a,b)  key notin (a,b)  key  !key
 *
 * An object without the key fulfils != and notin, as in Kubernetes. */

struct label_requirement {
	const char *key;
	const char *const *values; /* none: is the key there? */
	size_t n_values;
	bool is_negated;
};

struct label_selector {
	ARRAY(struct label_requirement) list; /* empty: everything */
};

/* Strings are in the arena. -EINVAL: err says where the text cannot be read. */
int label_selector_parse(const char *text, struct arena *arena, struct label_selector *ret,
			 struct error *err);
void label_selector_done(struct label_selector *s);

bool label_selector_matches(const struct cluster *c, const struct label_selector *s,
			    struct range labels);

#endif
