/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_TERMINAL_H
#define MCKUBE_CMD_TERMINAL_H

#include "output/style.h"

#include "global.h"

/* The style of a file descriptor: coloured only on a terminal, unless NO_COLOR is set and not empty
 * (no-color.org) or TERM is "dumb"; `color` overrides all that. Lines are broken only on a
 * terminal. Needs setlocale(LC_CTYPE, "") before. */
struct style terminal_style(int fd, enum color color);

#endif
