/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_SCAN_H
#define MCKUBE_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* A strict reader of JSON (RFC 8259) that builds nothing: it walks over the text and checks every
 * byte once. Text that is not UTF-8, control characters in strings and more than SCAN_MAX_DEPTH
 * open containers are refused.
 *
 *	struct scan s = scan_of(text);
 *	struct slice key;
 *	if (scan_open(&s, '{') == 0)
 *		while ((r = scan_member(&s, &key)) > 0)
 *			r = scan_skip(&s);	the value, whatever it is
 *
 * All functions leave `at` behind what they read. They return 0 or more, or
 *	SCAN_SHORT	the text ends too early: with more bytes it may be good,
 *	SCAN_BAD	it is not JSON, `why` says what is wrong and `at` where;
 * after either the scan is of no further use. */
struct scan {
	const char *at, *end;
	const char *why;
	unsigned depth;	 /* open containers */
	bool is_first;	 /* nothing was read yet of the innermost container */
	bool has_escape; /* the string read last holds a backslash */
};

enum { SCAN_MAX_DEPTH = 100, SCAN_SHORT = -EAGAIN, SCAN_BAD = -EINVAL };

static inline struct scan scan_of(struct slice text)
{
	return (struct scan){ .at = text.s, .end = text.s + text.n };
}

int scan_blank_slow(struct scan *s);

/* Past blanks; returns the byte there, or -1 at the end. */
static inline int scan_blank(struct scan *s)
{
	if (s->at < s->end && (unsigned char)*s->at > ' ')
		return (unsigned char)*s->at;
	return scan_blank_slow(s);
}

/* '{' or '['. */
int scan_open(struct scan *s, char bracket);

/* 1 and the key as it is written (escapes and all), standing at the value; 0 when the object is
 * over. */
int scan_member(struct scan *s, struct slice *ret_key);

/* 1, standing at the element; 0 when the array is over. */
int scan_element(struct scan *s);

/* Any value. */
int scan_skip(struct scan *s);

/* A string; what is between the quotes, escapes still in it. */
int scan_string(struct scan *s, struct slice *ret);

/* A number's token. */
int scan_number(struct scan *s, struct slice *ret);

/* Adds the text that a string's content stands for. A lone surrogate becomes U+FFFD. */
void scan_unescape(struct slice content, struct str *out);

/* One whole document with nothing behind it. An error says "line N: ...". */
int scan_check(struct slice text, struct error *err);

/* Turns the result of a scan function into an error, with the line where it stopped. */
int scan_error(const struct scan *s, int result, struct slice text, struct error *err);

#endif
