/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_POD_INDEX_H
#define MCKUBE_MODEL_POD_INDEX_H

#include "model/cluster.h"

/* Finds the pods that selectors mean, without looking at every pod for each selector.
 *
 *	AUTO(pod_index_done) struct pod_index x = { 0 };
 *	pod_index_init(&x, c);
 *	pod_index_want(&x, ns, selector)	for all that will be asked for
 *	pod_index_fill(&x);
 *	pod_index_find(&x, ns, selector, &pods)
 *
 * There is a list of pods for each "key in (value)" (every member of matchLabels is one) of a
 * selector in its namespace, and the shortest one of a selector is gone through. A selector without
 * any costs a look at all pods of its namespace. */

typedef ARRAY(pod_id) pod_ids;

struct pod_index {
	const struct cluster *c;
	struct intern keys;   /* namespace, label key and value */
	ARRAY(pod_ids) lists; /* by id of keys; rising */
	bool *is_wanted;      /* by str_id: a label key in one of the keys */
};

void pod_index_init(struct pod_index *x, const struct cluster *c);
void pod_index_done(struct pod_index *x);

void pod_index_want(struct pod_index *x, str_id ns, struct selector sel);
void pod_index_fill(struct pod_index *x);

/* The pods of the namespace that the selector matches, by rising id, in place of what *ret held. */
void pod_index_find(const struct pod_index *x, str_id ns, struct selector sel, pod_ids *ret);

#endif
