/* SPDX-License-Identifier: Apache-2.0 */
#include "model/spending.h"

enum { DAY_SECONDS = 86400, HOUR_SECONDS = 3600 };

/* 1970-01-01 was a Thursday. */
enum { MONDAY_OFFSET = 3 };

/* The day of the month, from 0, of a day since 1970 (proleptic Gregorian calendar, years that begin
 * in March). */
static int64_t day_of_month(int64_t day)
{
	int64_t z = day + 719468; /* since 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	return of_year - (153 * month + 2) / 5;
}

int64_t spending_period_start(enum budget_period period, int64_t now)
{
	int64_t day = (now >= 0 ? now : now - DAY_SECONDS + 1) / DAY_SECONDS;

	switch (period) {
	case BUDGET_TOTAL:
		return 0;
	case BUDGET_DAY:
		break;
	case BUDGET_WEEK:
		day -= ((day + MONDAY_OFFSET) % 7 + 7) % 7;
		break;
	case BUDGET_MONTH:
		day -= day_of_month(day);
		break;
	}
	return day * DAY_SECONDS;
}

/* Micro-USD of some seconds at an hourly rate, half up. */
static int64_t cost_of(int64_t rate, int64_t seconds)
{
	return (int64_t)(((__int128)rate * seconds + HOUR_SECONDS / 2) / HOUR_SECONDS);
}

int64_t spending_now(enum budget_period period, const struct budget_note *was, int64_t now)
{
	int64_t start = spending_period_start(period, now);
	int64_t spent = was->spent, from = was->accounted_at;

	if (!from)
		return spent;
	if (period != BUDGET_TOTAL && from < start) {
		spent = 0;
		from = start;
	}
	if (now <= from)
		return spent;
	return spent + cost_of(was->rate, now - from);
}

static int64_t per_hour(int64_t spent, int64_t seconds)
{
	return seconds > 0 ? (int64_t)((__int128)spent * HOUR_SECONDS / seconds) : 0;
}

struct day_note spending_day(const struct day_note *was, const struct budget_note *rate,
			     int64_t now)
{
	int64_t start = spending_period_start(BUDGET_DAY, now), from = rate->accounted_at;
	int64_t end = spending_period_end(BUDGET_DAY, was->since);
	struct day_note day = *was;

	if (!was->since || !from)
		return (struct day_note){ .since = now };
	if (now <= from)
		return day;
	if (now < end) {
		day.spent += cost_of(rate->rate, now - from);
		return day;
	}
	/* A whole day without a pass had one rate. */
	day.last = end < start ? rate->rate
			       : per_hour(was->spent + cost_of(rate->rate, end - from),
					  end - was->since);
	day.since = start;
	day.spent = cost_of(rate->rate, now - start);
	return day;
}

/* One that was accounted while there was no monthly budget has spent nothing of it yet. */
static int64_t month_spent(const struct cost_policy *p, int64_t now)
{
	struct budget_note note = p->budget_note;

	if (p->budget >= 0 && note.accounted_at && !note.period_start)
		note.spent = 0;
	return spending_now(BUDGET_MONTH, &note, now);
}

static int64_t total_spent(const struct cost_policy *p, int64_t now)
{
	struct budget_note note = p->budget_note;

	if (p->monthly >= 0 && note.total > note.spent)
		note.spent = note.total;
	return spending_now(BUDGET_TOTAL, &note, now);
}

uint32_t spending_of_policy(const struct cost_policy *p, int64_t now,
			    struct policy_budget ret[static POLICY_BUDGETS])
{
	uint32_t n = 0;

	if (p->monthly >= 0)
		ret[n++] = (struct policy_budget){ BUDGET_MONTH, p->monthly, month_spent(p, now) };
	if (p->budget >= 0)
		ret[n++] = (struct policy_budget){ BUDGET_TOTAL, p->budget, total_spent(p, now) };
	return n;
}

int64_t spending_part(const struct cost_policy *p, int64_t now)
{
	enum { WHOLE = 1000000 };
	struct policy_budget budgets[POLICY_BUDGETS];
	uint32_t n = spending_of_policy(p, now, budgets);
	int64_t most = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct policy_budget *b = &budgets[i];
		int64_t part = b->limit > 0 ? (int64_t)((__int128)b->spent * WHOLE / b->limit) : 0;

		most = part > most ? part : most;
	}
	return most;
}

int64_t spending_seconds_left(int64_t spent, int64_t limit, int64_t rate)
{
	if (rate <= 0 || limit < 0 || spent >= limit)
		return 0;
	return (int64_t)(((__int128)(limit - spent) * HOUR_SECONDS + rate - 1) / rate);
}

int64_t spending_period_end(enum budget_period period, int64_t now)
{
	int64_t start = spending_period_start(period, now);

	switch (period) {
	case BUDGET_TOTAL:
		return 0;
	case BUDGET_DAY:
		return start + DAY_SECONDS;
	case BUDGET_WEEK:
		return start + INT64_C(7) * DAY_SECONDS;
	case BUDGET_MONTH: /* no month has 32 days, and none begins within 4 days of another */
		return spending_period_start(period, start + INT64_C(32) * DAY_SECONDS);
	}
	return 0;
}
