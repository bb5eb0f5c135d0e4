/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_LATE_CRIU_H
#define MCKUBE_MIGRATE_AGENT_LATE_CRIU_H

#include <stdint.h>

#include "base/error.h"

/* CRIU that is still at work on a container whose dump is not waited for any more: it holds the
 * threads that it has seized, and freezes the container when it ends, as it found it.
 *
 * Waits until it has ended, for so long at most, then ends it. 1: it was ended, 0: there was none,
 * or it has ended by itself. Negative: it cannot be seen, or does not end. */
int late_criu_end(const char *cgroup_root, const char *uid, const char *id, int64_t patience_ms,
		  struct error *err);

#endif
