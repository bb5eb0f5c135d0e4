/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/economy_news.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

enum { NOON = 1767268800 }; /* 2026-01-01T12:00:00Z */

#define STATUS(text)                                                                          \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"                      \
	"metadata: {name: web, namespace: x}\nspec: {workloadType: serving}\n"                \
	"status: {phase: Optimized, budget: {spent: 1, accountedAt: '2026-01-01T12:00:00Z', " \
	"rateMicroUSD: 15901}" text "}\n"
#define COST(reason)                                                          \
	"conditions: [{type: CostOptimized, status: 'False', reason: " reason \
	", lastTransitionTime: '2026-01-01T12:00:00Z'}]"

static void add_reason(const char *reason, const char *note, bool is_warning, void *arg)
{
	(void)note;
	str_addf(arg, "%s%s ", is_warning ? "!" : "", reason);
}

/* A pass on this snapshot has written the status. */
static void tells(const char *snapshot, const struct economy_status *status, const char *kind,
		  const char *wanted)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(snapshot);
	AUTO(str_done) struct str reasons = STR_INIT;
	const struct action a = { .kind = ACTION_STATUS,
				  .on = { .kind = kind, .ns = "x", .name = "web" },
				  .status = (struct economy_status *)status,
				  .message = "what it costs" };

	economy_news(&c, &a, add_reason, &reasons);
	assert_string_equal(reasons.s ? reasons.s : "", wanted);
}

static void of_optimizer(const char *snapshot, const struct economy_status *status,
			 const char *wanted)
{
	tells(snapshot, status, "WorkloadOptimizer", wanted);
}

TEST(what_a_pass_has_done_is_told_once_whatever_the_second)
{
	struct economy_status s = { .node = "a", .optimized_at = NOON };

	s.budget.accounted_at = NOON;
	of_optimizer(STATUS(""), &s, "WorkloadOptimized ");
	of_optimizer(STATUS(", lastOptimizationTime: '2026-01-01T12:00:00Z'"), &s, "");
	s.optimized_at = NOON - 60; /* the clock went back */
	of_optimizer(STATUS(", lastOptimizationTime: '2026-01-01T12:00:00Z'"), &s,
		     "WorkloadOptimized ");
	s.optimized_at = 0;
	of_optimizer(STATUS(""), &s, "");
}

TEST(a_limit_is_told_of_when_it_is_reached)
{
	struct economy_status s = { .node = "a", .n_conditions = 1 };

	s.budget.accounted_at = NOON;
	s.conditions[0] =
		(struct plan_condition){ "CostOptimized", "False", "BudgetExhausted", "", NOON };
	of_optimizer(STATUS(""), &s, "!BudgetExhausted ");
	of_optimizer(STATUS(", " COST("BudgetExhausted")), &s, "");
	of_optimizer(STATUS(", " COST("OverHourlyLimit")), &s, "!BudgetExhausted ");
	s.conditions[0].reason = "OverHourlyLimit";
	of_optimizer(STATUS(", " COST("BudgetExhausted")), &s, "!BudgetExceeded ");
	of_optimizer(STATUS(", " COST("OverHourlyLimit")), &s, "");
	s.conditions[0].reason = "WithinBudget";
	of_optimizer(STATUS(", " COST("BudgetExhausted")), &s, "");
}

TEST(each_move_that_failed_is_told_once)
{
	struct economy_status s = { .node = "a", .n_avoid = 1, .has_avoid = true };

	s.budget.accounted_at = NOON;
	s.avoid[0] = (struct plan_avoid){ "b", NOON + 3600 };
	of_optimizer(STATUS(""), &s, "!MoveRolledBack ");
	of_optimizer(STATUS(", avoid: [{node: b, until: '2026-01-01T13:00:00Z'}]"), &s, "");
	of_optimizer(STATUS(", avoid: [{node: c, until: '2026-01-01T13:00:00Z'}]"), &s,
		     "!MoveRolledBack ");
	of_optimizer(STATUS(", avoid: [{node: b, until: '2026-01-01T12:00:00Z'}]"), &s,
		     "!MoveRolledBack ");
}

#define ALERTS(list)                                                                                    \
	"---\nkind: CostPolicy\napiVersion: kcloud.io/v1alpha1\n"                                       \
	"metadata: {name: web, namespace: x}\nspec: {budgetLimit: 50}\n"                                \
	"status: {budget: {spent: 20, accountedAt: '2026-01-01T12:00:00Z', rateMicroUSD: 1000000}" list \
	"}\n"
#define ALERT(value)                                                               \
	", alerts: [{type: budget_usage, action: pause, value: " value ", since: " \
	"'2026-01-01T12:00:00Z'}]"

TEST(an_alert_is_told_of_when_it_goes_on)
{
	struct economy_status s = { .n_alerts = 1 };

	s.budget.accounted_at = NOON;
	s.alerts[0] = (struct plan_alert){ "budget_usage", "pause", 800000, NOON };
	tells(ALERTS(""), &s, "CostPolicy", "!ThresholdReached ");
	tells(ALERTS(ALERT("0.8")), &s, "CostPolicy", "");
	tells(ALERTS(ALERT("0.9")), &s, "CostPolicy", "!ThresholdReached ");
	tells("", &s, "CostPolicy", "!ThresholdReached ");
}
