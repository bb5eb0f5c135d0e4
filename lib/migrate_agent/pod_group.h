/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_POD_GROUP_H
#define MCKUBE_MIGRATE_AGENT_POD_GROUP_H

#include "base/error.h"
#include "base/str.h"

/* Where the cgroups of a pod are, whatever the kubelet's driver and root: in the hierarchy of a
 * controller of cgroup v1, or in the one of v2. NULL: there is none. The caller frees it. */

/* A file of the pod's group. */
char *pod_group_file(const char *cgroup_root, const char *controller, const char *uid,
		     const char *name, const char *name_v2);

/* The folder of the group of one of its containers. */
char *container_group(const char *cgroup_root, const char *controller, const char *uid,
		      const char *id);

/* A file of a group's folder. */
int group_read(const char *group, const char *name, struct str *text, struct error *err);

#endif
