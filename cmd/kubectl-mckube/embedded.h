/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_EMBEDDED_H
#define MCKUBE_CMD_EMBEDDED_H

#include <stddef.h>

/* Files of the tree that the build puts into the program; the array ends with a NULL name. */
struct embedded {
	const char *name;
	const char *text;
	size_t n;
};

extern const struct embedded scripts[]; /* completions/kubectl-mckube.NAME */

#endif
