/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_HELP_H
#define MCKUBE_CMD_HELP_H

#include "base/str.h"

#include "command.h"

/* What --help prints for a command. */
void help_command(const struct command *command, struct str *out);

/* A text that belongs to no command: 'help config'. */
struct help_topic {
	const char *name, *summary;
	void (*add)(struct str *out);
};

extern const struct help_topic help_topics[]; /* ended by a NULL name */

#endif
