/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_DUMP_H
#define MCKUBE_CHECKPOINT_DUMP_H

#include "checkpoint/grpc.h"

/* A checkpoint of a container into a folder, as containerd's CRI restores it (CRCheckpointContainer
 * of containerd 2.2): checkpoint/ with CRIU's images, rootfs-diff.tar, container.log, spec.dump,
 * config.dump, status.dump. CRI's own CheckpointContainer writes the memory four times, as files,
 * as a blob, as files and as an archive, while the container stands still; by the tasks' service
 * CRIU writes it once, and what needs no pause is done before. */

struct dump {
	char *id;
	char *log;	   /* where its output is kept on the node; NULL: nowhere */
	char *lease;	   /* containerd's name for what we hold in it; NULL: nothing */
	struct str layers; /* what it is compared with: the request */
};

#define DUMP_INIT                  \
	{                          \
		.layers = STR_INIT \
	}

/* Before the pause: writes into the folder, which is there, what describes the container. */
int dump_prepare(const struct grpc *g, const char *id, const char *folder, struct dump *ret,
		 struct error *err);

/* While it is paused, which it stays. The two can run at a time. -ETIMEDOUT: it was called off.
 *
 * Processes and memory; CRIU writes its log to the folder `work`, which is there. */
int dump_processes(const struct grpc *g, const struct dump *d, const char *folder, const char *work,
		   int64_t timeout_ms, struct error *err);
/* What it changed in its file system. */
int dump_files(const struct grpc *g, const struct dump *d, const char *folder, int64_t timeout_ms,
	       struct error *err);

/* Its output so far, that the new container's begins with; where there is none any more, that is
 * left out. `host_root` is where the node's / is, "" for / itself. */
int dump_log(const struct dump *d, const char *host_root, const char *folder, struct error *err);

/* Lets go what is held in containerd, which would do so itself an hour later. */
void dump_done(const struct grpc *g, struct dump *d);
/* The same for a container whose dump an earlier process has begun. */
void dump_forget(const struct grpc *g, const char *id);

#endif
