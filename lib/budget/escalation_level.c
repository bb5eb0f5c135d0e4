/* SPDX-License-Identifier: Apache-2.0 */

/* Which level comes next, and what a pod may use at its own. */
#include "budget/escalation_internal.h"

enum level escalation_top_level(const struct budget *b, enum level level)
{
	while (level < LEVEL_HIGH && budget_runtime(b, level + 1) == budget_runtime(b, level))
		level++;
	return level;
}

enum level escalation_next_level(const struct escalation_pod *p)
{
	enum level top = escalation_top_level(&p->budget, p->level);

	return top == LEVEL_HIGH ? p->level : escalation_top_level(&p->budget, top + 1);
}

int32_t escalation_runtime(const struct escalation_pod *p)
{
	const struct budget *b = &p->budget;

	if (p->is_cut)
		return b->floor;
	if (p->is_boosted)
		return b->hi;
	if (p->enforcement == ENFORCE_WATCH)
		return budget_runtime(b, LEVEL_HIGH);
	int32_t own = budget_runtime(b, p->level);
	if (!p->headroom_us)
		return own;
	int32_t next = budget_runtime(b, escalation_next_level(p));
	return next - own < p->headroom_us ? next : own + p->headroom_us;
}
