/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_USE_REPORT_H
#define MCKUBE_AGENT_USE_REPORT_H

#include "base/str.h"
#include "node/engine/engine.h"

/* Writes what the pods of this node use, as model/pod_use.h has it; at most POD_USE_MAX bytes and a
 * little. It goes with each heartbeat: reading it needs no other permission than that, and writing
 * it no request of its own. `now` is in seconds since 1970, now_ns the same moment of
 * CLOCK_MONOTONIC. */
void use_report(struct engine *e, int64_t now, int64_t now_ns, struct str *out);

#endif
