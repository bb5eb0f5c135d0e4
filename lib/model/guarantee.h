/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_GUARANTEE_H
#define MCKUBE_MODEL_GUARANTEE_H

#include "model/cluster.h"

/* What a node's backend makes of a budget, and what a pod demands of its node: spec.guarantee of a
 * McKube, or the annotation mckube.io/rt-guarantee. Each includes those before it. */
enum guarantee {
	GUARANTEE_ANY,	    /* nothing need hold */
	GUARANTEE_CAP,	    /* at most the budget: a bandwidth cap */
	GUARANTEE_REALTIME, /* the budget is one of real time */
	GUARANTEE_KERNEL,   /* ... and the kernel itself enforces it */
	GUARANTEES,
};

/* "Any", "Cap", "RealTime", "Kernel" */
const char *guarantee_name(enum guarantee g);
bool guarantee_parse(const char *text, enum guarantee *ret);

/* Names of backends (node/backend/backend.h), as nodes publish them. */
bool backend_is_known(const char *backend);

/* A backend that is not known guarantees nothing. */
enum guarantee guarantee_of_backend(const char *backend);

/* By what its helper has published; a silent helper guarantees nothing. */
enum guarantee guarantee_of_node(const struct cluster *c, const struct node *node);

#endif
