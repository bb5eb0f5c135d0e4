/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/kinds.h"

/* What became of the last move of each workload, by its status: the pod that replaced the moved one
 * has some minutes to become ready. Until then the place that was left is kept for it and no other
 * pod of the workload moves; later the node that it is on has failed, and is avoided. A status is
 * written before the eviction: a pass that is killed between the two, or is not allowed the latter,
 * leaves the pod where it was. That was no move, and may be tried again after EVICTED_SECONDS, when
 * a snapshot would show the eviction. */

/* How long it has, and how long after that it is looked at: a pod that ends later was ready. */
enum { READY_SECONDS = 600, LOOK_BACK_SECONDS = 1200, EVICTED_SECONDS = 60 };

/* What has come since the workload was scaled after the move may be there for that. */
static bool is_replacement(const struct optimizer *o, const struct pod *pod)
{
	bool is_moved = o->moved_pod && pod->meta.uid == o->moved_pod;
	bool is_later = o->scaled_at > o->moved_at && pod->meta.created >= o->scaled_at;

	return pod->meta.created >= o->moved_at && !is_moved && !is_later && !pod->is_terminating;
}

bool economy_replaces_moved(const struct economy *e, const struct cargo *g)
{
	const struct account *a = g->of == NONE ? NULL : &e->accounts[g->of];

	return a && a->is_in_flight && a->kept_for == g->pod &&
	       is_replacement(&e->c->optimizers.items[g->of], &e->c->pods.items[g->pod]);
}

static node_id node_of(const struct economy *e, str_id name)
{
	return name ? cluster_node(e->c, cluster_str(e->c, name)) : NONE;
}

static void follow(struct economy *e, struct cargo *g)
{
	const struct optimizer *o = &e->c->optimizers.items[g->of];
	const struct pod *pod = &e->c->pods.items[g->pod];
	struct account *a = &e->accounts[g->of];
	int64_t age = e->c->taken_at - o->moved_at;

	if (!o->moved_at)
		return;
	a->is_leaving |= pod->is_terminating && g->origin != NONE && g->origin == a->was_from;
	a->is_undone |= o->moved_pod && pod->meta.uid == o->moved_pod && !pod->is_terminating &&
			age >= EVICTED_SECONDS;
	if (!is_replacement(o, pod))
		return;
	if (pod->is_ready)
		a->is_in_flight = false;
	else
		a->kept_for = g->pod;
	if (pod->is_ready || age < READY_SECONDS || age >= LOOK_BACK_SECONDS || g->origin == NONE ||
	    g->origin != a->was_to)
		return;
	g->has_failed = true;
	a->failed = g->origin;
}

/* Before there is a replacement: its pods ask the same. */
static pod_id find_like(const struct economy *e, optimizer_id id)
{
	for (size_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].of == id)
			return e->cargo.items[i].pod;
	return NONE;
}

static void keep_place(struct economy *e, optimizer_id id)
{
	struct account *a = &e->accounts[id];

	if (a->kept_for == NONE)
		a->kept_for = find_like(e, id);
	if (a->was_from == NONE || a->kept_for == NONE || a->is_leaving)
		return;
	a->kept = a->was_from;
	trial_reserve(&e->p->trial, a->kept_for, a->kept);
}

void economy_follow_moves(struct economy *e)
{
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		const struct optimizer *o = &e->c->optimizers.items[id];
		struct account *a = &e->accounts[id];

		a->failed = a->kept = a->moved_from = a->moved_to = NONE;
		a->kept_for = NONE;
		a->is_undone = false;
		a->was_from = node_of(e, o->moved_from);
		a->was_to = node_of(e, o->moved_to);
		a->is_in_flight = o->moved_at && o->moved_to && e->c->taken_at &&
				  e->c->taken_at < o->moved_at + READY_SECONDS;
	}
	for (size_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].of != NONE)
			follow(e, &e->cargo.items[i]);
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
		if (e->accounts[id].is_undone)
			e->accounts[id].is_in_flight = false;
		else if (e->accounts[id].is_in_flight)
			keep_place(e, id);
}

bool economy_has_failed(const struct economy *e, const struct cargo *g)
{
	(void)e;
	return g->has_failed;
}

void economy_open_kept(struct economy *e, optimizer_id id)
{
	const struct account *a = &e->accounts[id];

	if (a->kept == NONE)
		return;
	trial_unreserve(&e->p->trial, a->kept_for, a->kept);
	kinds_refresh(e, a->kept);
}

void economy_keep_again(struct economy *e, optimizer_id id, node_id taken)
{
	struct account *a = &e->accounts[id];

	if (a->kept == NONE)
		return;
	if (a->kept == taken) { /* it has gone back */
		a->kept = NONE;
		return;
	}
	trial_reserve(&e->p->trial, a->kept_for, a->kept);
	kinds_refresh(e, a->kept);
}

bool economy_avoids(const struct economy *e, optimizer_id id, node_id node)
{
	const struct optimizer *o = &e->c->optimizers.items[id];

	if (e->accounts[id].failed == node)
		return true;
	for (uint32_t i = 0; i < o->avoid.n; i++) {
		const struct avoid *a = &e->c->avoids.items[o->avoid.at + i];

		if (a->until > e->c->taken_at && a->node == e->c->nodes.items[node].meta.name)
			return true;
	}
	return false;
}

int64_t economy_move_deadline(const struct economy *e, optimizer_id id)
{
	return e->accounts[id].is_in_flight ? e->c->optimizers.items[id].moved_at + READY_SECONDS
					    : 0;
}
