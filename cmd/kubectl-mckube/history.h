/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_HISTORY_H
#define MCKUBE_CMD_HISTORY_H

#include "budget/history.h"

/* What a suggestion shall be enough for, ppm of the periods, and the default of the option. */
enum { HISTORY_WITHIN_MIN = 500000, HISTORY_WITHIN_MAX = 999900, HISTORY_WITHIN_PPM = 999000 };
#define HISTORY_WITHIN "0.999"

/* Adds the lines of a file of up to 256 MiB; "-" is standard input. */
int history_load(const char *path, struct history *h, struct error *err);

#endif
