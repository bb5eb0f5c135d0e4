/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/header.h"

#include <string.h>
#include <strings.h>

#include "base/auto.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.s[0])) {
		s.s++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.s[s.n - 1]))
		s.n--;
	return s;
}

bool header_split(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
	const char *colon = line.n ? memchr(line.s, ':', line.n) : NULL;

	if (!colon || colon == line.s)
		return false;
	*ret_name = (struct slice){ line.s, (size_t)(colon - line.s) };
	*ret_value = trim((struct slice){ colon + 1, line.n - ret_name->n - 1 });
	return true;
}

bool header_is(struct slice name, const char *wanted)
{
	return strlen(wanted) == name.n && strncasecmp(name.s, wanted, name.n) == 0;
}

bool header_value_is_valid(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	return value[strspn(value, " \t")] != '\0';
}

bool header_retry_after(struct slice value, int64_t *ret_seconds)
{
	int64_t n = 0;

	if (value.n == 0 || value.n > 9)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (value.s[i] < '0' || value.s[i] > '9')
			return false;
		n = n * 10 + (value.s[i] - '0');
	}
	*ret_seconds = n;
	return true;
}

/* The text between quotes at the front of s, with \x standing for x; s moves behind it. */
static bool take_quoted(struct slice *s, struct str *out)
{
	if (s->n == 0 || s->s[0] != '"')
		return false;
	for (size_t i = 1; i < s->n; i++) {
		if (s->s[i] == '"') {
			*s = (struct slice){ s->s + i + 1, s->n - i - 1 };
			return true;
		}
		if (s->s[i] == '\\' && ++i == s->n)
			return false;
		str_addc(out, s->s[i]);
	}
	return false;
}

/* The word at the front; false when there is none. */
static bool skip_word(struct slice *s)
{
	size_t n = 0;

	while (n < s->n && !is_blank(s->s[n]))
		n++;
	if (n == 0)
		return false;
	*s = trim((struct slice){ s->s + n, s->n - n });
	return true;
}

static bool take_warning(struct slice *s, struct str *text)
{
	AUTO(str_done) struct str date = STR_INIT;

	/* NOLINTNEXTLINE(misc-redundant-expression): each call takes a word off */
	if (!skip_word(s) || !skip_word(s) || !take_quoted(s, text))
		return false;
	*s = trim(*s);
	if (s->n && s->s[0] == '"' && !take_quoted(s, &date))
		return false;
	*s = trim(*s);
	return true;
}

unsigned header_warnings(struct slice value, void (*visit)(const char *text, void *arg), void *arg)
{
	unsigned n = 0;

	for (struct slice s = trim(value); s.n > 0; n++) {
		AUTO(str_done) struct str text = STR_INIT;

		if (!take_warning(&s, &text))
			break;
		visit(text.s, arg);
		if (s.n > 0 && s.s[0] != ',')
			return n + 1;
		if (s.n > 0)
			s = trim((struct slice){ s.s + 1, s.n - 1 });
	}
	return n;
}
