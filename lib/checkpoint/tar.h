/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_TAR_H
#define MCKUBE_CHECKPOINT_TAR_H

#include <stdint.h>

/* Headers of tar archives: POSIX ustar, with GNU's form of sizes from 8 GiB on (tar(5)). Data
 * follows its header, filled up with zeros to whole blocks; two blocks of zeros end an archive. */

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 100, TAR_FILE = '0', TAR_FOLDER = '5' };

/* Of root's, for root alone, and of no time, so that an archive of the same files is the same.
 * `name` is shorter than TAR_NAME_MAX. */
void tar_header(const char *name, char type, int64_t size, unsigned char ret[static TAR_BLOCK]);

static inline int64_t tar_padded(int64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

#endif
