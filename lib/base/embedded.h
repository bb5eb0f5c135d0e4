/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_EMBEDDED_H
#define MCKUBE_BASE_EMBEDDED_H

#include "base/str.h"

/* Files of the tree that the build puts into a program (mckube_embed() of CMakeLists.txt); an array
 * of them ends with a NULL name. */
struct embedded {
	const char *name;
	struct slice text;
};

#endif
