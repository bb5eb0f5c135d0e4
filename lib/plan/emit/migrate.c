/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "base/str.h"
#include "model/checkpoint_facts.h"
#include "plan/emit/emit.h"

/* Of moves with their memory: what any of them costs, and each MiB; measured with a hundred of
 * them. */
enum { OUTAGE_MS = 650, OUTAGE_US_PER_MIB = 13500, MIB_MAX = 100000 };
enum { MIB_PER_GIB = 1024, SECONDS_MAX = 1000 };

static const char *node_name(const struct emitter *e, node_id id)
{
	return cluster_str(e->trial->c, e->trial->c->nodes.items[id].meta.name);
}

static const char *use_words(struct emitter *e, node_id id, int resource, const char *separator)
{
	const struct usage *use = &e->p->migrations.usage[id];
	const struct node *node = &e->trial->c->nodes.items[id];
	uint32_t share = usage_share(use->amount[resource], usage_capacity(node, resource));

	return plan_strf(e->plan, "%s%s %s (%s)", separator, usage_resource_name(resource),
			 emit_ratio(e, share),
			 usage_source_word((enum usage_source)use->source[resource]));
}

/* Is a pod of the node moved by this plan? */
static bool is_left(const struct emitter *e, node_id id)
{
	array_each(g, &e->p->migrations.list)
		if (g->from == id && g->reason == REASON_NODE_PRESSURE)
			return true;
	return false;
}

static uint32_t emit_mark(struct emitter *e, node_id id)
{
	const struct settings *s = e->trial->settings;
	enum node_mark mark = (enum node_mark)e->p->migrations.mark_of[id];
	bool is_on = mark == MARK_PRESSED;
	struct action *a =
		emit_action(e, is_on ? ACTION_TAINT : ACTION_UNTAINT,
			    is_on ? REASON_NODE_PRESSURE : REASON_NODE_RELIEVED, emit_node(e, id));

	if (!is_on) {
		a->message = s->migration.enabled ? plan_strf(e->plan, "it uses less again:%s%s",
							      use_words(e, id, USAGE_CPU, " "),
							      use_words(e, id, USAGE_MEMORY, ", "))
						  : "migration is off";
		return a->id;
	}
	a->since = e->trial->c->taken_at;
	if (is_left(e, id))
		a->message = plan_strf(e->plan,
				       "a pod is moved from it; the next one waits for %u seconds",
				       s->migration.check_seconds);
	else
		a->message = plan_strf(
			e->plan,
			"it uses more than %s of what it has:%s%s; pods move after %u "
			"seconds of it",
			emit_ratio(e, s->migration.threshold), use_words(e, id, USAGE_CPU, " "),
			use_words(e, id, USAGE_MEMORY, ", "), s->migration.check_seconds);
	return a->id;
}

/* The seconds after which the helper of its node resumes it, unless it was sent: what its node says
 * for any pod, and for each GiB of memory. 0: it does not say. */
static uint32_t limit_of(const struct emitter *e, const struct migration *g)
{
	const struct cluster *c = e->trial->c;
	str_id note = g->from == NONE ? NONE : c->nodes.items[g->from].annotations.checkpoint;
	struct slice said = { 0 };
	int64_t base, per_gib;

	if (note != NONE)
		said = checkpoint_fact(cluster_str(c, note), "pause");
	const char *plus = said.n ? memchr(said.s, '+', said.n) : NULL;
	if (!plus || !decimal_parse(said.s, (size_t)(plus - said.s), &base, NULL) ||
	    !decimal_parse(plus + 1, said.n - (size_t)(plus + 1 - said.s), &per_gib, NULL))
		return 0;
	if (base < 0 || base / MICRO > SECONDS_MAX || per_gib < 0 || per_gib / MICRO > SECONDS_MAX)
		return 0;
	int64_t mib = g->use.amount[USAGE_MEMORY] >> 20;
	return (uint32_t)((base + (mib < MIB_MAX ? mib : MIB_MAX) * per_gib / MIB_PER_GIB) / MICRO);
}

static const char *arrival_words(struct emitter *e, const struct migration *g)
{
	const struct pod *pod = &e->trial->c->pods.items[g->pod];

	uint32_t limit = limit_of(e, g);

	if (g->method == MIGRATE_CHECKPOINT && limit)
		return plan_strf(e->plan, "with its memory, or it goes on here after %u seconds",
				 limit);
	if (g->method == MIGRATE_CHECKPOINT)
		return "with its memory";
	if (g->steps & STAGE_BIT(STAGE_COPY))
		return "a copy of it starts there";
	if (g->steps & STAGE_BIT(STAGE_BIND))
		return "a new pod starts there";
	return plan_strf(e->plan, "a new pod of its %s has room there; its scheduler decides",
			 cluster_str(e->trial->c, pod->owner_kind));
}

static const char *move_words(struct emitter *e, const struct migration *g)
{
	const char *to = node_name(e, g->to), *arrival = arrival_words(e, g);

	if (g->reason == REASON_RESUMED)
		return plan_strf(e->plan, "its move to %s was begun: %s", to, arrival);
	if (g->reason == REASON_REQUESTED)
		return plan_strf(e->plan, "%s%s takes it: %s",
				 g->exceeds ? "no node stays below the threshold with it; " : "",
				 to, arrival);
	return plan_strf(
		e->plan, "node %s uses %s of its %s (%s), %s without this pod; %s will use %s: %s",
		node_name(e, g->from), emit_ratio(e, g->before), usage_resource_name(g->resource),
		usage_source_word((enum usage_source)g->source), emit_ratio(e, g->after), to,
		emit_ratio(e, g->target_use), arrival);
}

/* It comes after the taint that says when, after what makes room for its budget, and after all
 * evictions on the target. */
static void depend(struct emitter *e, struct action *a, const struct migration *g, uint32_t mark)
{
	freed_list freed = { 0 };
	ARRAY(uint32_t) ids = { 0 };

	emit_list_freed(e, g->to, &freed);
	if (mark)
		*array_add(&ids) = mark;
	if (g->unit != NONE && e->last_action[g->unit])
		*array_add(&ids) = e->last_action[g->unit];
	array_each(f, &freed)
		if (f->is_eviction || (g->unit != NONE && f->place != NONE &&
				       emit_share_cells(e->trial, f->place, g->place)))
			*array_add(&ids) = f->action;
	emit_after(e, a, ids.items, (uint32_t)ids.n);
	array_done(&ids);
	array_done(&freed);
}

static uint32_t outage_of(const struct migration *g)
{
	if (g->method != MIGRATE_CHECKPOINT)
		return 0;
	int64_t mib = g->use.amount[USAGE_MEMORY] >> 20;
	return OUTAGE_MS + (uint32_t)((mib < MIB_MAX ? mib : MIB_MAX) * OUTAGE_US_PER_MIB / 1000);
}

static void fill_places(struct emitter *e, struct action *a, const struct migration *g)
{
	const struct cluster *c = e->trial->c;
	const struct unit *u = g->unit == NONE ? NULL : &e->trial->units.items[g->unit];

	a->from.node = plan_str(e->plan, g->from == NONE ? "" : node_name(e, g->from));
	a->from.cores = "";
	if (g->from == NONE) /* it is gone */
		a->from.node = plan_str(e->plan, cluster_str(c, c->nodes.items[g->to].meta.name));
	a->to.node = plan_str(e->plan, node_name(e, g->to));
	a->to.cores = "";
	if (!u)
		return;
	enum level level = g->method == MIGRATE_CHECKPOINT
				   ? (enum level)unit_request(e->trial, u)->level
				   : LEVEL_LOW;
	a->from = emit_origin(e, u);
	a->to = emit_grant(e, g->unit, g->place, level);
	emit_request(e, a, u);
}

struct action *emit_relocation(struct emitter *e, const struct migration *g)
{
	const struct pod *pod = &e->trial->c->pods.items[g->pod];
	struct action *a = emit_action(e, ACTION_MIGRATE, (enum reason)g->reason, emit_pod(e, pod));

	fill_places(e, a, g);
	a->method = g->method;
	a->steps = g->steps;
	a->since = e->trial->c->taken_at;
	a->downtime_ms = outage_of(g);
	if (pod->owner_uid)
		a->owner_uid = plan_str(e->plan, cluster_str(e->trial->c, pod->owner_uid));
	return a;
}

static void emit_migration(struct emitter *e, const struct migration *g, uint32_t mark)
{
	struct action *a = emit_relocation(e, g);

	depend(e, a, g, mark);
	a->message = move_words(e, g);
	if (g->unit != NONE)
		e->last_action[g->unit] = a->id;
}

void emit_migrations(struct emitter *e)
{
	const struct migrations *m = &e->p->migrations;
	AUTO_FREE uint32_t *mark = xcalloc(e->trial->c->nodes.n + (size_t)1, sizeof(*mark));

	for (node_id id = 0; m->mark_of && id < e->trial->c->nodes.n; id++)
		if (m->mark_of[id] != MARK_NONE)
			mark[id] = emit_mark(e, id);
	array_each(g, &m->list)
		emit_migration(e, g, g->from == NONE ? 0 : mark[g->from]);
	array_each(s, &m->stayers) {
		const struct pod *pod = &e->trial->c->pods.items[s->pod];

		*array_add(&e->plan->warnings) = (struct warning){
			plan_strf(e->plan, "Pod %s/%s", cluster_str(e->trial->c, pod->meta.ns),
				  cluster_str(e->trial->c, pod->meta.name)),
			"NotMigrated",
			plan_str(e->plan, s->why),
		};
	}
}

void emit_place_migrated(struct planner *p, bool is_placed)
{
	array_each(g, &p->migrations.list)
		if (g->unit != NONE)
			p->trial.units.items[g->unit].at = is_placed ? g->place : NONE;
}
