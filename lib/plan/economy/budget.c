/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/budget.h"

#include "base/date.h"
#include "model/spending.h"

int64_t economy_budget_end(const struct economy *e, optimizer_id id)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];
	int64_t now = e->c->taken_at;
	int64_t left = spending_seconds_left(a->spent, o->budget_limit, a->cost);

	if (o->budget_limit < 0 || !now || !left || left > DATE_MAX - now)
		return 0;
	int64_t renewed = spending_period_end((enum budget_period)o->period, now);
	return renewed && now + left >= renewed ? 0 : now + left;
}

/* The day alone: it stays the same from pass to pass. */
void economy_warn_of_budgets(struct economy *e)
{
	char when[DATE_TEXT];

	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		const struct optimizer *o = &e->c->optimizers.items[id];
		int64_t end = economy_budget_end(e, id);

		if (!end || o->period != BUDGET_TOTAL || !workload_serves(o->type) ||
		    e->accounts[id].is_elsewhere)
			continue;
		warning_add(&e->p->trial.warnings, "WorkloadOptimizer",
			    cluster_str(e->c, o->meta.ns), cluster_str(e->c, o->meta.name),
			    "BudgetEnds",
			    "budgetLimit: is for all time, as budgetPeriod is Total; at this "
			    "rate it is spent on %.10s, and no new pods are placed then",
			    date_format(end, when));
	}
}
