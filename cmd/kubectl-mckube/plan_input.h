/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_PLAN_INPUT_H
#define MCKUBE_CMD_PLAN_INPUT_H

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

/* As file_read(); "-" is standard input. */
int input_read(const char *path, struct str *out, struct error *err);

int input_read_plan(const char *path, struct plan *ret, struct error *err);

#endif
