/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BUDGET_SOFT_ACCOUNT_H
#define MCKUBE_BUDGET_SOFT_ACCOUNT_H

#include <linux/types.h>

/* A budget of CPU time in each period, kept in software. Periods are numbered: number n lasts from
 * n * period_ns to (n + 1) * period_ns of CLOCK_MONOTONIC, which neither settimeofday(2) nor a
 * suspend moves, so all budgets of one period length are refilled together.
 *
 * What was used above the budget is a debt, taken off the following periods, so that the share of a
 * long time is exact. A budget that is cut in the middle of a period makes no debt of what was
 * granted before: the period counts with the largest budget that held in it.
 *
 * Plain arithmetic for one account without concurrent callers; BPF and user space share it. Times
 * are in nanoseconds and any value is valid; sums saturate. period_ns 0 is no budget: nothing is
 * counted. */

struct soft_budget {
	__u64 runtime_ns, period_ns;
};

struct soft_account {
	__u64 period_ns; /* that `number` counts in */
	__u64 number;	 /* of the period that is counted */
	__u64 used_ns;	 /* in it */
	__u64 debt_ns;	 /* from those before it */
	__u64 granted_ns;
};

static inline __u64 soft_add(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

static inline __u64 soft_less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

/* What is still owed after `n` more periods in which nothing is used. */
static inline __u64 soft_owed_after(__u64 owed, __u64 n, __u64 runtime_ns)
{
	if (!owed || !n || !runtime_ns)
		return owed;
	return n > owed / runtime_ns ? 0 : owed - n * runtime_ns;
}

/* Enters the period of `now`. A clock behind the account's period stays in that one. */
static inline void soft_account_enter(struct soft_account *a, const struct soft_budget *b,
				      __u64 now)
{
	__u64 number, owed;

	if (!b->period_ns)
		return;
	number = now / b->period_ns;
	if (a->period_ns != b->period_ns) {
		*a = (struct soft_account){
			.period_ns = b->period_ns,
			.number = number,
			.granted_ns = b->runtime_ns,
		};
		return;
	}
	if (number > a->number) {
		owed = soft_less(soft_add(a->debt_ns, a->used_ns), a->granted_ns);
		a->debt_ns = soft_owed_after(owed, number - a->number - 1, b->runtime_ns);
		a->used_ns = 0;
		a->number = number;
		a->granted_ns = 0;
	}
	if (b->runtime_ns > a->granted_ns)
		a->granted_ns = b->runtime_ns;
}

/* Counts the last `ran_ns` before `now`, each part in its period. */
static inline void soft_account_charge(struct soft_account *a, const struct soft_budget *b,
				       __u64 now, __u64 ran_ns)
{
	__u64 in_this_period;

	if (!b->period_ns)
		return;
	in_this_period = now % b->period_ns;
	if (ran_ns > in_this_period) {
		soft_account_enter(a, b, soft_less(now, ran_ns));
		a->used_ns = soft_add(a->used_ns, ran_ns - in_this_period);
	} else {
		in_this_period = ran_ns;
	}
	soft_account_enter(a, b, now);
	a->used_ns = soft_add(a->used_ns, in_this_period);
}

/* The part of the budget that this period has, after what is owed. */
static inline __u64 soft_account_available(const struct soft_account *a,
					   const struct soft_budget *b)
{
	return soft_less(b->runtime_ns, a->debt_ns);
}

/* 0: it is used up. */
static inline __u64 soft_account_left(const struct soft_account *a, const struct soft_budget *b)
{
	return soft_less(soft_account_available(a, b), a->used_ns);
}

/* When the next period begins. */
static inline __u64 soft_account_refill(const struct soft_account *a)
{
	return (a->number + 1) * a->period_ns;
}

#endif
