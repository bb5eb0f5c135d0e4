/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_USAGE_H
#define MCKUBE_PLAN_MIGRATE_USAGE_H

#include "model/cluster.h"

struct trial;

/* How much of its CPU and memory a node uses, by the best source there is:
 *
 *  - NodeMetrics of metrics.k8s.io, unless older than USAGE_AGE_SECONDS;
 *  - for CPU, mckube.sdv.com/cpu-usage of the node's helper, unless that is silent;
 *  - the sum of the requests of the node's pods.
 *
 * Beside it stands what is coming: the requests of pods that have come since the node was measured,
 * and of those that this plan puts there. A node is pressed by what it uses, and takes a pod only
 * if there is room beside what is coming. Shares are parts of what is allocatable. */

enum { USAGE_AGE_SECONDS = 300 };

enum usage_source { USAGE_METRICS, USAGE_ANNOTATION, USAGE_REQUESTS };
enum usage_resource { USAGE_CPU, USAGE_MEMORY, USAGE_RESOURCES };

struct usage {
	int64_t amount[USAGE_RESOURCES]; /* thousandths of a CPU, bytes */
	int64_t coming[USAGE_RESOURCES]; /* of a node */
	uint8_t source[USAGE_RESOURCES]; /* enum usage_source */
	int64_t since;			 /* USAGE_METRICS: when the measurement began; 0: unknown */
	bool is_stale; /* it was measured, but long ago: it is neither relieved nor a target */
};

/* Of each node, to be freed. */
struct usage *usage_of_nodes(const struct trial *t);

/* Of a pod: PodMetrics, else its requests. */
struct usage usage_of_pod(const struct cluster *c, const struct pod *pod);

/* What of the resource the node has. */
int64_t usage_capacity(const struct node *node, enum usage_resource resource);

/* Of a node, with `more` beside what it uses and what is coming. */
uint32_t usage_share_with(const struct usage *u, const struct node *node,
			  enum usage_resource resource, int64_t more);

/* amount / have in ppm, at most UINT32_MAX; a node that has nothing is full. */
uint32_t usage_share(int64_t amount, int64_t have);

/* "CPU", "memory"; "measured", "reported", "requested". */
const char *usage_resource_name(enum usage_resource resource);
const char *usage_source_word(enum usage_source source);

#endif
