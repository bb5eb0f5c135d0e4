/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_REF_H
#define MCKUBE_CMD_REF_H

#include "base/error.h"
#include "model/cluster.h"

#include "command.h"
#include "inputs.h"

/* An object as kubectl names it on the command line: "pod/brake", "po/brake", "node/edge-1". */
struct ref {
	node_id node; /* NONE unless a node is meant */
	pod_id pod;   /* NONE unless a pod is meant */
};

/* A pod is looked for in --namespace, else in the context's, else in "default". An error names what
 * there is instead. */
int ref_find(struct cli *cli, const struct inputs *in, const char *word, bool pods_only,
	     struct ref *ret, struct error *err);

#endif
