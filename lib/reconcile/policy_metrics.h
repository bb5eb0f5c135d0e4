/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_POLICY_METRICS_H
#define MCKUBE_RECONCILE_POLICY_METRICS_H

#include "base/str.h"
#include "model/cluster.h"
#include "model/settings.h"

/* The numbers of CostPolicies and PowerPolicies: the part of a budget that is spent, and the alerts
 * that are on, as status.alerts has them, whatever their action. Only policies of the namespaces of
 * optimise.namespaces; the first METRIC_POLICIES budgets and METRIC_ALERTS alerts are told, by
 * namespace and name, those of CostPolicies before those of PowerPolicies. */

enum { METRIC_POLICIES = 500, METRIC_ALERTS = 500 };

void policy_metrics_write(const struct cluster *c, const struct settings *settings,
			  struct str *out);

/* How many budgets and alerts are too many to be told. */
struct policy_metrics_rest {
	uint64_t budgets, alerts;
};

struct policy_metrics_rest policy_metrics_left_out(const struct cluster *c,
						   const struct settings *settings);

#endif
