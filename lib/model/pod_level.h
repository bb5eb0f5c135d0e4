/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_POD_LEVEL_H
#define MCKUBE_MODEL_POD_LEVEL_H

#include "budget/budget.h"
#include "model/cluster.h"

/* Has the pod only its floor? A plan degraded it (mckube.io/rt-degraded), or its node's helper cut
 * it, since a more critical pod overruns there (mckube.io/rt-current: floor). */
bool pod_is_at_floor(const struct cluster *c, const struct pod *pod);

/* How the level of a running pod is shown: "low", "medium", "hi", "floor" where it has only that,
 * or "unknown" where its node's helper is silent (model/heartbeat.h). */
const char *pod_level_name(const struct cluster *c, const struct pod *pod, enum level level);

#endif
