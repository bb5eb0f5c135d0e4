/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_SCRIPTS_H
#define MCKUBE_CMD_SCRIPTS_H

#include <stddef.h>

/* The files of completions/, put into the program by the build. */
struct script {
	const char *shell;
	const char *text;
	size_t n;
};

extern const struct script scripts[]; /* ended by a NULL shell */

#endif
