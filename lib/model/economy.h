/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_ECONOMY_H
#define MCKUBE_MODEL_ECONOMY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/parts.h"

/* The objects that say what workloads may cost and draw, as a snapshot holds them: the kinds of
 * kcloud.io, and those that are read because of them.
 *
 * Money is micro-USD (per hour where it is a rate), power milliwatts, shares parts per million.
 * A limit that is not given is NO_LIMIT. Values that could not be read make the object `is_unread`:
 * a limit of it may be missing, so nothing that it speaks for is placed, moved or scaled up. */

enum { NO_LIMIT = -1 };

enum workload_type { WORKLOAD_SERVING, WORKLOAD_TRAINING, WORKLOAD_INFERENCE, WORKLOAD_BATCH };

static inline bool workload_serves(enum workload_type type)
{
	return type == WORKLOAD_SERVING || type == WORKLOAD_INFERENCE;
}
enum budget_period { BUDGET_TOTAL, BUDGET_DAY, BUDGET_WEEK, BUDGET_MONTH };

/* A preference of an optimizer for nodes that match. */
struct preference {
	struct node_term term;
	int32_t weight; /* 0 to 100 */
};

enum metric_type {
	METRIC_COST,
	METRIC_POWER,
	METRIC_LATENCY,
	METRIC_CPU,
	METRIC_MEMORY,
	METRIC_GPU,
	METRIC_TYPES,
};

/* Their words, by value; NULL ends the list. */
extern const char *const metric_type_words[];

struct scaling_metric {
	uint8_t type;	   /* enum metric_type */
	int64_t threshold; /* millionths of what the type counts in */
	str_id query, metric_name;
};

struct estimate { /* of one replica */
	int64_t cpu_milli, memory;
	int32_t gpu, npu;
};

/* A condition of a status, as it was written last. */
struct condition_note {
	str_id type, status, reason;
	int64_t since; /* lastTransitionTime, seconds since 1970 */
};

/* What status.budget says. */
struct budget_note {
	int64_t spent, rate; /* rate: since accounted_at */
	int64_t period_start, accounted_at;
	int64_t total; /* beside the spending of a month: all of it; 0: as much */
};

/* What status.day of a CostPolicy says: what its workloads cost on this day (UTC) and on the last
 * one that ended. */
struct day_note {
	int64_t since; /* the day's beginning, or when the accounts began; 0: they have not */
	int64_t spent; /* from then until the budget's accounted_at */
	int64_t last;  /* mean of the last day, per hour; 0: unknown */
};

struct optimizer { /* WorkloadOptimizer */
	struct meta meta;
	struct range labels;
	uint8_t type;	/* enum workload_type */
	uint8_t period; /* enum budget_period, of budget_limit */
	int32_t priority;
	int64_t max_cost, budget_limit, max_power;
	struct estimate estimate;
	struct range node_selector;	    /* requirements, all of them */
	struct range node_terms;	    /* alternatives; only if has_node_affinity */
	struct range preferences;	    /* cluster.preferences */
	struct range metrics;		    /* cluster.scaling_metrics */
	int32_t min_replicas, max_replicas; /* 0: not given */
	int32_t target_cpu, target_memory;  /* per cent; 0: not given */
	str_id target_version, target_kind, target_name; /* 0: the pods' own controller */
	struct budget_note budget;
	int64_t moved_at; /* status.lastMoveTime: when a pod of it was moved for money; 0: never */
	int32_t moves;	  /* status.moves: how often within a day of each other */
	str_id moved_from, moved_to;	 /* status.lastMove: nodes; 0 */
	str_id moved_pod;		 /* ... and the uid of the pod; 0: unknown */
	int64_t moved_cost, moved_power; /* ... and what the pod's share was; 0: not known */
	int64_t saved_cost, saved_power; /* status.savings, which may be negative */
	struct range past_savings;	 /* cluster.past_savings */
	/* status as it was written last; nothing follows from it but whether it is to be written */
	str_id phase, status_node;
	struct range status_nodes;				    /* names */
	str_id scaled_kind, scaled_name;			    /* status.targetRef */
	int64_t status_power, status_score, optimized_at, observed; /* mW; millionths */
	int32_t status_replicas, status_ready;
	struct range conditions; /* cluster.conditions */
	int64_t generation;
	struct range history; /* names: "seconds since 1970:replicas" */
	int64_t scaled_at;    /* status.lastScaleTime; 0: never */
	int32_t scaled_from;  /* status.lastScaleFrom: the number before */
	int32_t scaled_to;    /* status.lastScaleTo: the number that was set */
	int32_t undone;	      /* status.scalesUndone: how often another number took its place */
	struct range avoid;   /* cluster.avoids */
	bool has_node_affinity, has_scaling, is_scaling_off, fills;
	bool prefers_spot, prefers_green;
	bool is_deleting, has_finalizer, is_disabled;
	bool is_unread;
};

/* A node that a moved pod of the workload did not become ready on. */
struct avoid {
	str_id node;
	int64_t until;
};

/* What is saved for a while: by fewer replicas than cost or power would have allowed, or since a
 * node that was emptied is gone. Power is mW. */
struct past_saving {
	str_id node; /* 0: replicas */
	int64_t cost, power;
	int64_t since;
};

enum alert_type {
	ALERT_BUDGET_USAGE,
	ALERT_COST_INCREASE,
	ALERT_ANOMALY,
	ALERT_POWER_USAGE,
	ALERT_POWER_EFFICIENCY,
	ALERT_CARBON,
	ALERT_TYPES,
};
enum alert_action {
	ALERT_NOTIFY,
	ALERT_SCALE_DOWN,
	ALERT_PAUSE,
	ALERT_TERMINATE,
	ALERT_MIGRATE,
};

struct alert {
	uint8_t type, action;
	int64_t value; /* millionths; usage as a share of 1, an increase as a factor */
};

/* An alert that was on, as status.alerts of its policy says. */
struct alert_note {
	uint8_t type, action; /* UINT8_MAX: unknown */
	int64_t value;	      /* as in struct alert */
	int64_t since;	      /* seconds since 1970 */
};

/* The status of a policy as it was written last. */
struct policy_note {
	str_id phase;
	int64_t observed;	 /* observedGeneration */
	struct range conditions; /* cluster.conditions */
	struct range alerts;	 /* cluster.alert_notes */
};

/* Their words, by value; NULL ends each list. */
extern const char *const alert_type_words[];
extern const char *const alert_action_words[];

enum interruption { INTERRUPTION_DRAIN, INTERRUPTION_TERMINATE, INTERRUPTION_MIGRATE };

struct cost_policy {
	struct meta meta;
	int64_t per_hour, budget, monthly;
	int64_t max_spot_price; /* of a spot node per hour */
	int32_t max_spot_ppm, max_interruption_ppm;
	int64_t cpu_rate, memory_rate, gpu_rate, npu_rate; /* per core, GiB, accelerator and hour */
	struct range alerts;				   /* cluster.alerts */
	struct selector namespaces, workloads;
	uint8_t interruption; /* enum interruption */
	bool forbids_spot, is_unread;
	struct budget_note budget_note;
	struct day_note day;
	struct policy_note note;
	int64_t generation;
};

/* NONE: it is not split; workloads are served by priority. */
enum power_allocation { ALLOCATE_NONE, ALLOCATE_EQUAL, ALLOCATE_PRIORITY, ALLOCATE_WORKLOAD };

struct day_span {
	int32_t from, to; /* minutes of the day, to exclusive; from > to goes over midnight */
};

struct power_policy {
	struct meta meta;
	int64_t max_power, carbon_target; /* mW; mg of carbon dioxide per hour */
	int32_t min_green_ppm;		  /* NO_LIMIT */
	uint8_t allocation;		  /* enum power_allocation */
	struct range peak_hours;	  /* cluster.day_spans */
	struct range alerts;
	struct selector namespaces, workloads;
	bool is_green_off, is_unaware, avoids_peak, is_unread;
	struct policy_note note;
	int64_t status_power; /* mW, as it was written last */
	int64_t generation;
};

/* Why an object that a WorkloadOptimizer names has no number of replicas. */
enum no_scale {
	NO_SCALE_NONE,		 /* it has one */
	NO_SCALE_UNKNOWN,	 /* a reason of another version */
	NO_SCALE_NO_KIND,	 /* the server does not know the kind */
	NO_SCALE_NOT_NAMESPACED, /* the kind is none of a namespace */
	NO_SCALE_NO_SUBRESOURCE, /* the kind has no subresource scale */
	NO_SCALE_NOT_FOUND,	 /* there is no such object */
	NO_SCALE_FORBIDDEN,	 /* its subresource may not be read */
	NO_SCALE_UNAVAILABLE,	 /* no answer, or one that is none */
};

/* Their words, by value; NULL ends the list. */
extern const char *const no_scale_words[];

/* An object whose number of replicas may be set: a Deployment, a StatefulSet, or whatever else has
 * the subresource scale and is named by a WorkloadOptimizer. Of the last kind what the subresource
 * said is an object of its own, ScaleTarget: it has the name of the optimizer, and uid and
 * resourceVersion of the object that it tells of. */
struct scalable {
	struct meta meta;
	str_id kind, version, name; /* version: apiVersion, with the group */
	str_id resource;  /* of a ScaleTarget: the kind's name in paths; 0: none is known */
	uint8_t no_scale; /* enum no_scale */
	struct selector pods;
	struct range template_labels; /* of the pods that it makes */
	int32_t replicas;	      /* that are asked for: 1 where it does not say */
	str_id applied_by; /* the field manager that applies spec.replicas; 0: none does */
	bool is_unread;
};

/* A HorizontalPodAutoscaler, or a ScaledObject of KEDA, which has none while it is paused: what it
 * scales is left to it. */
struct autoscaler {
	struct meta meta;
	str_id target_version, target_kind, target_name;
	bool is_unread; /* it may scale anything in its namespace */
};

/* Why there is no value of a metric. */
enum no_value {
	NO_VALUE_UNKNOWN,
	NO_VALUE_NO_DATA,      /* what was asked knows none */
	NO_VALUE_NOT_A_NUMBER, /* NaN, infinite */
	NO_VALUE_NEGATIVE,
	NO_VALUE_TOO_LARGE,	 /* more than DECIMAL_MAX */
	NO_VALUE_SEVERAL,	 /* where one is needed */
	NO_VALUE_STALE,		 /* older than SAMPLE_STALE_SECONDS */
	NO_VALUE_UNAVAILABLE,	 /* no answer, or that it cannot be answered now */
	NO_VALUE_REFUSED,	 /* it may not be asked, or not in this way */
	NO_VALUE_BAD_ANSWER,	 /* an answer that is none */
	NO_VALUE_NOT_CONFIGURED, /* no source is known, or no query */
};

/* Their words, by value; NULL ends the list. */
extern const char *const no_value_words[];

enum { SAMPLE_STALE_SECONDS = 300 };

/* What is read of nodes. */
enum node_metric { NODE_METRIC_NONE, NODE_METRIC_PRICE, NODE_METRIC_POWER, NODE_METRIC_KINDS };

/* Their words, by value; NULL ends the list. */
extern const char *const node_metric_words[];

/* A value that was read for a metric: MetricSample. That nothing could be read is one, too. */
struct metric_sample {
	struct meta meta;
	str_id optimizer; /* that it was read for; 0: any in its namespace */
	str_id query;	  /* as the optimizer has it, or the name of the metric; 0: it has none */
	int64_t value;	  /* millionths */
	int64_t at;	  /* seconds since 1970; 0: unknown */
	uint8_t metric;	  /* enum metric_type, that it was read for; METRIC_TYPES: any */
	uint8_t reason;	  /* enum no_value */
	/* Of a node, in dollars per hour or watts, and of no optimizer: model/measured.h. */
	str_id node;	     /* 0: of none */
	uint8_t node_metric; /* enum node_metric */
	bool has_value;
};

/* A text of a ConfigMap that may be a table of prices or of power. */
struct price_table {
	struct meta meta;
	str_id text;
};

#endif
