/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/scan.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"

/* Walks over the JSON once and writes lines. Lists stand at the indent of their key, as kubectl
 * prints them. */
struct writer {
	struct scan scan;
	struct str *out;
	struct str text; /* of the string at hand */
};

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Would other readers take this for a number, a time or a ratio of two (190:20:30)? Then it begins
 * like one and holds nothing but what those are made of. */
static bool looks_numeric(struct slice text)
{
	if (!strchr("+-.0123456789", text.s[0]))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!strchr("0123456789abcdefABCDEFxXobOB_.:+-tTzZ ", text.s[i]))
			return false;
	return true;
}

/* May the text stand without quotes? Fewer may than could. */
static bool is_plain(struct slice text)
{
	if (text.n == 0 || !(is_alnum(text.s[0]) || strchr("/_.", text.s[0])))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.s[i], next = ' ';
		bool is_gap = c == ' ' || c == ':';

		if (i + 1 < text.n)
			next = text.s[i + 1];
		if (!is_alnum(c) && !(c && strchr("-_./+=@(),;%^<> :", c)))
			return false;
		if (is_gap && (next == ' ' || next == ':'))
			return false;
	}
	return !looks_numeric(text) && !yaml_scalar_is_typed(text);
}

/* A code point that a double-quoted scalar may hold as it is (YAML 1.1, 5.1.4), line breaks other
 * than these being folded. */
static bool is_printable(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s >= 0x20 && *s != 0x7f;
	if (n == 2 && s[0] == 0xc2)
		return s[1] >= 0xa0;
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x80)
		return s[2] != 0xa8 && s[2] != 0xa9;
	if (n == 3 && s[0] == 0xef && (s[1] == 0xbb || s[1] == 0xbf))
		return !(s[1] == 0xbb && s[2] == 0xbf) && !(s[1] == 0xbf && s[2] >= 0xbe);
	return true;
}

static unsigned code_point(const unsigned char *s, size_t n)
{
	unsigned c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static void write_quoted(struct writer *w, struct slice text)
{
	const unsigned char *s = (const unsigned char *)text.s, *end = s + text.n;

	str_addc(w->out, '"');
	while (s < end) {
		size_t n = str_utf8_len(s);

		if (*s == '"' || *s == '\\')
			str_addf(w->out, "\\%c", *s);
		else if (*s == '\n' || *s == '\t')
			str_add(w->out, *s == '\n' ? "\\n" : "\\t");
		else if (is_printable(s, n))
			str_addn(w->out, s, n);
		else
			str_addf(w->out, "\\u%04x", code_point(s, n));
		s += n;
	}
	str_addc(w->out, '"');
}

static void write_text(struct writer *w, struct slice content)
{
	str_clear(&w->text);
	scan_unescape(content, &w->text);

	struct slice text = { w->text.s, w->text.n };
	if (is_plain(text))
		str_addn(w->out, text.s, text.n);
	else
		write_quoted(w, text);
}

/* YAML 1.1 wants a point and a sign in a number with an exponent: 1e3 becomes 1.0e+3. */
static void write_number(struct writer *w, struct slice token)
{
	size_t mantissa = 0;

	while (mantissa < token.n && (token.s[mantissa] | 0x20) != 'e')
		mantissa++;
	str_addn(w->out, token.s, mantissa);
	if (mantissa == token.n)
		return;
	if (!memchr(token.s, '.', mantissa))
		str_add(w->out, ".0");
	str_addc(w->out, 'e');

	const char *exponent = token.s + mantissa + 1;
	if (*exponent != '-' && *exponent != '+')
		str_addc(w->out, '+');
	str_addn(w->out, exponent, token.n - mantissa - 1);
}

static void write_indent(struct writer *w, unsigned indent)
{
	str_addf(w->out, "%*s", (int)indent, "");
}

static int write_scalar(struct writer *w)
{
	struct scan *s = &w->scan;
	const char *from = s->at;
	struct slice token;
	int r;

	if (*from == '"') {
		r = scan_string(s, &token);
		if (r == 0)
			write_text(w, token);
		return r;
	}
	r = scan_skip(s);
	token = (struct slice){ from, (size_t)(s->at - from) };
	if (r < 0)
		return r;
	if (*from == '-' || (*from >= '0' && *from <= '9'))
		write_number(w, token);
	else
		str_addn(w->out, token.s, token.n);
	return 0;
}

/* Is the container at hand empty? Steps over it then. */
static bool skip_empty(struct writer *w)
{
	struct scan s = w->scan;
	char close = *s.at == '{' ? '}' : ']';

	s.at++;
	if (scan_blank(&s) != close)
		return false;
	w->scan.at = s.at + 1;
	return true;
}

static int write_value(struct writer *w, unsigned indent, bool is_in_list);

/* A key longer than 1024 characters has to be announced; one of these grows sixfold at most. */
enum { LONG_KEY = 160 };

static void write_key(struct writer *w, struct slice key, unsigned indent)
{
	bool is_long = key.n > LONG_KEY;

	str_add(w->out, is_long ? "? " : "");
	write_text(w, key);
	if (is_long) {
		str_addc(w->out, '\n');
		write_indent(w, indent);
	}
	str_addc(w->out, ':');
}

/* The cursor stands where the first key goes. */
static int write_object(struct writer *w, unsigned indent)
{
	struct slice key;
	bool is_first = true;
	int r = scan_open(&w->scan, '{');

	while (r == 0 && (r = scan_member(&w->scan, &key)) > 0) {
		if (!is_first)
			write_indent(w, indent);
		is_first = false;
		write_key(w, key, indent);
		r = write_value(w, indent, false);
	}
	return r;
}

static int write_list(struct writer *w, unsigned indent)
{
	bool is_first = true;
	int r = scan_open(&w->scan, '[');

	while (r == 0 && (r = scan_element(&w->scan)) > 0) {
		if (!is_first)
			write_indent(w, indent);
		is_first = false;
		str_addc(w->out, '-');
		r = write_value(w, indent + 2, true);
	}
	return r;
}

/* Behind "key:" or "-": on the same line what fits there, else from the next line on. */
static int write_value(struct writer *w, unsigned indent, bool is_in_list)
{
	int c = scan_blank(&w->scan);
	bool is_object = c == '{', is_list = c == '[';

	if (c < 0)
		return SCAN_SHORT;
	if ((!is_object && !is_list) || skip_empty(w)) {
		str_add(w->out, is_object ? " {}" : is_list ? " []" : " ");

		int r = is_object || is_list ? 0 : write_scalar(w);
		str_addc(w->out, '\n');
		return r;
	}
	if (is_in_list) {
		str_addc(w->out, ' ');
		return is_object ? write_object(w, indent) : write_list(w, indent);
	}
	str_addc(w->out, '\n');
	write_indent(w, is_object ? indent + 2 : indent);
	return is_object ? write_object(w, indent + 2) : write_list(w, indent);
}

static int write_document(struct writer *w)
{
	int c = scan_blank(&w->scan);

	if (c < 0)
		return SCAN_SHORT;
	if ((c == '{' || c == '[') && !skip_empty(w))
		return c == '{' ? write_object(w, 0) : write_list(w, 0);

	int r = c == '{' || c == '[' ? 0 : write_scalar(w);
	str_add(w->out, c == '{' ? "{}\n" : c == '[' ? "[]\n" : "\n");
	return r;
}

int yaml_from_json(const char *json, size_t n, struct str *out, struct error *err)
{
	struct slice all = { json, n };
	struct writer w = { .scan = scan_of(all), .out = out, .text = STR_INIT };
	size_t before = out->n;
	int r = scan_check(all, err);

	if (r < 0)
		return r;
	r = write_document(&w);
	str_done(&w.text);
	if (r < 0) {
		str_cut(out, before);
		return scan_error(&w.scan, r, all, err);
	}
	return 0;
}
