/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_FLEET_H
#define MCKUBE_MODEL_FLEET_H

#include "model/cluster.h"
#include "model/power_curve.h"
#include "model/settings.h"
#include "model/warning.h"

/* What each node costs and draws, and whether it is removed when it is empty: read from labels,
 * annotations and tables, the first source that speaks. A number of more than six decimal places is
 * rounded, with a warning.
 *
 * Price: annotation mckube.io/price-per-hour; a row of the table optimise.prices; a MetricSample,
 * as of OpenCost; what its resources cost by the rates of a CostPolicy or by default ones, with the
 * label accelerator.cost-per-hour for each accelerator (is_assumed). Power: annotation
 * mckube.io/power-curve; the table's powerCurve, or idleWatts and maxWatts; Peaks' model of the
 * node; by default 50 W, 15 W a core and half a watt a GiB at full load, 30 % of it idle
 * (is_assumed), or what a MetricSample says, as of Kepler, in that shape. Carbon: annotation
 * mckube.io/carbon-intensity, else the table's carbonIntensity; unknown is 0. Green share: 1 with
 * the label energy-source=renewable, else the table's greenShare; unknown is 0. */

enum capacity_type { CAPACITY_ON_DEMAND, CAPACITY_SPOT, CAPACITY_RESERVED };

/* 17,179 dollars per hour: a node that costs more counts as this, with the warning BadPrice. */
enum { FLEET_PRICE_BITS = 34 };
#define FLEET_PRICE_MAX ((INT64_C(1) << FLEET_PRICE_BITS) - 1)

struct fleet_node {
	int64_t price;	   /* micro-USD per hour, at most FLEET_PRICE_MAX */
	int64_t on_demand; /* what it counts for a pod that does not prefer spot */
	int64_t carbon;	   /* mg of carbon dioxide per kWh */
	int32_t green_ppm; /* share of renewable energy */
	struct power_curve curve;
	/* Accelerators beside the curve: see has_watts. */
	int64_t n_accelerators, accelerator_max; /* mW each */
	bool has_watts;				 /* accelerators draw beside the curve */
	str_id arch, type, zone;		 /* labels; 0: none */
	str_id pool;				 /* name of its node pool; 0: none */
	uint8_t capacity_type;			 /* enum capacity_type */
	int32_t monthly;			 /* interruptions of a spot node in a month, ppm */
	bool is_monthly_known;			 /* a table says so */
	bool is_price_assumed, is_power_assumed;
	bool is_removable;    /* it is removed or stopped when it is empty */
	bool is_consolidated; /* its pool empties nodes itself */
	bool is_kept;	      /* it is never emptied on purpose */
	str_id leaving;	      /* the taint that says it is going away; 0: none */
	bool is_interrupted;  /* ... and soon: a spot interruption */
	/* CPU, memory and accelerators by OpenCost's book, in units of FLEET_WEIGHT. */
	__int128 weight;
};

struct fleet {
	const struct cluster *c;
	struct fleet_node *nodes; /* by node_id */
};

/* The caller keeps the cluster, and calls fleet_done(). Problems become warnings. */
void fleet_read(struct fleet *f, const struct cluster *c, const struct settings *settings,
		struct warnings *warnings);
void fleet_done(struct fleet *f);

/* What a pod has of its node: requests, in the units of struct pod. */
struct load {
	int64_t cpu_milli, memory, accelerators;
};

struct load load_of_pod(const struct cluster *c, const struct pod *pod);

/* Is a resource of this name an accelerator? */
bool is_accelerator(const char *resource);

/* The share of the node's price that the load is charged, rounded up to a micro-USD. All shares of
 * a node that is full sum up to its price. */
int64_t fleet_share(const struct fleet_node *n, struct load load);

/* The same of another price. */
int64_t fleet_share_of(const struct fleet_node *n, struct load load, int64_t price);

/* Power of a node, in mW, with so much of its CPU in use; rounded half up. */
int64_t fleet_power(const struct fleet_node *n, int64_t cpu_milli, int64_t capacity_milli);

/* Power of a load among others that use cpu_milli in all (its own included), in mW: its part of
 * idle power by request, of what is above by use, and its accelerators', of which so many ppm are
 * in use. */
int64_t fleet_power_of(const struct fleet_node *n, struct load load, int64_t cpu_milli,
		       int64_t capacity_milli, int32_t accelerator_use);

/* How much of its accelerators a workload uses where nothing has measured it, ppm. */
static inline int32_t accelerator_use_of(enum workload_type type)
{
	return type == WORKLOAD_TRAINING ? 700000 : 400000;
}

/* Idle power that a load on the node does not ask for, in mW: of the node by CPU, and of its
 * accelerators by number; rounded half up. All of it where the capacity is not known. */
int64_t fleet_idle_power(const struct fleet_node *n, struct load load, int64_t capacity_milli);

/* Costs of power, in micro-USD per hour, rounded half up. */
int64_t energy_cost(const struct optimise_settings *s, int64_t power);
int64_t carbon_cost(const struct optimise_settings *s, int64_t power, int64_t carbon);

#endif
