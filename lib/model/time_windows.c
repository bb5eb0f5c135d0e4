/* SPDX-License-Identifier: Apache-2.0 */
#include "model/time_windows.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/day_time.h"

enum { DAYS = 7, ALL_DAYS = (1 << DAYS) - 1, WEEK_MINUTES = DAYS * DAY_MINUTES };

static const char *const day_names[DAYS] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

static const char *skip_spaces(const char *p)
{
	return p + strspn(p, " ");
}

/* The day at `*p`, which moves behind it; -1: there is none. */
static int take_day(const char **p)
{
	for (int day = 0; day < DAYS; day++)
		if (strncasecmp(*p, day_names[day], 3) == 0) {
			*p += 3;
			return day;
		}
	return -1;
}

/* "Mon" or "Fri-Mon" */
static bool take_days(const char **p, uint8_t *ret)
{
	int first = take_day(p), last = first;

	if (first >= 0 && **p == '-') {
		++*p;
		last = take_day(p);
	}
	if (first < 0 || last < 0)
		return false;
	for (int day = first;; day = (day + 1) % DAYS) {
		*ret |= (uint8_t)(1 << day);
		if (day == last)
			return true;
	}
}

/* One item, of which *p is at the start; then it is at its end. */
static bool take_item(const char **p, struct time_windows *w)
{
	uint8_t days = 0;
	int32_t from = 0, to = DAY_MINUTES;
	const char *end = *p + strcspn(*p, ",");
	bool has_hours = **p >= '0' && **p <= '9';

	if (!has_hours) {
		if (!take_days(p, &days))
			return false;
		has_hours = **p == ' ' && skip_spaces(*p) < end;
		*p = skip_spaces(*p);
	}
	if (has_hours) {
		const char *at = day_time_take(*p, end, &from);

		at = at && *at == '-' ? day_time_take(at + 1, end, &to) : NULL;
		if (!at || from == to || from == DAY_MINUTES)
			return false;
		*p = skip_spaces(at);
	}
	w->items[w->n].days = days ? days : ALL_DAYS;
	w->items[w->n].from = from;
	w->items[w->n].to = to > from ? to : to + DAY_MINUTES;
	w->n++;
	return *p == end;
}

int time_windows_parse(const char *text, struct time_windows *ret, struct error *err)
{
	const char *p = skip_spaces(text);

	*ret = (struct time_windows){ 0 };
	while (*p) {
		const char *item = p;

		if (ret->n == TIME_WINDOWS_MAX)
			return error_set(err, -EINVAL, "more than %d windows", TIME_WINDOWS_MAX);
		if (!take_item(&p, ret))
			return error_set(err, -EINVAL,
					 "'%.*s' is no window such as 'Mon-Fri 22:00-05:30'",
					 (int)strcspn(item, ","), item);
		if (*p == ',')
			p = skip_spaces(p + 1);
	}
	return 0;
}

/* 1970 began on a Thursday. */
static int64_t minute_of_week(int64_t local)
{
	const int64_t week = (int64_t)WEEK_MINUTES * 60;
	int64_t second = (local + INT64_C(3) * DAY_MINUTES * 60) % week;

	return (second < 0 ? second + week : second) / 60;
}

/* Minutes since the last opening of this item on that day. */
static int64_t minutes_since(int64_t minute, int day, int32_t from)
{
	int64_t at = (int64_t)day * DAY_MINUTES + from;

	return minute >= at ? minute - at : minute - at + WEEK_MINUTES;
}

/* Minutes until an item opens; 0: one is open. */
static int64_t minutes_to_wait(const struct time_windows *w, int64_t minute)
{
	int64_t wait = WEEK_MINUTES;

	for (uint32_t i = 0; i < w->n; i++)
		for (int day = 0; day < DAYS; day++) {
			if (!(w->items[i].days & (1 << day)))
				continue;
			int64_t since = minutes_since(minute, day, w->items[i].from);

			if (since < w->items[i].to - w->items[i].from)
				return 0;
			wait = WEEK_MINUTES - since < wait ? WEEK_MINUTES - since : wait;
		}
	return wait;
}

int64_t time_windows_wait(const struct time_windows *w, int64_t local)
{
	int64_t wait = w->n ? minutes_to_wait(w, minute_of_week(local)) : 0;

	return wait ? wait * 60 - (local % 60 + 60) % 60 : 0;
}
