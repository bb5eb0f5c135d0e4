/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_STYLE_H
#define MCKUBE_OUTPUT_STYLE_H

#include <stdbool.h>

#include "base/str.h"

/* How text for people is drawn: colours or none, block characters or plain ones, how wide. Whoever
 * prints decides it once, from the terminal and the flags.
 *
 * Everything that a renderer adds goes through look_add(), which replaces what a terminal could
 * take for a command (control characters, C1 codes, bytes that are no UTF-8, direction overrides)
 * by '?': names and messages come from outside. */
struct look {
	bool has_color, has_utf8;
	unsigned width; /* columns that lines may take; 0: as many as they need */
};

enum hue {
	HUE_NONE,
	HUE_BOLD,
	HUE_DIM,
	HUE_GOOD,    /* something comes */
	HUE_CHANGE,  /* something changes */
	HUE_BAD,     /* something goes, or cannot be */
	HUE_SPECIAL, /* worth a second look */
};

void look_add(const struct look *l, struct str *out, enum hue hue, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, filled up with blanks to `columns` on the right. */
void look_pad(const struct look *l, struct str *out, enum hue hue, unsigned columns,
	      const char *text);

/* Adds text in lines that begin with `indent` blanks and end with a newline, broken between words
 * where the look has a width. */
void look_wrap(const struct look *l, struct str *out, enum hue hue, unsigned indent,
	       const char *text);

/* Adds text made harmless, without colour. */
void text_add(struct str *out, const char *text);

/* Adds JSON or YAML text as a terminal may see it: C1 codes and direction overrides, which these
 * formats let through, become '?'. The text is then no longer exactly the data. */
void text_add_data(struct str *out, const char *text);

/* Columns on a terminal. */
unsigned text_width(const char *text);

#endif
