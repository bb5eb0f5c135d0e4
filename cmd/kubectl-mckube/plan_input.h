/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_PLAN_INPUT_H
#define MCKUBE_CMD_PLAN_INPUT_H

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

/* Files that commands read and write as a whole. */

/* Appends the content; "-" is standard input. More than b->max bytes are an error. */
int file_read(const char *path, struct str *b, struct error *err);

int file_read_plan(const char *path, struct plan *ret, struct error *err);

/* Replaces the file as base/save.h does. */
int file_write(const char *path, const struct str *text, struct error *err);

#endif
