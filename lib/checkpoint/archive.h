/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_ARCHIVE_H
#define MCKUBE_CHECKPOINT_ARCHIVE_H

#include "base/array.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/str.h"

/* A checkpointed container as an image of one layer: a tar archive, uncompressed, of a folder and
 * the folders in it (opencontainers/image-spec). The manifest's annotation makes containerd restore
 * it instead of starting a program. The archive is nowhere: its bytes are made of the files when
 * they are asked for, and are the same each time. */

#define ARCHIVE_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define ARCHIVE_CRIU	      "checkpoint" /* the folder of CRIU's images */

struct archive {
	char *folder;
	ARRAY(struct archive_member {
		char *name; /* a folder's ends with '/' */
		int64_t size;
	})
	members;
	int64_t size; /* of the layer */
	char layer[SHA256_HEX], config[SHA256_HEX], manifest[SHA256_HEX];
	struct str config_text, manifest_text;
};

#define ARCHIVE_INIT                                               \
	{                                                          \
		.config_text = STR_INIT, .manifest_text = STR_INIT \
	}

/* Mends timers in CRIU's images (checkpoint/criu_image.h; *ret_mended: how many), and hashes what
 * the folder holds, which is not to change from then on. `container` is the container's name in its
 * pod. */
int archive_open(const char *folder, const char *container, struct archive *ret, int *ret_mended,
		 struct error *err);

/* Gives `take` n bytes of the layer in order, piece by piece. Negative: a file is not as it was, or
 * what `take` returned. */
typedef int archive_take(void *arg, const void *bytes, size_t n);
int archive_read(const struct archive *a, int64_t from, int64_t n, archive_take *take, void *arg);

void archive_done(struct archive *a);

#endif
