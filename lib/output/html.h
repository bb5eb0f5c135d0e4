/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_HTML_H
#define MCKUBE_OUTPUT_HTML_H

#include "base/str.h"

/* Adds text with &, <, >, quotes and control characters made harmless, for content and attribute
 * values alike. */
void html_add(struct str *out, const char *text);

/* The fixed parts of the plan's page: lib/output/page.css and page.js, put into the program by the
 * build. */
extern const char html_style[], html_script[];

#endif
