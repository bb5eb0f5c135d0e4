/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/replay.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

enum { S = 1000000 /* us */ };

/* A history is written down and read. */
struct recording {
	struct str text;
	struct history h;
	struct replay r;
};

static void put_node(struct recording *rec, int64_t at_us, int64_t since_us)
{
	const struct history_line line = {
		.kind = HISTORY_NODE,
		.at_us = at_us,
		.node = "front",
		.since_us = since_us,
		.cap = 950000,
		.dwell_ms = 1000,
		.dwell_max_ms = 60000,
		.calm_periods = 10,
	};

	history_write(&line, &rec->text);
}

static void put_pod(struct recording *rec, int64_t at_us, const char *name, enum level criticality,
		    int32_t low, int32_t hi)
{
	struct history_line line = {
		.kind = HISTORY_POD,
		.at_us = at_us,
		.uid = name,
		.ns = "vehicle",
		.name = name,
		.budget = { 100000, low, hi, 0, 1000, (uint8_t)criticality },
		.enforcement = ENFORCE_RAISE,
		.recovery = RECOVERY_DEFAULT,
	};

	cpuset_add(&line.cores, 1);
	history_write(&line, &rec->text);
}

static void put_overrun(struct recording *rec, int64_t at_us, const char *uid)
{
	history_write(&(struct history_line){ HISTORY_OVERRUN, at_us, .uid = uid, .count = 1,
					      .used_us = 20001 },
		      &rec->text);
}

static void put_level(struct recording *rec, int64_t at_us, const char *uid, enum level level)
{
	history_write(
		&(struct history_line){ HISTORY_LEVEL, at_us, .uid = uid, .level = (uint8_t)level },
		&rec->text);
}

static void put_use(struct recording *rec, int64_t at_us, const char *uid, int64_t most_us,
		    int64_t n_most)
{
	const struct history_use uses[] = { { 15000, 10000 - n_most }, { most_us, n_most } };
	const struct history_line line = {
		.kind = HISTORY_USE,
		.at_us = at_us,
		.uid = uid,
		.container = "app",
		.share = PPM,
		.span_us = 60 * (int64_t)S,
		.runtime_us = 40000,
		.uses = uses,
		.n_uses = 2,
	};

	history_write(&line, &rec->text);
}

static struct recording start(void)
{
	struct recording rec = { .text = STR_INIT };

	put_node(&rec, S, S);
	put_pod(&rec, S, "brake", LEVEL_HIGH, 20000, 40000);
	put_pod(&rec, S, "logger", LEVEL_LOW, 70000, 70000);
	return rec;
}

static void run(struct recording *rec)
{
	struct error err = ERROR_INIT;

	assert_int_equal(history_add(&rec->h, (struct slice){ rec->text.s, rec->text.n }, &err), 0);
	assert_int_equal(replay_run(&rec->h, 999000, &rec->r, &err), 0);
}

static void end(struct recording *rec)
{
	replay_done(&rec->r);
	history_done(&rec->h);
	str_done(&rec->text);
}

static const struct replay_pod *pod(const struct recording *rec, const char *name)
{
	const struct replay_pod *p = replay_find(&rec->r, "vehicle", name);

	assert_non_null(p);
	return p;
}

TEST(an_overrun_raises_cuts_and_recovers)
{
	struct recording rec = start();

	put_overrun(&rec, 10 * S, "brake");
	put_level(&rec, 10 * S + 100, "brake", LEVEL_HIGH);
	put_level(&rec, 11 * S + 100, "brake", LEVEL_LOW);
	put_use(&rec, 61 * (int64_t)S, "brake", 24000, 5);
	run(&rec);
	const struct replay_pod *brake = pod(&rec, "brake"), *logger = pod(&rec, "logger");
	assert_int_equal(brake->recorded.times[LEVEL_HIGH], 1);
	assert_int_equal(brake->recorded.us[LEVEL_HIGH], S);
	assert_int_equal(brake->replayed.times[LEVEL_HIGH], 1);
	assert_int_equal(brake->replayed.us[LEVEL_HIGH], S); /* the dwell time */
	assert_int_equal(brake->replayed.us[LEVEL_LOW], 59 * S);
	assert_int_equal(logger->replayed.times[REPLAY_FLOOR], 1);
	assert_int_equal(logger->replayed.us[REPLAY_FLOOR], S);
	assert_int_equal(logger->recorded.times[REPLAY_FLOOR], 0);
	assert_int_equal(brake->overruns, 1);
	assert_int_equal(brake->known_us, 60 * S);
	end(&rec);
}

TEST(a_suggestion_is_enough_for_the_share)
{
	struct recording rec = start();

	put_overrun(&rec, 10 * S, "brake");
	put_use(&rec, 61 * (int64_t)S, "brake", 24000, 11); /* more than one in a thousand */
	run(&rec);
	const struct replay_pod *brake = pod(&rec, "brake");
	assert_int_equal(brake->answer, REPLAY_SUGGESTS);
	assert_int_equal(brake->suggestion.us, 24000);
	assert_int_equal(brake->suggestion.above, 0);
	assert_int_equal(brake->periods, 10000);
	assert_int_equal(brake->low.above, 11);
	assert_int_equal(brake->enough[0].us, 15000);
	assert_int_equal(brake->suggested.times[LEVEL_HIGH], 0); /* no overrun is left */
	assert_int_equal(brake->replayed.times[LEVEL_HIGH], 1);
	assert_int_equal(pod(&rec, "logger")->suggested.times[REPLAY_FLOOR], 0);
	end(&rec);

	rec = start();
	put_use(&rec, 61 * (int64_t)S, "brake", 24000, 10);
	run(&rec);
	assert_int_equal(pod(&rec, "brake")->suggestion.us, 15000);
	assert_int_equal(pod(&rec, "brake")->suggestion.above, 10);
	end(&rec);
}

TEST(an_overrun_of_a_time_with_more_use_or_that_was_not_counted_stays)
{
	struct recording rec = start();

	put_overrun(&rec, 10 * S, "brake");
	put_use(&rec, 61 * (int64_t)S, "brake", 24000, 30);
	put_overrun(&rec, 70 * (int64_t)S, "brake");
	put_use(&rec, 121 * (int64_t)S, "brake", 28000, 1);
	put_overrun(&rec, 130 * (int64_t)S, "brake");
	run(&rec);
	const struct replay_pod *brake = pod(&rec, "brake");
	assert_int_equal(brake->suggestion.us, 24000);
	assert_int_equal(brake->replayed.times[LEVEL_HIGH], 3);
	assert_int_equal(brake->suggested.times[LEVEL_HIGH], 2);
	end(&rec);
}

TEST(there_is_no_suggestion_without_enough_to_see)
{
	struct recording rec = start();

	run(&rec);
	assert_int_equal(pod(&rec, "brake")->answer, REPLAY_NO_USE);
	end(&rec);

	rec = start();
	put_use(&rec, 61 * (int64_t)S, "brake", 40000, 11); /* all that it had */
	run(&rec);
	assert_int_equal(pod(&rec, "brake")->answer, REPLAY_AT_LIMIT);
	assert_int_equal(pod(&rec, "brake")->at_limit, 11);
	assert_int_equal(pod(&rec, "brake")->enough[1].us, 15000);
	end(&rec);

	rec = start();
	put_use(&rec, 61 * (int64_t)S, "brake", 24000, 1);
	put_pod(&rec, 62 * (int64_t)S, "brake", LEVEL_HIGH, 20000, 40000); /* said again: kept */
	run(&rec);
	assert_int_equal(pod(&rec, "brake")->answer, REPLAY_SUGGESTS);
	replay_done(&rec.r);
	assert_int_equal(replay_run(&rec.h, 999900, &rec.r, NULL), 0);
	assert_int_equal(pod(&rec, "brake")->answer, REPLAY_TOO_FEW);
	assert_int_equal(pod(&rec, "brake")->needed, 100000);
	end(&rec);
}

TEST(a_restart_forgets_and_a_new_file_does_not)
{
	struct recording rec = start();

	put_overrun(&rec, 10 * S, "brake");
	put_node(&rec, 10 * S + 1, S); /* rotated; the logger went unseen */
	put_pod(&rec, 10 * S + 1, "brake", LEVEL_HIGH, 20000, 40000);
	put_overrun(&rec, 10 * S + 2, "brake");
	put_node(&rec, 20 * S, 20 * S); /* a restart: pods are not known until they are said */
	put_overrun(&rec, 21 * S, "brake");
	history_write(&(struct history_line){ HISTORY_LOST, 22 * S, .count = 4 }, &rec.text);
	run(&rec);
	assert_int_equal(pod(&rec, "brake")->replayed.times[LEVEL_HIGH], 1);
	assert_int_equal(pod(&rec, "brake")->known_us, 9 * S + 2);
	assert_int_equal(pod(&rec, "logger")->known_us, 9 * S + 1);
	assert_int_equal(rec.r.restarts, 1);
	assert_int_equal(rec.r.lost, 4);
	end(&rec);
}
