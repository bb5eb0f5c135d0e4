/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/target.h"

#include <stdlib.h>

#include "base/auto.h"
#include "plan/candidate.h"
#include "plan/replacement.h"

struct sorting {
	const struct cluster *c;
	const struct usage *usage;
};

/* Free CPU and memory, in ppm of both together. */
static int64_t room_of(const struct sorting *s, node_id id)
{
	const struct node *node = &s->c->nodes.items[id];
	int64_t room = 2 * (int64_t)PPM;

	for (int r = 0; r < USAGE_RESOURCES; r++)
		room -= usage_share_with(&s->usage[id], node, (enum usage_resource)r, 0);
	return room;
}

static int most_room_first(const void *a, const void *b, void *arg)
{
	node_id x = *(const node_id *)a, y = *(const node_id *)b;
	int64_t room_x = room_of(arg, x), room_y = room_of(arg, y);

	if (room_x != room_y)
		return room_x > room_y ? -1 : 1;
	return x < y ? -1 : x > y;
}

void targets_sort(struct targets *x, struct planner *p)
{
	struct sorting s = { p->trial.c, p->migrations.usage };

	if (x->n > 1)
		qsort_r(x->ids, x->n, sizeof(*x->ids), most_room_first, &s);
}

void targets_init(struct targets *x, struct planner *p)
{
	const struct trial *t = &p->trial;

	*x = (struct targets){
		.ids = xmalloc(t->c->nodes.n * sizeof(*x->ids)),
		.is_taken = xcalloc(t->c->nodes.n, sizeof(*x->is_taken)),
	};
	for (node_id id = 0; id < t->c->nodes.n; id++)
		if (!t->nodes[id].is_closed && !t->c->nodes.items[id].is_unschedulable)
			x->ids[x->n++] = id;
	targets_sort(x, p);
}

void targets_done(struct targets *x)
{
	free(x->ids);
	free(x->is_taken);
}

/* Requests do not tell how much room there is for what is measured. */
static bool is_comparable(const struct usage *node, const struct usage *pod, int resource)
{
	return node->source[resource] != USAGE_REQUESTS || pod->source[resource] != USAGE_METRICS;
}

/* Does the node stay as far below the threshold as it must, with the pod? */
static bool stays_calm(const struct planner *p, const struct target_question *q, node_id id)
{
	const struct settings *s = p->trial.settings;
	int64_t limit = (int64_t)s->migration.threshold - s->migration.hysteresis;
	const struct usage *used = &p->migrations.usage[id];
	const struct node *node = &p->trial.c->nodes.items[id];

	if (used->is_stale)
		return false;
	for (int r = 0; r < USAGE_RESOURCES; r++)
		if (!is_comparable(used, &q->use, r) ||
		    usage_share_with(used, node, (enum usage_resource)r, q->use.amount[r]) > limit)
			return false;
	return true;
}

/* The best cores of the node for the unit, which is on no node now; NONE: none admit it. */
static place_id place_on(struct planner *p, const struct unit *u, node_id node)
{
	const struct request *q = unit_request(&p->trial, u);
	place_id place = NONE;
	candidates list = { 0 };

	if ((q->has_node_pin && q->node_pin != node) ||
	    !filter_bit(filters_allowed(&p->filters, u), node) ||
	    filter_node_now(&p->trial, u, node, 0, NULL, 0) != REFUSE_NOTHING)
		return NONE;
	candidates_of(p, u, node, &list);
	for (size_t i = 0; i < list.n && place == NONE; i++)
		if (trial_fits(&p->trial, u, list.items[i].place, 0))
			place = list.items[i].place;
	array_done(&list);
	return place;
}

static bool fits_without_request(struct planner *p, pod_id pod, node_id node)
{
	const struct unit u = { .pod = pod };

	return filter_bit(filters_allowed_by_rules(&p->filters, p->trial.c->pods.items[pod].rules),
			  node) &&
	       filter_node_now(&p->trial, &u, node, 0, NULL, 0) == REFUSE_NOTHING;
}

static bool may_ask(const struct targets *x, const struct planner *p,
		    const struct target_question *q, node_id node)
{
	if (node == p->trial.c->pods.items[q->pod].node || x->is_taken[node] ||
	    (q->only != NONE && node != q->only))
		return false;
	if (!q->may_exceed && !stays_calm(p, q, node))
		return false;
	return q->method != MIGRATE_CHECKPOINT ||
	       !movers_bar_checkpoint(q->movers, q->pod, node, NULL);
}

static bool find_for_unit(struct targets *x, struct planner *p, const struct target_question *q,
			  struct migration *ret)
{
	struct trial *t = &p->trial;
	unit_id id = t->unit_of_pod[q->pod];
	struct unit *u = &t->units.items[id];
	place_id at = u->at;

	trial_unassign(t, id);
	trial_evict(t, id);
	replacement_hold(t, true);
	ret->place = NONE;
	for (size_t i = 0; i < x->n && ret->place == NONE; i++) {
		if (!may_ask(x, p, q, x->ids[i]))
			continue;
		ret->place = place_on(p, u, x->ids[i]);
		ret->to = x->ids[i];
	}
	replacement_hold(t, false);
	u->replacement = ret->place;
	if (ret->place != NONE)
		return true;
	trial_unevict(t, id);
	trial_assign(t, id, at);
	return false;
}

static bool find_without_request(struct targets *x, struct planner *p,
				 const struct target_question *q, struct migration *ret)
{
	struct trial *t = &p->trial;
	node_id from = t->c->pods.items[q->pod].node;

	if (from != NONE)
		trial_uncharge_pod(t, q->pod, from);
	for (size_t i = 0; i < x->n; i++) {
		if (!may_ask(x, p, q, x->ids[i]) || !fits_without_request(p, q->pod, x->ids[i]))
			continue;
		trial_charge_pod(t, q->pod, x->ids[i]);
		ret->to = x->ids[i];
		ret->place = NONE;
		return true;
	}
	if (from != NONE)
		trial_charge_pod(t, q->pod, from);
	return false;
}

bool target_find(struct targets *x, struct planner *p, const struct target_question *q,
		 struct migration *ret)
{
	return p->trial.unit_of_pod[q->pod] == NONE ? find_without_request(x, p, q, ret)
						    : find_for_unit(x, p, q, ret);
}
