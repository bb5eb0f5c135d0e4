/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "plan/economy/scaling.h"
#include "plan/emit/emit.h"

/* Changes of the number of replicas. Before a Deployment is scaled down, its dearest pods get a
 * deletion cost below all others', the dearest the lowest: its ReplicaSet removes them first. (A
 * StatefulSet removes the highest ordinals whatever they cost.) */

struct priced {
	const struct economy *x;
	pod_id pod;
	int64_t share;
};

static int dearest_first(const void *a, const void *b)
{
	const struct priced *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	return x->pod < y->pod ? -1 : x->pod > y->pod;
}

typedef ARRAY(struct priced) priced_pods;

static void list_priced(const struct economy *x, const struct scalable *target, priced_pods *ret)
{
	for (size_t i = 0; i < x->n_bound; i++) {
		const struct cargo *g = &x->cargo.items[i];
		const struct pod *pod = &x->c->pods.items[g->pod];

		if (g->node != NONE && !pod->is_terminating && pod->meta.ns == target->meta.ns &&
		    selector_matches(x->c, target->pods, pod->labels))
			*array_add(ret) = (struct priced){ x, g->pod, g->share };
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), dearest_first);
}

/* A pass that was cut off has written it already. */
static bool has_deletion_cost(const struct cluster *c, const struct pod *pod, int64_t cost)
{
	str_id text = pod->annotations == NONE
			      ? NONE
			      : c->annotations.items[pod->annotations].deletion_cost;

	return text != NONE && strtoll(cluster_str(c, text), NULL, 10) == cost;
}

static void emit_deletion_costs(struct emitter *e, const struct economy *x, optimizer_id id,
				const struct scaling *s)
{
	size_t n = (size_t)(s->from - s->to);
	priced_pods pods = { 0 };

	list_priced(x, s->target, &pods);
	if (!pods.n)
		return;
	n = n < pods.n ? n : pods.n;
	/* Where those that go cost no more than the dearest that stays, any may go. */
	if (n < pods.n && pods.items[0].share == pods.items[pods.n - 1].share)
		n = 0;
	for (size_t i = 0; i < n && n < pods.n; i++) {
		const struct pod *pod = &x->c->pods.items[pods.items[i].pod];
		int64_t cost = (int64_t)i - (int64_t)n;

		if (has_deletion_cost(x->c, pod, cost))
			continue;
		struct action *a = emit_action(e, ACTION_ANNOTATE, s->reason, emit_pod(e, pod));
		a->optimizer = emit_optimizer_name(e, id);
		a->deletion_cost = cost;
		a->message = "it is removed before those that cost less, or the same";
	}
	array_done(&pods);
}

static void emit_one(struct emitter *e, optimizer_id id, struct scaling *s, const uint32_t *after,
		     uint32_t n)
{
	const struct cluster *c = e->trial->c;
	const struct scalable *t = s->target;
	struct action *a =
		emit_action(e, ACTION_SCALE, s->reason,
			    (struct target){
				    .kind = plan_str(e->plan, cluster_str(c, t->kind)),
				    .api_version = plan_str(e->plan, cluster_str(c, t->version)),
				    .ns = plan_str(e->plan, cluster_str(c, t->meta.ns)),
				    .name = plan_str(e->plan, cluster_str(c, t->name)),
				    .uid = plan_str(e->plan, cluster_str(c, t->meta.uid)),
				    .version = plan_str(e->plan, cluster_str(c, t->meta.version)),
			    });

	s->action = a->id;
	a->optimizer = emit_optimizer_name(e, id);
	a->from.replicas = (uint32_t)s->from;
	a->to.replicas = (uint32_t)s->to;
	a->message = plan_str(e->plan, s->message);
	if (n)
		emit_after(e, a, after, n);
}

void emit_scaling(struct emitter *e, bool is_down)
{
	const struct economy *x = e->p->economy;

	for (optimizer_id id = 0; id < x->c->optimizers.n; id++) {
		struct scaling *s = &x->scalings[id];
		ARRAY(uint32_t) after = { 0 };
		size_t first = e->plan->actions.n;

		if (!scaling_changes(s) || (s->to < s->from) != is_down)
			continue;
		if (is_down && s->target >= x->c->deployments.items &&
		    s->target < x->c->deployments.items + x->c->deployments.n)
			emit_deletion_costs(e, x, id, s);
		for (size_t i = first; i < e->plan->actions.n; i++)
			*array_add(&after) = (uint32_t)i + 1;
		emit_one(e, id, s, after.items, (uint32_t)after.n);
		array_done(&after);
	}
}
