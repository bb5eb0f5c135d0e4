/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_REPLAY_INTERNAL_H
#define MCKUBE_BUDGET_REPLAY_INTERNAL_H

#include "budget/replay.h"

/* The index in `pods` of the pod that each line is about; UINT32_MAX: none. */
struct replay_index {
	uint32_t *pod;
};

/* What the pods used, and so their suggestions (replay_use.c). */
void replay_uses(const struct history *h, const struct replay_index *index, struct replay *r);

/* For each line of an overrun the largest use of a period in the time that it lies in, as a budget
 * of its pod; -1: not known. The caller frees it. */
int64_t *replay_peaks(const struct history *h, const struct replay_index *index,
		      const struct replay *r);

#endif
