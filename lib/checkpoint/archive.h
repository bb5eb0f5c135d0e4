/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_ARCHIVE_H
#define MCKUBE_CHECKPOINT_ARCHIVE_H

#include "base/error.h"
#include "base/sha256.h"
#include "base/str.h"

/* The archive of a checkpointed container as an image of one layer, which is the archive as it is:
 * uncompressed, so that nothing is copied (opencontainers/image-spec). The manifest's annotation
 * makes containerd restore it instead of starting a program. */

#define ARCHIVE_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

struct archive {
	int fd;	      /* -1: none */
	int64_t size; /* of the layer */
	char layer[SHA256_HEX], config[SHA256_HEX], manifest[SHA256_HEX];
	struct str config_text, manifest_text;
};

#define ARCHIVE_INIT                                                         \
	{                                                                    \
		.fd = -1, .config_text = STR_INIT, .manifest_text = STR_INIT \
	}

/* Opens what containerd wrote, mends timers in it (checkpoint/criu_image.h; *ret_mended: how
 * many), and hashes it. `container` is the container's name in its pod. */
int archive_open(const char *path, const char *container, struct archive *ret, int *ret_mended,
		 struct error *err);
void archive_done(struct archive *a);

#endif
