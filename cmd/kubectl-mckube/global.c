/* SPDX-License-Identifier: Apache-2.0 */
#include "global.h"

static const char *const colors[] = { "auto", "always", "never", NULL };

const struct option global_options[] = {
	OPT_BOOL('h', "help", struct global_args, is_help, "show how a command is used"),
	OPT_STRING('n', "namespace", struct global_args, ns, "NAME",
		   "the namespace of pods that are named without one; listings show only what "
		   "concerns it",
		   .complete = "namespace"),
	OPT_ENUM(0, "color", struct global_args, color, colors, "WHEN",
		 "colour the output; auto means on a terminal, unless NO_COLOR is set",
		 .preset = "auto"),
	OPT_INT('v', "v", struct global_args, verbosity, 0, 10, "LEVEL",
		"say on standard error what is done: more with a higher level", .preset = "0"),
	{},
};
