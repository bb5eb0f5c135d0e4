/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/schedule.h"

#include "base/timer.h"

bool schedule_wants_commit(struct schedule *s, bool is_dirty, int64_t now)
{
	if (!is_dirty)
		return false;
	if (!s->commit_ms)
		s->commit_ms = now + DEBOUNCE_MS;
	return now >= s->commit_ms;
}

void schedule_committed(struct schedule *s, bool has_changed)
{
	s->commit_ms = 0;
	s->has_changed |= has_changed;
}

bool schedule_wants_pass(const struct schedule *s, bool is_shown, int64_t now)
{
	if (!s->has_changed && now < s->pass_ms)
		return false;
	return now >= s->rest_ms && (is_shown || now - s->written_ms >= AWAIT_MS);
}

void schedule_passed(struct schedule *s, const struct pass_counts *last, int64_t now)
{
	int64_t next = s->interval_ms;

	s->has_changed = false;
	s->written_ms = now;
	s->n_failed = last->has_failed ? s->n_failed + 1 : 0;
	if (last->has_failed)
		next = backoff_ms(RETRY_FIRST_MS, next, s->n_failed);
	if (last->requeue_after && last->requeue_after * 1000ll < next)
		next = last->requeue_after * 1000ll;
	s->pass_ms = now + next;
	s->rest_ms = now + REST * last->last_plan_us / 1000;
}

void schedule_pass_now(struct schedule *s)
{
	s->pass_ms = 0;
}

int schedule_wait(const struct schedule *s, int64_t now)
{
	int commit = s->commit_ms ? timer_left(s->commit_ms, now, TURN_MS) : TURN_MS;
	int rest =
		s->has_changed && s->rest_ms > now ? timer_left(s->rest_ms, now, TURN_MS) : TURN_MS;

	return TIMER_MIN(commit, rest);
}
