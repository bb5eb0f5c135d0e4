/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/escalation.h"

enum { NS_PER_US = 1000, NS_PER_S = 1000000000, FLAP_FACTOR = 2, PPM_PER_CENT = 10000 };

int32_t escalation_runtime(const struct escalation_pod *p)
{
	const struct budget *b = &p->budget;

	if (p->is_cut)
		return b->floor;
	if (p->is_lent)
		return b->hi;
	return budget_runtime(b, p->enforcement == ENFORCE_WATCH ? LEVEL_HIGH : p->level);
}

static int64_t load(const struct escalation_pod *p)
{
	int64_t period = p->budget.period;

	return ((int64_t)escalation_runtime(p) * PPM + period - 1) / period;
}

int64_t escalation_room(const struct escalation *e, unsigned cpu)
{
	int64_t sum = 0;

	array_each(p, &e->pods)
		if (e->scope == SCOPE_NODE || cpuset_has(&p->cores, cpu))
			sum += load(p);
	return (int64_t)e->cap - sum;
}

/* Is there room on all cores of a pod, itself counted? */
static bool fits(const struct escalation *e, const struct escalation_pod *p)
{
	if (e->scope == SCOPE_NODE)
		return escalation_room(e, 0) >= 0;
	cpuset_each(cpu, &p->cores) if (escalation_room(e, cpu) < 0) return false;
	return true;
}

/* Does a CPU that both use lack room? */
static bool would_help(const struct escalation *e, const struct escalation_pod *victim,
		       const struct escalation_pod *p)
{
	if (e->scope == SCOPE_NODE)
		return true;
	cpuset_each(cpu, &p->cores) if (cpuset_has(&victim->cores, cpu) &&
					escalation_room(e, cpu) < 0) return true;
	return false;
}

/* The largest level with the same budget: a pod without medium goes from low to hi. */
static enum level same_budget(const struct budget *b, enum level level)
{
	while (level < LEVEL_HIGH && budget_runtime(b, level + 1) == budget_runtime(b, level))
		level++;
	return level;
}

/* The level itself where there is no higher one. */
static enum level next_level(const struct escalation_pod *p)
{
	enum level top = same_budget(&p->budget, p->level);

	return top == LEVEL_HIGH ? p->level : same_budget(&p->budget, top + 1);
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
	bool is_between = p->level != LEVEL_LOW && next_level(p) != p->level;

	ret_us[0] = p->budget.low;
	ret_us[1] = is_between ? budget_runtime(&p->budget, p->level) : 0;
}

static void remember(struct escalation *e)
{
	array_each(p, &e->pods) {
		p->was.runtime_us = escalation_runtime(p);
		p->was.level = p->level;
		p->was.enforcement = p->enforcement;
		p->was.is_cut = p->is_cut;
		p->was.is_lent = p->is_lent;
	}
}

void escalation_undo(struct escalation *e)
{
	array_each(p, &e->pods) {
		p->level = p->was.level;
		p->enforcement = p->was.enforcement;
		p->is_cut = p->was.is_cut;
		p->is_lent = p->was.is_lent;
	}
}

static bool has_changed(const struct escalation_pod *p)
{
	return escalation_runtime(p) != p->was.runtime_us || p->level != p->was.level ||
	       p->is_cut != p->was.is_cut;
}

static size_t list_changes(const struct escalation *e, bool is_raise,
			   struct escalation_change *changes)
{
	size_t n = 0;

	for (uint32_t i = 0; i < e->pods.n; i++) {
		const struct escalation_pod *p = &e->pods.items[i];
		int32_t now = escalation_runtime(p);

		if (has_changed(p) && (now >= p->was.runtime_us) == is_raise)
			changes[n++] = (struct escalation_change){
				i, p->was.runtime_us, now, p->was.level, p->level, p->is_cut,
			};
	}
	return n;
}

static size_t all_changes(const struct escalation *e, struct escalation_change *changes)
{
	size_t n = list_changes(e, false, changes);

	return n + list_changes(e, true, changes + n);
}

/* Is a less important than b: criticality, priority, then order. */
static bool is_lesser(const struct escalation_pod *a, const struct escalation_pod *b)
{
	if (a->budget.criticality != b->budget.criticality)
		return a->budget.criticality < b->budget.criticality;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->order > b->order;
}

static bool share_cores(const struct escalation *e, const struct escalation_pod *a,
			const struct escalation_pod *b)
{
	if (e->scope == SCOPE_NODE)
		return true;
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->cores.bits[i] & b->cores.bits[i])
			return true;
	return false;
}

/* The mode of the pod's cores: a pod brings them to its level, but not above its criticality. */
static int mode_of(const struct escalation *e, const struct escalation_pod *p)
{
	int mode = LEVEL_LOW;

	array_each(q, &e->pods) {
		int level = q->level < q->budget.criticality ? q->level : q->budget.criticality;

		if (level > mode && share_cores(e, p, q))
			mode = level;
	}
	return mode;
}

static bool may_cut(const struct escalation_pod *victim, const struct escalation_pod *p, int mode)
{
	return victim->budget.criticality < p->budget.criticality &&
	       victim->budget.criticality < mode && !victim->is_cut &&
	       victim->budget.floor < escalation_runtime(victim);
}

/* Holds its hi only so that it will not have to be raised. */
static bool has_spare(const struct escalation_pod *p)
{
	return p->enforcement == ENFORCE_WATCH && !p->is_cut &&
	       budget_runtime(&p->budget, p->level) < escalation_runtime(p);
}

/* What a pod can give, in the order in which it is asked for. */
enum offer { OFFER_LOAN, OFFER_SPARE, OFFER_CUT, OFFER_SPARE_OF_HIGHER, OFFER_NOTHING };

static enum offer offer_of(const struct escalation_pod *victim, const struct escalation_pod *p,
			   int mode)
{
	if (victim->is_lent)
		return OFFER_LOAN;
	if (has_spare(victim) && is_lesser(victim, p))
		return OFFER_SPARE;
	if (may_cut(victim, p, mode))
		return OFFER_CUT;
	return has_spare(victim) ? OFFER_SPARE_OF_HIGHER : OFFER_NOTHING;
}

static void take(struct escalation_pod *victim, enum offer offer)
{
	if (offer == OFFER_LOAN)
		victim->is_lent = false;
	else if (offer == OFFER_CUT)
		victim->is_cut = true;
	else
		victim->enforcement = ENFORCE_RAISE;
}

static bool take_from_somebody(struct escalation *e, const struct escalation_pod *p)
{
	struct escalation_pod *best = NULL;
	enum offer best_offer = OFFER_NOTHING;
	int mode = mode_of(e, p);

	array_each(v, &e->pods) {
		enum offer offer = v == p ? OFFER_NOTHING : offer_of(v, p, mode);

		if (offer == OFFER_NOTHING || offer > best_offer || !would_help(e, v, p))
			continue;
		if (offer < best_offer || is_lesser(v, best)) {
			best = v;
			best_offer = offer;
		}
	}
	if (best)
		take(best, best_offer);
	return best;
}

static bool make_room(struct escalation *e, const struct escalation_pod *p)
{
	while (!fits(e, p))
		if (!take_from_somebody(e, p))
			return false;
	return true;
}

typedef bool (*pod_test)(const struct escalation_pod *p);

static bool is_cut(const struct escalation_pod *p)
{
	return p->is_cut;
}

static bool is_raise_by_choice(const struct escalation_pod *p)
{
	return p->wanted != ENFORCE_RAISE && p->enforcement == ENFORCE_RAISE && !p->is_cut;
}

/* The most important pod below `before` that passes the test. */
static struct escalation_pod *next_below(struct escalation *e, const struct escalation_pod *before,
					 pod_test test)
{
	struct escalation_pod *best = NULL;

	array_each(p, &e->pods)
		if (test(p) && (!before || is_lesser(p, before)) && (!best || is_lesser(best, p)))
			best = p;
	return best;
}

/* Gives back what fits, and so takes back cuts that later ones made needless. */
static void restore_cuts(struct escalation *e)
{
	for (struct escalation_pod *p = NULL; (p = next_below(e, p, is_cut));) {
		p->is_cut = false;
		p->is_cut = !fits(e, p);
	}
}

static void watch_who_fits(struct escalation *e)
{
	for (struct escalation_pod *p = NULL; (p = next_below(e, p, is_raise_by_choice));) {
		p->enforcement = ENFORCE_WATCH;
		if (!fits(e, p))
			p->enforcement = ENFORCE_RAISE;
	}
}

static bool is_any(const struct escalation_pod *p)
{
	(void)p;
	return true;
}

static bool is_waiting_for_loan(const struct escalation_pod *p)
{
	return p->wants_loan && !p->is_cut;
}

/* Loans and comfort must not stand in the way of what was cut, nor a pod that went up in the way of
 * its equals: everybody gets the budget of his level, and the cuts follow from that. */
static void deal_anew(struct escalation *e)
{
	array_each(p, &e->pods) {
		p->enforcement = ENFORCE_RAISE;
		p->wants_loan = p->is_lent;
		p->is_lent = false;
		p->is_cut = false;
	}
	for (struct escalation_pod *p = NULL; (p = next_below(e, p, is_any));)
		if (!p->is_cut && !make_room(e, p))
			p->is_cut = p->was.is_cut;
	restore_cuts(e);
	watch_who_fits(e);
	for (struct escalation_pod *p = NULL; (p = next_below(e, p, is_waiting_for_loan));) {
		p->is_lent = true;
		p->is_lent = fits(e, p);
	}
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

static bool raise_level(struct escalation *e, struct escalation_pod *p, enum level level)
{
	p->level = level;
	p->is_cut = false;
	if (escalation_runtime(p) > p->was.runtime_us && !make_room(e, p))
		return false;
	restore_cuts(e);
	return true;
}

static bool lend(struct escalation *e, struct escalation_pod *p)
{
	if (p->is_cut)
		return false;
	p->is_lent = true;
	return fits(e, p);
}

static bool can_go_up(const struct escalation_pod *p)
{
	if (p->budget.criticality == LEVEL_LOW)
		return !p->is_lent && p->budget.hi > p->budget.low;
	return next_level(p) != p->level;
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

	remember(e);
	if (!(is_low ? lend(e, p) : raise_level(e, p, next_level(p)))) {
		escalation_undo(e);
		return ESCALATION_NO_ROOM;
	}
	if (p->was.level == LEVEL_LOW)
		count_flap(e, p, now_ns);
	p->changed_ns = now_ns;
	*ret_n = all_changes(e, changes);
	return ESCALATION_CHANGED;
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

static bool has_calmed(const struct escalation *e, const struct escalation_pod *p, int64_t now_ns)
{
	int64_t quiet = (int64_t)p->budget.period * NS_PER_US * e->rules.calm_periods;
	int64_t since = now_ns - p->overrun_ns;

	return since >= quiet && since >= delay_ns(p, 0);
}

static bool is_calm(const struct escalation *e, const struct escalation_pod *p, int64_t now_ns)
{
	if (now_ns - p->changed_ns < p->dwell_ns)
		return false;
	return p->recovery.mode == RECOVERY_NODE_CPU ? has_calm_node(e, p, now_ns)
						     : has_calmed(e, p, now_ns);
}

size_t escalation_recover(struct escalation *e, int64_t now_ns, struct escalation_change *changes)
{
	bool is_due = false;

	array_each(p, &e->pods)
		is_due |= (p->level != LEVEL_LOW || p->is_lent) && is_calm(e, p, now_ns);
	if (!is_due)
		return 0;
	remember(e);
	array_each(p, &e->pods) {
		if ((p->level == LEVEL_LOW && !p->is_lent) || !is_calm(e, p, now_ns))
			continue;
		p->is_lent = false;
		p->level = level_below(p);
		p->changed_ns = now_ns;
	}
	deal_anew(e);
	return all_changes(e, changes);
}

enum escalation_result escalation_order(struct escalation *e, uint32_t pod, enum level level,
					int64_t now_ns, struct escalation_change *changes,
					size_t *ret_n)
{
	struct escalation_pod *p = &e->pods.items[pod];

	*ret_n = 0;
	level = level == LEVEL_LOW ? level : same_budget(&p->budget, level);
	if (level == p->level)
		return ESCALATION_NONE;
	remember(e);
	if (level > p->level && !raise_level(e, p, level)) {
		escalation_undo(e);
		return ESCALATION_NO_ROOM;
	}
	if (level < p->level) {
		p->level = level;
		deal_anew(e);
	}
	p->changed_ns = p->overrun_ns = now_ns;
	*ret_n = all_changes(e, changes);
	return ESCALATION_CHANGED;
}

size_t escalation_settle(struct escalation *e, struct escalation_change *changes)
{
	remember(e);
	deal_anew(e);
	return all_changes(e, changes);
}
