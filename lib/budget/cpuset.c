/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cpuset.h"

#include <stdio.h>
#include <string.h>

struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
		c->at++;
}

static bool take_char(struct cursor *c, char ch)
{
	skip_blanks(c);
	if (c->at == c->end || *c->at != ch)
		return false;
	c->at++;
	return true;
}

static bool take_cpu(struct cursor *c, unsigned *ret)
{
	unsigned n = 0;

	skip_blanks(c);
	if (c->at == c->end || *c->at < '0' || *c->at > '9')
		return false;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		n = n * 10 + (unsigned)(*c->at - '0');
		if (n >= CPUSET_MAX)
			return false;
	}
	*ret = n;
	return true;
}

/* One "a", "a-b" or "a-b:used/group". */
static bool take_range(struct cursor *c, struct cpuset *set)
{
	unsigned first, last, used = 1, group = 1;

	if (!take_cpu(c, &first))
		return false;
	last = first;
	if (take_char(c, '-')) {
		if (!take_cpu(c, &last) || last < first)
			return false;
		if (take_char(c, ':') && (!take_cpu(c, &used) || !take_char(c, '/') ||
					  !take_cpu(c, &group) || group == 0 || used > group))
			return false;
	}
	for (unsigned cpu = first; cpu <= last; cpu++)
		if ((cpu - first) % group < used)
			cpuset_add(set, cpu);
	return true;
}

int cpuset_parse(const char *s, size_t n, struct cpuset *ret, struct error *err)
{
	struct cursor c = { s, s + n };
	struct cpuset set = { 0 };
	bool is_good;

	do
		is_good = take_range(&c, &set);
	while (is_good && take_char(&c, ','));
	skip_blanks(&c);

	if (!is_good || c.at != c.end || cpuset_next(&set, 0) == CPUSET_MAX)
		return error_set(err, -EINVAL,
				 "'%.*s' is not a list of CPUs from 0 to %d, such as 2 or 0-3,8",
				 n > 40 ? 40 : (int)n, s, CPUSET_MAX - 1);
	*ret = set;
	return 0;
}

char *cpuset_format(const struct cpuset *set, char buf[static CPUSET_TEXT])
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned first = cpuset_next(set, 0); first < CPUSET_MAX;) {
		unsigned last = first;

		while (cpuset_has(set, last + 1))
			last++;
		n += (size_t)snprintf(buf + n, CPUSET_TEXT - n, n ? ",%u" : "%u", first);
		if (last > first)
			n += (size_t)snprintf(buf + n, CPUSET_TEXT - n, "-%u", last);
		first = cpuset_next(set, last + 1);
	}
	return buf;
}

unsigned cpuset_count(const struct cpuset *set)
{
	unsigned n = 0;

	for (int i = 0; i < CPUSET_WORDS; i++)
		n += (unsigned)__builtin_popcountll(set->bits[i]);
	return n;
}

bool cpuset_eq(const struct cpuset *a, const struct cpuset *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpuset_is_subset(const struct cpuset *a, const struct cpuset *b)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->bits[i] & ~b->bits[i])
			return false;
	return true;
}

unsigned cpuset_next(const struct cpuset *set, unsigned from)
{
	for (unsigned word = from / 64; word < CPUSET_WORDS; word++) {
		uint64_t bits = set->bits[word];

		if (word == from / 64)
			bits &= ~(uint64_t)0 << from % 64;
		if (bits)
			return word * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return CPUSET_MAX;
}
