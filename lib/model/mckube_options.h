/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_MCKUBE_OPTIONS_H
#define MCKUBE_MODEL_MCKUBE_OPTIONS_H

#include "model/cluster.h"
#include "model/request.h"
#include "model/warning.h"

/* The members of a McKube's spec that are no part of its budget: spec.migration (Never, Restart,
 * Checkpoint) and spec.recovery (budget/recovery.h). Words may be written in any case. What is none
 * of them counts as not given: that never makes a request bad. */

/* An Unsupported warning for each member that counts as not given. */
void mckube_options_check(const struct cluster *c, const struct mckube *m,
			  struct warnings *warnings);

struct recovery mckube_recovery(const struct cluster *c, const struct mckube *m);

#endif
