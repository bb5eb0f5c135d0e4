/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "budget/replay.h"

static int64_t time_of(const struct replay_levels *l)
{
	int64_t sum = 0;

	for (int i = 0; i < REPLAY_STATES; i++)
		if (__builtin_add_overflow(sum, l->us[i], &sum))
			return INT64_MAX;
	return sum;
}

/* The time is the same in each replay, and no budget is suggested that is none. */
static void check_replay(const struct history *h)
{
	AUTO(replay_done) struct replay r = { 0 };
	struct error err;

	if (replay_run(h, 999000, &r, &err) < 0)
		return;
	array_each(p, &r.pods) {
		if (time_of(&p->recorded) != p->known_us || time_of(&p->replayed) != p->known_us ||
		    time_of(&p->suggested) != p->known_us)
			abort();
		if (p->answer == REPLAY_SUGGESTS &&
		    (p->suggestion.us < 1 || p->suggestion.us > p->budget.period))
			abort();
	}
}

/* What is read is written, and reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(history_done) struct history h = { 0 }, again = { 0 };
	AUTO(str_done) struct str text = STR_INIT, second = STR_INIT;
	struct error err;

	if (history_add(&h, (struct slice){ (const char *)data, n }, &err) < 0)
		return 0;
	array_each(line, &h.lines)
		history_write(line, &text);
	if (history_add(&again, (struct slice){ text.s, text.n }, &err) < 0)
		abort();
	array_each(line, &again.lines)
		history_write(line, &second);
	if (strcmp(text.s, second.s) != 0)
		abort();
	check_replay(&h);
	return 0;
}
