/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_BUNDLE_H
#define MCKUBE_NODE_BUNDLE_H

#include "base/error.h"

/* The name of a container in its pod, from what its runtime wrote beside it before it made the
 * cgroup: the API server learns the id only after the container runs, which is too late for a
 * budget that must be set when the program starts. Files of containerd (also k3s'), cri-o and
 * docker. */

enum { BUNDLE_NAME_MAX = 64 };

/* `root` is where the host's / is ("" for the host itself), `extra` a further folder of bundles
 * with an ID/config.json each, or NULL. -ENOENT: it is a pod's sandbox, or its runtime is not
 * known. */
int bundle_name(const char *root, const char *extra, const char *id, char ret[BUNDLE_NAME_MAX],
		struct error *err);

#endif
