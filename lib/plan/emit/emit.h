/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EMIT_EMIT_H
#define MCKUBE_PLAN_EMIT_EMIT_H

#include "base/str.h"
#include "plan/filter/filter.h"
#include "plan/plan.h"
#include "plan/planner.h"

/* Makes a plan of what the trial has become: the actions with their order and their reasons, what
 * could not be placed, and the warnings. Step 8, the cleaning up, is done here too, since it
 * follows from where all pods are in the end. */
void emit_plan(struct planner *p, struct plan *plan);

/* The same of the moves that a user asks for, and nothing else but what makes room for them. */
void emit_migration_plan(struct planner *p, struct plan *plan);

/* An action that has freed a place, or requests. */
struct freed {
	uint32_t action;
	place_id place; /* NONE: requests only */
	bool is_eviction;
};

typedef ARRAY(struct freed) freed_list;

/* A pod whose assignment is removed, and the action that does it. */
struct forgotten {
	pod_id pod;
	uint32_t action;
};

/* What the emitters of one plan share. */
struct emitter {
	struct planner *p;
	const struct trial *trial;
	struct plan *plan;
	uint8_t *enforcement;	/* by unit_id, enum enforcement */
	uint8_t *update_reason; /* by unit_id, enum reason: why its assignment is written
				 * again though it stays; REASON_NONE: it is not */
	uint32_t *last_action;	/* by unit_id: id of its latest action, 0 */
	uint32_t *finalizer;	/* by mckube_id: the action that puts our finalizer on it, 0 */
	unit_id *incoming;	/* new units that have a place, by turn */
	size_t n_incoming;
	uint32_t *first_incoming; /* by node_id: position in incoming, NONE */
	uint32_t *next_incoming;  /* by position: the next one on that node, NONE */
	ARRAY(unit_id) replaced;  /* evicted, and a replacement fits elsewhere */
	ARRAY(struct forgotten) forgotten;
	freed_list rests; /* places that moving pods rested on, and left */
};

/* plan/emit/moves.c: evictions, moves, assignments and bindings. */
void emit_displacements(struct emitter *e);
void emit_placements(struct emitter *e);

/* plan/emit/updates.c: pods that stay, and whose annotations differ from what they are granted.
 * Budgets that shrink come before everything else, so that their room may be used; the rest comes
 * after what makes room for it. */
void emit_choose_updates(struct emitter *e);
void emit_shrinking(struct emitter *e);
void emit_updates(struct emitter *e);

/* plan/emit/relief.c: step 6. */
void emit_reliefs(struct emitter *e);
/* The pod was degraded, and gets back all of its budget at this level. */
void emit_restore(struct emitter *e, unit_id id, enum level level);
/* Sets its level, as its node is under pressure, or is no longer. */
void emit_level(struct emitter *e, unit_id id, enum level level);

/* plan/emit/migrate.c: moves to other nodes, and the taints that go with them. */
void emit_migrations(struct emitter *e);
/* One move, without a message and what it waits for. */
struct action *emit_relocation(struct emitter *e, const struct migration *g);
/* Units that move are where they will be, or are nowhere as before: for the choice of how budgets
 * are held there. */
void emit_place_migrated(struct planner *p, bool is_placed);
/* plan/emit/economy.c: step 7. */
void emit_economy(struct emitter *e);
void emit_economy_unplaced(struct emitter *e);
/* plan/emit/scale.c: those that end replicas come before moves, the others after all. */
void emit_scaling(struct emitter *e, bool is_down);
/* plan/emit/economy_status.c. First the statuses of optimizers whose pods move, before these are
 * evicted: the cooldown is in the status. Fills status_of, by optimizer. */
void emit_economy_moves(struct emitter *e, uint32_t *status_of);
/* The others, after all else. */
void emit_economy_status(struct emitter *e);
/* The plan's copy of an optimizer's name; NULL for NONE. */
const char *emit_optimizer_name(struct emitter *e, uint32_t id);
struct target emit_kcloud(struct emitter *e, const char *kind, const struct meta *m);

/* plan/emit/cleanup.c: levels, annotations, status, and with them the finalizers that go. */
void emit_cleanup(struct emitter *e);

/* plan/emit/finalizers.c: ours is added to McKubes whose pods the plan assigns, and removed from
 * one that is being deleted when no pod carries its assignment, or this plan takes the last off. */
void emit_finalizers(struct emitter *e);
void emit_finalizer_removal(struct emitter *e, mckube_id id);

/* plan/emit/dependencies.c: what has to be done before. */

/* What the actions that are written already have freed on a node. */
void emit_list_freed(const struct emitter *e, node_id node, freed_list *ret);

/* An action that puts the pod on `to` comes after the one before on this pod, and those that made
 * room on its cores; a new pod on a node after every eviction there, since it may need their
 * requests too. */
void emit_depend(struct emitter *e, struct action *a, unit_id id, const freed_list *freed,
		 place_id to, bool needs_requests);
void emit_after(struct emitter *e, struct action *a, const uint32_t *ids, uint32_t n);
/* After the pod's latest action, if it has one. `id` may be NONE. */
void emit_depend_on_unit(struct emitter *e, struct action *a, unit_id id);

/* plan/emit/unplaced.c */
void emit_unplaced(struct emitter *e);

/* A pod without a place; `message` is the plan's or outlives it. */
void emit_refused(struct emitter *e, const struct pod *pod, enum reason reason,
		  const char *message);

/* How many nodes gave a refusal, by its detail ("taint", "dedicated"). */
enum { EMIT_DETAIL_MAX = 320 };
struct tally {
	enum refusal refusal;
	char detail[EMIT_DETAIL_MAX];
	uint32_t n;
};
struct refusal_tally {
	ARRAY(struct tally) list;
};
void emit_count_refusal(struct refusal_tally *t, enum refusal r, const char *detail);
/* ": 2 × taint dedicated, 1 × node selector", the most frequent first; empties the tally and
 * returns how many there were. */
size_t emit_tally_words(struct refusal_tally *t, struct str *out);

/* plan/emit/parts.c */

/* Does an action on the pod give cores, or requests, to others? */
bool emit_makes_room(const struct emitter *e, unit_id id);
/* Does the plan write the pod's assignment? */
bool emit_is_granted(const struct emitter *e, unit_id id);
/* Does the pod ask for less than it was granted? */
bool emit_shrinks(const struct emitter *e, const struct unit *u);
/* Is its budget held by watch now, and by raise afterwards? */
bool emit_gives_up_watch(const struct emitter *e, unit_id id);
/* The McKube whose budget the pod has, NONE; and the action that puts our finalizer on it, 0. */
mckube_id emit_mckube_of(const struct emitter *e, unit_id id);
uint32_t emit_finalizer_of(const struct emitter *e, unit_id id);
/* Where the replacement of an evicted pod fits, or why there is none. */
const char *emit_replacement_words(struct emitter *e, const struct unit *u, const struct place *to);
/* "core 2", or "node edge-1" where the kernel counts node-wide. */
const char *emit_cell_name(struct emitter *e, cell_id id);
/* " in mode High"; "" in mode Low. */
const char *emit_mode_words(struct emitter *e, int mode);
bool emit_share_cells(const struct trial *t, place_id a, place_id b);

/* An action with the next id about an object; the caller fills in the rest. The address is good
 * until the next one. */
struct action *emit_action(struct emitter *e, enum action_kind kind, enum reason reason,
			   struct target on);

struct target emit_pod(struct emitter *e, const struct pod *pod);
/* Without its version: the kubelet writes nodes all the time, so the plan would be stale at once.
 */
struct target emit_node(struct emitter *e, node_id id);
struct target emit_mckube(struct emitter *e, const struct mckube *m);
struct place emit_place(struct emitter *e, place_id id);
struct cpuset emit_cpus(const struct trial *t, place_id id);
/* Where a running pod is, with all the cores that it is said to have. */
struct place emit_origin(struct emitter *e, const struct unit *u);
/* with what is granted there */
struct place emit_grant(struct emitter *e, unit_id id, place_id place, enum level level);

/* Fills in what the assignment's annotations will say: budget and source. */
void emit_request(struct emitter *e, struct action *a, const struct unit *u);

/* Are the cores of the place within their capacity in the end? */
bool emit_place_holds(const struct trial *t, place_id place);

/* "0.350": parts per million as a decimal with three places, rounded up. */
const char *emit_ratio(struct emitter *e, uint64_t ppm);

#endif
