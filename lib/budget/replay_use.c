/* SPDX-License-Identifier: Apache-2.0 */

/* Which budget would have been enough for what was used. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "budget/replay_internal.h"

static const uint32_t shares[REPLAY_ENOUGH] = { 900000, 990000, 999000, PPM };

/* Periods of one pod that needed a budget of at most `us`; INT64_MAX: it is not known how much. */
struct need {
	int64_t us;
	uint64_t periods;
};

struct needs {
	struct need *items;
	size_t n, cap;
	ARRAY(struct seen {
		const char *container;
		int64_t us;
	})
	seen;
};

/* A container's use as a budget of its pod. */
static int64_t as_budget(const struct history_line *line, int64_t us)
{
	return (us * PPM + line->share - 1) / line->share;
}

static int by_us(const void *a, const void *b)
{
	int64_t x = ((const struct need *)a)->us, y = ((const struct need *)b)->us;

	return (x > y) - (x < y);
}

static void add_seen(struct needs *needs, const struct history_line *line)
{
	array_each(s, &needs->seen)
		if (s->container == line->container) {
			s->us += line->span_us;
			return;
		}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
	*array_add(&needs->seen) = (struct seen){ line->container, line->span_us };
}

static void add_uses(struct replay_pod *p, struct needs *needs, const struct history_line *line)
{
	for (size_t i = 0; i < line->n_uses; i++) {
		const struct history_use *use = &line->uses[i];
		int64_t us = as_budget(line, use->us);
		bool is_at_limit = us >= line->runtime_us;

		*array_add(needs) = (struct need){
			is_at_limit ? INT64_MAX : us,
			(uint64_t)use->periods,
		};
		p->periods += (uint64_t)use->periods;
		p->at_limit += is_at_limit ? (uint64_t)use->periods : 0;
	}
	add_seen(needs, line);
}

static uint64_t periods_above(const struct needs *needs, int64_t us)
{
	uint64_t n = 0;

	array_each(need, needs)
		n += need->us > us ? need->periods : 0;
	return n;
}

static struct replay_enough enough_for(const struct replay_pod *p, const struct needs *needs,
				       uint32_t within)
{
	uint64_t most_above =
		p->periods / PPM * (PPM - within) + p->periods % PPM * (PPM - within) / PPM;
	uint64_t above = p->periods;

	array_each(need, needs) {
		above -= need->periods;
		if (above <= most_above && need->us != INT64_MAX)
			return (struct replay_enough){ within, need->us,
						       periods_above(needs, need->us) };
	}
	return (struct replay_enough){ within, -1, 0 };
}

static enum replay_answer answer(const struct replay_pod *p)
{
	if (!p->periods)
		return REPLAY_NO_USE;
	if (p->periods < p->needed)
		return REPLAY_TOO_FEW;
	if (p->suggestion.us < 0)
		return REPLAY_AT_LIMIT;
	return p->suggestion.us > p->budget.period ? REPLAY_TOO_LONG : REPLAY_SUGGESTS;
}

static void suggest(struct replay_pod *p, struct needs *needs, uint32_t within)
{
	if (needs->n)
		qsort(needs->items, needs->n, sizeof(*needs->items), by_us);
	array_each(s, &needs->seen)
		if (p->seen_us < s->us)
			p->seen_us = s->us;
	p->needed = ((uint64_t)REPLAY_EXPECT_ABOVE * PPM + PPM - within - 1) / (PPM - within);
	p->low = (struct replay_enough){ 0, p->budget.low, periods_above(needs, p->budget.low) };
	p->hi = (struct replay_enough){ 0, p->budget.hi, periods_above(needs, p->budget.hi) };
	for (int i = 0; i < REPLAY_ENOUGH; i++)
		p->enough[i] = enough_for(p, needs, shares[i]);
	p->suggestion = enough_for(p, needs, within);
	/* A use of nothing needs a budget all the same. */
	if (p->suggestion.us == 0)
		p->suggestion.us = 1;
	p->answer = answer(p);
}

static void forget_uses(struct replay_pod *p, struct needs *needs)
{
	array_clear(needs);
	array_clear(&needs->seen);
	p->periods = p->at_limit = 0;
}

void replay_uses(const struct history *h, const struct replay_index *index, struct replay *r)
{
	AUTO_FREE struct needs *all = xcalloc(r->pods.n + 1, sizeof(*all));
	AUTO_FREE int32_t *period = xcalloc(r->pods.n + 1, sizeof(*period));

	for (size_t i = 0; i < h->lines.n; i++) {
		const struct history_line *line = &h->lines.items[i];
		uint32_t pod = index->pod[i];

		if (pod == UINT32_MAX)
			continue;
		if (line->kind == HISTORY_USE)
			add_uses(&r->pods.items[pod], &all[pod], line);
		if (line->kind == HISTORY_POD && period[pod] != line->budget.period) {
			period[pod] = line->budget.period;
			forget_uses(&r->pods.items[pod], &all[pod]);
		}
	}
	for (size_t i = 0; i < r->pods.n; i++) {
		suggest(&r->pods.items[i], &all[i], r->within);
		array_done(&all[i].seen);
		array_done(&all[i]);
	}
}

/* The last use that was counted of a pod, seen from the end of the history. */
struct window {
	int64_t at_us, from_us, peak_us;
};

static void take_window(struct window *w, const struct history_line *line)
{
	int64_t from_us = line->at_us - line->span_us;
	int64_t us = line->n_uses ? as_budget(line, line->uses[line->n_uses - 1].us) : 0;

	if (w->at_us != line->at_us)
		*w = (struct window){ line->at_us, from_us, us };
	if (w->from_us < from_us)
		w->from_us = from_us;
	if (w->peak_us < us)
		w->peak_us = us;
}

int64_t *replay_peaks(const struct history *h, const struct replay_index *index,
		      const struct replay *r)
{
	struct window *windows = xcalloc(r->pods.n + 1, sizeof(*windows));
	int64_t *peaks = xcalloc(h->lines.n + 1, sizeof(*peaks));

	for (size_t i = h->lines.n; i-- > 0;) {
		const struct history_line *line = &h->lines.items[i];
		uint32_t pod = index->pod[i];

		peaks[i] = -1;
		if (pod == UINT32_MAX)
			continue;
		if (line->kind == HISTORY_USE)
			take_window(&windows[pod], line);
		if (line->kind == HISTORY_OVERRUN && line->at_us > windows[pod].from_us &&
		    line->at_us <= windows[pod].at_us)
			peaks[i] = windows[pod].peak_us;
	}
	free(windows);
	return peaks;
}
