/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_REPLAY_H
#define MCKUBE_BUDGET_REPLAY_H

#include "budget/escalation.h"
#include "budget/history.h"

/* A history played through the rules of budget/escalation.h, and the runtime_low that it suggests.
 * Pure: the same lines give the same answer.
 *
 * Three times: the levels as they were recorded; as the rules give them for the recorded overruns;
 * and as they would give them with the suggested budgets, where those are higher. For the last an
 * overrun is left out if the use of the time that it lies in was counted and no period of it was
 * above the suggestion; all others stay, so that the result is the most that could have come.
 *
 * Not replayed: levels that were set from outside; what a lower budget would have done, since it is
 * not known when the periods above it came. Pods with recovery nodeCpu come down when the recording
 * says so, since the use of the node's CPUs is not recorded. */

enum { REPLAY_FLOOR = LEVELS, REPLAY_STATES };

struct replay_levels {
	uint64_t times[REPLAY_STATES]; /* changes to it */
	int64_t us[REPLAY_STATES];     /* the time in it */
	uint64_t refusals;	       /* overruns for which there was no room */
};

/* A budget, and the periods of those seen that were within it. A period that used all that the pod
 * had is within none: what it needed is not known. */
struct replay_enough {
	uint32_t within; /* ppm that were asked for; 0: this budget was */
	int64_t us;	 /* -1: not known */
	uint64_t above;	 /* periods */
};
enum { REPLAY_ENOUGH = 4 };

enum replay_answer {
	REPLAY_NO_USE,	 /* no period was counted: this overrun source does not, or nothing ran */
	REPLAY_TOO_FEW,	 /* less periods than `needed` */
	REPLAY_AT_LIMIT, /* too many periods used all they had */
	REPLAY_TOO_LONG, /* more than the period */
	REPLAY_SUGGESTS,
};

/* Of so many periods that may be above the budget at least this many must be expected, for a
 * suggestion: 10,000 periods for 0.999. */
enum { REPLAY_EXPECT_ABOVE = 10 };

struct replay_pod {
	const char *uid, *ns, *name;
	struct budget budget; /* the last one */
	int64_t known_us;     /* how long it was recorded */
	uint64_t overruns;
	/* Periods in which a container ran, since its length of period is this one. The time is
	 * that of the container that was looked at for longest. */
	uint64_t periods, at_limit;
	int64_t seen_us;
	struct replay_enough low, hi; /* the budgets that it has */
	struct replay_enough enough[REPLAY_ENOUGH];
	enum replay_answer answer;
	uint64_t needed;
	struct replay_enough suggestion;
	struct replay_levels recorded, replayed, suggested;
};

struct replay {
	const char *node;
	int64_t from_us, to_us;
	unsigned restarts;
	uint64_t lost; /* lines */
	uint32_t within;
	ARRAY(struct replay_pod) pods; /* by UID, in the order of their coming */
};

/* `within`: the share of periods that the suggestion shall be enough for, ppm, 500,000 to 999,900.
 * Texts stay those of the history. -E2BIG: more than 1024 pods at a time. */
int replay_run(const struct history *h, uint32_t within, struct replay *ret, struct error *err);
void replay_done(struct replay *r);

/* The newest pod of that name; NULL: there is none. */
const struct replay_pod *replay_find(const struct replay *r, const char *ns, const char *name);

#endif
