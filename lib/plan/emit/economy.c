/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "plan/economy/savings.h"
#include "plan/emit/emit.h"
#include "plan/migrate/method.h"

/* What the part for cost and power has decided, as actions. */

static const char *node_name(const struct emitter *e, node_id node)
{
	const struct cluster *c = e->trial->c;

	return plan_str(e->plan, cluster_str(c, c->nodes.items[node].meta.name));
}

static const char *dollars(struct emitter *e, int64_t micro)
{
	AUTO(str_done) struct str text = STR_INIT;

	decimal_add(&text, micro, 2);
	return plan_str(e->plan, text.s);
}

static const char *watts(struct emitter *e, int64_t milli)
{
	AUTO(str_done) struct str text = STR_INIT;

	decimal_add(&text, milli * 1000, 0);
	return plan_str(e->plan, text.s);
}

static int by_group(const void *x, const void *y)
{
	const struct cargo *a = *(const struct cargo *const *)x,
			   *b = *(const struct cargo *const *)y;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->pod < b->pod ? -1 : a->pod > b->pod;
}

/* "share 0.039624 → 0.031782 $/h; the group saves 0.384 $/h" */
static const char *explain_move(struct emitter *e, const struct economy *x, const struct cargo *g)
{
	const char *was = dollars(e, fleet_share(&x->fleet.nodes[g->origin], g->billed));
	const char *is = dollars(e, fleet_share(&x->fleet.nodes[g->node], g->billed));
	const char *saved = dollars(e, g->saving < 0 ? -g->saving : g->saving);
	const char *how = g->saving < 0 ? "costs" : "saves";

	if (g->reason == REASON_ROLLED_BACK)
		return plan_strf(e->plan,
				 "since it was moved to node %s it has not become ready; its share "
				 "is %s $/h instead of %s",
				 node_name(e, g->origin), is, was);
	if (g->reason == REASON_POWER_ALERT)
		return plan_strf(e->plan,
				 "an alert of a PowerPolicy moves it to where it draws or emits "
				 "less; its share is %s $/h instead of %s",
				 is, was);
	if (g->reason == REASON_NODE_CLOSED)
		return plan_strf(e->plan,
				 "its share is %s $/h instead of %s; without pods, node %s %s %s "
				 "$/h once it is removed",
				 is, was, node_name(e, g->origin), how, saved);
	return plan_strf(e->plan, "its share is %s $/h instead of %s; the move %s %s $/h", is, was,
			 how, saved);
}

static struct action_share share_of(const struct economy *x, const struct cargo *g)
{
	struct action_share s = { .is_given = true };

	s.cost.after = g->share;
	s.watts.after = economy_power_on(x, g, g->node) * 1000;
	if (g->group) {
		s.cost.before = fleet_share(&x->fleet.nodes[g->origin], g->billed);
		s.watts.before = economy_power_on(x, g, g->origin) * 1000;
	}
	return s;
}

static struct action *emit_eviction(struct emitter *e, const struct economy *x,
				    const struct cargo *g)
{
	struct action *a = emit_action(e, ACTION_EVICT, (enum reason)g->reason,
				       emit_pod(e, &x->c->pods.items[g->pod]));

	a->from = (struct place){ .node = node_name(e, g->origin), .cores = "" };
	a->replacement = (struct place){ .node = node_name(e, g->node) };
	a->message = explain_move(e, x, g);
	return a;
}

/* From a spot node that is about to go, by a policy with interruptionHandling: migrate. Where it
 * cannot take its memory along it is evicted, and the message says why. */
static struct action *emit_with_memory(struct emitter *e, const struct economy *x,
				       const struct cargo *g, const struct movers *movers)
{
	const struct pod *pod = &x->c->pods.items[g->pod];
	AUTO(str_done) struct str why = STR_INIT;
	struct action *a;

	if (movers_keep_memory(movers, g->pod, g->node, &why)) {
		a = emit_relocation(e,
				    &(struct migration){
					    .pod = g->pod,
					    .unit = NONE,
					    .from = g->origin,
					    .to = g->node,
					    .method = MIGRATE_CHECKPOINT,
					    .reason = g->reason,
					    .steps = migration_steps(e->p, pod, MIGRATE_CHECKPOINT),
					    .use = usage_of_pod(x->c, pod),
				    });
		a->message = plan_strf(e->plan, "with its memory; %s", explain_move(e, x, g));
	} else {
		a = emit_eviction(e, x, g);
		a->message = plan_strf(e->plan, "%s; not with its memory: %s", a->message, why.s);
	}
	return a;
}

static bool keeps_memory(const struct economy *x, const struct cargo *g)
{
	return g->reason == REASON_SPOT_INTERRUPTED && g->of != NONE &&
	       x->accounts[g->of].keeps_memory;
}

/* `status_of`: by optimizer, the action that writes down that a pod of it moves; 0. */
static void emit_evictions(struct emitter *e, const struct economy *x, const uint32_t *status_of)
{
	ARRAY(const struct cargo *) moved = { 0 };
	AUTO(movers_done) struct movers movers;

	movers_init(&movers, e->trial, false);

	/* NOLINTBEGIN(bugprone-sizeof-expression): an array of pointers */
	for (size_t i = 0; i < x->n_bound; i++)
		if (x->cargo.items[i].group)
			*array_add(&moved) = &x->cargo.items[i];
	if (moved.n)
		qsort(moved.items, moved.n, sizeof(*moved.items), by_group);
	/* NOLINTEND(bugprone-sizeof-expression) */
	array_each(at, &moved) {
		const struct cargo *g = *at;
		struct action *a = keeps_memory(x, g) ? emit_with_memory(e, x, g, &movers)
						      : emit_eviction(e, x, g);

		a->group = g->group;
		a->optimizer = emit_optimizer_name(e, g->of);
		if (g->of != NONE && status_of[g->of]) /* else the move had no cooldown */
			emit_after(e, a, &status_of[g->of], 1);
		a->share = share_of(x, g);
	}
	array_done(&moved);
}

/* It takes the place of a pod of its workload that was moved: it does not move again for a while,
 * whatever its optimizer's status says then. */
static void note_move(const struct economy *x, const struct cargo *g, struct action *a)
{
	const struct optimizer *o = &x->c->optimizers.items[g->of];

	if (!economy_replaces_moved(x, g))
		return;
	a->moved_at = o->moved_at;
	a->moves = o->moves > 0 ? (uint32_t)o->moves : 1;
}

static void emit_binds(struct emitter *e, struct economy *x)
{
	for (size_t i = x->n_bound; i < x->cargo.n; i++) {
		const struct cargo *g = &x->cargo.items[i];
		ARRAY(uint32_t) after = { 0 };
		freed_list freed = { 0 };

		if (g->node == NONE)
			continue;
		struct action *a = emit_action(e, ACTION_BIND, REASON_PLACED,
					       emit_pod(e, &x->c->pods.items[g->pod]));
		a->to = (struct place){ .node = node_name(e, g->node) };
		a->optimizer = emit_optimizer_name(e, g->of);
		a->share = share_of(x, g);
		note_move(x, g, a);
		a->baseline =
			(struct action_baseline){ g->baseline_cost, g->baseline_power * 1000 };
		emit_list_freed(e, g->node, &freed);
		array_each(f, &freed)
			if (f->is_eviction)
				*array_add(&after) = f->action;
		emit_after(e, a, after.items, (uint32_t)after.n);
		a->message = plan_strf(e->plan, "its share is %s $/h", dollars(e, g->share));
		array_done(&after);
		array_done(&freed);
	}
}

/* ---- What has no place ---- */

static const enum reason money_reasons[MONEY_REFUSALS] = {
	[MONEY_BUDGET] = REASON_BUDGET_EXHAUSTED, [MONEY_PER_HOUR] = REASON_OVER_HOURLY_LIMIT,
	[MONEY_POWER] = REASON_OVER_POWER_LIMIT,  [MONEY_SPOT] = REASON_SPOT_NOT_ALLOWED,
	[MONEY_SPREAD] = REASON_SPOT_NOT_ALLOWED, [MONEY_PEAK] = REASON_PEAK_HOURS,
	[MONEY_GREEN] = REASON_NOT_GREEN_ENOUGH,  [MONEY_CARBON] = REASON_OVER_CARBON_LIMIT,
};

static const char *const money_texts[MONEY_REFUSALS] = {
	[MONEY_BUDGET] = "budget spent",
	[MONEY_PER_HOUR] = "limit of cost per hour",
	[MONEY_POWER] = "limit of power",
	[MONEY_CARBON] = "limit of carbon dioxide",
	[MONEY_SPOT] = "spot not allowed",
	[MONEY_SPREAD] = "half of the replicas on spot are of that type and zone",
	[MONEY_PEAK] = "peak hours",
	[MONEY_GREEN] = "not enough renewable energy",
};

/* The limit that is nearest to what the pod would need: "maxCostPerHour: 0.05 of 0.05 $/h". */
static const char *explain_limit(struct emitter *e, const struct economy *x, const struct cargo *g,
				 enum money_refusal why)
{
	const struct account *a = &x->accounts[g->of];

	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&x->limits.items[x->limit_ids.items[a->limits.at + k]];

		if (why == MONEY_PER_HOUR && l->max_cost >= 0)
			return plan_strf(e->plan, "; %s: %s of %s $/h are used", l->object,
					 dollars(e, l->cost), dollars(e, l->max_cost));
		if (why == MONEY_POWER && l->max_power >= 0 && !l->is_part)
			return plan_strf(e->plan, "; %s: %s of %s W are used", l->object,
					 watts(e, l->power), watts(e, l->max_power));
		if (why == MONEY_CARBON && l->max_carbon >= 0)
			return plan_strf(e->plan, "; %s: %s of %s kg/h are emitted", l->object,
					 dollars(e, (int64_t)(l->carbon / PPM)),
					 dollars(e, (int64_t)(l->max_carbon / PPM)));
		if (why == MONEY_BUDGET && l->is_exhausted)
			return plan_strf(e->plan, "; %s", l->object);
	}
	return "";
}

static void count_refusals(struct economy *x, uint32_t cargo, struct refusal_tally *tally,
			   uint32_t money[MONEY_REFUSALS], bool *ret_room)
{
	char detail[EMIT_DETAIL_MAX];

	economy_mark(x);
	for (node_id node = 0; node < x->c->nodes.n; node++) {
		enum refusal r = economy_filter(x, cargo, node, detail, sizeof(detail));

		if (r != REFUSE_NOTHING) {
			emit_count_refusal(tally, r, detail);
			*ret_room |= r == REFUSE_RESOURCES;
			continue;
		}
		money[economy_refuses(x, cargo, node)]++;
	}
}

static enum reason reason_of(const uint32_t money[MONEY_REFUSALS], bool is_for_room,
			     enum money_refusal *ret)
{
	static const enum money_refusal order[] = {
		MONEY_BUDGET, MONEY_PER_HOUR, MONEY_POWER, MONEY_CARBON,
		MONEY_SPOT,   MONEY_SPREAD,   MONEY_GREEN, MONEY_PEAK,
	};

	*ret = MONEY_ACCEPTS;
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (!money[order[i]])
			continue;
		*ret = order[i];
		return money_reasons[order[i]];
	}
	return is_for_room ? REASON_NO_ROOM : REASON_NO_NODE;
}

static void judge_no_place(struct emitter *e, struct economy *x, uint32_t cargo)
{
	const struct cargo *g = &x->cargo.items[cargo];
	struct refusal_tally tally = { 0 };
	uint32_t money[MONEY_REFUSALS] = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	bool is_for_room = false;
	enum money_refusal why;

	count_refusals(x, cargo, &tally, money, &is_for_room);
	enum reason reason = reason_of(money, is_for_room, &why);
	x->accounts[g->of].is_refused |= why != MONEY_ACCEPTS;
	str_addf(&text, "0/%zu nodes are available", x->c->nodes.n);
	size_t n = emit_tally_words(&tally, &text);
	for (int i = MONEY_ACCEPTS + 1; i < MONEY_REFUSALS; i++)
		if (money[i])
			str_addf(&text, "%s%u %s", n++ ? ", " : ": ", money[i], money_texts[i]);
	str_add(&text, explain_limit(e, x, g, why));
	*array_add(&x->no_places) = (struct no_place){
		.cargo = cargo,
		.reason = (uint8_t)reason,
		.text = plan_str(e->plan, text.s),
	};
}

/* Before any status is written: they say whether a pod has found a place. */
static void judge_pending(struct emitter *e, struct economy *x)
{
	for (size_t i = x->n_bound; i < x->cargo.n; i++) {
		const struct cargo *g = &x->cargo.items[i];
		struct account *a = &x->accounts[g->of];

		a->is_placed |= g->node != NONE;
		if (g->node != NONE || economy_releases(x, g->pod))
			continue;
		if (a->is_suspended)
			*array_add(&x->no_places) = (struct no_place){
				.cargo = (uint32_t)i,
				.reason = REASON_SUSPENDED,
				.text = a->why,
			};
		else
			judge_no_place(e, x, (uint32_t)i);
	}
}

void emit_economy_unplaced(struct emitter *e)
{
	struct economy *x = e->p->economy;

	array_each(n, &x->no_places)
		emit_refused(e, &x->c->pods.items[x->cargo.items[n->cargo].pod],
			     (enum reason)n->reason, n->text);
}

/* ---- Optimizers that go ---- */

/* By optimizer: does our gate hold a pod of it? */
static bool *list_gated(const struct economy *x)
{
	bool *is_gated = xcalloc(x->c->optimizers.n + 1, sizeof(*is_gated));

	for (size_t i = x->n_bound; i < x->cargo.n; i++)
		is_gated[x->cargo.items[i].of] |=
			x->c->pods.items[x->cargo.items[i].pod].has_our_gate;
	return is_gated;
}

static void emit_finalizer(struct emitter *e, optimizer_id id, enum reason reason,
			   const char *message, const uint32_t *after, uint32_t n_after)
{
	const struct meta *m = &e->p->economy->c->optimizers.items[id].meta;
	struct action *a =
		emit_action(e, ACTION_FINALIZER, reason, emit_kcloud(e, "WorkloadOptimizer", m));

	emit_after(e, a, after, n_after);
	a->message = message;
}

/* Pods that wait behind our gate would wait for ever without their optimizer. */
static void emit_release(struct emitter *e, struct economy *x, optimizer_id id)
{
	ARRAY(uint32_t) released = { 0 };

	for (size_t i = x->n_bound; i < x->cargo.n; i++) {
		const struct cargo *g = &x->cargo.items[i];

		if (g->of != id || !economy_releases(x, g->pod))
			continue;
		struct action *a = emit_action(e, ACTION_RELEASE, REASON_OPTIMIZER_DELETED,
					       emit_pod(e, &x->c->pods.items[g->pod]));
		a->message = "scheduling gate: its WorkloadOptimizer is being deleted";
		*array_add(&released) = a->id;
	}
	if (x->c->optimizers.items[id].has_finalizer)
		emit_finalizer(e, id, REASON_FINALIZER_REMOVED,
			       "finalizer: no pod waits behind our scheduling gate after this plan",
			       released.items, (uint32_t)released.n);
	array_done(&released);
}

static void emit_life_cycle(struct emitter *e, struct economy *x)
{
	AUTO_FREE bool *is_gated = list_gated(x);

	for (optimizer_id id = 0; id < x->c->optimizers.n; id++) {
		const struct optimizer *o = &x->c->optimizers.items[id];

		if (x->accounts[id].is_elsewhere)
			continue;
		if (o->is_deleting)
			emit_release(e, x, id);
		else if (!o->has_finalizer && is_gated[id])
			emit_finalizer(e, id, REASON_FINALIZER_ADDED,
				       "finalizer: pods that wait are released before deletion",
				       NULL, 0);
	}
}

/* ---- Nodes that may be removed ---- */

/* By node: the moves that empty it; 0. */
static uint32_t *list_closing(const struct economy *x)
{
	uint32_t *group = xcalloc(x->c->nodes.n + 1, sizeof(*group));

	for (size_t i = 0; i < x->n_bound; i++) {
		const struct cargo *g = &x->cargo.items[i];

		if (g->group && g->reason == REASON_NODE_CLOSED)
			group[g->origin] = g->group;
	}
	return group;
}

/* "node a is empty of movable pods: removing it saves 0.192 $/h and 8.8 W (assumed)" */
static const char *explain_saving(struct emitter *e, const struct economy *x, node_id node,
				  const struct node_saving *s)
{
	const struct fleet_node *n = &x->fleet.nodes[node];
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "node %s is empty of movable pods: removing it saves ", s->node);
	decimal_add(&text, s->cost, 2);
	str_add(&text,
		n->is_price_assumed && !n->is_power_assumed ? " $/h (assumed) and " : " $/h and ");
	decimal_add(&text, s->watts, 0);
	str_add(&text, !n->is_power_assumed  ? " W"
		       : n->is_price_assumed ? " W, both assumed"
					     : " W (assumed)");
	return plan_str(e->plan, text.s);
}

/* By node: does a pod that was moved from there need it, should it have to go back? */
static bool *list_kept(const struct economy *x)
{
	bool *is_kept = xcalloc(x->c->nodes.n + 1, sizeof(*is_kept));

	for (optimizer_id id = 0; id < x->c->optimizers.n; id++)
		if (x->accounts[id].kept != NONE)
			is_kept[x->accounts[id].kept] = true;
	return is_kept;
}

static void emit_savings(struct emitter *e, const struct economy *x)
{
	AUTO_FREE uint32_t *group = list_closing(x);
	AUTO_FREE bool *is_kept = list_kept(x);

	for (node_id node = 0; node < x->c->nodes.n; node++) {
		if (is_kept[node] || !economy_is_spare(x, node))
			continue;
		const struct fleet_node *n = &x->fleet.nodes[node];
		struct node_saving *s = array_add(&e->plan->economy.savings);

		*s = (struct node_saving){
			.node = node_name(e, node),
			.group = group[node],
			.cost = n->capacity_type == CAPACITY_RESERVED ? 0 : n->price,
			.watts = economy_node_power(x, node) * 1000,
		};
		s->message = explain_saving(e, x, node, s);
	}
}

void emit_economy(struct emitter *e)
{
	struct economy *x = e->p->economy;
	struct plan_economy *to = &e->plan->economy;

	if (!x->is_active)
		return;
	AUTO_FREE uint32_t *status_of = xcalloc(x->c->optimizers.n + 1, sizeof(*status_of));
	emit_life_cycle(e, x);
	judge_pending(e, x);
	emit_scaling(e, true);
	emit_economy_moves(e, status_of);
	emit_evictions(e, x, status_of);
	emit_binds(e, x);
	emit_scaling(e, false);
	e->plan->settings.optimise.applies = true;
	*to = (struct plan_economy){
		.is_given = true,
		.cost = { x->before.cost, x->after.cost },
		.watts = { x->before.power * 1000, x->after.power * 1000 },
		.carbon = { x->before.carbon, x->after.carbon },
	};
	emit_savings(e, x);
}
