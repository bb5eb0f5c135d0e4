/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_HTML_H
#define MCKUBE_OUTPUT_HTML_H

#include "base/array.h"
#include "base/str.h"

/* Adds text with &, <, >, quotes and control characters made harmless, for content and attribute
 * values alike. */
void html_add(struct str *out, const char *text);

/* The lengths that a page has. Its policy admits no style attributes, so a length is a class, for
 * which the page's style sheet has a rule. */
struct html_lengths {
	ARRAY(uint32_t) of;
};

/* Adds the class of a width, or of a distance from the left, of so many parts per million of the
 * whole; kept to 0.01 %. */
void html_add_width(struct html_lengths *l, uint32_t ppm, struct str *out);
void html_add_left(struct html_lengths *l, uint32_t ppm, struct str *out);

/* A rule for each. */
void html_add_rules(struct html_lengths *l, struct str *out);
void html_lengths_done(struct html_lengths *l);

/* The Content-Security-Policy of a page with one style sheet and one script, as an element: these
 * two, by their SHA-256, and nothing else, from nowhere. Both are the text between the tags. */
void html_add_policy(const char *style, const char *script, struct str *out);

/* The fixed parts of the plan's page: lib/output/page.css and page.js, put into the program by the
 * build. */
extern const char html_style[], html_script[];

#endif
