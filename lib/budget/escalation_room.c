/* SPDX-License-Identifier: Apache-2.0 */

/* What pods hold and how much room is left; which pods yield when there is too little, and which
 * get what is left. */
#include <string.h>

#include "budget/escalation_internal.h"

static int64_t load(const struct escalation_pod *p, int32_t runtime_us)
{
	int64_t period = p->budget.period;

	return ((int64_t)runtime_us * PPM + period - 1) / period;
}

static const struct cpuset *cores_of(const struct escalation *e, const struct escalation_pod *p)
{
	static const struct cpuset node = { { 1 } };

	return e->scope == SCOPE_NODE ? &node : &p->cores;
}

int64_t escalation_room(const struct escalation *e, unsigned cpu)
{
	int64_t sum = 0;

	array_each(p, &e->pods)
		if (e->scope == SCOPE_NODE || cpuset_has(&p->cores, cpu))
			sum += load(p, escalation_runtime(p));
	return (int64_t)e->cap - sum;
}

/* The CPUs of a pod get more to carry. */
static void add_load(struct escalation *e, const struct escalation_pod *p, int64_t more)
{
	cpuset_each(cpu, cores_of(e, p)) {
		e->used[cpu] += more;
		if (e->used[cpu] > (int64_t)e->cap)
			cpuset_add(&e->overfull, cpu);
		else
			cpuset_remove(&e->overfull, cpu);
	}
}

/* Holds more than its level's budget only to avoid being throttled. */
static bool has_spare(const struct escalation_pod *p)
{
	return !p->is_boosted && !p->is_cut && budget_runtime(&p->budget, p->level) < p->held_us;
}

/* What a decision asks of all pods is kept apart, a byte each. */
enum { MARK_BOOSTED = 1, MARK_SPARE = 2, MARK_CUTTABLE = 4, MARK_CUT = 8, MARK_RECLAIMED = 16 };

static uint8_t mark_of(const struct escalation_pod *p)
{
	bool is_cuttable =
		!p->is_cut && p->budget.criticality < LEVEL_HIGH && p->budget.floor < p->held_us;

	bool is_reclaimed = p->was.headroom_us && !p->headroom_us;

	return (uint8_t)((p->is_boosted ? MARK_BOOSTED : 0) | (has_spare(p) ? MARK_SPARE : 0) |
			 (is_cuttable ? MARK_CUTTABLE : 0) | (p->is_cut ? MARK_CUT : 0) |
			 (is_reclaimed ? MARK_RECLAIMED : 0));
}

/* After each change of what a pod holds. */
static void weigh(struct escalation *e, struct escalation_pod *p)
{
	int32_t now_us = escalation_runtime(p);

	if (!p->is_touched)
		e->touched.items[e->touched.n++] = (uint32_t)(p - e->pods.items);
	p->is_touched = true;
	if (now_us != p->held_us) {
		int64_t now = load(p, now_us), more = now - p->load;

		p->held_us = now_us;
		p->load = now;
		add_load(e, p, more);
	}
	e->marks.items[p->place] = mark_of(p);
}

static void set_cut(struct escalation *e, struct escalation_pod *p, bool is_cut)
{
	p->is_cut = is_cut;
	weigh(e, p);
}

static bool meet(const struct cpuset *a, const struct cpuset *b, const struct cpuset *c)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->bits[i] & b->bits[i] & c->bits[i])
			return true;
	return false;
}

/* Is there room on all cores of a pod, itself counted? */
static bool fits(const struct escalation *e, const struct escalation_pod *p)
{
	const struct cpuset *cores = cores_of(e, p);

	return !meet(cores, cores, &e->overfull);
}

/* Does a CPU that both use lack room? */
static bool would_help(const struct escalation *e, const struct escalation_pod *victim,
		       const struct escalation_pod *p)
{
	return meet(cores_of(e, victim), cores_of(e, p), &e->overfull);
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

/* The most important pod is at place 0. */
static struct escalation_pod *at_rank(const struct escalation *e, size_t place)
{
	return &e->pods.items[e->ranked.items[place]];
}

/* Shell's sort: nothing is allocated. */
static void rank(struct escalation *e)
{
	const struct escalation_pod *p = e->pods.items;
	uint32_t *ranked = e->ranked.items;

	for (uint32_t i = 0; i < e->ranked.n; i++)
		ranked[i] = i;
	for (size_t gap = e->ranked.n / 2; gap; gap /= 2)
		for (size_t i = gap; i < e->ranked.n; i++) {
			uint32_t own = ranked[i];
			size_t k = i;

			for (; k >= gap && is_lesser(&p[ranked[k - gap]], &p[own]); k -= gap)
				ranked[k] = ranked[k - gap];
			ranked[k] = own;
		}
}

static void remember(struct escalation_pod *p)
{
	p->was.runtime_us = p->held_us;
	p->was.headroom_us = p->headroom_us;
	p->was.level = p->level;
	p->was.enforcement = p->enforcement;
	p->was.is_cut = p->is_cut;
	p->was.is_boosted = p->is_boosted;
	p->is_touched = false;
}

static void count_all(struct escalation *e)
{
	memset(e->used, 0, e->scope == SCOPE_NODE ? sizeof(e->used[0]) : sizeof(e->used));
	e->overfull = (struct cpuset){ 0 };
	array_each(p, &e->pods) {
		p->held_us = escalation_runtime(p);
		p->load = load(p, p->held_us);
		add_load(e, p, p->load);
		remember(p);
	}
	array_clear(&e->ranked);
	array_clear(&e->touched);
	array_reserve(&e->ranked, e->pods.n);
	array_reserve(&e->marks, e->pods.n);
	array_reserve(&e->touched, e->pods.n);
	e->ranked.n = e->pods.n;
	rank(e);
	for (uint32_t i = 0; i < e->ranked.n; i++) {
		at_rank(e, i)->place = i;
		e->marks.items[i] = mark_of(at_rank(e, i));
	}
	e->is_counted = true;
}

void escalation_begin(struct escalation *e)
{
	if (!e->is_counted || e->ranked.n != e->pods.n) {
		count_all(e);
		return;
	}
	array_each(i, &e->touched) {
		struct escalation_pod *p = &e->pods.items[*i];

		remember(p);
		e->marks.items[p->place] = mark_of(p);
	}
	array_clear(&e->touched);
}

static bool is_as_before(const struct escalation_pod *p)
{
	return p->held_us == p->was.runtime_us && p->headroom_us == p->was.headroom_us &&
	       p->level == p->was.level && p->enforcement == p->was.enforcement &&
	       p->is_cut == p->was.is_cut && p->is_boosted == p->was.is_boosted;
}

void escalation_end(struct escalation *e)
{
	size_t n = 0;

	array_each(i, &e->touched) {
		struct escalation_pod *p = &e->pods.items[*i];

		p->is_touched = !is_as_before(p);
		if (p->is_touched)
			e->touched.items[n++] = *i;
	}
	e->touched.n = n;
}

void escalation_rollback(struct escalation *e)
{
	array_each(i, &e->touched) {
		struct escalation_pod *p = &e->pods.items[*i];

		p->headroom_us = p->was.headroom_us;
		p->level = p->was.level;
		p->enforcement = p->was.enforcement;
		p->is_boosted = p->was.is_boosted;
		set_cut(e, p, p->was.is_cut);
	}
}

/* A pod brings its cores to its level, but not above its criticality. */
static int mode_by(const struct escalation_pod *p)
{
	return p->level < p->budget.criticality ? p->level : p->budget.criticality;
}

static int mode_of(const struct escalation *e, const struct escalation_pod *p)
{
	const struct cpuset *cores = cores_of(e, p);
	int mode = mode_by(p);

	for (size_t i = 0; i < e->pods.n && mode < LEVEL_HIGH; i++) {
		const struct escalation_pod *q = &e->pods.items[i];

		if (mode_by(q) > mode && meet(cores, cores, cores_of(e, q)))
			mode = mode_by(q);
	}
	return mode;
}

/* What a pod can give, in the order in which it is asked for. */
enum offer { OFFER_BOOST, OFFER_SPARE, OFFER_CUT, OFFER_SPARE_OF_HIGHER, OFFER_NOTHING };

static const uint8_t marks_of_offers[OFFER_NOTHING] = {
	[OFFER_BOOST] = MARK_BOOSTED,
	[OFFER_SPARE] = MARK_SPARE,
	[OFFER_CUT] = MARK_CUTTABLE,
	[OFFER_SPARE_OF_HIGHER] = MARK_SPARE,
};

static bool gives(const struct escalation_pod *victim, const struct escalation_pod *p,
		  enum offer offer, int mode)
{
	if (offer == OFFER_SPARE)
		return is_lesser(victim, p);
	return offer != OFFER_CUT || (victim->budget.criticality < p->budget.criticality &&
				      victim->budget.criticality < mode);
}

static void take(struct escalation *e, struct escalation_pod *victim, enum offer offer)
{
	if (offer == OFFER_BOOST) {
		victim->is_boosted = false;
	} else if (offer != OFFER_CUT) {
		victim->enforcement = ENFORCE_RAISE;
		victim->headroom_us = 0;
	}
	set_cut(e, victim, offer == OFFER_CUT);
}

/* From the least important ones up. A pod that does not help now will not help later: loads only
 * shrink. */
static bool take_offers(struct escalation *e, const struct escalation_pod *p, enum offer offer,
			int mode)
{
	for (size_t i = e->ranked.n; i-- > 0;) {
		if (!(e->marks.items[i] & marks_of_offers[offer]))
			continue;
		struct escalation_pod *v = at_rank(e, i);
		if (v == p || !gives(v, p, offer, mode) || !would_help(e, v, p))
			continue;
		take(e, v, offer);
		if (fits(e, p))
			return true;
	}
	return false;
}

static bool make_room(struct escalation *e, const struct escalation_pod *p)
{
	if (fits(e, p))
		return true;
	int mode = mode_of(e, p);
	for (enum offer offer = OFFER_BOOST; offer < OFFER_NOTHING; offer++)
		if (take_offers(e, p, offer, mode))
			return true;
	return false;
}

typedef void (*pod_function)(struct escalation *e, struct escalation_pod *p);

/* The most important pods first. */
static void each_by_rank(struct escalation *e, pod_function deal)
{
	for (size_t i = 0; i < e->pods.n; i++)
		deal(e, at_rank(e, i));
}

/* Undoes cuts that later ones made needless. */
static void restore_cuts(struct escalation *e)
{
	for (size_t i = 0; i < e->ranked.n; i++) {
		if (!(e->marks.items[i] & MARK_CUT))
			continue;
		struct escalation_pod *p = at_rank(e, i);
		set_cut(e, p, false);
		if (!fits(e, p))
			set_cut(e, p, true);
	}
}

static bool wants_headroom(const struct escalation_pod *p)
{
	return p->enforcement == ENFORCE_RAISE && !p->is_cut && !p->headroom_us &&
	       escalation_next_level(p) != p->level;
}

static void give_headroom(struct escalation *e, struct escalation_pod *p)
{
	if (!wants_headroom(p))
		return;
	p->headroom_us = e->rules.headroom_us;
	weigh(e, p);
	if (fits(e, p))
		return;
	p->headroom_us = 0;
	weigh(e, p);
}

/* The most important pods first. */
static void restore_headroom(struct escalation *e)
{
	for (size_t i = 0; i < e->ranked.n; i++)
		if (e->marks.items[i] & MARK_RECLAIMED)
			give_headroom(e, at_rank(e, i));
}

bool escalation_raise(struct escalation *e, struct escalation_pod *p, enum level level)
{
	p->level = level;
	p->headroom_us = 0;
	set_cut(e, p, false);
	if (p->held_us > p->was.runtime_us && !make_room(e, p))
		return false;
	/* Room came in larger pieces than was needed. */
	restore_cuts(e);
	restore_headroom(e);
	return true;
}

static void watch_if_it_fits(struct escalation *e, struct escalation_pod *p)
{
	if (p->wanted == ENFORCE_RAISE || p->enforcement != ENFORCE_RAISE || p->is_cut)
		return;
	p->enforcement = ENFORCE_WATCH;
	weigh(e, p);
	if (fits(e, p))
		return;
	p->enforcement = ENFORCE_RAISE;
	weigh(e, p);
}

bool escalation_boost(struct escalation *e, struct escalation_pod *p)
{
	if (p->is_cut)
		return false;
	p->is_boosted = true;
	weigh(e, p);
	p->is_boosted = fits(e, p);
	weigh(e, p);
	return p->is_boosted;
}

static void boost_again(struct escalation *e, struct escalation_pod *p)
{
	if (p->wants_boost)
		escalation_boost(e, p);
}

static void cut_others_for(struct escalation *e, struct escalation_pod *p)
{
	if (p->is_cut || make_room(e, p))
		return;
	set_cut(e, p, p->was.is_cut);
}

void escalation_rebalance(struct escalation *e)
{
	array_each(p, &e->pods) {
		p->enforcement = ENFORCE_RAISE;
		p->headroom_us = 0;
		p->wants_boost = p->is_boosted;
		p->is_boosted = false;
		set_cut(e, p, false);
	}
	each_by_rank(e, cut_others_for);
	restore_cuts(e);
	each_by_rank(e, give_headroom);
	each_by_rank(e, watch_if_it_fits);
	each_by_rank(e, boost_again);
}
