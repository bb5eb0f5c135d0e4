/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_RESERVED_H
#define MCKUBE_NODE_RESERVED_H

#include "base/error.h"
#include "budget/cpuset.h"

/* CPUs that real-time pods do not get, as kubelets have reservedSystemCPUs: mckube.io/rt-cores of
 * the node names the others. */

/* `given` is a list of CPUs; NULL: those of the kubelet's configuration file, none where there is
 * no such file, or it cannot be opened, or it reserves no CPU. A list that cannot be read is an
 * error: what is reserved must not be taken for free. */
int reserved_cpus(const char *given, const char *kubelet_config, struct cpuset *ret,
		  struct error *err);

#endif
