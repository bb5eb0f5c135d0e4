/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/stale.h"

#include <string.h>

#include "base/auto.h"

/* The objects of a plan, each once. */
struct subject {
	const char *kind, *ns, *name;
	const struct target *target; /* NULL for a node that is only used */
};

struct subjects {
	struct subject *items;
	size_t n, cap;
};

static int by_name(const void *left, const void *right)
{
	const struct subject *a = left, *b = right;
	int c = strcmp(a->kind, b->kind);

	c = c ? c : strcmp(a->ns, b->ns);
	return c ? c : strcmp(a->name, b->name);
}

static void list_subjects(const struct plan *p, struct subjects *ret)
{
	array_each(a, &p->actions) {
		const char *nodes[] = { a->to.node, a->replacement.node };

		*array_add(ret) = (struct subject){ a->on.kind, a->on.ns, a->on.name, &a->on };
		for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
			if (nodes[i] && *nodes[i])
				*array_add(ret) = (struct subject){ "Node", "", nodes[i], NULL };
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
}

static bool differs(const char *planned, const char *now)
{
	return planned && *planned && strcmp(planned, now) != 0;
}

/* Is there a difference? Then it is added. */
static bool compare(const struct cluster *c, const struct subject *s, struct str *stale)
{
	const struct meta *now = cluster_object(c, s->kind, s->ns, s->name);
	const char *slash = *s->ns ? "/" : "";

	if (!now) {
		str_addf(stale, "%s %s%s%s: not found\n", s->kind, s->ns, slash, s->name);
		return true;
	}

	const char *uid = cluster_str(c, now->uid), *version = cluster_str(c, now->version);
	if (s->target && differs(s->target->uid, uid))
		str_addf(stale, "%s %s%s%s: uid %s in the plan, %s now\n", s->kind, s->ns, slash,
			 s->name, s->target->uid, uid);
	else if (s->target && differs(s->target->version, version))
		str_addf(stale, "%s %s%s%s: resourceVersion %s in the plan, %s now\n", s->kind,
			 s->ns, slash, s->name, s->target->version, version);
	else
		return false;
	return true;
}

int plan_check_fresh(const struct plan *p, const struct cluster *c, struct str *stale,
		     struct error *err)
{
	struct subjects subjects = { 0 };
	size_t n_stale = 0;

	list_subjects(p, &subjects);
	for (size_t i = 0; i < subjects.n; i++)
		if (i == 0 || by_name(&subjects.items[i - 1], &subjects.items[i]) != 0)
			n_stale += compare(c, &subjects.items[i], stale);
	array_done(&subjects);
	if (n_stale == 0)
		return 0;
	return error_set(err, -ESTALE, "plan %s is stale: %zu object%s changed since it was made",
			 p->name, n_stale, n_stale == 1 ? "" : "s");
}
