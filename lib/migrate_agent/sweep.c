/* SPDX-License-Identifier: Apache-2.0 */

/* Checkpoints on the target's node, as images, that no move needs any more: of one that failed, or
 * that an earlier process of the helper passed on. They are looked for at the start, and when a
 * move to this node ends; again a minute later, since containerd may still have unpacked one. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "migrate_agent/helper.h"

enum { IDLE_MS = 60000, AGAIN_MS = 60000, EXPECTED_MS = 5000, RETRY_MS = 10000 };

void sweep_want(struct helper *h)
{
	h->sweep.due_ms = clock_ms();
	h->sweep.is_wanted_again = true;
}

static void want_within(struct sweep *s, int64_t ms)
{
	int64_t due = clock_ms() + ms;

	if (!s->due_ms || due < s->due_ms)
		s->due_ms = due;
}

static void end_work(struct helper *h, enum sweep_state state)
{
	helper_lock(h);
	h->sweep.state = state;
	helper_notify(h);
	helper_unlock(h);
}

static void *list(void *arg)
{
	struct helper *h = arg;
	struct error err = ERROR_INIT;

	int code = containerd_list_checkpoints(&h->grpc, &h->sweep.found, &err);
	if (code < 0)
		log_warning("images of moves: %s", err.msg);
	end_work(h, code < 0 ? SWEEP_FAILED : SWEEP_LISTED);
	return NULL;
}

static void *drop(void *arg)
{
	struct helper *h = arg;
	int code = 0;

	array_each(image, &h->sweep.found) {
		struct error err = ERROR_INIT;

		code = containerd_drop_image(&h->grpc, image->name, &err);
		if (code < 0)
			break;
		log_v(1, "image %s: removed, no move needs it", image->name);
	}
	end_work(h, code < 0 ? SWEEP_FAILED : SWEEP_IDLE);
	return NULL;
}

static void begin(struct helper *h, enum sweep_state state, void *(*run)(void *))
{
	struct error err = ERROR_INIT;

	h->sweep.state = state;
	if (helper_start(run, h, &err) < 0) {
		log_warning("%s", err.msg);
		h->sweep.state = SWEEP_FAILED;
	}
}

/* Those of moves that are under way stay. The order counts: images were listed before moves are
 * asked for, and a StatefulSet's is noted on the Node before its source, which is known here, goes.
 */
static int forget_wanted(struct helper *h, struct error *err)
{
	struct sweep *s = &h->sweep;

	for (size_t i = 0; i < s->found.n;) {
		struct checkpoint_image *image = &s->found.items[i];
		int waits = target_wants(h, image->id) ? 1 : helper_has_arrival(h, image->id, err);

		if (waits < 0)
			return waits;
		if (!waits) {
			i++;
			continue;
		}
		want_within(s, EXPECTED_MS);
		free(image->name);
		*image = s->found.items[--s->found.n];
	}
	return 0;
}

static enum sweep_state judge(struct helper *h)
{
	struct error err = ERROR_INIT;

	if (forget_wanted(h, &err) < 0) {
		log_warning("images of moves: %s", err.msg);
		return SWEEP_FAILED;
	}
	if (!h->sweep.found.n)
		return SWEEP_IDLE;
	begin(h, SWEEP_DROPPING, drop);
	return SWEEP_DROPPING;
}

static void clear(struct sweep *s)
{
	array_each(image, &s->found)
		free(image->name);
	array_done(&s->found);
}

int sweep_step(struct helper *h)
{
	struct sweep *s = &h->sweep;

	helper_lock(h);
	enum sweep_state state = s->state;
	helper_unlock(h);
	if (state == SWEEP_LISTED)
		state = judge(h);
	if (state == SWEEP_LISTING || state == SWEEP_DROPPING)
		return IDLE_MS;
	if (state == SWEEP_FAILED)
		want_within(s, RETRY_MS);
	clear(s);
	s->state = SWEEP_IDLE;
	if (!s->due_ms)
		return IDLE_MS;
	int left = timer_left(s->due_ms, clock_ms(), IDLE_MS);
	if (left > 0)
		return left;
	s->due_ms = 0;
	if (s->is_wanted_again)
		want_within(s, AGAIN_MS);
	s->is_wanted_again = false;
	begin(h, SWEEP_LISTING, list);
	return IDLE_MS;
}
