/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/emit/emit.h"

/* ---- Objects and places ---- */

const char *emit_ratio(struct emitter *e, uint64_t ppm)
{
	uint64_t milli = (ppm + 999) / 1000;

	return plan_strf(e->plan, "%llu.%03llu", (unsigned long long)(milli / 1000),
			 (unsigned long long)(milli % 1000));
}

struct target emit_pod(struct emitter *e, const struct pod *pod)
{
	const struct cluster *c = e->trial->c;

	return (struct target){
		.kind = "Pod",
		.api_version = "v1",
		.ns = plan_str(e->plan, cluster_str(c, pod->meta.ns)),
		.name = plan_str(e->plan, cluster_str(c, pod->meta.name)),
		.uid = plan_str(e->plan, cluster_str(c, pod->meta.uid)),
		.version = plan_str(e->plan, cluster_str(c, pod->meta.version)),
	};
}

struct target emit_mckube(struct emitter *e, const struct mckube *m)
{
	const struct cluster *c = e->trial->c;

	return (struct target){
		.kind = plan_str(e->plan, cluster_str(c, m->kind)),
		.api_version = plan_str(e->plan, cluster_str(c, m->api_version)),
		.ns = plan_str(e->plan, cluster_str(c, m->meta.ns)),
		.name = plan_str(e->plan, cluster_str(c, m->meta.name)),
		.uid = plan_str(e->plan, cluster_str(c, m->meta.uid)),
		.version = plan_str(e->plan, cluster_str(c, m->meta.version)),
	};
}

bool emit_place_holds(const struct trial *t, place_id place)
{
	struct range cells = t->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (!cell_holds(&t->cells[t->place_cells.items[cells.at + i]], 0))
			return false;
	return true;
}

struct cpuset emit_cpus(const struct trial *t, place_id id)
{
	struct range cores = t->places.items[id].cores;
	struct cpuset set = { 0 };

	for (uint32_t i = 0; i < cores.n; i++)
		cpuset_add(&set, t->cap.cores.items[t->place_cores.items[cores.at + i]].cpu);
	return set;
}

struct target emit_node(struct emitter *e, node_id id)
{
	const struct meta *meta = &e->trial->c->nodes.items[id].meta;

	return (struct target){
		.kind = "Node",
		.api_version = "v1",
		.ns = "",
		.name = plan_str(e->plan, cluster_str(e->trial->c, meta->name)),
		.uid = plan_str(e->plan, cluster_str(e->trial->c, meta->uid)),
		.version = "",
	};
}

struct place emit_place(struct emitter *e, place_id id)
{
	const struct core_set *place = &e->trial->places.items[id];
	struct cpuset set = emit_cpus(e->trial, id);
	char text[CPUSET_TEXT];

	return (struct place){
		.node = plan_str(
			e->plan,
			cluster_str(e->trial->c, e->trial->c->nodes.items[place->node].meta.name)),
		.cores = plan_str(e->plan, cpuset_format(&set, text)),
	};
}

struct place emit_origin(struct emitter *e, const struct unit *u)
{
	const struct request *q = unit_request(e->trial, u);
	char text[CPUSET_TEXT];

	return (struct place){
		.node = plan_str(e->plan,
				 cluster_str(e->trial->c, unit_pod(e->trial, u)->node_name)),
		.cores = q->has_cores ? plan_str(e->plan,
						 cpuset_format(&e->trial->req.sets.items[q->cores],
							       text))
				      : "",
	};
}

struct place emit_grant(struct emitter *e, unit_id id, place_id place, enum level level)
{
	const struct unit *u = &e->trial->units.items[id];
	const struct budget *b = unit_budget(e->trial, u);
	struct place to = emit_place(e, place);

	to.period = b->period;
	to.runtime = budget_runtime(b, level);
	to.level = (uint8_t)level;
	to.has_level = true;
	to.enforcement = e->enforcement[id];
	return to;
}

void emit_request(struct emitter *e, struct action *a, const struct unit *u)
{
	const struct request *q = unit_request(e->trial, u);

	char text[RECOVERY_TEXT];

	a->budget = *unit_budget(e->trial, u);
	a->recovery = plan_str(e->plan, recovery_format(&q->recovery, text));
	a->policy = plan_str(e->plan, cluster_str(e->trial->c, q->policy));
	a->priority = plan_str(e->plan, cluster_str(e->trial->c, q->priority));
	a->source = request_source_name((enum request_source)q->source);
}

struct action *emit_action(struct emitter *e, enum action_kind kind, enum reason reason,
			   struct target on)
{
	struct action *a = array_add(&e->plan->actions);

	*a = (struct action){
		.id = (uint32_t)e->plan->actions.n,
		.kind = kind,
		.reason = reason,
		.on = on,
		.source = "",
		.recovery = "",
		.policy = "",
		.priority = "",
		.message = "",
	};
	return a;
}

bool emit_share_cells(const struct trial *t, place_id a, place_id b)
{
	struct range x = t->places.items[a].cells, y = t->places.items[b].cells;

	for (uint32_t i = 0; i < x.n; i++)
		for (uint32_t j = 0; j < y.n; j++)
			if (t->place_cells.items[x.at + i] == t->place_cells.items[y.at + j])
				return true;
	return false;
}

const char *emit_cell_name(struct emitter *e, cell_id id)
{
	const struct trial *t = e->trial;
	node_id node = t->cells[id].node;
	struct range cores = t->cap.nodes.items[node].cores;

	if (t->cap.nodes.items[node].scope == SCOPE_NODE)
		return plan_strf(e->plan, "node %s",
				 cluster_str(t->c, t->c->nodes.items[node].meta.name));
	uint32_t core = cores.at + (id - t->cell_of_core[cores.at]);
	return plan_strf(e->plan, "core %u", t->cap.cores.items[core].cpu);
}

const char *emit_mode_words(struct emitter *e, int mode)
{
	return mode == LEVEL_LOW ? "" : plan_strf(e->plan, " in mode %s", criticality_name(mode));
}

/* ---- What the plan does with a unit ---- */

bool emit_shrinks(const struct emitter *e, const struct unit *u)
{
	return u->origin != NONE && !u->is_evicted && unit_request(e->trial, u)->shrinks;
}

bool emit_gives_up_watch(const struct emitter *e, unit_id id)
{
	return e->enforcement[id] == ENFORCE_RAISE &&
	       e->update_reason[id] == REASON_ENFORCEMENT_CHANGED;
}

bool emit_makes_room(const struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];

	if (u->kind == UNIT_UNASSIGNED || u->at != u->origin)
		return u->is_evicted || u->kind != UNIT_UNASSIGNED;
	return emit_shrinks(e, u) || emit_gives_up_watch(e, id);
}

bool emit_is_granted(const struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];

	return u->at != NONE &&
	       (u->at != u->origin || emit_shrinks(e, u) || e->update_reason[id] != REASON_NONE);
}

mckube_id emit_mckube_of(const struct emitter *e, unit_id id)
{
	return unit_request(e->trial, &e->trial->units.items[id])->mckube;
}

uint32_t emit_finalizer_of(const struct emitter *e, unit_id id)
{
	mckube_id m = emit_mckube_of(e, id);

	return m == NONE ? 0 : e->finalizer[m];
}

const char *emit_replacement_words(struct emitter *e, const struct unit *u, const struct place *to)
{
	if (!u->is_reschedulable)
		return "no controller recreates this pod";
	if (u->replacement == NONE)
		return "there is no room for its replacement";
	return plan_strf(e->plan, "its replacement fits on %s, core %s", to->node, to->cores);
}
