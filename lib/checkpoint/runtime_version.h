/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_RUNTIME_VERSION_H
#define MCKUBE_CHECKPOINT_RUNTIME_VERSION_H

#include <stdbool.h>

#include "base/error.h"

/* Which runtimes can restore. containerd before 2.2.7 and 2.3.4 has holes in it (CVE-2026-50195,
 * -53489, -53492) or has it switched on for every image; 2.4 has it no longer, its place is taken
 * by CRI's RestorePod. CRIU before 4.2 cannot dump a TCP socket on Linux 6.16 or later. */

struct version {
	unsigned major, minor, patch;
};

/* "2.2.9", "v2.2.9+unknown", "2.3.4-rc.1" (which is older than 2.3.4: false). */
bool version_parse(const char *text, struct version *ret);

/* 0, or -ENOTSUP with the reason. `text` is the version, without "containerd://". */
int containerd_can_restore(const char *text, struct error *err);
int criu_can_dump(const char *text, struct error *err);

#endif
