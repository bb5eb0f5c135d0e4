/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/alerts.h"
#include "plan/economy/held.h"
#include "plan/economy/mover.h"

#include "base/auto.h"

/* Pods for which one alert looks for nodes in one plan. Of more of them other ones have their turn
 * in each pass: where the first find no better node, the rest is not left out for good. */
enum { PODS_TRIED = 256 };

/* What the alerts of a PowerPolicy are about, of the pods of its workloads: power, or carbon
 * dioxide where one of that kind is on. */
struct figure {
	const struct money_limit *limit;
	bool is_carbon;
};

static __int128 read_figure(const struct figure *f)
{
	return f->is_carbon ? f->limit->carbon : f->limit->power;
}

/* About what the pod adds to the figure on the node, others there left out. */
static __int128 weight_on(const struct economy *e, const struct figure *f, const struct cargo *g,
			  node_id node)
{
	int64_t power = economy_power_on(e, g, node);

	return f->is_carbon ? (__int128)power * e->fleet.nodes[node].carbon : power;
}

/* The node on which it weighs least, and less than where it was; NONE. */
static node_id lighter_node(struct economy *e, const struct figure *f, uint32_t cargo, node_id from)
{
	const struct cargo *g = &e->cargo.items[cargo];
	__int128 least = weight_on(e, f, g, from);
	node_id best = NONE;

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		if (node == from || !e->sites[node].is_used_before)
			continue;
		__int128 weight = weight_on(e, f, g, node);

		if (weight < least && economy_fits(e, cargo, node)) {
			least = weight;
			best = node;
		}
	}
	return best;
}

/* Moves the pod if that lowers the figure. */
static void try_pod(struct mover *m, const struct figure *f, uint32_t cargo)
{
	struct economy *e = m->e;
	node_id from = e->cargo.items[cargo].node;
	__int128 before = read_figure(f);
	steps done = { 0 };
	int64_t delta = 0;

	economy_mark_for(e, cargo);
	economy_take(e, cargo);
	node_id to = lighter_node(e, f, cargo, from);
	economy_put(e, cargo, from);
	if (to != NONE && mover_move_to(m, cargo, to, &done, &delta)) {
		if (read_figure(f) < before && mover_is_confirmed(m, &done, 0)) {
			mover_commit(m, &done, 0, REASON_POWER_ALERT, -delta);
			m->pods_left--;
		} else {
			mover_undo(m, &done, 0);
		}
	}
	array_done(&done);
}

static struct figure figure_of(const struct economy *e, size_t policy, uint32_t alert)
{
	return (struct figure){ &e->limits.items[e->limit_of_power_policy[policy] - 1],
				e->c->alerts.items[alert].type == ALERT_CARBON };
}

static bool may_try(const struct mover *m, const struct watched_alert *w, uint32_t cargo)
{
	const struct economy *e = m->e;
	const struct cargo *g = &e->cargo.items[cargo];

	return economy_limit_is_of(e, e->limit_of_power_policy[w->policy], g->of) &&
	       mover_may_move_now(m, g, 0) && !e->fleet.nodes[g->node].leaving;
}

/* Has an earlier plan wanted to move it, which is to be confirmed? */
static bool waits(const struct economy *e, uint32_t cargo)
{
	const struct pod *pod = &e->c->pods.items[e->cargo.items[cargo].pod];

	return e->p->held && held_waits(e->p->held, cluster_str(e->c, pod->meta.uid));
}

/* Those that wait to be confirmed, then the others from one on that the time of the snapshot picks:
 * the same snapshot gives the same plan. */
static size_t list_pods(const struct mover *m, const struct watched_alert *w, uint32_t *ret)
{
	const struct economy *e = m->e;
	AUTO_FREE uint32_t *others = xcalloc(e->n_bound + 1, sizeof(*others));
	size_t n = 0, n_others = 0;

	for (uint32_t i = 0; i < e->n_bound; i++) {
		if (!may_try(m, w, i))
			continue;
		if (waits(e, i))
			ret[n++] = i;
		else
			others[n_others++] = i;
	}
	uint64_t scattered = (uint64_t)e->c->taken_at * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	size_t first = n_others > PODS_TRIED ? scattered % n_others : 0;
	for (size_t i = 0; i < n_others; i++)
		ret[n++] = others[(first + i) % n_others];
	return n;
}

/* Until the alert would be off, or the limits of disruption are reached. */
static void move_for_alert(struct mover *m, const struct watched_alert *w)
{
	struct economy *e = m->e;
	const struct figure f = figure_of(e, w->policy, w->alert);
	AUTO_FREE uint32_t *pods = xcalloc(e->n_bound + 1, sizeof(*pods));
	size_t n = list_pods(m, w, pods), n_tried = 0;

	for (size_t i = 0; i < n && m->pods_left && n_tried < PODS_TRIED; i++) {
		if (!may_try(m, w, pods[i]))
			continue;
		if (!economy_power_alert_goes_on(e, w->policy, w->alert))
			return;
		try_pod(m, &f, pods[i]);
		n_tried++;
	}
}

/* Alerts that move pods, of policies that cover a workload. */
static void list_alerts(struct mover *m)
{
	const struct cluster *c = m->e->c;

	for (size_t i = 0; i < c->power_policies.n; i++) {
		struct range alerts = c->power_policies.items[i].alerts;

		for (uint32_t k = alerts.at; k < alerts.at + alerts.n; k++)
			if (c->alerts.items[k].action == ALERT_MIGRATE &&
			    m->e->limit_of_power_policy[i])
				*array_add(&m->watched) = (struct watched_alert){ i, k, 0 };
	}
}

/* What each is about, as it is now. */
static void note_figures(struct mover *m)
{
	array_each(w, &m->watched) {
		const struct figure f = figure_of(m->e, w->policy, w->alert);

		w->figure = read_figure(&f);
	}
}

bool mover_keeps_alerts(const struct mover *m)
{
	const struct economy *e = m->e;

	array_each(w, &m->watched) {
		const struct figure f = figure_of(e, w->policy, w->alert);

		if (e->c->alerts.items[w->alert].type != ALERT_POWER_EFFICIENCY &&
		    read_figure(&f) > w->figure &&
		    economy_power_alert_goes_on(m->e, w->policy, w->alert))
			return false;
	}
	return true;
}

void mover_heed_alerts(struct mover *m)
{
	list_alerts(m);
	note_figures(m);
	array_each(w, &m->watched)
		if (economy_alert_is_on(m->e, w->alert))
			move_for_alert(m, w);
	note_figures(m);
}
