/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_TAR_H
#define MCKUBE_CHECKPOINT_TAR_H

#include <stdint.h>

#include "base/error.h"

/* Where the members of a tar archive are, in its file: POSIX ustar, GNU's long names and sizes, and
 * pax records for path and size (tar(5), pax(1)). Data is not read. */

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 4096 };

struct tar_member {
	char name[TAR_NAME_MAX];
	char type;	      /* '0' a file, '5' a folder, ... */
	int64_t offset, size; /* of its data */
};

/* The member whose header begins at *at, and moves *at behind it. 1: there is one, 0: the end of
 * the archive, negative: no archive, or cut short. `end` is the file's size. */
int tar_next(int fd, int64_t end, int64_t *at, struct tar_member *ret, struct error *err);

/* The file of that name. -ENOENT: the archive is whole and has none. */
int tar_find(int fd, int64_t end, const char *name, struct tar_member *ret, struct error *err);

#endif
