/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

enum { DAY = 86400, DAYS_PER_ERA = 146097 /* 400 years */, DAYS_TO_1970 = 719468 };

/* Days between 1970-01-01 and a day of the Gregorian calendar. Years are counted from March, so
 * that the leap day is the last one. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;

	int64_t era = year / 400, of_era = year % 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       DAYS_TO_1970;
}

static void civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	days += DAYS_TO_1970;

	int64_t era = days / DAYS_PER_ERA, day = days % DAYS_PER_ERA;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(era * 400 + year + (*ret_month <= 2));
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

struct cursor {
	const char *at, *end;
	bool is_bad;
};

static int take_digits(struct cursor *c, int n)
{
	int value = 0;

	for (; n > 0; n--) {
		if (c->at == c->end || *c->at < '0' || *c->at > '9') {
			c->is_bad = true;
			return 0;
		}
		value = value * 10 + (*c->at++ - '0');
	}
	return value;
}

static bool take_one_of(struct cursor *c, const char *set)
{
	for (; *set; set++) {
		if (c->at < c->end && *c->at == *set) {
			c->at++;
			return true;
		}
	}
	return false;
}

static void expect(struct cursor *c, const char *set)
{
	if (!take_one_of(c, set))
		c->is_bad = true;
}

static void skip_fraction(struct cursor *c)
{
	if (!take_one_of(c, "."))
		return;
	take_digits(c, 1);
	while (take_one_of(c, "0123456789"))
		;
}

/* "Z" or "+09:00", in seconds east of UTC. */
static int take_offset(struct cursor *c)
{
	if (take_one_of(c, "Zz"))
		return 0;

	int sign = c->at < c->end && *c->at == '-' ? -1 : 1;
	expect(c, "+-");
	int hours = take_digits(c, 2);
	expect(c, ":");
	int minutes = take_digits(c, 2);

	c->is_bad |= hours > 23 || minutes > 59;
	return sign * (hours * 60 + minutes) * 60;
}

bool date_parse(const char *s, size_t n, int64_t *ret)
{
	struct cursor c = { s, s + n, false };

	int year = take_digits(&c, 4);
	expect(&c, "-");
	int month = take_digits(&c, 2);
	expect(&c, "-");
	int day = take_digits(&c, 2);
	expect(&c, "Tt");
	int hour = take_digits(&c, 2);
	expect(&c, ":");
	int minute = take_digits(&c, 2);
	expect(&c, ":");
	int second = take_digits(&c, 2);
	skip_fraction(&c);
	int offset = take_offset(&c);

	if (c.is_bad || c.at != c.end || year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
		return false;
	int seconds = hour * 3600 + minute * 60 + second - offset;
	*ret = days_from_civil(year, month, day) * DAY + seconds;
	return true;
}

/* n digits and the character behind them; returns the place after it. */
static char *put(char *at, int value, int n, char behind)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	at[n] = behind;
	return at + n + 1;
}

char *date_format(int64_t t, char buf[static DATE_TEXT])
{
	int year, month, day, s = (int)(t % DAY);
	char *at = buf;

	civil_from_days(t / DAY, &year, &month, &day);
	at = put(at, year, 4, '-');
	at = put(at, month, 2, '-');
	at = put(at, day, 2, 'T');
	at = put(at, s / 3600, 2, ':');
	at = put(at, s / 60 % 60, 2, ':');
	at = put(at, s % 60, 2, 'Z');
	*at = '\0';
	return buf;
}
