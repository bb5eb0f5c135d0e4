/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_HEALTH_INTERNAL_H
#define MCKUBE_RECONCILE_HEALTH_INTERNAL_H

#include "reconcile/health.h"

/* `check` is kept, not copied. */
void health_add(struct health *h, const char *check, enum health_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Which nodes move running containers with their memory, and what the others lack. */
void health_checkpoints(struct health *h, const struct cluster *c);
bool health_any_restores(const struct cluster *c);

#endif
