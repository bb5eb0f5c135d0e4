/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_MOVE_SERVICES_H
#define MCKUBE_RECONCILE_MOVE_SERVICES_H

#include "kube/client.h"
#include "plan/plan.h"
#include "reconcile/plan_veto.h"
#include "remote/influx.h"
#include "remote/policy_engine.h"

/* What is asked before a plan is executed, and told afterwards: the policy engine about moves to
 * other nodes, the core scheduler about what is done for cost and power, Events (Migrated,
 * MigrationFailed, MigrationRolledBack, MigrationDenied, PlanRefused), InfluxDB. */

struct move_services_options {
	struct policy_engine engine;  /* url NULL or "": nothing is asked */
	struct policy_engine core;    /* likewise */
	struct influx_options influx; /* url NULL or "": nothing is told */
};

struct move_services;

/* `k` NULL: only for asking. */
int move_services_open(struct kube *k, const struct move_services_options *o,
		       struct move_services **ret, struct error *err);
/* Sends what is left, for some seconds. NULL is fine here and below. */
void move_services_close(struct move_services *s);

/* Asks for all moves of the plan at once, and whether the plan may be; see policy_ask(). */
void move_services_ask(struct move_services *s, const struct plan *p, const struct cluster *c,
		       const char *(*stop)(void *arg), void *arg);

/* Why the action, of the plan that was asked for last, is not allowed; NULL: it is. `s` is a struct
 * move_services, for api_options.denial. */
const char *move_services_denial(const struct action *a, void *s);

/* Why what the action would say of a WorkloadOptimizer, that its plan is refused, is to be said
 * instead; NULL: it is not. */
const char *move_services_refusal(const struct action *a, const struct move_services *s);

/* Adds a warning to the plan that was asked for last for each move that is not allowed, and one if
 * what is done for cost and power is not. */
void move_services_warn(struct move_services *s, struct plan *p);

/* What became of the action, as the reason of its Event: "Migrated", "MigrationDenied"; NULL: it is
 * no move, or was not tried. */
const char *move_services_reason(const struct move_services *s, const struct action *a,
				 const struct result *r);

/* `c` is the snapshot that the plan was executed on: what it says already is not told again. */
void move_services_tell(struct move_services *s, const struct cluster *c, const struct action *a,
			const struct result *r);
void move_services_step(struct move_services *s);

#endif
