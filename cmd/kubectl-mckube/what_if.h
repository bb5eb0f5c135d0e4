/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_WHAT_IF_H
#define MCKUBE_CMD_WHAT_IF_H

#include <stdbool.h>

#include "base/error.h"
#include "base/option.h"

#include "inputs.h"

/* Options that change what was read, before it is planned: model/what_if.h. */
struct what_if_args {
	struct option_list drains, nodes, scales, withouts;
};

#define WHAT_IF_OPTIONS(args, member)                                                       \
	OPT_STRINGS(0, "drain", args, member.drains, "NODE",                                \
		    "plan as if this node were drained; may be repeated"),                  \
		OPT_STRINGS(0, "add-node", args, member.nodes, "FILE|N",                    \
			    "plan as if there were the nodes of this file, or N more like " \
			    "the largest; may be repeated",                                 \
			    .complete = "file"),                                            \
		OPT_STRINGS(0, "scale", args, member.scales, "KIND/NAME=N",                 \
			    "plan as if this Deployment, StatefulSet or ReplicaSet had N "  \
			    "pods; may be repeated"),                                       \
		OPT_STRINGS(0, "without", args, member.withouts, "pod/NAME",                \
			    "plan as if this pod were not there; may be repeated",          \
			    .complete = "pod")

/* Is anything assumed? */
bool what_if_is_given(const struct what_if_args *a);

/* Before the cluster is read: the files of --add-node are read with it. */
void what_if_sources(struct cli *cli, const struct what_if_args *a);

/* Changes what was read; --without and --scale mean pods as --namespace does. */
int what_if_apply(struct cli *cli, const struct what_if_args *a, struct inputs *in,
		  struct error *err);

#endif
