/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_CAPACITY_H
#define MCKUBE_MODEL_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/budget.h"
#include "budget/cpuset.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "model/warning.h"

/* What the nodes can grant: which cores take real-time budgets, and how much of them.
 *
 * It is read from the annotations that the node helper writes. A node without them is assumed to
 * count per core, with the settings' rtCapacity, on cores 0 .. floor(capacity.cpu)-1. An annotation
 * that cannot be read gives a BadNodeAnnotation warning: the pods that are there stay, counted by
 * the same default, and nothing is added.
 *
 * mckube.io/topology names the physical cores, each as the CPU list of its SMT siblings: blanks
 * between cores of a NUMA node, '|' between NUMA nodes, '/' between sockets, as in
 * "0,4 1,5 | 2,6 3,7" (one socket, two NUMA nodes, four cores with two threads each). */

struct core {
	node_id node;
	uint16_t cpu;			 /* the kernel's number */
	uint16_t physical, numa, socket; /* numbers within the node, from 0 */
};

struct node_capacity {
	struct range cores;   /* in capacity.cores, by rising cpu; may be empty */
	uint8_t scope;	      /* enum scope */
	bool is_assumed;      /* the node says nothing of itself */
	bool is_unread;	      /* what it says cannot be read: it may have less than is counted */
	uint32_t cap[LEVELS]; /* ppm, by mode */
	uint32_t retained;    /* ppm; the load of containers that are no longer assigned, and whose
			       * budgets the kernel still has (mckube.io/rt-retained) */
};

struct capacity {
	ARRAY(struct node_capacity) nodes; /* by node_id */
	ARRAY(struct core) cores;
};

void capacity_read(const struct cluster *c, const struct settings *settings, struct capacity *ret,
		   struct warnings *warnings);
void capacity_done(struct capacity *cap);

/* The node's cores as a set. */
void capacity_cpuset(const struct capacity *cap, node_id node, struct cpuset *ret);

/* The index in capacity.cores of a CPU of a node, NONE if it is not one of its RT cores. */
uint32_t capacity_core(const struct capacity *cap, node_id node, unsigned cpu);

#endif
