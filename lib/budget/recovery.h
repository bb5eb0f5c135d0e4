/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_RECOVERY_H
#define MCKUBE_BUDGET_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

/* When a pod above its normal level comes down again: spec.recovery of a McKube.
 *
 * On the pod the assignment says it as mckube.io/rt-recovery: the mode, and after commas what else
 * was given, "nodeCpu,delaySeconds=10,threshold=80". What was not given is the node helper's
 * configuration. */

enum recovery_mode {
	RECOVERY_CONSUMPTION, /* it has stayed within C_low */
	RECOVERY_NODE_CPU,    /* its node has been calm, as in the first controller */
};

enum { RECOVERY_DELAY_MAX = 86400, RECOVERY_NOT_GIVEN = -1 };

struct recovery {
	uint8_t mode;	       /* enum recovery_mode */
	int32_t delay_seconds; /* for how long, at least; NOT_GIVEN */
	int32_t threshold; /* nodeCpu: per cent of the node's CPU time that are calm; NOT_GIVEN */
};

#define RECOVERY_DEFAULT                                                     \
	{                                                                    \
		RECOVERY_CONSUMPTION, RECOVERY_NOT_GIVEN, RECOVERY_NOT_GIVEN \
	}

enum { RECOVERY_TEXT = 64 };

/* "" for RECOVERY_DEFAULT. */
const char *recovery_format(const struct recovery *r, char buf[static RECOVERY_TEXT]);

/* Words may be written in any case; "" is RECOVERY_DEFAULT. False: it is no such text. */
bool recovery_parse(const char *text, struct recovery *ret);

/* "consumption", "nodeCpu"; false for anything else. */
bool recovery_mode_parse(const char *word, uint8_t *ret);

#endif
