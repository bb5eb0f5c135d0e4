/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_GLOBAL_H
#define MCKUBE_CMD_GLOBAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"

/* Options of every command. */
struct global_args {
	bool is_help;
	const char *ns;
	int32_t verbosity;
	int32_t color; /* enum color */
};

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

extern const struct option global_options[];

#endif
