/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include <stdarg.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

static const char *const kinds[ACTION_KINDS] = {
	[ACTION_BIND] = "Bind",		[ACTION_ASSIGN] = "Assign",
	[ACTION_MOVE] = "Move",		[ACTION_EVICT] = "Evict",
	[ACTION_DEGRADE] = "Degrade",	[ACTION_SET_LEVEL] = "SetLevel",
	[ACTION_TAINT] = "Taint",	[ACTION_UNTAINT] = "Untaint",
	[ACTION_STATUS] = "Status",	[ACTION_FINALIZER] = "Finalizer",
	[ACTION_MIGRATE] = "Migrate",	[ACTION_SCALE] = "Scale",
	[ACTION_ANNOTATE] = "Annotate", [ACTION_RELEASE] = "Release",
};

static const char *const reasons[REASONS] = {
	[REASON_NONE] = "",
	[REASON_PLACED] = "Placed",
	[REASON_PREEMPTED] = "Preempted",
	[REASON_OVERCOMMITTED] = "Overcommitted",
	[REASON_CORES_NOT_ALLOWED] = "CoresNotAllowed",
	[REASON_ADOPTED] = "Adopted",
	[REASON_BUDGET_CHANGED] = "BudgetChanged",
	[REASON_ENFORCEMENT_CHANGED] = "EnforcementChanged",
	[REASON_RECOVERY_CHANGED] = "RecoveryChanged",
	[REASON_POLICY_CHANGED] = "PolicyChanged",
	[REASON_RECOVERED] = "Recovered",
	[REASON_PRESSURE] = "Pressure",
	[REASON_GUARANTEE_BROKEN] = "GuaranteeBroken",
	[REASON_RELIEVED] = "Relieved",
	[REASON_STATUS] = "StaleStatus",
	[REASON_ACCOUNT] = "Accounted",
	[REASON_FINALIZER_ADDED] = "FinalizerAdded",
	[REASON_FINALIZER_REMOVED] = "FinalizerRemoved",
	[REASON_NODE_PRESSURE] = "NodePressure",
	[REASON_NODE_RELIEVED] = "NodeRelieved",
	[REASON_REQUESTED] = "Requested",
	[REASON_RESUMED] = "Resumed",
	[REASON_NO_REQUEST] = "NoRequest",
	[REASON_NO_NODE] = "NoNode",
	[REASON_NO_ROOM] = "NoRoom",
	[REASON_BAD_REQUEST] = "BadRequest",
	[REASON_CRITICALITY] = "CriticalityNotAllowed",
	[REASON_QUOTA] = "QuotaExceeded",
	[REASON_CHEAPER] = "Cheaper",
	[REASON_GREENER] = "Greener",
	[REASON_NODE_CLOSED] = "NodeClosed",
	[REASON_ROLLED_BACK] = "MoveRolledBack",
	[REASON_POWER_ALERT] = "PowerAlert",
	[REASON_OPTIMIZER_DELETED] = "OptimizerDeleted",
	[REASON_SPOT_INTERRUPTED] = "SpotInterrupted",
	[REASON_DEMAND] = "Demand",
	[REASON_CEILING] = "Ceiling",
	[REASON_BOUNDS] = "Bounds",
	[REASON_POLICY] = "Policy",
	[REASON_BUDGET_EXHAUSTED] = "BudgetExhausted",
	[REASON_OVER_HOURLY_LIMIT] = "OverHourlyLimit",
	[REASON_OVER_POWER_LIMIT] = "OverPowerLimit",
	[REASON_SPOT_NOT_ALLOWED] = "SpotNotAllowed",
	[REASON_PEAK_HOURS] = "PeakHours",
	[REASON_NOT_GREEN_ENOUGH] = "NotGreenEnough",
	[REASON_OVER_CARBON_LIMIT] = "OverCarbonLimit",
	[REASON_SUSPENDED] = "Suspended",
};

static const char *const methods[] = {
	[MIGRATE_NONE] = "",
	[MIGRATE_RESTART] = "Restart",
	[MIGRATE_CHECKPOINT] = "Checkpoint",
};

static const char *const steps[MIGRATION_STEPS] = {
	[STAGE_COPY] = "Copy",
	[STAGE_EVICT] = "Evict",
	[STAGE_AWAIT] = "Await",
	[STAGE_BIND] = "Bind",
	[STAGE_TARGET] = "Target",
	[STAGE_PAUSE] = "Pause",
	[STAGE_CHECKPOINT] = "Checkpoint",
	[STAGE_PULL] = "Pull",
	[STAGE_REPLACE] = "Replace",
	[STAGE_RESTORE] = "Restore",
	[STAGE_DELETE] = "Delete",
};

static const char *const states[] = {
	[RESULT_PENDING] = "Pending",
	[RESULT_DONE] = "Done",
	[RESULT_FAILED] = "Failed",
	[RESULT_SKIPPED] = "Skipped",
};

const char *action_kind_name(enum action_kind k)
{
	return kinds[k];
}

const char *reason_name(enum reason r)
{
	return reasons[r];
}

const char *migration_method_name(enum migration_method m)
{
	return methods[m];
}

const char *migration_step_name(enum migration_step s)
{
	return steps[s];
}

const char *result_state_name(enum result_state s)
{
	return states[s];
}

const char *plan_str(struct plan *p, const char *s)
{
	return *s ? arena_strndup(&p->arena, s, strlen(s)) : "";
}

const char *plan_strf(struct plan *p, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	return arena_strndup(&p->arena, text.s, text.n);
}

bool plan_has_actions(const struct plan *p)
{
	return p->actions.n > 0;
}

void plan_done(struct plan *p)
{
	array_done(&p->actions);
	array_done(&p->economy.savings);
	array_done(&p->unplaced);
	array_done(&p->warnings);
	array_done(&p->results);
	arena_done(&p->arena);
}
