/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_COREMAP_H
#define MCKUBE_OUTPUT_COREMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "budget/budget.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "output/style.h"
#include "plan/plan.h"

/* The cluster as cores: the pods on each before a plan and after it, and the load of every core in
 * every mode. Loads are parts per million of one CPU, by mode (enum level). Strings are
 * those of the snapshot. */

struct seat {
	uint32_t core; /* index in coremap.cores */
	uint32_t pod;  /* index in coremap.pods */
	bool was, is;  /* before, after */
};

/* What a pod counts with: a raised budget does not, until a plan grants it. */
struct map_budget {
	struct budget budget;
	uint32_t load[LEVELS];
};

struct map_pod {
	const char *ns, *name;
	struct map_budget before, after;
	uint32_t requested;	/* load in mode Low, where that is not what it has after the plan */
	uint8_t level;		/* enum level at which it runs */
	bool is_at_floor;	/* it has only its floor */
	const char *level_name; /* pod_level_name() */
};

struct map_core {
	uint32_t node; /* index in coremap.nodes */
	uint16_t cpu;
	uint32_t before[LEVELS], after[LEVELS];
	struct range seats; /* the more critical first, then by name */
};

struct map_node {
	const char *name, *backend; /* backend "": not reported */
	struct range cores;
	uint32_t cap[LEVELS];
	uint32_t retained;  /* of containers that are no longer assigned; part of the loads */
	uint32_t missed_us; /* per second, of what its pods were granted (mckube.io/rt-pressure);
			     * of a silent helper 0 */
	bool is_one_budget; /* the kernel counts the whole node (capacity scope node): then before
			     * and after are what the cap limits, each pod once */
	bool is_silent;	    /* its helper is: what it reported may be wrong by now */
	bool is_assumed;    /* the node reports no capacity */
	bool is_unschedulable;
	bool is_changed;
	uint32_t before[LEVELS], after[LEVELS];
};

struct coremap {
	ARRAY(struct map_node) nodes; /* by node_id */
	ARRAY(struct map_core) cores;
	ARRAY(struct map_pod) pods;
	ARRAY(struct seat) seats;
};

/* plan NULL: nothing changes. Reads c and plan, which must outlive the map. */
void coremap_make(const struct cluster *c, const struct settings *settings, const struct plan *plan,
		  struct coremap *ret);
void coremap_done(struct coremap *m);

/* Does the pod come, go, or get another budget? */
bool coremap_seat_changes(const struct coremap *m, const struct seat *s);

/* A node as text: one row per core with a bar of its load while no pod overruns (mode Low), the
 * loads of all modes, and its pods. Shows the state after the plan. `ns`, if not NULL: pods of
 * other namespaces are counted, not named. */
void coremap_text(const struct coremap *m, uint32_t node, const char *ns, const struct style *style,
		  struct str *out);

#endif
