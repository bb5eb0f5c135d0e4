/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_HOLD_H
#define MCKUBE_MIGRATE_AGENT_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* A whole pod, held by its cgroups: nothing in it runs, ends or begins.
 *
 * A paused container is still only for its runtime: where containerd ends meanwhile, the kubelet
 * ends the container and starts another, beside the one that the target has. In a group that is
 * frozen no process of cgroup v1 ends (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst),
 * and in one with pids.max 0 no runtime can fork (cgroup-v1/pids.rst). Both hold for all groups
 * below. */
struct pod_hold {
	char *freezer, *pids; /* files; NULL: not found */
	char pids_before[24]; /* the limit that it had; "": not known */
	bool is_taken;
};

/* What the processes of a pod have in memory, files that can be read again left out; 0: not known.
 */
int64_t hold_memory(const char *cgroup_root, const char *uid);

/* With the limit, unless that is known already, as after a restart. */
void hold_find(struct pod_hold *h, const char *cgroup_root, const char *uid);
int hold_take(struct pod_hold *h, struct error *err);
/* What runs in it may end; nothing begins still. */
int hold_thaw(const struct pod_hold *h, struct error *err);
/* As it was before. */
int hold_release(struct pod_hold *h, struct error *err);
void hold_done(struct pod_hold *h);

/* Freezes one container as its runtime would: where CRIU was ended in its midst it may be thawed
 * though the runtime has paused it, and is not resumed then (runc: "container not paused"). 1: it
 * was thawed, 0: it was not. */
int hold_freeze_thawed(const char *cgroup_root, const char *uid, const char *id, struct error *err);

#endif
