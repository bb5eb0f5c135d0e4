/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_STR_H
#define MCKUBE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing text buffer. `s` always ends with a NUL that `n` does not count, and is never NULL:
 * STR_INIT points at an empty string. With `max` set (STR_INIT_MAX), what would go past it is
 * dropped and `is_full` turns true: that is how a hostile server is kept from filling memory. */
struct str {
	char *s;
	size_t n, cap;
	size_t max; /* 0: no limit */
	bool is_full;
};

extern char str_empty[];

#define STR_INIT               \
	{                      \
		.s = str_empty \
	}
#define STR_INIT_MAX(max_)                    \
	{                                     \
		.s = str_empty, .max = (max_) \
	}

void str_add(struct str *b, const char *s);
void str_addn(struct str *b, const void *s, size_t n);
void str_addc(struct str *b, char c);
void str_addf(struct str *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Adds a text as a JSON string with its quotes, escaped as RFC 8785 has it. Bytes that are not
 * UTF-8 become U+FFFD. */
void str_add_json(struct str *b, const char *text);

/* The character that a text begins with; its length, 0 where that is not UTF-8. */
size_t rune_decode(const char *text, uint32_t *ret);

/* Could a terminal take it for a command, or does it hide text? Controls (C1 ones too), marks that
 * turn the direction of writing (Unicode Bidi_Control), separators of lines. */
bool rune_is_harmful(uint32_t rune);

/* Replaces in place such characters, and bytes that are not UTF-8: newlines and tabs by a blank,
 * the others by as many '?' as they have bytes. */
void str_make_printable(char *text);

/* Length of the well-formed UTF-8 sequence that begins a NUL-terminated text, 0 if there is none.
 */
size_t str_utf8_len(const unsigned char *s);

/* Shortens to n bytes. */
void str_cut(struct str *b, size_t n);
void str_clear(struct str *b);
void str_done(struct str *b);

/* The text as an allocated string that the caller frees; the buffer is empty afterwards. */
char *str_detach(struct str *b);

/* A borrowed piece of text; not NUL-terminated. */
struct slice {
	const char *s;
	size_t n;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

struct slice slice_of(const char *s);
bool slice_eq(struct slice a, const char *b);

#endif
