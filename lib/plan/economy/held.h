/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_HELD_H
#define MCKUBE_PLAN_ECONOMY_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/* Moves for money that wait until they were worth it for some time: a price, or the use of a CPU,
 * that comes and goes moves nothing. A caller that plans a cluster again and again keeps this from
 * one plan to the next. A pod, by its uid, is moved in the first plan that is made more than
 * `seconds` after the first of those that have all wanted to move it, wherever to. A plan that may
 * not move it since its workload, or another one on its node, is being scaled, says nothing: a
 * load that changes again and again delays moves, and does not prevent them. A process that starts
 * again waits again. */

struct held_move {
	char *uid;
	int64_t since;
	bool is_wanted; /* by the present plan */
};

struct held_moves {
	uint32_t seconds; /* the caller's */
	ARRAY(struct held_move) list;
};

void held_begin(struct held_moves *h);
/* Does one wait that an earlier plan wanted? */
bool held_waits(const struct held_moves *h, const char *uid);
/* The plan wants to move it: may that be done now? */
bool held_confirm(struct held_moves *h, const char *uid, int64_t now);
/* The plan could not want to move those: they wait as before. */
void held_keep(struct held_moves *h, bool (*is_undecided)(const char *uid, const void *arg),
	       const void *arg);
/* Forgets what the plan did not want; returns the seconds until the next one may be done, 0: none
 * waits. */
uint32_t held_end(struct held_moves *h, int64_t now);
void held_done(struct held_moves *h);

#endif
