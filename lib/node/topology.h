/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_TOPOLOGY_H
#define MCKUBE_NODE_TOPOLOGY_H

#include "base/str.h"
#include "node/kernel.h"

/* The value of mckube.io/topology (model/capacity.h has its grammar), from
 * SYS/devices/system/cpu/cpuN/topology and the cpuN/nodeM links: "0,4 1,5 | 2,6 3,7". Empty where
 * the kernel does not publish it. */
void topology_read(const struct kernel_roots *roots, unsigned cpus, struct str *out);

#endif
