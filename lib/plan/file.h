/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_H
#define MCKUBE_PLAN_FILE_H

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

/* A plan as text: the format of mckube.io/v1alpha1 kind Plan (test/schema/plan.schema.json).
 * Writing is deterministic: fixed key order, two spaces of indent, a newline at the end. */

/* Appends the plan as JSON. */
void plan_write_json(const struct plan *p, struct str *out);

/* Fills p->name: the first 16 hex digits of the SHA-256 of `spec` as compact JSON with sorted keys
 * (nothing but UTF-8, no blanks). plan_make() calls it last. */
void plan_name(struct plan *p);

/* Reads a plan back; the whole of it is checked (kinds, reasons, ids, cpusets, order of `after`)
 * and its name must match its content: a plan is applied as it was made or not at all. */
int plan_read_json(const char *text, size_t n, struct plan *ret, struct error *err);

#endif
