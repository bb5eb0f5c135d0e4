/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_CPUSET_FILE_H
#define MCKUBE_NODE_CGROUP_CPUSET_FILE_H

#include "base/error.h"
#include "budget/cpuset.h"
#include "node/kernel.h"

/* The CPUs that a container may run on: cpuset.cpus of its folder in the cpuset hierarchy, which
 * has the same path there as in the cpu hierarchy. The kubelet's static CPU manager writes the same
 * file, so what was written is looked at again from time to time. */

/* -ENOENT: there is no cpuset controller, or the folder is not there. An empty file is an empty
 * set: as its parent (v2), or not set up yet (v1). */
int cpuset_file_read(const struct kernel *k, const char *path, struct cpuset *ret,
		     struct error *err);
int cpuset_file_write(const struct kernel *k, const char *path, const struct cpuset *cpus,
		      struct error *err);

#endif
