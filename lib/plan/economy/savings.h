/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_SAVINGS_H
#define MCKUBE_PLAN_ECONOMY_SAVINGS_H

#include "plan/economy/economy.h"
#include "plan/plan.h"

/* What is saved for each optimizer: nothing that is merely possible.
 *
 * A pod that is placed for money has a baseline, which is written on it: its share of the node that
 * kube-scheduler would have taken by LeastAllocated in the same snapshot, among those that the
 * pod's rules allow; of nodes that are equal there, the one with the smallest share. One that
 * replaces a moved pod has the share that this one had before. While it is bound it saves its
 * baseline less its share then. Shares of nodes whose price, or power, is assumed are not known:
 * nothing is saved by them.
 *
 * For PAST_SECONDS at most count, too: replicas that a ceiling has ended, each at the mean of the
 * pods; and, once its Node object is gone, what was idle of a node that was emptied, each
 * workload's part by its share of what was moved. Another scaling ends the former. */

enum { PAST_SECONDS = 86400 };

/* plan/economy/baseline.c: before pods are placed, of those that wait. */
void economy_find_baselines(struct economy *e);
/* ... written on a pod that is bound. */
void economy_read_baseline(const struct economy *e, struct cargo *g);

/* Once the plan is done, and economy_survey() was: what the pods save, and what moves do. */
void economy_sum_savings(struct economy *e);
/* Fills saved_cost, saved_watts and past. */
void economy_fill_savings(const struct economy *e, optimizer_id id, struct economy_status *s);
bool economy_savings_differ(const struct economy *e, const struct optimizer *o,
			    const struct economy_status *s);

#endif
