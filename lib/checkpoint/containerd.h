/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_CONTAINERD_H
#define MCKUBE_CHECKPOINT_CONTAINERD_H

#include <stdbool.h>

#include "base/array.h"
#include "checkpoint/grpc.h"
#include "migrate/move_id.h"

/* What moving a container needs of containerd, over its socket: its own tasks and images services
 * (api/services/{tasks,images}/v1), and the kubelet's interface to it (k8s.io/cri-api, v1).
 *
 * This and checkpoint/dump.h are all that knows how a checkpoint is taken and how an image is
 * named: another runtime, or CRI's RestorePod, takes their place. */

enum {
	CONTAINERD_QUICK_MS = 5000,  /* for what takes milliseconds */
	CONTAINERD_PULL_MS = 120000, /* for a base image */
};

enum task_status {
	TASK_UNKNOWN,
	TASK_CREATED,
	TASK_RUNNING,
	TASK_STOPPED,
	TASK_PAUSED,
	TASK_PAUSING
};

/* A request that is an object's id and nothing else, in the message's first field. */
int containerd_ask(const struct grpc *g, const char *method, const char *id, struct str *reply,
		   struct error *err);

/* `id` is a container's. Pausing what is paused and resuming what runs is no error: what counts is
 * the state in the end, which is read back. -ENOENT: there is no such task (any more). */
int containerd_pause(const struct grpc *g, const char *id, struct error *err);
int containerd_resume(const struct grpc *g, const char *id, struct error *err);
int containerd_status(const struct grpc *g, const char *id, enum task_status *ret,
		      struct error *err);

/* SIGKILL to all its processes, also while it is paused. One that is gone is no error. */
int containerd_kill(const struct grpc *g, const char *id, struct error *err);

/* Makes sure that an image is there by exactly this name, which a restore looks for:
 * "docker.io/library/busybox@sha256:...", "sha256:...". Where it has another name only, as one that
 * was imported, it gets this one, too; where it is not, it is pulled, by the node's registry
 * configuration. */
int containerd_want_image(const struct grpc *g, const char *name, struct error *err);

/* Pulls an image, with a restore's checkpoint in it or not, by the node's registry configuration.
 */
int containerd_pull_image(const struct grpc *g, const char *name, struct error *err);

/* From now on `name` means what `base` means: a container that is started again by that name begins
 * at its program's start. The other names of what it meant before are removed, and with them the
 * checkpoint. Doing it twice is no error. */
int containerd_repoint_image(const struct grpc *g, const char *name, const char *base,
			     struct error *err);

/* Removes the image of that name with all its other names. One that is not there is no error. */
int containerd_drop_image(const struct grpc *g, const char *name, struct error *err);

/* The checkpoints that are here as images, of whatever move: names for containerd_drop_image(). The
 * caller frees them, also after an error. */
struct checkpoint_image {
	char *name;
	char id[MOVE_ID_SIZE];
};
struct checkpoint_images {
	struct checkpoint_image *items;
	size_t n, cap;
};
int containerd_list_checkpoints(const struct grpc *g, struct checkpoint_images *ret,
				struct error *err);

/* May containers be made of checkpoints here (enable_experimental_restore_via_create)? It tells its
 * configuration over the socket only. */
int containerd_restores(const struct grpc *g, bool *ret, struct error *err);

/* Its version, "2.2.9". */
int containerd_version(const struct grpc *g, struct str *ret, struct error *err);

#endif
