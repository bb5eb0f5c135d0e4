/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "command.h"

const char program_name[] = "kubectl mckube";

/* clang-format off */
const struct command *const commands[] = {
	&command_plan,
	&command_apply,
	&command_watch,
	&command_status,
	&command_explain,
	&command_snapshot,
	&command_doctor,
	&command_crd,
	&command_manifests,
	&command_policies,
	&command_version,
	&command_completion,
	&command_help,
	&command_complete,
	&command_man,
	NULL,
};
/* clang-format on */

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}
