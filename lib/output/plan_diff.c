/* SPDX-License-Identifier: Apache-2.0 */
#include "output/plan_text.h"

void plan_diff_text(const struct plan_diff *d, const struct style *style, struct str *out)
{
	static const struct {
		const char *sign;
		uint8_t role;
	} changes[] = {
		[DIFF_REMOVED] = { "-", COLOR_BAD },
		[DIFF_ADDED] = { "+", COLOR_GOOD },
		[DIFF_CHANGED] = { "~", COLOR_CHANGE },
	};

	array_each(e, &d->entries) {
		style_add(style, out, changes[e->change].role, "%s %s", changes[e->change].sign,
			  e->subject);
		if (e->detail && *e->detail)
			style_add(style, out, COLOR_NONE, ": %s", e->detail);
		str_addc(out, '\n');
	}
	if (!d->entries.n)
		str_add(out, "The plans do not differ.\n");
}
