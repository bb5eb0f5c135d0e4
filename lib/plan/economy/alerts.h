/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_ALERTS_H
#define MCKUBE_PLAN_ECONOMY_ALERTS_H

#include "plan/economy/economy.h"

/* Alerts of policies: thresholds, and what is done while they are reached.
 *
 *	budget_usage	 the part of the budget that is spent
 *	cost_increase	 what the workloads cost, as a factor of the mean of the day before
 *	anomaly		 the same, by default the threefold
 *	power_usage	 the part of maxPowerUsage that is drawn
 *	power_efficiency what the pods would draw where each is best, as a part of what they do
 *			 where they are: reached below the value
 *	carbon_footprint the part of carbonFootprintTarget; without one, kilograms per hour
 *
 * They are judged by what the snapshot has, before the plan changes anything, and each pass again.
 * notify, and each other action as well: status.alerts says since when it is on, and an Event when
 * it goes on. scale_down: to minReplicas. pause: nothing is placed or scaled up. migrate, of a
 * PowerPolicy: pods move to where they draw, or emit, less.
 * terminate: where the settings allow it, no replicas at all, but for those that a
 * PodDisruptionBudget wants; otherwise as pause, with a warning. What was ended stays so until
 * it is scaled up again. */

/* Once the limits are known: what may be reached before one of them scales down. Of efficiency that
 * is not known, and a budget that is spent does not come back. */
void economy_read_alerts(struct economy *e);

/* After the pods are where the snapshot has them, before any is placed. */
void economy_heed_alerts(struct economy *e);

/* By index of cluster.alerts. */
bool economy_alert_is_on(const struct economy *e, uint32_t alert);

/* Would the alert, which is on, still be on with what the plan has moved so far? power_efficiency
 * is not judged again in a plan: yes. */
bool economy_power_alert_goes_on(struct economy *e, size_t policy, uint32_t alert);

/* `limit` as in limit_of_power_policy; `of` may be NONE. */
bool economy_limit_is_of(const struct economy *e, uint32_t limit, optimizer_id of);

/* Of the optimizers that the limit is of, ppm; `limit` likewise. */
int64_t economy_efficiency(const struct economy *e, uint32_t limit,
			   const struct power_parts *parts);

#endif
