/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SIGNAL_SELECTED_H
#define MCKUBE_SIGNAL_SELECTED_H

#include "signal/condition.h"

/* The status of a McKube with a selector, out of its pods'. (That of one that names a pod is the
 * node helper's.) Pure. */

enum { SELECTED_TEXT = 96 };

struct selected {
	uint32_t n, placed, ready, floor; /* pods; ready: the whole budget is in force */
	bool has_level;
	enum level worst;
	char pods[24];
	char placed_text[SELECTED_TEXT], ready_text[SELECTED_TEXT];
};

void selected_count(const struct cluster *c, const struct mckube *m, struct selected *ret);

/* What the status should be; its texts are those of `s`. */
void selected_report(struct selected *s, struct mckube_report *ret);

/* Does the McKube say that already? */
bool selected_is_said(const struct cluster *c, const struct mckube *m,
		      const struct mckube_report *w);

#endif
