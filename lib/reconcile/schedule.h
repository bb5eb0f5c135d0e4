/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_SCHEDULE_H
#define MCKUBE_RECONCILE_SCHEDULE_H

#include "reconcile/reconcile.h"

/* When `watch` commits what it has received, and when it makes a pass:
 *
 *  - changes are committed DEBOUNCE_MS after the first of them;
 *  - a pass follows a commit that changed something, the time that the last plan asked for
 *    (requeue_after), and the interval;
 *  - a failed pass is retried after RETRY_FIRST_MS, and after twice the time with each failure;
 *  - after a pass nothing is planned for REST times the time that its plan took, nor until its own
 *    writes are in the snapshot, which is waited for AWAIT_MS at most.
 *
 * All times are milliseconds of clock_ms(), given by the caller. */

enum {
	TURN_MS = 250, /* the loop never waits longer */
	DEBOUNCE_MS = 200,
	AWAIT_MS = 5000,
	RETRY_FIRST_MS = 2000,
	REST = 3,
};

struct schedule {
	int64_t interval_ms; /* the caller's */

	/* Private. */
	bool has_changed;
	int64_t commit_ms; /* 0: nothing to commit */
	int64_t pass_ms;   /* the next pass, at the latest */
	int64_t rest_ms;   /* the next pass, at the earliest */
	int64_t written_ms;
	unsigned n_failed; /* passes in a row */
};

/* Must what was received be committed now? */
bool schedule_wants_commit(struct schedule *s, bool is_dirty, int64_t now);
void schedule_committed(struct schedule *s, bool has_changed);

/* Is a pass due? `is_shown`: the snapshot has what the last one wrote. */
bool schedule_wants_pass(const struct schedule *s, bool is_shown, int64_t now);
void schedule_passed(struct schedule *s, const struct pass_counts *last, int64_t now);

/* The next pass is not to wait for its time: the Lease was acquired. */
void schedule_pass_now(struct schedule *s);

/* Milliseconds until one of these may be due. */
int schedule_wait(const struct schedule *s, int64_t now);

#endif
