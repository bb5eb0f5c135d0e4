/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/json_out.h"
#include "base/names.h"
#include "output/explain.h"
#include "output/explain_cost.h"
#include "output/replay.h"

static void put_text(struct json_out *o, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	json_out_key(o, key);
	json_out_text(o, text);
}

static void put_modes(struct json_out *o, const char *key, const uint32_t *ppm)
{
	json_out_key(o, key);
	json_out_object(o);
	json_out_member_int(o, "low", ppm[LEVEL_LOW]);
	json_out_member_int(o, "middle", ppm[LEVEL_MIDDLE]);
	json_out_member_int(o, "high", ppm[LEVEL_HIGH]);
	json_out_end(o);
}

static void put_place(struct json_out *o, const char *key, const struct place *place)
{
	if (!place->node)
		return;
	json_out_key(o, key);
	json_out_object(o);
	put_text(o, "node", place->node);
	put_text(o, "cores", place->cores);
	json_out_end(o);
}

static void put_object(struct json_out *o, const char *key, const struct target *t)
{
	if (!t->name)
		return;
	json_out_key(o, key);
	json_out_object(o);
	put_text(o, "kind", t->kind);
	put_text(o, "namespace", t->ns);
	put_text(o, "name", t->name);
	json_out_end(o);
}

static void open_list(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_array(o);
}

static void put_request(struct json_out *o, const struct explanation *e)
{
	const struct budget *b = &e->budget;

	if (!*e->asked_by)
		return;
	json_out_key(o, "request");
	json_out_object(o);
	put_text(o, "by", e->asked_by);
	put_text(o, "source", e->source);
	if (e->has_budget) {
		put_text(o, "criticality", criticality_name(b->criticality));
		json_out_member_int(o, "periodUs", b->period);
		json_out_member_int(o, "lowUs", b->low);
		if (b->medium)
			json_out_member_int(o, "mediumUs", b->medium);
		json_out_member_int(o, "hiUs", b->hi);
		json_out_member_int(o, "floorUs", b->floor);
		put_modes(o, "loadPpm", e->load);
		json_out_member_int(o, "coreCount", e->core_count);
	}
	put_text(o, "node", e->node_pin);
	put_text(o, "cores", e->core_pin);
	put_text(o, "guarantee", e->guarantee);
	put_text(o, "policy", e->policy);
	put_text(o, "priority", e->priority);
	json_out_member_bool(o, "isLegacyPin", e->has_legacy_pin);
	json_out_end(o);
}

static void put_action(struct json_out *o, const struct action *a)
{
	json_out_object(o);
	json_out_member_int(o, "id", a->id);
	put_text(o, "kind", action_kind_name(a->kind));
	put_text(o, "reason", reason_name(a->reason));
	put_object(o, "object", &a->on);
	put_place(o, "from", &a->from);
	put_place(o, "to", &a->to);
	put_place(o, "replacement", &a->replacement);
	put_object(o, "by", &a->by);
	put_text(o, "message", a->message);
	json_out_end(o);
}

static void put_plan(struct json_out *o, const struct explanation *e)
{
	put_text(o, "outcome", outcome_name(e->outcome));
	put_text(o, "summary", e->summary);
	put_place(o, "now", &e->now);
	put_text(o, "level", e->level);
	put_text(o, "migration", e->migration);
	put_text(o, "migrationReason", e->migration_why);
	put_text(o, "lastMigration", e->migration_last);
	put_place(o, "then", &e->then);
	put_place(o, "replacement", &e->replacement);
	open_list(o, "actions");
	array_each(i, &e->actions)
		put_action(o, &e->plan.actions.items[*i]);
	json_out_end(o);
	open_list(o, "caused");
	array_each(i, &e->caused)
		put_action(o, &e->plan.actions.items[*i]);
	json_out_end(o);
	open_list(o, "warnings");
	array_each(i, &e->warnings) {
		json_out_object(o);
		put_text(o, "object", e->plan.warnings.items[*i].object);
		put_text(o, "reason", e->plan.warnings.items[*i].reason);
		put_text(o, "message", e->plan.warnings.items[*i].message);
		json_out_end(o);
	}
	json_out_end(o);
}

static void put_holder(struct json_out *o, const struct holder *h)
{
	json_out_object(o);
	put_text(o, "namespace", h->ns);
	put_text(o, "name", h->name);
	put_text(o, "criticality", criticality_name((enum level)h->criticality));
	put_modes(o, "loadPpm", h->load);
	json_out_member_bool(o, "canYield", h->can_yield);
	put_text(o, "why", h->why);
	json_out_end(o);
}

static void put_core(struct json_out *o, const struct core_verdict *c)
{
	json_out_object(o);
	put_text(o, "cores", c->cores);
	put_text(o, "message", c->message);
	json_out_member_bool(o, "fits", c->missing == 0);
	json_out_member_bool(o, "isChosen", c->is_chosen);
	json_out_member_bool(o, "wouldYield", c->would_yield);
	json_out_member_int(o, "missingPpm", c->missing);
	if (c->missing)
		put_text(o, "mode", criticality_name((enum level)c->mode));
	json_out_member_int(o, "score", c->score);
	put_modes(o, "loadPpm", c->load);
	put_modes(o, "capacityPpm", c->cap);
	open_list(o, "pods");
	for (uint32_t i = 0; i < c->n_holders; i++)
		put_holder(o, &c->holders[i]);
	json_out_end(o);
	json_out_end(o);
}

static void put_nodes(struct json_out *o, const struct explanation *e)
{
	open_list(o, "nodes");
	array_each(v, &e->nodes) {
		json_out_object(o);
		put_text(o, "name", v->node);
		json_out_member_bool(o, "fits", !v->refused);
		put_text(o, "refusal", v->refusal);
		put_text(o, "detail", v->detail);
		json_out_member_bool(o, "isChosen", v->is_chosen);
		json_out_member_bool(o, "wouldYield", v->would_yield);
		if (v->cost)
			explain_cost_json(v->cost, o);
		open_list(o, "cores");
		for (uint32_t i = 0; i < v->n_cores; i++)
			put_core(o, &v->cores[i]);
		json_out_end(o);
		json_out_end(o);
	}
	json_out_end(o);
}

static void put_history(struct json_out *o, const struct explanation *e,
			const struct replay *history)
{
	const struct replay_pod *p = history ? replay_find(history, e->ns, e->name) : NULL;

	if (!history)
		return;
	json_out_key(o, "history");
	json_out_object(o);
	replay_where_json(history, o);
	if (p) {
		json_out_key(o, "pod");
		replay_pod_json(p, o);
	}
	json_out_end(o);
}

void explain_json(const struct explanation *e, const struct replay *history, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };

	json_out_object(&o);
	put_text(&o, "apiVersion", MCKUBE_API_VERSION);
	put_text(&o, "kind", "Explanation");
	json_out_key(&o, "pod");
	json_out_object(&o);
	put_text(&o, "namespace", e->ns);
	put_text(&o, "name", e->name);
	json_out_end(&o);
	put_text(&o, "optimizer", e->optimizer);
	put_request(&o, e);
	put_plan(&o, e);
	put_nodes(&o, e);
	open_list(&o, "advice");
	array_each(advice, &e->advice)
		json_out_text(&o, *advice);
	json_out_end(&o);
	put_history(&o, e, history);
	open_list(&o, "changes");
	array_each(change, &e->changes)
		json_out_text(&o, *change);
	json_out_end(&o);
	json_out_end(&o);
	str_addc(out, '\n');
}
