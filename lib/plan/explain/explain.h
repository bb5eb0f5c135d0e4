/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EXPLAIN_EXPLAIN_H
#define MCKUBE_PLAN_EXPLAIN_EXPLAIN_H

#include "plan/plan.h"

/* Why a pod is where it is, or is not placed: its request, what the plan does with it, the verdict
 * of each node and core, and what would have to change.
 *
 * The plan is made by the same code as plan_make(). The verdicts hold for the cluster as the plan
 * leaves it, without the pod itself. All strings live in `plan`, and an explanation
 * needs neither the snapshot nor the planner once it is made. Strings are never NULL unless a
 * comment says so. */

enum outcome {
	OUTCOME_NOT_PLANNED, /* the plan does not decide about this pod */
	OUTCOME_STAYS,
	OUTCOME_PLACED, /* it gets cores: Bind or Assign */
	OUTCOME_MOVES,	/* to other cores of its node */
	OUTCOME_EVICTED,
	OUTCOME_UNPLACED,
	OUTCOMES,
};

/* A pod with a budget on a core. */
struct holder {
	const char *ns, *name;
	uint8_t criticality; /* enum level */
	uint32_t load[LEVELS];
	bool can_yield;
	const char *why; /* it yields, or does not */
};

/* The verdict of one core; where the kernel counts a whole node, of all its cores together. */
struct core_verdict {
	const char *cores;
	uint32_t load[LEVELS]; /* ppm, by mode: of all pods there, and of this one */
	uint32_t cap[LEVELS];
	uint32_t room[LEVELS];	/* for the pod, once those that can yield have yielded */
	uint32_t missing;	/* ppm; 0: it fits */
	uint8_t mode;		/* enum level: the mode in which most is missing */
	uint32_t score;		/* the policies', 0 to 100 */
	bool is_chosen;		/* the plan has it there in the end */
	bool would_yield;	/* it would fit if all less critical pods yielded */
	const char *message;	/* "0.120 too much in mode Middle" */
	struct holder *holders; /* the most critical first */
	uint32_t n_holders;
};

/* What the cluster's cost changes by when a pod comes to a node, term by term, and the pod's own
 * share of it; micro-USD per hour, mW. */
struct node_cost {
	int64_t price, energy, carbon, penalty;
	int64_t share, power;
};

struct node_verdict {
	const char *node;
	uint8_t refused; /* enum refusal (plan/filter/filter.h): the first in their order; 0: none;
			  * from REFUSALS on: a limit of cost or power */
	const char *refusal; /* its text; "" */
	const char *detail;  /* what makes it concrete: the taint, the resource; may be "" */
	bool is_chosen;
	bool is_origin;		    /* it is there, and the plan moves it for money */
	struct node_cost *cost;	    /* of a pod that is placed for money; NULL */
	bool would_yield;	    /* it refuses only while less critical pods are there */
	struct core_verdict *cores; /* none where a filter refuses */
	uint32_t n_cores;
};

struct explanation {
	struct plan plan;
	const char *ns, *name;
	const char *optimizer; /* "WorkloadOptimizer ml/train"; "": none */

	/* The request. */
	const char *asked_by; /* "McKube default/brake"; "": there is none */
	const char *source;   /* "mckube", "annotations", "rt-operator", "" */
	bool has_budget;      /* else the request is bad, or there is none */
	struct budget budget;
	uint32_t load[LEVELS]; /* ppm, by mode */
	uint16_t core_count;
	const char *node_pin, *core_pin; /* "" not pinned */
	const char *guarantee;		 /* "" none */
	const char *policy, *priority;	 /* of its threads: budget/thread_class.h; "" none */
	bool has_legacy_pin;		 /* the pins are an older controller's choice */

	/* Where it is, and where the plan has it; node NULL: on no node. */
	enum outcome outcome;
	const char *level; /* pod_level_name(); "": it has no cores now */
	struct place now, then;
	struct place replacement; /* where the replacement of an evicted pod fits */
	const char *summary;	  /* a sentence */

	/* How it would be moved to another node: "Checkpoint", "Restart", "None"; "": not asked.
	 * Why not, or why not with its memory; may be "". */
	const char *migration, *migration_why;
	/* What its McKube says of the last try, "MigrationDenied: ..."; "": nothing. */
	const char *migration_last;

	/* Indices into the plan's lists. */
	ARRAY(uint32_t) actions;  /* about the pod */
	ARRAY(uint32_t) caused;	  /* about others, which yield to it */
	ARRAY(uint32_t) warnings; /* about the pod and its McKube */

	ARRAY(struct node_verdict) nodes; /* by node_id; none where the plan does not decide */

	/* What its node's helper reported of it, and a better budget that follows from that: a
	 * sentence each. */
	ARRAY(const char *) advice;

	/* What would have to change for a pod that does not run in the end, a sentence each, at
	 * most MAX_CHANGES. Each is enough by itself, everything else being as it is: pins first,
	 * then budgets, then the node, then what touches other pods. */
	ARRAY(const char *) changes;
};

enum { MAX_CHANGES = 5 };

/* Pure, like plan_make(); the same arguments and errors. */
int explain_pod(const struct cluster *c, const struct policy *const *policies,
		const struct settings *settings, pod_id pod, struct explanation *ret,
		struct error *err);
void explanation_done(struct explanation *e);

/* "Placed" */
const char *outcome_name(enum outcome o);

#endif
