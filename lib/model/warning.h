/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_WARNING_H
#define MCKUBE_MODEL_WARNING_H

#include "base/arena.h"
#include "base/array.h"

/* What is to be said about the input: a bad value, a source that another takes precedence of. They
 * become the warnings of the plan, in the order in which they were found, which is the order of
 * names. */
struct warning {
	const char *object; /* "McKube default/brake" */
	const char *reason; /* a warning reason of plan/file/FORMAT.md */
	const char *message;
};

struct warnings {
	struct arena *arena; /* holds the text */
	ARRAY(struct warning) list;
};

/* `kind`, `ns` (may be "") and `name` make up the object. */
void warning_add(struct warnings *n, const char *kind, const char *ns, const char *name,
		 const char *reason, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
