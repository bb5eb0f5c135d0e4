/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_CMD_OPTIONS_H
#define MCKUBE_MIGRATE_CMD_OPTIONS_H

#include "base/option.h"

/* The options of mckube-migrate, which fill struct args, and what is said of them: the help, the
 * manual page, the answers to the shells' completion scripts. */

extern const struct option helper_options[];

void options_help(struct str *out);
void options_man(struct str *out);
/* The last of argc words is being completed, as by mckube-node __complete. */
void options_complete(int argc, char **argv, struct str *out);

#endif
