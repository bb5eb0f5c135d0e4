/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_TRIAL_H
#define MCKUBE_PLAN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/capacity.h"
#include "model/cluster.h"
#include "model/request_cache.h"
#include "model/settings.h"
#include "plan/evictions.h"
#include "plan/migrate/flight.h"

/* What a plan is tried out on: the snapshot's loads, changed pod by pod and changed back.
 *
 * Units are the RT pods. Cells are where a budget is counted: one for each core, or one for a whole
 * node whose kernel counts node-wide. Places are sets of cores of one node, each with the cells
 * that a pod there loads; place i < n_cores is core i alone.
 *
 * Loads are kept by rank: used[r] is what remains when everything that may yield to rank r + 1 and
 * above is left out, that is, fixed pods and those of rank r or more. used[0] is the real load,
 * used[LEVELS] that of the fixed pods alone. So "would it fit if all less critical pods were gone"
 * is three comparisons. */

typedef uint32_t unit_id, place_id, cell_id;

/* Loads by mode, in as many lanes as a vector register has; what is behind the modes stays 0. */
enum { LANES = 4 };

struct cell {
	node_id node;
	uint32_t cap[LEVELS];
	uint32_t used[LEVELS + 1][LANES]; /* [rank][mode], ppm */
	bool was_overcommitted;		  /* over its capacity in the snapshot */
};

enum { RES_CPU, RES_MEMORY, RES_EPHEMERAL, RES_PODS, RES_KINDS };

struct node_load {
	int64_t have[RES_KINDS];
	int64_t used[LEVELS][RES_KINDS];
	struct range extended; /* trial.extended */
	struct range units;    /* trial.node_units: those that were bound here in the snapshot */
	bool is_closed;	       /* nothing more may be promised here: model/closed.h */
	bool is_broken;	       /* a cell was over its capacity in the snapshot */
};

struct extended {
	str_id name;
	int64_t have, used[LEVELS];
};

struct core_set {
	node_id node;
	struct range cores,
		cells; /* trial.place_cores (indices into capacity.cores), place_cells */
};

enum unit_kind {
	UNIT_FIXED,	 /* loads, and is never touched */
	UNIT_RUNNING,	 /* has cores */
	UNIT_UNASSIGNED, /* bound to a node, without cores */
	UNIT_PENDING,	 /* ours, waits for a node */
};

struct unit {
	pod_id pod;
	uint32_t request;     /* index in requests.list */
	node_id node;	      /* where it was bound; NONE when pending */
	place_id origin;      /* where it had cores */
	place_id at;	      /* where it is in the trial; NONE: nowhere */
	place_id replacement; /* evicted: where its replacement would fit */
	uint8_t kind;	      /* enum unit_kind */
	uint8_t denial;	      /* enum denial: plan/namespace_limits.h */
	uint8_t rank;	      /* its criticality, enum level */
	bool may_run;	      /* it counts as running where its cores are within their capacity */
	bool is_misplaced;    /* on cores that it may not use */
	bool is_repair;	      /* that, or on a core that was over its capacity: it may have to leave
			       * without a more critical pod coming */
	bool keeps_grant;     /* its budget was raised beyond the room: it has what was granted */
	bool is_evicted;      /* in the trial */
	bool can_evict, is_reschedulable;
	pdb_id pdb; /* the first PodDisruptionBudget that covers it, NONE */
	uint16_t core_count;
	uint32_t turn;	/* position in the order of choice: criticality, priority, age, name */
	uint32_t since; /* new pods: when in the course of planning it got its place */
	uint32_t load[LANES];
};

struct trial {
	const struct cluster *c;
	const struct settings *settings;
	struct capacity cap;
	struct requests req; /* those of the memory, where there is one */
	struct request_cache *memory;
	struct warnings warnings;
	struct arena arena; /* of the warnings */

	struct {
		str_id node, daemon_set, replica_set, stateful_set;
	} owner;		  /* kinds of owners that matter; INTERN_NONE: no pod has it */
	ARRAY(struct unit) units; /* in the order of requests */
	unit_id *unit_of_pod;	  /* by pod_id, NONE */
	unit_id *by_turn;	  /* all units, by turn */
	struct node_load *nodes;
	unit_id *node_units;
	struct cell *cells;
	uint32_t n_cells;
	cell_id *cell_of_core;
	uint32_t *pods_on_core; /* RT pods, for the scores */
	uint32_t *load_on_core; /* in mode Low, whatever the scope is */

	ARRAY(struct extended) extended;
	ARRAY(struct core_set) places;
	ARRAY(uint32_t) place_cores;
	ARRAY(cell_id) place_cells;
	struct intern place_sets; /* node and cores of the places behind the single cores' ones */
	ARRAY(place_id) place_of_set;
	struct evictions evictions;
	struct flights flights;
	ARRAY(pod_id) nominated; /* plan/filter/nominated.h */

	struct inter_pod *terms; /* plan/filter/inter_pod.h; NULL where no pod has such terms */
};

/* Reads capacities and requests, and puts every pod where the snapshot has it. With a memory, which
 * has to outlive the trial, only those requests are read that it does not know; NULL: all. */
void trial_init(struct trial *t, const struct cluster *c, const struct settings *settings,
		struct request_cache *memory);
void trial_done(struct trial *t);

static inline const struct pod *unit_pod(const struct trial *t, const struct unit *u)
{
	return &t->c->pods.items[u->pod];
}

static inline const struct request *unit_request(const struct trial *t, const struct unit *u)
{
	return &t->req.list.items[u->request];
}

/* Ranks below this one yield to the unit. */
static inline unsigned unit_reach(const struct trial *t, const struct unit *u)
{
	return unit_pod(t, u)->never_preempts ? 0 : u->rank;
}

/* May the pod be evicted for a unit of this rank? */
static inline bool trial_yields(const struct trial *t, pod_id pod, unsigned rank)
{
	unit_id id = t->unit_of_pod[pod];

	return id != NONE && t->units.items[id].can_evict && t->units.items[id].rank < rank;
}

/* What the pod has, or gets. */
static inline const struct budget *unit_budget(const struct trial *t, const struct unit *u)
{
	const struct request *q = unit_request(t, u);

	return u->keeps_grant ? &q->granted : &q->budget;
}

/* Pending, or bound without cores: it is to get cores for the first time. */
static inline bool unit_is_new(const struct unit *u)
{
	return u->kind == UNIT_PENDING || u->kind == UNIT_UNASSIGNED;
}

/* What of a node needs repair; all its pods are where the snapshot has them. */
void trial_find_broken(struct trial *t, node_id node);

/* Compares two unit_id for qsort_r(), with the trial as the argument: the order in which new pods
 * got their places. */
int trial_by_since(const void *a, const void *b, void *arg);

/* The place of these cores of the node (indices into capacity.cores, sorted; made when new). With
 * none at all it is the place of a pod whose cores the node does not have. */
place_id trial_place(struct trial *t, node_id node, const uint32_t *cores, uint32_t n);

/* Does the unit fit at the place, counting ranks from `rank` up? 0: as things are. */
static inline bool trial_fits(const struct trial *t, const struct unit *u, place_id place,
			      unsigned rank)
{
	struct range cells = t->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		const struct cell *cell = &t->cells[t->place_cells.items[cells.at + i]];

		for (int k = 0; k < LEVELS; k++)
			if (cell->used[rank][k] + u->load[k] > cell->cap[k])
				return false;
	}
	return true;
}

/* Is the cell within its capacity, counting ranks from `rank` up? */
static inline bool cell_holds(const struct cell *cell, unsigned rank)
{
	for (int k = 0; k < LEVELS; k++)
		if (cell->used[rank][k] > cell->cap[k])
			return false;
	return true;
}

/* Does mckube.io/do-not-evict forbid to evict it? Any value but "false" does. It may be moved. */
bool trial_is_kept(const struct trial *t, const struct pod *pod);

/* Does that, or evictions.bare? */
bool trial_may_not_evict(const struct trial *t, const struct pod *pod);

/* May it be evicted as things are, by itself, its budget and the limits of the settings? */
static inline bool trial_may_evict(const struct trial *t, const struct unit *u)
{
	return u->can_evict && evictions_allow(&t->evictions, u->pod, u->pdb);
}

/* May it become one that cannot be, when others are evicted? */
static inline bool trial_may_become_kept(const struct trial *t, const struct unit *u)
{
	return u->pdb != NONE || t->evictions.is_limited;
}

/* Is the pod never moved nor evicted, whatever its request? */
bool trial_is_untouchable(const struct trial *t, const struct pod *pod);

/* Budget only: the unit takes cores, or leaves them. Its node does not change. */
void trial_assign(struct trial *t, unit_id id, place_id place);
void trial_unassign(struct trial *t, unit_id id);

/* Requests: the pod's node gains or loses its requests, ports and inter-pod effects. Pods count by
 * rank when they may be evicted, else always. */
void trial_charge(struct trial *t, unit_id id, node_id node);
void trial_uncharge(struct trial *t, unit_id id, node_id node);

/* The same for a pod without real-time request. */
void trial_charge_pod(struct trial *t, pod_id pod, node_id node);
void trial_uncharge_pod(struct trial *t, pod_id pod, node_id node);

/* Its requests alone: room that is kept for it, and kept no more. */
void trial_reserve(struct trial *t, pod_id pod, node_id node);
void trial_unreserve(struct trial *t, pod_id pod, node_id node);

/* What is used of an extended resource of the node; NULL: it has none of that name. */
struct extended *trial_extended(const struct trial *t, node_id node, str_id name);

/* Budget and requests: a unit is put on the place, or taken from where it is. Only one that is
 * pending or was evicted brings its requests: those of all others are on their node all the while.
 */
void trial_add(struct trial *t, unit_id id, place_id place);
void trial_remove(struct trial *t, unit_id id);

/* Evicts a bound unit that has been unassigned, or takes that back; counted in its
 * PodDisruptionBudget. */
void trial_evict(struct trial *t, unit_id id);
void trial_unevict(struct trial *t, unit_id id);

/* Do the unit's requests fit on the node, counting ranks from `rank` up? */
bool trial_has_room(const struct trial *t, const struct unit *u, node_id node, unsigned rank);

/* The same for a pod that is on the node already. */
bool trial_keeps_room(const struct trial *t, const struct unit *u, node_id node, unsigned rank);

#endif
