/* SPDX-License-Identifier: Apache-2.0 */
#include "model/warning.h"

#include <stdarg.h>

#include "base/auto.h"
#include "base/str.h"

void notice_add(struct notices *n, const char *kind, const char *ns, const char *name,
		const char *reason, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	str_addf(&text, "%s %s%s%s", kind, ns, *ns ? "/" : "", name);
	struct notice *notice = array_add(&n->list);
	*notice = (struct notice){
		.object = arena_strndup(n->arena, text.s, text.n),
		.reason = reason,
	};

	str_clear(&text);
	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	notice->message = arena_strndup(n->arena, text.s, text.n);
}
