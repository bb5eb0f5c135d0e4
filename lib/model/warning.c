/* SPDX-License-Identifier: Apache-2.0 */
#include "model/warning.h"

#include <stdarg.h>

#include "base/auto.h"
#include "base/str.h"

void warning_add(struct warnings *n, const char *kind, const char *ns, const char *name,
		 const char *reason, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	str_addf(&text, "%s %s%s%s", kind, ns, *ns ? "/" : "", name);
	struct warning *warning = array_add(&n->list);
	*warning = (struct warning){
		.object = arena_strndup(n->arena, text.s, text.n),
		.reason = reason,
	};

	str_clear(&text);
	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	warning->message = arena_strndup(n->arena, text.s, text.n);
}
