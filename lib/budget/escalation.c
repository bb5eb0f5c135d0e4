/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/escalation.h"

#include "budget/escalation_internal.h"

enum { FLAP_FACTOR = 2 };

void escalation_done(struct escalation *e)
{
	array_done(&e->pods);
	array_done(&e->ranked);
	array_done(&e->marks);
	array_done(&e->touched);
}

static bool can_go_up(const struct escalation_pod *p)
{
	if (p->budget.criticality == LEVEL_LOW)
		return !p->is_boosted && p->budget.hi > p->budget.low;
	return escalation_next_level(p) != p->level;
}

static enum level level_below(const struct escalation_pod *p)
{
	int32_t runtime = budget_runtime(&p->budget, p->level);
	int level = p->level;

	while (level > LEVEL_LOW && budget_runtime(&p->budget, (enum level)level) == runtime)
		level--;
	return (enum level)level;
}

void escalation_limits(const struct escalation_pod *p, int32_t ret_us[2])
{
	bool is_between = p->level != LEVEL_LOW && escalation_next_level(p) != p->level;

	ret_us[0] = p->budget.low;
	ret_us[1] = is_between ? budget_runtime(&p->budget, p->level) : 0;
}

int escalation_limit_up(const struct escalation_pod *p)
{
	if (!can_go_up(p))
		return -1;
	return p->level == LEVEL_LOW ? 0 : 1;
}

void escalation_undo(struct escalation *e)
{
	escalation_rollback(e);
	e->is_counted = false;
}

static bool has_changed(const struct escalation_pod *p)
{
	return p->held_us != p->was.runtime_us || p->level != p->was.level ||
	       p->is_cut != p->was.is_cut;
}

static size_t list_changes(const struct escalation *e, bool is_raise,
			   struct escalation_change *changes)
{
	size_t n = 0;

	array_each(i, &e->touched) {
		const struct escalation_pod *p = &e->pods.items[*i];

		if (has_changed(p) && (p->held_us >= p->was.runtime_us) == is_raise)
			changes[n++] = (struct escalation_change){
				.pod = *i,
				.from_us = p->was.runtime_us,
				.to_us = p->held_us,
				.from_level = p->was.level,
				.to_level = p->level,
				.was_cut = p->was.is_cut,
				.is_cut = p->is_cut,
			};
	}
	return n;
}

static size_t all_changes(struct escalation *e, struct escalation_change *changes)
{
	escalation_end(e);
	size_t n = list_changes(e, false, changes);

	return n + list_changes(e, true, changes + n);
}

/* Back so soon after it came down: the next stay is longer. */
static void count_flap(const struct escalation *e, struct escalation_pod *p, int64_t now_ns)
{
	bool is_soon =
		p->changed_ns && p->dwell_ns && now_ns - p->changed_ns < FLAP_FACTOR * p->dwell_ns;

	p->dwell_ns = is_soon ? 2 * p->dwell_ns : e->rules.dwell_ns;
	if (p->dwell_ns > e->rules.dwell_max_ns)
		p->dwell_ns = e->rules.dwell_max_ns;
}

enum escalation_result escalation_overrun(struct escalation *e, uint32_t pod, unsigned limit,
					  int64_t now_ns, struct escalation_change *changes,
					  size_t *ret_n)
{
	struct escalation_pod *p = &e->pods.items[pod];
	bool is_low = p->budget.criticality == LEVEL_LOW;

	*ret_n = 0;
	p->overrun_ns = now_ns;
	if ((limit == 0 && p->level != LEVEL_LOW) || !can_go_up(p))
		return ESCALATION_NONE;

	escalation_begin(e);
	if (!(is_low ? escalation_boost(e, p) : escalation_raise(e, p, escalation_next_level(p)))) {
		escalation_rollback(e);
		return ESCALATION_NO_ROOM;
	}
	if (p->was.level == LEVEL_LOW)
		count_flap(e, p, now_ns);
	p->changed_ns = now_ns;
	*ret_n = all_changes(e, changes);
	return ESCALATION_CHANGED;
}

enum escalation_result escalation_preview(struct escalation *e, uint32_t pod,
					  struct escalation_change *changes, size_t *ret_n)
{
	struct escalation_pod *p = &e->pods.items[pod];
	const int64_t overrun_ns = p->overrun_ns, changed_ns = p->changed_ns;
	const int64_t dwell_ns = p->dwell_ns;
	int limit = escalation_limit_up(p);

	*ret_n = 0;
	if (limit < 0)
		return ESCALATION_NONE;
	enum escalation_result r =
		escalation_overrun(e, pod, (unsigned)limit, changed_ns, changes, ret_n);
	if (r == ESCALATION_CHANGED)
		escalation_rollback(e);
	p->overrun_ns = overrun_ns;
	p->changed_ns = changed_ns;
	p->dwell_ns = dwell_ns;
	return r;
}

void escalation_set_usage(struct escalation *e, uint32_t used, int64_t now_ns)
{
	array_each(p, &e->pods) {
		int32_t own = p->recovery.threshold;
		uint32_t most = own == RECOVERY_NOT_GIVEN ? e->rules.busy_above
							  : (uint32_t)own * PPM_PER_CENT;

		if (used > most)
			p->calm_since_ns = 0;
		else if (!p->calm_since_ns)
			p->calm_since_ns = now_ns;
	}
}

static int64_t delay_ns(const struct escalation_pod *p, int64_t usual)
{
	int32_t own = p->recovery.delay_seconds;

	return own == RECOVERY_NOT_GIVEN ? usual : (int64_t)own * NS_PER_S;
}

static bool has_calm_node(const struct escalation *e, const struct escalation_pod *p,
			  int64_t now_ns)
{
	int64_t delay = delay_ns(p, e->rules.calm_ns);

	return p->calm_since_ns && now_ns - p->calm_since_ns >= delay &&
	       now_ns - p->changed_ns >= delay;
}

/* How long it must have stayed within C_low. */
static int64_t quiet_ns(const struct escalation *e, const struct escalation_pod *p)
{
	int64_t quiet = (int64_t)p->budget.period * NS_PER_US * e->rules.calm_periods;
	int64_t delay = delay_ns(p, 0);

	return quiet > delay ? quiet : delay;
}

static bool has_calmed(const struct escalation *e, const struct escalation_pod *p, int64_t now_ns)
{
	return now_ns - p->overrun_ns >= quiet_ns(e, p);
}

static bool is_calm(const struct escalation *e, const struct escalation_pod *p, int64_t now_ns)
{
	if (now_ns - p->changed_ns < p->dwell_ns)
		return false;
	return p->recovery.mode == RECOVERY_NODE_CPU ? has_calm_node(e, p, now_ns)
						     : has_calmed(e, p, now_ns);
}

static bool is_up(const struct escalation_pod *p)
{
	return p->level != LEVEL_LOW || p->is_boosted;
}

int64_t escalation_due_ns(const struct escalation *e)
{
	int64_t first = INT64_MAX;

	array_each(p, &e->pods) {
		if (!is_up(p) || p->recovery.mode == RECOVERY_NODE_CPU)
			continue;
		int64_t due = p->overrun_ns + quiet_ns(e, p);
		if (due < p->changed_ns + p->dwell_ns)
			due = p->changed_ns + p->dwell_ns;
		if (due < first)
			first = due;
	}
	return first;
}

size_t escalation_recover(struct escalation *e, int64_t now_ns, struct escalation_change *changes)
{
	bool is_due = false;

	array_each(p, &e->pods)
		is_due |= is_up(p) && is_calm(e, p, now_ns);
	if (!is_due)
		return 0;
	escalation_begin(e);
	array_each(p, &e->pods) {
		if (!is_up(p) || !is_calm(e, p, now_ns))
			continue;
		p->is_boosted = false;
		p->level = level_below(p);
		p->changed_ns = now_ns;
	}
	escalation_rebalance(e);
	return all_changes(e, changes);
}

enum escalation_result escalation_set_level(struct escalation *e, uint32_t pod, enum level level,
					    int64_t now_ns, struct escalation_change *changes,
					    size_t *ret_n)
{
	struct escalation_pod *p = &e->pods.items[pod];

	*ret_n = 0;
	level = level == LEVEL_LOW ? level : escalation_top_level(&p->budget, level);
	if (level == p->level)
		return ESCALATION_NONE;
	escalation_begin(e);
	if (level > p->level && !escalation_raise(e, p, level)) {
		escalation_rollback(e);
		return ESCALATION_NO_ROOM;
	}
	if (level < p->level) {
		p->level = level;
		escalation_rebalance(e);
	}
	p->changed_ns = p->overrun_ns = now_ns;
	*ret_n = all_changes(e, changes);
	return ESCALATION_CHANGED;
}

size_t escalation_settle(struct escalation *e, struct escalation_change *changes)
{
	e->is_counted = false;
	escalation_begin(e);
	escalation_rebalance(e);
	return all_changes(e, changes);
}
