/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/order.h"

#include "base/auto.h"
#include "execute/object_key.h"

static void find_previous(struct order *o, const struct plan *p)
{
	AUTO(intern_done) struct intern keys = { 0 };
	AUTO_FREE uint32_t *last = xcalloc(p->actions.n + 2, sizeof(*last));

	for (uint32_t i = 0; i < p->actions.n; i++) {
		AUTO(str_done) struct str key = STR_INIT;

		object_key_of_target(&p->actions.items[i].on, &key);
		str_id id = intern_add(&keys, key.s, key.n);
		o->previous[i] = last[id] ? last[id] - 1 : NONE;
		last[id] = i + 1;
	}
}

/* Calls visit(before, i) for each pair of which the first must be done before the second. */
static void each_edge(struct order *o, const struct plan *p,
		      void (*visit)(struct order *o, uint32_t before, uint32_t i))
{
	for (uint32_t i = 0; i < p->actions.n; i++) {
		const struct action *a = &p->actions.items[i];

		for (uint32_t k = 0; k < a->n_after; k++)
			visit(o, a->after[k] - 1, i);
		if (o->previous[i] != NONE)
			visit(o, o->previous[i], i);
	}
}

static void count_edge(struct order *o, uint32_t before, uint32_t i)
{
	o->dependents[before].n++;
	o->n_open[i]++;
}

static void add_edge(struct order *o, uint32_t before, uint32_t i)
{
	struct range *r = &o->dependents[before];

	o->list[r->at + r->n++] = i;
}

void order_init(struct order *o, const struct plan *p)
{
	const size_t n = p->actions.n;
	uint32_t at = 0;

	*o = (struct order){
		.previous = xcalloc(n, sizeof(*o->previous)),
		.n_open = xcalloc(n, sizeof(*o->n_open)),
		.dependents = xcalloc(n, sizeof(*o->dependents)),
	};
	find_previous(o, p);
	each_edge(o, p, count_edge);
	for (size_t i = 0; i < n; i++) {
		o->dependents[i].at = at;
		at += o->dependents[i].n;
		o->dependents[i].n = 0;
	}
	o->list = xcalloc(at, sizeof(*o->list));
	each_edge(o, p, add_edge);
}

void order_done(struct order *o)
{
	free(o->previous);
	free(o->n_open);
	free(o->dependents);
	free(o->list);
}
