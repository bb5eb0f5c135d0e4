/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "model/match.h"
#include "plan/emit/emit.h"

/* ---- Levels ---- */

static enum relief relief_for(const struct emitter *e, const struct unit *u)
{
	return relief_of(&e->p->reliefs, (unit_id)(u - e->trial->units.items));
}

static bool is_restored(const struct emitter *e, const struct unit *u)
{
	return relief_for(e, u) == RELIEF_RESTORE;
}

/* By the node's annotation, where no node helper runs, which would lower the level itself. */
static bool is_calm(const struct cluster *c, const struct node *node)
{
	return !*cluster_str(c, node->annotations.backend) &&
	       strcmp(cluster_str(c, node->annotations.is_busy), "false") == 0;
}

/* Recovery by the node's CPU use. A pod that stays degraded has no level to come down from. */
static bool is_recovered(const struct emitter *e, const struct unit *u)
{
	const struct cluster *c = e->trial->c;
	const struct request *q = unit_request(e->trial, u);

	return u->kind == UNIT_RUNNING && u->at != NONE && q->level > LEVEL_LOW &&
	       q->recovery.mode == RECOVERY_NODE_CPU && is_calm(c, &c->nodes.items[u->node]) &&
	       (relieve_degraded_since(c, unit_pod(e->trial, u)) < 0 || is_restored(e, u));
}

static enum level level_in_the_end(const struct emitter *e, const struct unit *u)
{
	enum relief relief = relief_for(e, u);

	if (relief == RELIEF_RAISE)
		return LEVEL_HIGH;
	return is_recovered(e, u) || relief == RELIEF_LOWER
		       ? LEVEL_LOW
		       : (enum level)unit_request(e->trial, u)->level;
}

static void emit_recovery(struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];
	struct action *a = emit_action(e, ACTION_SET_LEVEL, REASON_RECOVERED,
				       emit_pod(e, unit_pod(e->trial, u)));

	emit_depend_on_unit(e, a, id);
	a->from = emit_grant(e, id, u->at, (enum level)unit_request(e->trial, u)->level);
	a->to = emit_grant(e, id, u->at, LEVEL_LOW);
	emit_request(e, a, u);
	a->message = plan_strf(e->plan, "node %s is no longer busy: from %s back to low",
			       a->to.node, level_name(a->from.level));
	e->last_action[id] = a->id;
}

static void emit_recoveries(struct emitter *e)
{
	for (unit_id id = 0; id < e->trial->units.n; id++) {
		const struct unit *u = &e->trial->units.items[id];

		if (relief_for(e, u) == RELIEF_LOWER &&
		    e->p->reliefs.pressure_of[u->node] != PRESSURE_BUSY)
			emit_level(e, id, LEVEL_LOW);
		else if (is_restored(e, u))
			emit_restore(e, id, level_in_the_end(e, u));
		else if (relief_for(e, u) == RELIEF_NONE && is_recovered(e, u))
			emit_recovery(e, id);
	}
}

/* ---- Annotations ---- */

/* Assignments without a request. */
static void emit_forgotten(struct emitter *e)
{
	const struct cluster *c = e->trial->c;

	array_each(q, &e->trial->req.list) {
		const struct pod *pod = &c->pods.items[q->pod];
		unit_id id = e->trial->unit_of_pod[q->pod];

		if (q->source != SOURCE_NONE || pod->is_mirror || pod->is_terminating ||
		    pod->is_unread || (id != NONE && e->trial->units.items[id].is_evicted))
			continue;
		struct action *a =
			emit_action(e, ACTION_STATUS, REASON_NO_REQUEST, emit_pod(e, pod));
		emit_depend_on_unit(e, a, id);
		a->message =
			"no McKube or annotation requests real time for this pod any more: its "
			"assignment is removed";
		*array_add(&e->forgotten) = (struct forgotten){ q->pod, a->id };
		if (id != NONE)
			e->last_action[id] = a->id;
	}
}

/* ---- McKube objects ---- */

/* What the status should say once the plan is done. */
struct wanted_status {
	unit_id unit;
	bool is_somewhere; /* else it says nothing, and the rest is void */
	struct cpuset cores;
	str_id pod_uid, node_name;
	enum level level;
};

static void want_place(const struct emitter *e, const struct unit *u, struct wanted_status *ret)
{
	ret->is_somewhere = true;
	ret->cores = u->at == u->origin ? e->trial->req.sets.items[unit_request(e->trial, u)->cores]
					: emit_cpus(e->trial, u->at);
	node_id node = e->trial->places.items[u->at].node;

	ret->node_name = e->trial->c->nodes.items[node].meta.name;
	ret->pod_uid = unit_pod(e->trial, u)->meta.uid;
	ret->level = u->kind == UNIT_PENDING ? LEVEL_LOW : level_in_the_end(e, u);
}

/* False: the status is left alone. */
static bool want_status(const struct emitter *e, mckube_id m, struct wanted_status *ret)
{
	const struct trial *t = e->trial;
	uint32_t pod = t->req.of_mckube[m];

	*ret = (struct wanted_status){ .unit = NONE };
	if (pod == NONE)
		return true;
	if (pod == REQUEST_MANY)
		return false;
	uint32_t request = t->req.of_pod[pod];
	if (request == NONE || t->req.list.items[request].mckube != m ||
	    t->req.list.items[request].is_bad)
		return false;

	ret->unit = t->unit_of_pod[pod];
	if (ret->unit == NONE)
		return t->c->pods.items[pod].node_name == 0;
	const struct unit *u = &t->units.items[ret->unit];
	if (u->at != NONE && !u->is_evicted)
		want_place(e, u, ret);
	return true;
}

static bool says_cores(const struct cluster *c, const struct mckube *m,
		       const struct wanted_status *s)
{
	struct cpuset cores;

	return s->is_somewhere &&
	       cpuset_parse(cluster_str(c, m->status_core), intern_len(&c->strings, m->status_core),
			    &cores, NULL) == 0 &&
	       cpuset_eq(&cores, &s->cores);
}

/* An empty status is not wrong: the node helper fills it in. One of an older controller
 * does not name its pod. */
static bool is_stale(const struct cluster *c, const struct mckube *m, const struct wanted_status *s)
{
	if (m->status_core && !says_cores(c, m, s))
		return true;
	if (m->status_uid && m->status_uid != s->pod_uid)
		return true;
	if (m->status_node && m->status_node != s->node_name)
		return true;
	/* The helper's word while the pod has only its floor. */
	if (s->is_somewhere && strcmp(cluster_str(c, m->status_current), LEVEL_NAME_FLOOR) == 0)
		return false;
	return m->status_current && (!s->is_somewhere || strcmp(cluster_str(c, m->status_current),
								level_name(s->level)) != 0);
}

static struct place status_place(struct emitter *e, const struct wanted_status *s)
{
	const struct cluster *c = e->trial->c;
	char text[CPUSET_TEXT];

	return (struct place){
		.node = plan_str(e->plan, cluster_str(c, s->node_name)),
		.cores = plan_str(e->plan, cpuset_format(&s->cores, text)),
		.level = (uint8_t)s->level,
		.has_level = true,
		.pod_uid = plan_str(e->plan, cluster_str(c, s->pod_uid)),
	};
}

static void emit_status(struct emitter *e, mckube_id id)
{
	const struct cluster *c = e->trial->c;
	const struct mckube *m = &c->mckubes.items[id];
	struct wanted_status s;

	if (m->is_deleting ||
	    (!m->status_core && !m->status_uid && !m->status_current && !m->status_node) ||
	    !want_status(e, id, &s) || !is_stale(c, m, &s))
		return;
	struct action *a = emit_action(e, ACTION_STATUS, REASON_STATUS, emit_mckube(e, m));
	emit_depend_on_unit(e, a, s.unit);
	if (s.is_somewhere)
		a->to = status_place(e, &s);
	bool is_elsewhere = m->status_node && m->status_node != s.node_name;
	a->message = plan_strf(e->plan, "status: core '%s', level '%s'%s%s%s, should be %s%s",
			       cluster_str(c, m->status_core), cluster_str(c, m->status_current),
			       is_elsewhere ? ", node '" : "",
			       is_elsewhere ? cluster_str(c, m->status_node) : "",
			       is_elsewhere ? "'" : "", s.is_somewhere ? "core " : "empty",
			       s.is_somewhere ? a->to.cores : "");
}

void emit_cleanup(struct emitter *e)
{
	emit_recoveries(e);
	emit_forgotten(e);
	for (mckube_id id = 0; id < e->trial->c->mckubes.n; id++) {
		emit_status(e, id);
		emit_finalizer_removal(e, id);
	}
}
