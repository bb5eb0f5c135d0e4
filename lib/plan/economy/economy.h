/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_ECONOMY_H
#define MCKUBE_PLAN_ECONOMY_ECONOMY_H

#include "model/fleet.h"
#include "plan/planner.h"

/* Cost and power: pods of WorkloadOptimizers get the place where the cluster costs least, and
 * running ones are moved where that is worth it, within every limit. Real time is planned first
 * and stands: its pods are load here. A cluster without optimizers and policies has no economy.
 *
 * The objective J, in micro-USD per hour, is the price of the removable nodes in use, the cost of
 * all nodes' power, and penalties for preferences that are not met. A node is in use when it has a
 * pod that is neither of a DaemonSet nor static; one that is not removable draws idle power all the
 * same and has no price here. Power counts twice in the peak hours of a PowerPolicy that avoids
 * them, and not at all where each workload has a PowerPolicy with powerAwareScheduling: false,
 * which avoids no peak hours either: then it is only reported, and limited. A spot node has its
 * on-demand price once a pod is on it whose optimizer does not prefer spot, and a reserved node
 * none.
 *
 * Invariants, of every prefix of the actions: no limit of an optimizer or a policy is exceeded by a
 * placement (one that was exceeded before does not grow), PodDisruptionBudgets hold, and the place
 * that a moved pod leaves stays taken, so it can go back. Each group of moves lowers J by what its
 * disruption is worth. The order of the input does not matter: ties end with names. */

typedef uint32_t optimizer_id;

/* Why a node does not take a pod, after the filters of plan/filter/filter.h. */
enum money_refusal {
	MONEY_ACCEPTS,
	MONEY_BUDGET,	/* spent out */
	MONEY_PER_HOUR, /* maxCostPerHour, costPerHourLimit */
	MONEY_POWER,	/* maxPowerUsage */
	MONEY_CARBON,	/* carbonFootprintTarget, where an alert of it does more than notify */
	MONEY_SPOT,	/* no spot, or not as many replicas on it */
	MONEY_SPREAD,	/* half of the replicas on spot are of that type and zone */
	MONEY_PEAK,	/* peak hours */
	MONEY_GREEN,	/* not enough renewable energy */
	MONEY_REFUSALS,
};

/* A limit over the pods of some optimizers. */
struct money_limit {
	int64_t max_cost, max_power;   /* NO_LIMIT */
	int64_t cost, power;	       /* now, in the trial */
	int64_t base_cost, base_power; /* what it may have at least: economy_mark() */
	__int128 green, carbon;	       /* power times the renewable part, mW ppm; mW mg/kWh */
	__int128 max_carbon;	       /* mW mg/kWh; NO_LIMIT */
	__int128 base_carbon;	       /* as base_power */
	/* The most with which no alert begins that scales down; NO_LIMIT: alerts.c */
	int64_t calm_cost, calm_power;
	__int128 calm_carbon;
	bool is_exhausted;  /* its budget */
	bool is_part;	    /* of a PowerPolicy's, for one workload: split.c */
	const char *object; /* "CostPolicy ns/name" */
};

/* Either may be NO_LIMIT. */
static inline __int128 lower_limit(__int128 a, __int128 b)
{
	return b >= 0 && (a < 0 || b < a) ? b : a;
}

/* An optimizer with what speaks for it. */
struct account {
	struct range limits; /* economy.limit_ids */
	int64_t spent;	     /* of its budget until now, micro-USD */
	int64_t cost, power; /* of its bound pods */
	__int128 green;	     /* power times the renewable part, mW ppm */
	int64_t cost_before;
	uint32_t n_pods, n_bound, n_ready, n_spot;
	uint32_t max_spot;	 /* replicas on spot nodes at most */
	int32_t accelerator_use; /* ppm, as measured or assumed */
	int64_t max_spot_price;
	int32_t max_interruption_ppm, min_green_ppm;
	const char *end_why;	 /* a policy ends all replicas; NULL */
	bool is_least_for_power; /* least_why */
	bool stays_interrupted;	 /* on a spot node that is about to go */
	bool keeps_memory;	 /* it leaves such a node with its memory, where that can be */
	bool forbids_spot, is_suspended, is_exhausted, is_unaware;
	bool avoids_power; /* training or batch in peak hours: nothing raises its power */
	bool is_moved;	   /* a pod of it moves in this plan */
	node_id moved_from, moved_to; /* ... economy_survey() */
	pod_id moved_pod;
	/* plan/economy/savings.h: of all its pods; of the pod that moves, and its part of the node
	 * that is emptied */
	int64_t saved_cost, saved_power;
	int64_t moved_cost, moved_power, closed_cost, closed_power;
	/* The last move, by its status: economy_follow_moves(). NONE: no such node. */
	node_id was_from, was_to;
	node_id failed; /* where its replacement has not become ready in time */
	node_id kept;	/* where room is kept for it, like that of the pod kept_for */
	pod_id kept_for;
	bool is_in_flight; /* it is not ready yet, and has time */
	bool is_leaving;   /* the moved pod is still there */
	bool is_undone;	   /* ... and was not evicted: the pass that was to do it has ended */
	bool is_placed;	   /* ... or is bound by it */
	bool is_elsewhere; /* its namespace is not among optimise.namespaces: nothing is done for
			    * it, and nothing written */
	/* economy_survey(): each pod that has a node has until then to become ready; 0 */
	int64_t starting_until;
	bool is_refused; /* a limit keeps one from being placed */
	/* economy_survey(): the node with most of its pods, NONE, its nodes, and what of them is
	 * assumed
	 */
	node_id most;
	node_id nodes[ECONOMY_NODES_MAX]; /* the first of its nodes by name */
	uint32_t n_nodes;
	bool has_no_price, has_no_power;
	const char *why;       /* it is suspended */
	const char *least_why; /* a policy scales it down to minReplicas; NULL: none does */
	str_id arch;	       /* of its bound pods; 0: any */
};

struct cargo { /* a pod that counts here */
	pod_id pod;
	optimizer_id of; /* NONE */
	node_id node;	 /* where it is in the trial; NONE */
	node_id origin;	 /* where it was; NONE: pending */
	struct load load;
	struct load billed; /* what its share of a node's price is of: optimise.costBasis */
	int64_t share;	    /* of its node, while it has one */
	/* What it would cost and draw without us, micro-USD per hour and mW; 0: not known */
	int64_t baseline_cost, baseline_power;
	int64_t disruption;	 /* of moving it, micro */
	bool is_movable, counts; /* counts: its node is in use because of it */
	bool has_failed;	 /* it was moved, and is not ready in time */
	uint32_t group;		 /* of the move; 0: none */
	uint8_t reason;		 /* enum reason, of the move */
	int64_t saving;		 /* of the move's group */
};

struct site {		       /* a node in the trial */
	int64_t cpu;	       /* milli, that its pods use */
	uint32_t n_in_use;     /* pods that count */
	uint32_t n_no_spot;    /* pods of optimizers that do not prefer spot */
	ARRAY(uint32_t) cargo; /* indices */
	bool is_used_before;   /* in use without the moves */
	bool is_closed;	       /* emptied by this plan: takes nothing */
	int64_t cost_before;   /* of J, in the snapshot */
};

/* The parts of J, micro-USD per hour. */
struct cost_terms {
	int64_t price, energy, carbon, penalty;
};

struct totals {
	int64_t cost, power, carbon; /* micro-USD per hour, mW, mg of carbon dioxide per hour */
};

struct spot_count { /* replicas of a workload on spot nodes of one type and zone */
	optimizer_id of;
	uint32_t n, base; /* base: in the snapshot */
};

struct no_place { /* a pod that waits */
	uint32_t cargo;
	uint8_t reason; /* enum reason */
	const char *text;
};

struct economy {
	struct planner *p;
	const struct cluster *c;
	const struct settings *settings;
	struct fleet fleet;
	bool is_active;
	bool adds_replicas; /* while replicas are tried: economy_most() */
	bool is_peak;	    /* a PowerPolicy that avoids peak hours covers a workload in them now */
	int32_t power_weight;	  /* of energy in J: 0, 1, or 2 in peak hours */
	struct account *accounts; /* by optimizer_id */
	optimizer_id *of_pod;	  /* by pod_id, NONE */
	ARRAY(struct money_limit) limits;
	ARRAY(uint32_t) limit_ids;
	ARRAY(uint32_t) power_limits; /* those of power or carbon dioxide */
	/* By index of cost_policies, power_policies: its limit and 1; 0: it covers no optimizer. */
	uint32_t *limit_of_policy, *limit_of_power_policy;
	ARRAY(struct cargo) cargo; /* bound ones, then pending ones in the order of choice */
	size_t n_bound;
	struct site *sites;
	const uint64_t **allowed; /* by cargo index: nodes whose labels and taints allow it,
				   * then their kinds: economy_allowed() */
	ARRAY(uint64_t *) sets;
	struct intern set_keys;
	struct scaling *scalings; /* by optimizer_id: plan/economy/scaling.h */
	struct totals before, after;
	uint32_t n_groups;
	uint32_t held_seconds;	   /* until the next move that waits may be done; 0: none waits */
	int64_t *scores;	   /* economy_scores(), once they were asked for; NULL */
	struct power_parts *parts; /* economy_power_parts(), likewise */
	ARRAY(struct no_place) no_places;
	struct pdb_cover *covers;	      /* by pod_id */
	struct intern spot_keys;	      /* workload, instance type and zone */
	ARRAY(struct spot_count) spot_counts; /* by id of spot_keys */
	bool *alerts_on;		      /* by index of cluster.alerts; NULL: there are none */
	bool has_parts, holds_parts;	      /* of limits, for one workload each: split.c */
	int64_t *asked;			      /* by optimizer_id, mW: split.c */
	__int128 *weights;   /* by index of power_policies: of all that it covers */
	bool tracks_power;   /* accounts and limits follow each change */
	struct kinds *kinds; /* plan/economy/kinds.h */
	uint64_t steps;	     /* nodes and spans looked at to find places */
};

/* After the steps for real time. Without optimizers and policies nothing is done. */
void economy_plan(struct economy *e, struct planner *p);
void economy_done(struct economy *e);

/* Is it one that only our gate keeps from its own scheduler, once its optimizer goes? */
bool economy_releases(const struct economy *e, pod_id pod);

/* Does it wait for an optimizer that this plan is not about? */
bool economy_is_elsewhere(const struct economy *e, pod_id pod);

/* Is the pod placed by this part, and not for real time? */
bool economy_handles(const struct economy *e, pod_id pod);

/* Parts of it. */

/* plan/economy/trial.c: what the cluster costs, changed pod by pod. */
void economy_start(struct economy *e, struct planner *p);
/* The power of accounts and limits, which is followed from the start only where a limit needs it.
 */
void economy_sum_power(struct economy *e);
void economy_put(struct economy *e, uint32_t cargo, node_id node);
void economy_take(struct economy *e, uint32_t cargo);
/* The same with its requests, and so that economy_best() knows. */
void economy_add(struct economy *e, uint32_t cargo, node_id node);
void economy_drop(struct economy *e, uint32_t cargo);
/* Has it no pods but those of DaemonSets and static ones, and is it one that is removed then? */
bool economy_is_spare(const struct economy *e, node_id node);
/* What the pod draws on that node, of which so much CPU, milli, is in use with it; mW. */
int64_t economy_power_of(const struct economy *e, const struct cargo *g, node_id node, int64_t cpu);
/* ... with all others where the trial has them. */
int64_t economy_power_on(const struct economy *e, const struct cargo *g, node_id node);
int64_t economy_node_cost(const struct economy *e, node_id node);
int64_t economy_node_power(const struct economy *e, node_id node); /* mW */
/* ... with so much CPU in use; is_dear: a spot node counts its on-demand price. */
int64_t economy_cost_with(const struct economy *e, node_id node, int64_t cpu, bool is_used,
			  bool is_dear);
bool economy_wants_no_spot(const struct economy *e, const struct cargo *g);
/* What J changes by when it comes, and term by term. */
int64_t economy_increase(struct economy *e, uint32_t cargo, node_id node);
struct cost_terms economy_terms(struct economy *e, uint32_t cargo, node_id node);
/* Does the node have what the preference is for? */
bool economy_prefers(const struct economy *e, const struct preference *w, node_id node);
int64_t economy_penalty(const struct economy *e, uint32_t cargo, node_id node);
int64_t economy_total(const struct economy *e); /* J */
struct totals economy_totals(const struct economy *e);

/* plan/economy/billed.c */
/* What the pod's share of a node's price is of: its load, or where optimise.costBasis is usage what
 * it uses, if that is more and was read in the last USAGE_AGE_SECONDS. Of accelerators, requests.
 */
struct load economy_billed(const struct economy *e, const struct pod *pod, struct load load);
/* One warning for all bound pods whose use is wanted and not known. */
void economy_warn_of_unread_use(struct economy *e);

/* plan/economy/limits.c */
void economy_read_limits(struct economy *e);
/* Seconds until peak hours that are avoided begin or end; 0: there are none. */
int64_t economy_peak_change(const struct economy *e);
/* Does it cost more than one of its limits allows? `of` may be NONE. */
bool economy_is_over_cost(const struct economy *e, optimizer_id of);

/* plan/economy/refusals.c */
/* From now on no limit refuses what the pods that are there have already. */
void economy_mark(struct economy *e);
/* The same of those limits that can refuse this pod. */
void economy_mark_for(struct economy *e, uint32_t cargo);
/* Does what its placement policy requires match the node? */
bool economy_selects_node(const struct economy *e, const struct optimizer *o, node_id node);
/* Is a budget spent that counts for it? */
bool economy_is_spent(const struct economy *e, const struct account *a);
/* Is it refused everywhere? */
bool economy_is_closed_to(const struct economy *e, const struct cargo *g);
/* Do rules about price and spot refuse it on all nodes of this kind? */
bool economy_price_refuses(const struct economy *e, const struct cargo *g, node_id node);
/* Do the pod's rules, or its optimizer's, say anything about the architecture? */
bool economy_names_arch(const struct economy *e, const struct cargo *g);
enum money_refusal economy_refuses(struct economy *e, uint32_t cargo, node_id node);
/* What a limit allows, in its units: of replicas that are to be added, also nothing with which an
 * alert would begin. */
struct most {
	int64_t cost, power;
	__int128 carbon;
};
struct most economy_most(const struct economy *e, const struct money_limit *l);
/* Filters and room. `detail` as for filter_node(). */
enum refusal economy_filter(struct economy *e, uint32_t cargo, node_id node, char *detail,
			    size_t size);
bool economy_fits(struct economy *e, uint32_t cargo, node_id node);

/* Of its labels, taints, architecture and what its optimizer asks for: a bit for each node. */
const uint64_t *economy_allowed(struct economy *e, uint32_t cargo);
/* Is one of them of this kind? economy_allowed() was called. */
bool economy_allows_kind(const struct economy *e, uint32_t cargo, uint32_t kind);

/* plan/economy/split.c: a PowerPolicy that is not enough for all pods that wait is split among its
 * workloads: equally, by priority and 1, or by what their pods would draw by default. First each
 * gets up to its part, then what is left goes by priority. */

/* Before the limits are read: what each asks for, and sums by policy. */
void economy_read_weights(struct economy *e,
			  bool (*covers)(const struct economy *e, size_t policy, optimizer_id id));
/* The part of one of its workloads, mW. */
int64_t economy_part(const struct economy *e, size_t policy, optimizer_id id);
/* Does a limit of power keep a pod from a node that would take it, whose workload has a part? */
bool economy_is_power_short(struct economy *e);

/* plan/economy/spot.c */

/* Do the policies let the workload's pods on such a spot node? */
bool economy_spot_is_open(const struct account *a, const struct fleet_node *n);
/* Of the workload's replicas on spot nodes, this one there too, are no more than half, rounded up,
 * of the same instance type in the same zone? */
bool economy_spot_is_spread(const struct economy *e, const struct cargo *g, node_id node);
void economy_count_spot(struct economy *e, optimizer_id of, node_id node, int sign);
/* Are they all spread so, or as well as in the snapshot? economy_mark_spot() was called. */
bool economy_spots_are_spread(const struct economy *e);
void economy_mark_spot(struct economy *e);
/* What interruptions of a spot node cost the pod, micro-USD per hour: the time that it takes to
 * start again, and the work that is lost. */
int64_t economy_spot_risk(const struct economy *e, const struct cargo *g, node_id node);

/* plan/economy/rollback.c: after the pods are listed, before a node is asked. */
void economy_follow_moves(struct economy *e);
/* Does it take the place of a pod of its workload that was moved? */
bool economy_replaces_moved(const struct economy *e, const struct cargo *g);
/* The workload's own pods may have the place that is kept for them: before one is placed, and after
 * it, with the node that it got. */
void economy_open_kept(struct economy *e, optimizer_id id);
void economy_keep_again(struct economy *e, optimizer_id id, node_id taken);
/* Is it one that was moved and has not become ready in time? It goes back, or to another node. */
bool economy_has_failed(const struct economy *e, const struct cargo *g);
/* Has a moved pod of it not become ready there? */
bool economy_avoids(const struct economy *e, optimizer_id id, node_id node);
/* Until when the last move has time; 0: it is over. */
int64_t economy_move_deadline(const struct economy *e, optimizer_id id);

/* plan/economy/score.c: by optimizer_id, 0 to 1 in millionths, with two decimals. 1 less the score
 * is the part of cost, power and preferences that the best place for the workload alone would save;
 * it is less for replicas that are not ready, and over a limit. The caller frees it. */
int64_t *economy_scores(struct economy *e);
/* By optimizer_id: what its bound pods draw at full load, mW, where each is best and where it is.
 * The caller frees it. */
struct power_parts {
	int64_t best, now;
};
struct power_parts *economy_power_parts(struct economy *e);

/* plan/economy/status.c, policy_status.c: what the status of an optimizer, of a policy should say;
 * false: it says that already, or is not to be written. Strings are constants, the cluster's, the
 * trial's, or NULL. Conditions keep their time while their status stays. */
struct economy_status;
void economy_survey(struct economy *e);
bool economy_status_of(const struct economy *e, optimizer_id id, int64_t score,
		       struct economy_status *ret);
bool economy_policy_status(struct economy *e, size_t policy, struct economy_status *ret);
bool economy_power_policy_status(struct economy *e, size_t policy, struct economy_status *ret);
/* "budget_usage 0.8: notify, anomaly 3: pause" */
void economy_describe_alerts(const struct economy_status *s, struct str *out);
/* Of its budget: the month where it has a monthly one. */
enum budget_period policy_period(const struct cost_policy *p);
/* Seconds until time alone may change the plan: a budget ends or begins again, a move has waited
 * long enough; 0: never. */
uint32_t economy_requeue_after(const struct economy *e);

/* plan/economy/place.c, moves.c */
void economy_place(struct economy *e);
void economy_move(struct economy *e);
/* plan/economy/choose.c: the best node for it, NONE. `only_used`: no node that is not in use
 * without the moves. */
node_id economy_best(struct economy *e, uint32_t cargo, bool only_used);
/* J grows by this at least, wherever it goes. */
int64_t economy_least_increase(struct economy *e, uint32_t cargo);

#endif
