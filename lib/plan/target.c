/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/file/plan_file.h"

static bool is_target(const struct target *t, const char *ns, const char *name)
{
	return t->name && strcmp(t->kind, "Pod") == 0 && strcmp(t->ns, ns) == 0 &&
	       strcmp(t->name, name) == 0;
}

/* Actions that are wanted, and those that they need: these have smaller ids. */
static bool *choose(const struct plan *p, const char *ns, const char *name)
{
	bool *is_kept = xcalloc(p->actions.n, sizeof(*is_kept));

	for (size_t i = p->actions.n; i-- > 0;) {
		const struct action *a = &p->actions.items[i];

		is_kept[i] |= is_target(&a->on, ns, name) || is_target(&a->by, ns, name);
		for (uint32_t k = 0; is_kept[i] && k < a->n_after; k++)
			is_kept[a->after[k] - 1] = true;
	}
	return is_kept;
}

static void keep_actions(struct plan *p, const bool *is_kept)
{
	AUTO_FREE uint32_t *id = xcalloc(p->actions.n + 1, sizeof(*id));
	size_t n = 0;

	for (size_t i = 0; i < p->actions.n; i++) {
		struct action *a = &p->actions.items[i];

		if (!is_kept[i])
			continue;
		id[a->id] = (uint32_t)n + 1;
		a->id = id[a->id];
		for (uint32_t k = 0; k < a->n_after; k++)
			a->after[k] = id[a->after[k]];
		p->actions.items[n++] = *a;
	}
	p->actions.n = n;
}

void plan_limit(struct plan *p, const char *ns, const char *name)
{
	AUTO_FREE bool *is_kept = choose(p, ns, name);
	size_t n = 0;

	keep_actions(p, is_kept);
	for (size_t i = 0; i < p->unplaced.n; i++)
		if (is_target(&p->unplaced.items[i].on, ns, name))
			p->unplaced.items[n++] = p->unplaced.items[i];
	p->unplaced.n = n;
	plan_name(p);
}
