/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_MANIFESTS_H
#define MCKUBE_CMD_MANIFESTS_H

#include <stddef.h>

/* The files of manifests/ that are installed, in that order, put into the program by the build. */
struct manifest {
	const char *name; /* the file's, without ".yaml" */
	const char *text;
	size_t n;
};

extern const struct manifest manifests[]; /* ended by a NULL name */

#endif
