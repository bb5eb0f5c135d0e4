/* SPDX-License-Identifier: Apache-2.0 */
#include "output/explain_cost.h"

#include <stdlib.h>

#include "base/auto.h"
#include "output/explain.h"
#include "output/table.h"

static int64_t total_of(const struct node_cost *c)
{
	return c->price + c->energy + c->carbon + c->penalty;
}

/* Those that take the pod first, then by cost, then by share. */
static int cheapest_first(const void *a, const void *b, void *nodes)
{
	const struct node_verdict *x = (const struct node_verdict *)nodes + *(const uint32_t *)a;
	const struct node_verdict *y = (const struct node_verdict *)nodes + *(const uint32_t *)b;

	if (!x->refused != !y->refused)
		return x->refused ? 1 : -1;
	if (total_of(x->cost) != total_of(y->cost))
		return total_of(x->cost) < total_of(y->cost) ? -1 : 1;
	if (x->cost->share != y->cost->share)
		return x->cost->share < y->cost->share ? -1 : 1;
	return x < y ? -1 : x > y;
}

static const struct column columns[] = {
	{ "NODE", "node" },	  { "TOTAL", "total" },
	{ "PRICE", "price" },	  { "ENERGY", "energy" },
	{ "CARBON", "carbon" },	  { "PREFERENCES", "preferences" },
	{ "SHARE", "share" },	  { "WATTS", "watts" },
	{ "VERDICT", "verdict" }, {},
};

static const char *why_of(const struct node_verdict *v, struct str *text)
{
	if (v->refused)
		str_addf(text, "%s%s%s", v->refusal, *v->detail ? ", " : "", v->detail);
	else if (v->is_chosen && v->is_origin)
		str_add(text, "stays");
	else if (v->is_chosen)
		str_add(text, "chosen");
	else if (v->is_origin)
		str_add(text, "now");
	return text->n ? text->s : "-";
}

static void add_row(struct table *t, const struct node_verdict *v)
{
	const struct node_cost *c = v->cost;
	enum color_role role = v->refused ? COLOR_BAD : v->is_chosen ? COLOR_GOOD : COLOR_DIM;
	AUTO(str_done) struct str why = STR_INIT;

	table_row(t, CELL_ROLE(v->is_chosen ? COLOR_GOOD : COLOR_NONE, v->node),
		  CELL_MICRO(total_of(c)), CELL_MICRO(c->price), CELL_MICRO(c->energy),
		  CELL_MICRO(c->carbon), CELL_MICRO(c->penalty), CELL_MICRO(c->share),
		  CELL_MICRO(c->power * 1000), CELL_ROLE(role, why_of(v, &why)));
}

void explain_cost_text(const struct explanation *e, const struct style *style, struct str *out)
{
	AUTO(table_done) struct table t = { .columns = columns };
	ARRAY(uint32_t) priced = { 0 }; /* in e->nodes */

	for (uint32_t i = 0; i < e->nodes.n; i++)
		if (e->nodes.items[i].cost)
			*array_add(&priced) = i;
	if (priced.n) {
		qsort_r(priced.items, priced.n, sizeof(*priced.items), cheapest_first,
			e->nodes.items);
		str_addc(out, '\n');
		style_add(style, out, COLOR_BOLD,
			  "What this pod adds to the cost of each node, $/h");
		str_addc(out, '\n');
		for (size_t i = 0; i < priced.n && i < EXPLAIN_NODES; i++)
			add_row(&t, &e->nodes.items[priced.items[i]]);
		table_render(&t, FORMAT_TABLE, style, true, out, NULL);
	}
	if (priced.n > EXPLAIN_NODES)
		str_addf(out, "and %zu more nodes, listed by -o json\n", priced.n - EXPLAIN_NODES);
	array_done(&priced);
}

static void put_decimal(struct json_out *o, const char *key, int64_t micro)
{
	json_out_key(o, key);
	json_out_micro(o, micro);
}

void explain_cost_json(const struct node_cost *cost, struct json_out *o)
{
	json_out_key(o, "cost");
	json_out_object(o);
	put_decimal(o, "totalPerHour", total_of(cost));
	put_decimal(o, "pricePerHour", cost->price);
	put_decimal(o, "energyPerHour", cost->energy);
	put_decimal(o, "carbonPerHour", cost->carbon);
	put_decimal(o, "preferencesPerHour", cost->penalty);
	put_decimal(o, "sharePerHour", cost->share);
	put_decimal(o, "watts", cost->power * 1000);
	json_out_end(o);
}
