/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_MAN_H
#define MCKUBE_BASE_MAN_H

#include "base/str.h"

/* Text as man-page source; options are option_man(). */

/* Paragraphs, separated by empty lines. */
void man_prose(const char *text, struct str *out);
/* Lines as they are. */
void man_literal(const char *text, struct str *out);

#endif
