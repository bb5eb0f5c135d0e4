/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "plan/migrate/migrate_internal.h"

/* Pods of one node that are looked at in full, and nodes in one plan: bounds where no node has room
 * for what they have. */
enum { TRIES_PER_NODE = 8, NODES_TRIED = 64, RELIEF_PARTS = 100 };

/* ---- Nodes ---- */

/* A node that uses too much, of what it uses most of. */
struct pressed {
	node_id node;
	uint32_t share;
	enum usage_resource resource;
	int64_t excess; /* of the resource, until the pressure is over */
};

typedef ARRAY(struct pressed) pressed_list;

static struct pressed read_node(const struct mover_run *x, node_id id)
{
	const struct trial *t = &x->p->trial;
	const struct node *node = &t->c->nodes.items[id];
	int64_t calm =
		(int64_t)t->settings->migration.threshold - t->settings->migration.hysteresis;
	struct pressed n = { .node = id };

	for (int r = 0; r < USAGE_RESOURCES; r++) {
		int64_t have = usage_capacity(node, (enum usage_resource)r);
		int64_t used = x->m->usage[id].amount[r];
		uint32_t share = usage_share(used, have);

		if (r > 0 && share <= n.share)
			continue;
		n.share = share;
		n.resource = (enum usage_resource)r;
		n.excess = used - (int64_t)((__int128)have * calm / PPM);
	}
	return n;
}

static void requeue_after(struct migrations *m, int64_t seconds)
{
	if (seconds > 0 && seconds <= INT32_MAX &&
	    (!m->requeue_after || seconds < m->requeue_after))
		m->requeue_after = (uint32_t)seconds;
}

/* Has the pressure, which the taint tells of, lasted long enough? Of a use that is measured, a
 * measurement that began before the taint was put on says nothing: a new one causes a new plan. */
static bool has_lasted(struct mover_run *x, node_id id, const struct taint *taint)
{
	int64_t now = x->p->trial.c->taken_at, since = x->m->usage[id].since;
	uint32_t check = x->p->trial.settings->migration.check_seconds;

	if (now - taint->added < check)
		requeue_after(x->m, taint->added + check - now);
	return now - taint->added >= check && (!since || since >= taint->added);
}

/* Marks the node, and lists it if a pod of it is to be moved. */
static void judge_node(struct mover_run *x, node_id id, pressed_list *list)
{
	const struct trial *t = &x->p->trial;
	const struct taint *taint = cluster_taint(t->c, &t->c->nodes.items[id], MCKUBE_PRESSURE);
	struct pressed n = read_node(x, id);
	bool is_on = t->settings->migration.enabled;

	if (is_on && x->m->usage[id].is_stale)
		return;
	/* That a helper reports another use is no change that is planned for at once. */
	if (is_on && t->c->taken_at && x->m->usage[id].source[USAGE_CPU] == USAGE_ANNOTATION)
		requeue_after(x->m, t->settings->migration.check_seconds);
	bool is_over = is_on && n.share > t->settings->migration.threshold;

	if (is_over && t->c->taken_at && !taint) {
		x->m->mark_of[id] = MARK_PRESSED;
		requeue_after(x->m, t->settings->migration.check_seconds);
	} else if (is_over && t->c->taken_at && has_lasted(x, id, taint)) {
		*array_add(list) = n;
	} else if (taint && (!is_on || n.excess <= 0)) {
		x->m->mark_of[id] = MARK_RELIEVED;
	}
}

static int most_pressed_first(const void *a, const void *b)
{
	const struct pressed *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* ---- Pods of a node ---- */

struct mover {
	pod_id pod;
	uint8_t rank; /* 0: no real time, else its criticality + 1 */
	int32_t priority;
	int64_t relief;
	bool is_enough;
};

typedef ARRAY(struct mover) mover_list;

static int least_loss_first(const void *a, const void *b)
{
	const struct mover *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->is_enough != y->is_enough)
		return x->is_enough ? -1 : 1;
	if (x->relief != y->relief)
		return (x->relief < y->relief) == x->is_enough ? -1 : 1;
	return x->pod < y->pod ? -1 : x->pod > y->pod;
}

static int64_t refused_at(const struct cluster *c, const struct pod *pod)
{
	str_id note = pod->annotations == NONE
			      ? NONE
			      : c->annotations.items[pod->annotations].migrate_refused;
	int64_t when;

	return note != NONE && date_parse(cluster_str(c, note), intern_len(&c->strings, note),
					  &when)
		       ? when
		       : 0;
}

/* Seconds until its cooldown is over; 0: it is. */
static uint32_t cooling_left(const struct mover_run *x, const struct pod *pod)
{
	const struct cluster *c = x->p->trial.c;
	uint32_t seconds = x->p->trial.settings->migration.cooldown_seconds;
	uint32_t left = pod->owner_uid ? x->young_for[pod->owner_uid] : 0;
	uint32_t own = seconds_left(c, pod->meta.created, seconds);
	uint32_t refused = seconds_left(c, refused_at(c, pod), seconds);

	left = own > left ? own : left;
	return refused > left ? refused : left;
}

static struct mover mover_of(const struct mover_run *x, pod_id id, enum usage_resource resource,
			     int64_t excess)
{
	const struct trial *t = &x->p->trial;
	const struct pod *pod = &t->c->pods.items[id];
	unit_id unit = t->unit_of_pod[id];
	int64_t relief = usage_of_pod(t->c, pod).amount[resource];

	return (struct mover){
		.pod = id,
		.rank = unit == NONE ? 0 : (uint8_t)(t->units.items[unit].rank + 1),
		.priority = pod->priority,
		.relief = relief,
		.is_enough = relief >= excess,
	};
}

/* The pods of the node, the one that is to move first in front. */
static void list_movers(const struct mover_run *x, node_id node, enum usage_resource resource,
			int64_t excess, mover_list *ret)
{
	for (pod_id id = x->first_on[node]; id != NONE; id = x->next_on[id])
		*array_add(ret) = mover_of(x, id, resource, excess);
	if (ret->n > 1)
		qsort(ret->items, ret->n, sizeof(*ret->items), least_loss_first);
}

/* ---- Unasked ---- */

/* One that may move once its cooldown is over is looked at again then. */
static bool may_relieve(struct mover_run *x, pod_id pod, enum migration_method *ret_method)
{
	if (movers_ask(&x->movers, pod, ret_method) != STAY_NOT)
		return false;
	uint32_t left = cooling_left(x, &x->p->trial.c->pods.items[pod]);

	requeue_after(x->m, left);
	return !left;
}

static struct migration *relieve_by(struct mover_run *x, pod_id pod, enum migration_method method)
{
	struct migration *g = mover_try(x, pod, method, NONE, false);

	return g || !movers_may_restart(&x->movers, pod, method)
		       ? g
		       : mover_try(x, pod, MIGRATE_RESTART, NONE, false);
}

/* Was a target asked for? */
static bool relieve_node(struct mover_run *x, const struct pressed *n)
{
	const struct node *node = &x->p->trial.c->nodes.items[n->node];
	int64_t least = usage_capacity(node, n->resource) / RELIEF_PARTS;
	enum usage_source source = x->m->usage[n->node].source[n->resource];
	struct migration *g = NULL;
	unsigned tries = 0;
	mover_list list = { 0 };

	list_movers(x, n->node, n->resource, n->excess, &list);
	for (size_t i = 0; i < list.n && tries < TRIES_PER_NODE && !g; i++) {
		enum migration_method method;

		if (list.items[i].relief < least || list.items[i].relief == 0 ||
		    !may_relieve(x, list.items[i].pod, &method))
			continue;
		g = relieve_by(x, list.items[i].pod, method);
		tries++;
	}
	array_done(&list);
	if (!g)
		return tries;
	g->reason = REASON_NODE_PRESSURE;
	g->resource = (uint8_t)n->resource;
	g->before = n->share;
	g->after = usage_share(x->m->usage[n->node].amount[n->resource],
			       usage_capacity(node, n->resource));
	g->target_use = usage_share_with(&x->m->usage[g->to], &x->p->trial.c->nodes.items[g->to],
					 n->resource, 0);
	g->source = (uint8_t)source;
	x->m->mark_of[n->node] = MARK_PRESSED;
	x->targets.is_taken[n->node] = x->targets.is_taken[g->to] = true;
	requeue_after(x->m, x->p->trial.settings->migration.check_seconds);
	return true;
}

static void relieve_nodes(struct mover_run *x, pressed_list *list)
{
	const struct migrations *m = x->m;
	size_t n_tried = 0, end = m->list.n + x->p->trial.settings->migration.per_pass;

	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), most_pressed_first);
	for (size_t i = 0; i < list->n; i++)
		x->targets.is_taken[list->items[i].node] = true;
	for (size_t i = 0; i < list->n && n_tried < NODES_TRIED && m->list.n < end; i++)
		n_tried += relieve_node(x, &list->items[i]);
}

static bool has_work(const struct planner *p)
{
	const struct trial *t = &p->trial;

	if (t->settings->migration.enabled || t->flights.of_pod)
		return true;
	for (node_id id = 0; id < t->c->nodes.n; id++)
		if (cluster_taint(t->c, &t->c->nodes.items[id], MCKUBE_PRESSURE))
			return true;
	return false;
}

void migrate_relieve(struct planner *p)
{
	struct mover_run x = { .p = p, .m = &p->migrations };
	pressed_list list = { 0 };

	if (!has_work(p))
		return;
	p->migrations.usage = usage_of_nodes(&p->trial);
	p->migrations.mark_of = xcalloc(p->trial.c->nodes.n, sizeof(*p->migrations.mark_of));
	for (node_id id = 0; id < p->trial.c->nodes.n; id++)
		judge_node(&x, id, &list);
	if (list.n || p->trial.flights.of_pod) {
		mover_run_init(&x, p, false);
		migrate_resume(&x);
		relieve_nodes(&x, &list);
		mover_run_done(&x);
	}
	array_done(&list);
}

void migrations_done(struct migrations *m)
{
	array_done(&m->list);
	array_done(&m->stayers);
	arena_done(&m->texts);
	free(m->mark_of);
	free(m->usage);
	*m = (struct migrations){ 0 };
}

/* ---- On demand ---- */

/* It says Checkpoint, and cannot be. */
static const char *stay_words(struct mover_run *x, pod_id pod, enum stay stay)
{
	AUTO(str_done) struct str why = STR_INIT, bar = STR_INIT;

	movers_bar_checkpoint(&x->movers, pod, NONE, &bar);
	stay_write(stay, bar.s, &why);
	return arena_strndup(&x->m->texts, why.s, why.n);
}

static const char *no_target_words(struct mover_run *x, pod_id pod, node_id to)
{
	const char *text = to == NONE ? "no other node takes it" : "the node does not take it";
	enum stay stay = movers_ask_restart(&x->movers, pod);
	AUTO(str_done) struct str why = STR_INIT, bar = STR_INIT;

	/* Were it restarted, another filter would refuse it. */
	if (stay == STAY_NOT || !(to == NONE ? movers_bar_everywhere(&x->movers, pod, &bar)
					     : movers_bar_checkpoint(&x->movers, pod, to, &bar)))
		return text;
	stay_write(stay, bar.s, &why);
	return arena_strndup(&x->m->texts, why.s, why.n);
}

static const char *demand_by(struct mover_run *x, pod_id pod, node_id to)
{
	enum migration_method method;
	enum stay stay = movers_ask(&x->movers, pod, &method);
	struct migration *g = NULL;

	if (stay == STAY_DAEMON_SET || stay == STAY_STATIC)
		return NULL;
	if (stay == STAY_CHECKPOINT)
		return stay_words(x, pod, stay);
	if (stay != STAY_NOT)
		return stay_text(stay);
	for (int exceeds = 0; exceeds < 2 && !g; exceeds++) {
		g = mover_try(x, pod, method, to, exceeds);
		if (!g && movers_may_restart(&x->movers, pod, method))
			g = mover_try(x, pod, MIGRATE_RESTART, to, exceeds);
	}
	if (!g)
		return no_target_words(x, pod, to);
	g->reason = REASON_REQUESTED;
	targets_sort(&x->targets, x->p);
	return NULL;
}

static void demand_node(struct mover_run *x, node_id node, node_id to)
{
	mover_list list = { 0 };

	list_movers(x, node, USAGE_CPU, 0, &list);
	array_each(mover, &list) {
		const char *why = demand_by(x, mover->pod, to);

		if (why)
			*array_add(&x->m->stayers) = (struct stayer){ mover->pod, why };
	}
	array_done(&list);
}

int migrate_demand(struct planner *p, const struct migration_demand *d, struct error *err)
{
	const struct cluster *c = p->trial.c;
	pod_id pod = d->pod ? cluster_pod(c, d->ns, d->pod) : NONE;
	node_id node = d->node ? cluster_node(c, d->node) : NONE;
	node_id to = d->to ? cluster_node(c, d->to) : NONE;
	struct mover_run x;

	if (d->pod && pod == NONE)
		return error_set(err, -ENOENT, "pod %s/%s: not found", d->ns, d->pod);
	if (d->node && node == NONE)
		return error_set(err, -ENOENT, "node %s: not found", d->node);
	if (d->to && to == NONE)
		return error_set(err, -ENOENT, "node %s: not found", d->to);
	p->migrations.usage = usage_of_nodes(&p->trial);
	p->reliefs.of_unit = xcalloc(p->trial.units.n + (size_t)1, sizeof(*p->reliefs.of_unit));
	mover_run_init(&x, p, true);
	if (pod == NONE) {
		demand_node(&x, node, to);
	} else {
		const char *why = demand_by(&x, pod, to);

		if (why || !p->migrations.list.n)
			*array_add(&p->migrations.stayers) =
				(struct stayer){ pod, why ? why : "it belongs to its node" };
	}
	mover_run_done(&x);
	return 0;
}
