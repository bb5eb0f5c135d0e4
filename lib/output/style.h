/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_STYLE_H
#define MCKUBE_OUTPUT_STYLE_H

#include <stdbool.h>

#include "base/str.h"

/* How text is drawn: colours or none, block characters or plain ones, how wide. A command decides
 * it once, from the terminal and the flags.
 *
 * Everything that a renderer adds goes through style_add(), which replaces what a terminal could
 * interpret as a command (control characters, C1 codes, bytes that are no UTF-8, direction
 * overrides) by '?': names and messages come from outside. */
struct style {
	bool has_color, has_utf8;
	unsigned width; /* columns that lines may take; 0: as many as they need */
};

enum color_role {
	COLOR_NONE,
	COLOR_BOLD,
	COLOR_DIM,
	COLOR_GOOD,    /* something is added */
	COLOR_CHANGE,  /* something changes */
	COLOR_BAD,     /* something is removed, or impossible */
	COLOR_SPECIAL, /* something else of note */
};

void style_add(const struct style *l, struct str *out, enum color_role role, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, filled up with blanks to `columns` on the right. */
void style_pad(const struct style *l, struct str *out, enum color_role role, unsigned columns,
	       const char *text);

/* Adds text in lines that begin with `indent` blanks and end with a newline, broken between words
 * where the style has a width. */
void style_wrap(const struct style *l, struct str *out, enum color_role role, unsigned indent,
		const char *text);

/* A line as `kubectl describe` has: a title in a column of its own, and a text; none without a
 * text. */
void style_fact(const struct style *l, struct str *out, const char *title, const char *text);

/* The first of such lines: what all of them are about. */
void style_subject(const struct style *l, struct str *out, const char *title, const char *ns,
		   const char *name);

/* Adds text made harmless, without colour. */
void text_add(struct str *out, const char *text);

/* Adds JSON or YAML text as a terminal may see it: C1 codes and direction overrides, which these
 * formats let through, become '?'. The text is then no longer exactly the data. */
void text_add_data(struct str *out, const char *text);

/* Columns on a terminal. */
unsigned text_width(const char *text);

#endif
