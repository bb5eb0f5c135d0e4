/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_SETTINGS_H
#define MCKUBE_MODEL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/cpuset.h"

/* The knobs of a plan. They are data: read from flags, environment and the configuration file by
 * cmd/, written into the plan's spec.settings, so that a plan says what it was made with. */

enum { MAX_POLICIES = 16, MAX_PREEMPTION_NODES = 64 };

/* What counts as pressure of a node. */
enum pressure_trigger {
	PRESSURE_REAL_TIME, /* real-time time that pods were granted and did not get */
	PRESSURE_CPU,	    /* the use of its CPU time by any process */
};

/* What happens on a node under pressure. */
enum pressure_action {
	PRESSURE_DEGRADE, /* less critical pods are cut to their floors */
	PRESSURE_RAISE,	  /* pods go to level hi, the most critical first */
};

/* Which pods may be evicted from a node under pressure, when less does not help. */
enum pressure_eviction {
	PRESSURE_EVICT_NONE,
	PRESSURE_EVICT_CONTROLLED, /* those that a controller recreates and that fit elsewhere */
	PRESSURE_EVICT_ALL,
};

struct policy_weight {
	char name[32];
	uint32_t weight; /* 0 .. 1000 */
};

/* What pods may be evicted for outside of evictions.windows. */
enum eviction_outside {
	EVICT_FOR_REAL_TIME, /* more critical pods, and budgets that a node cannot keep */
	EVICT_FOR_NOTHING,
};

/* Which nodes are emptied for money. */
enum consolidate {
	CONSOLIDATE_AUTO, /* removable ones whose pool does not do it itself */
	CONSOLIDATE_ALL,
	CONSOLIDATE_NONE, /* and no pod is moved for money */
};

/* What a bound pod's share of its node's price is measured by. */
enum cost_basis {
	COST_BY_REQUESTS,
	COST_BY_USAGE, /* of each resource the greater of request and use; unknown use: request */
};

/* Cost, power and disruption of WorkloadOptimizers' pods. */
struct optimise_settings {
	uint32_t energy_price;	   /* micro-USD per kWh; default 120000 */
	uint32_t carbon_price;	   /* micro-USD per kg of carbon dioxide; default 100000 */
	uint32_t pue;		   /* ppm; default 1000000 */
	uint32_t disruption_nodes; /* ppm of a pool's nodes that a plan may empty, at least one */
	uint32_t disruption_pods;  /* ppm of movable pods that a plan may move, at least one */
	uint32_t on_demand_base;   /* replicas of serving workloads off spot; default 1 */
	uint8_t consolidate;	   /* enum consolidate */
	uint8_t cost_basis;	   /* enum cost_basis; default COST_BY_REQUESTS */
	uint32_t restart_seconds;  /* of a pod whose spot node goes; default 60 */
	int32_t utc_offset;	   /* minutes that hours of the day are ahead of UTC; default 0 */
	bool allow_terminate;	   /* alerts may end all replicas; default false */
	bool applies;		   /* the plan has an economy; not a key */
	char prices[320];	   /* "namespace/name" of the ConfigMap with tables; "" none */
	/* Those whose workloads are placed, moved, scaled and accounted, "a,b"; "" all. What others
	 * have counts all the same. */
	char namespaces[1024];
	char namespace[64]; /* of the program: its policies reach others; "" none */
};

/* Where values of metrics are read. No plan depends on it, and none says it: what was read is in
 * the snapshot. */
struct metrics_settings {
	struct {
		char url[320]; /* "" none */
		char ca_file[256], token_file[256];
		uint32_t timeout_seconds;
	} prometheus;
	char gpu_query[512], latency_query[512]; /* of metrics that have none */
	/* Vectors with the label node or node_name: dollars per hour, watts; "" none. */
	char node_price_query[512], node_power_query[512];
	uint32_t interval_seconds; /* of watch */
};

struct settings {
	uint32_t core_utilization_threshold; /* ppm, cap of mode Low; default 900000 */
	uint32_t rt_capacity;	   /* ppm, where a node does not report its own; default 950000 */
	bool ignores_legacy_pins;  /* legacyPins: ignore */
	uint32_t search_steps;	   /* how far the exact search goes before it takes the best plan
				    * found; default 2000000 */
	uint32_t preemption_nodes; /* nodes tried in full for one pod that needs room; 1 to
				    * MAX_PREEMPTION_NODES, default 8 */
	struct policy_weight policies[MAX_POLICIES];
	uint32_t n_policies;
	struct {
		uint32_t busy, calm;	/* ppm of the node's CPU time; default 900000 and 800000 */
		uint32_t delay_seconds; /* how long it must have been busy; default 5 */
		uint32_t step_seconds;	/* what each step is given to help; default 30 */
		uint32_t hold_seconds;	/* nothing is reverted before; default 60 */
		uint8_t evict;		/* enum pressure_eviction */
		uint8_t trigger;	/* enum pressure_trigger */
		uint8_t on_busy;	/* enum pressure_action */
		bool enabled;		/* default true */
	} pressure;
	struct {
		uint32_t threshold;	/* ppm of a node's CPU or memory; default 850000 */
		uint32_t hysteresis;	/* ppm: so far below it a target stays, and the pressure is
					 * over; default 50000 */
		uint32_t check_seconds; /* how long it must have been above; default 30 */
		uint32_t cooldown_seconds; /* a workload is not moved twice in this time; 600 */
		uint32_t per_pass;	   /* default 3 */
		bool enabled;		   /* default false */
		bool checkpoint;	   /* default true */
		bool fail_open; /* a policy engine that cannot be asked allows; default false */
	} migration;
	struct {
		bool fail_open; /* one that cannot be asked allows; default false */
	} core_scheduler;
	struct optimise_settings optimise;
	struct metrics_settings metrics;
	struct {
		uint32_t per_pass, per_node, per_namespace; /* 0, the default: no limit */
		bool keeps_bare;   /* pods without a controller are not evicted; default false */
		uint8_t outside;   /* enum eviction_outside; default EVICT_FOR_REAL_TIME */
		char windows[256]; /* model/time_windows.h; "", the default: at any time */
	} evictions;		   /* that one plan may hold, moves to other nodes included */
};

/* Does a plan depend on what nodes and pods use, whether a workload scales by it or not? */
static inline bool settings_need_usage(const struct settings *s)
{
	return s->migration.enabled || s->optimise.cost_basis == COST_BY_USAGE;
}

static inline bool evictions_are_limited(const struct settings *s)
{
	return s->evictions.per_pass || s->evictions.per_node || s->evictions.per_namespace;
}

/* Seconds since 1970 by the clock that hours of the day are of: optimise.utcOffset. */
static inline int64_t settings_local_time(const struct settings *s, int64_t now)
{
	return now + INT64_C(60) * s->optimise.utc_offset;
}

/* Is the namespace among optimise.namespaces? "" is the cluster's, and only among all of them. */
bool settings_optimise_in(const struct settings *s, const char *ns);

/* The words of the enumerations in configuration and plan, by value; NULL ends each list. */
extern const char *const legacy_pin_words[];
extern const char *const eviction_outside_words[];
extern const char *const eviction_bare_words[];
extern const char *const pressure_trigger_words[];
extern const char *const pressure_action_words[];
extern const char *const pressure_eviction_words[];
extern const char *const consolidate_words[];
extern const char *const cost_basis_words[];

#define SETTINGS_DEFAULT                                                                           \
	{                                                                                          \
		.core_utilization_threshold = 900000, .rt_capacity = 950000,                       \
		.search_steps = 2000000, .preemption_nodes = 8, .policies = { { "spread", 1 } },   \
		.n_policies = 1, .pressure = { 900000, 800000, 5, 30, 60, .enabled = true },       \
		.migration = { 850000, 50000, 30, 600, 3, .checkpoint = true },                    \
		.optimise = { 120000, 100000, 1000000, 100000, 100000, 1, .restart_seconds = 60 }, \
	}

#endif
