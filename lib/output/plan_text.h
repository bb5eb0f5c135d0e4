/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_PLAN_TEXT_H
#define MCKUBE_OUTPUT_PLAN_TEXT_H

#include "base/error.h"
#include "output/style.h"
#include "output/table.h"
#include "plan/file/diff.h"
#include "plan/plan.h"

/* A plan as text.
 *
 * The table groups the actions by node, in the order in which they will be applied; each with
 * its place, its reason, and the pod that it yields to. Then what cannot be placed, the warnings,
 * and one line of totals, which is always there. */

/* What of a plan is shown; the totals are always those of the whole plan. */
struct plan_view {
	const char *ns; /* only what concerns this namespace; NULL: all */
	bool has_header;
};

bool plan_view_shows(const struct plan_view *view, const struct target *on);

void plan_text(const struct plan *p, const struct plan_view *view, const struct style *style,
	       struct str *out);

/* One row per action, with what the table leaves out: uid, resourceVersion, order, enforcement. */
int plan_wide(const struct plan *p, const struct plan_view *view, const struct style *style,
	      struct str *out, struct error *err);

/* "pod/brake" for each object that an action changes, once. */
void plan_names(const struct plan *p, const struct plan_view *view, struct str *out);

/* "0.039624 → 0.031782 $/h, 12.7 → 9.9 W": the share of its node, of an action that has one. */
void plan_share_text(const struct action *a, const struct style *style, struct str *out);
/* Lines behind the totals: cost and power before and after, each node that may be removed, and what
 * evictions.windows holds back. Nothing where there is nothing of them. */
void plan_notes(const struct plan *p, const struct style *style, struct str *out);
/* "Plan: 2 to bind, 1 to move, 1 cannot be placed, 3 warnings.", and the above. */
void plan_totals(const struct plan *p, const struct style *style, struct str *out);

/* The result of each action: "Done", or why not; and one line that counts. */
void plan_results(const struct plan *p, bool is_dry_run, const struct style *style,
		  struct str *out);

void plan_diff_text(const struct plan_diff *d, const struct style *style, struct str *out);

#endif
