/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_PLAN_FILE_H
#define MCKUBE_PLAN_FILE_PLAN_FILE_H

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

/* A plan as text: kind Plan of mckube.io/v1alpha1, specified in lib/plan/file/FORMAT.md.
 * Writing is deterministic: fixed key order, two spaces of indent, a newline at the end. What is
 * read and written again has the same bytes. */

enum { PLAN_MAX_BYTES = 256 << 20 };

/* Appends the plan as JSON. `status` is there when the plan has results. */
void plan_write_json(const struct plan *p, struct str *out);

/* Fills p->name: the first 16 hex digits of the SHA-256 of `spec` in canonical JSON (RFC 8785: keys
 * sorted, no blanks, UTF-8). plan_make() calls it last. */
void plan_name(struct plan *p);

/* Reads a plan back; the whole of it is checked (kinds, reasons, ids, cpusets, order of `after`)
 * and its name must match its content: a plan is applied as it was made or not at all. Unknown
 * members are errors. The caller owns the plan: plan_done(). Errors name the
 * path: "spec.actions[3].to.cores: ...". */
int plan_read_json(const char *text, size_t n, struct plan *ret, struct error *err);

#endif
