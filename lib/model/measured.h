/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_MEASURED_H
#define MCKUBE_MODEL_MEASURED_H

#include "model/cluster.h"
#include "model/power_curve.h"

/* What MetricSamples say of nodes: the price by metrics.nodePriceQuery, the power by
 * metrics.nodePowerQuery. One that is older than SAMPLE_STALE_SECONDS says nothing; of several the
 * latest counts. */
struct measured {
	int64_t price;	/* micro-USD per hour; -1: not known */
	int64_t power;	/* of the whole node at present, mW; -1: not known */
	int64_t in_use; /* CPU, milli: as it is used now, or where that is not known requested; not
			 * read where there are no samples */
};

/* By node_id; the caller frees it. */
struct measured *measured_read(const struct cluster *c);

/* The curve through what is measured that has the shape of `curve`; `capacity` in milli. False: it
 * cannot be scaled to that. */
bool measured_curve(const struct measured *m, int64_t capacity, struct power_curve *curve);

#endif
