/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_MATCH_H
#define MCKUBE_MODEL_MATCH_H

#include <stdbool.h>

#include "model/cluster.h"

/* What kube-scheduler asks of a pod's rules and a node, or of two pods, whatever else runs: the
 * answers depend on the snapshot alone. */

/* Is there a toleration for a taint of this key, value and effect? */
bool match_tolerates(const struct cluster *c, struct range tolerations, str_id key, str_id value,
		     enum taint_effect effect);
bool match_tolerates_taint(const struct cluster *c, const struct rules *rules,
			   const struct taint *t);

/* The first taint of the node that the rules do not tolerate; NULL: none. */
const struct taint *match_untolerated(const struct cluster *c, const struct rules *rules,
				      const struct node *node);

/* Does one of the node selector terms match the node? */
bool match_node_terms(const struct cluster *c, struct range terms, const struct node *node);

/* The pod's nodeSelector alone; and with its required node affinity. */
bool match_node_selector(const struct cluster *c, const struct rules *rules,
			 const struct node *node);
bool match_node(const struct cluster *c, const struct rules *rules, const struct node *node);

/* Do host ports of the two pods collide? */
bool match_ports_collide(const struct cluster *c, const struct pod *a, const struct pod *b);

/* Is the pod the one that the McKube names, or one that it selects? */
bool match_mckube(const struct cluster *c, const struct mckube *m, const struct pod *pod);

#endif
