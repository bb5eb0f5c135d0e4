/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_POD_INDEX_H
#define MCKUBE_MODEL_POD_INDEX_H

#include "model/cluster.h"

/* Finds the pods that selectors mean, without looking at every pod for each selector.
 *
 *	AUTO(pod_index_done) struct pod_index x = { 0 };
 *	pod_index_init(&x, c);
 *	pod_index_want(&x, ns, selector)	for all that will be asked for
 *	pod_index_fill(&x, NULL);
 *	pod_index_find(&x, ns, selector, &pods)
 *
 * There is a list of pods for each "key in (value)" (every member of matchLabels is one) of a
 * selector in its namespace, and the shortest one of a selector is gone through. A selector without
 * any costs a look at all pods of its namespace. */

typedef ARRAY(pod_id) pod_ids;

/* A list is a chain of links: there may be as many lists as pods. */
struct pod_list {
	uint32_t first, last; /* indices of links, NONE */
	uint32_t n;
};

struct pod_link {
	pod_id pod; /* rising along a chain */
	uint32_t next;
};

struct pod_index {
	const struct cluster *c;
	struct intern keys;	      /* namespace, label key and value */
	bool *is_wanted;	      /* by str_id: a label key in one of the keys */
	ARRAY(struct pod_list) lists; /* by id of keys */
	ARRAY(struct pod_link) links;
};

void pod_index_init(struct pod_index *x, const struct cluster *c);
void pod_index_done(struct pod_index *x);

void pod_index_want(struct pod_index *x, str_id ns, struct selector sel);
/* `of_pod`: only pods with of_pod[id] != NONE are to be found by these lists; NULL: all. */
void pod_index_fill(struct pod_index *x, const uint32_t *of_pod);

/* The pods of the namespace that the selector matches, by rising id, in place of what *ret held.
 * Where there is no list to go through, pods that were left out are among them. */
void pod_index_find(const struct pod_index *x, str_id ns, struct selector sel, pod_ids *ret);

#endif
