/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_OVERRUN_BPF_H
#define MCKUBE_NODE_OVERRUN_BPF_H

#include "node/overrun/overrun.h"

/* What only the BPF source has. */
void overrun_bpf_created(struct overruns *o);
bool overrun_bpf_works(const struct overruns *o);
uint64_t overrun_bpf_lost(const struct overruns *o);
bool overrun_bpf_missed(const struct overruns *o, uint64_t *ret_ns);

/* The maps of bpf/soft.h, where the backend is soft: descriptors of the source. */
struct soft_maps {
	int budgets, states, stops, alarm;
	const int *queues; /* by CPU */
	int n_cpus;	   /* possible ones: values in `states` */
};
int overrun_bpf_soft(const struct overruns *o, struct soft_maps *ret, struct error *err);

#endif
