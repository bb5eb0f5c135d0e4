/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_REF_H
#define MCKUBE_CMD_REF_H

#include "base/error.h"
#include "model/cluster.h"

#include "command.h"
#include "inputs.h"

/* An object as kubectl names it on the command line: "pod/brake", "po/brake", "node/edge-1",
 * "wo/train", "ns/vehicle"; "wo" and "ns" alone are all of them. */
struct ref {
	node_id node;	    /* NONE unless a node is meant */
	pod_id pod;	    /* NONE unless a pod is meant */
	uint32_t optimizer; /* index in the cluster; NONE unless one is meant */
	const char *ns;	    /* the word's, not looked up; NULL unless a namespace is meant */
	bool is_all_optimizers, is_all_namespaces;
};

#define REF_NOTHING                                           \
	{                                                     \
		.node = NONE, .pod = NONE, .optimizer = NONE, \
	}

/* What a command takes. */
enum {
	REF_PODS = 1,
	REF_NODES = 2,
	REF_OPTIMIZERS = 4,
	REF_ALL_OPTIMIZERS = 8, /* with REF_OPTIMIZERS */
	REF_NAMESPACES = 16,	/* all or one */
};

/* A pod or an optimizer is looked for in --namespace, else in the context's, else in "default". An
 * error names what there is instead. */
int ref_find(struct cli *cli, const struct inputs *in, const char *word, unsigned kinds,
	     struct ref *ret, struct error *err);

#endif
