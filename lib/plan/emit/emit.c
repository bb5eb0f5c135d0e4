/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/emit/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "model/guarantee.h"
#include "model/heartbeat.h"
#include "plan/enforcement.h"

static void emit_warnings(struct emitter *e)
{
	const struct cluster *c = e->trial->c;

	array_each(problem, &c->problems)
		*array_add(&e->plan->warnings) = (struct warning){
			plan_str(e->plan, cluster_str(c, problem->object)),
			plan_str(e->plan, cluster_str(c, problem->reason)),
			plan_str(e->plan, cluster_str(c, problem->message)),
		};
	array_each(warning, &e->trial->warnings.list)
		*array_add(&e->plan->warnings) = (struct warning){
			plan_str(e->plan, warning->object),
			warning->reason,
			plan_str(e->plan, warning->message),
		};
}

/* Annotations that ask for real time and are ignored. */
static void warn_of_missing_labels(struct emitter *e)
{
	const struct cluster *c = e->trial->c;

	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];

		if (pod->annotations == NONE || pod->has_label ||
		    e->trial->req.of_pod[id] != NONE ||
		    c->annotations.items[pod->annotations].period == NONE)
			continue;
		*array_add(&e->plan->warnings) = (struct warning){
			plan_strf(e->plan, "Pod %s/%s", cluster_str(c, pod->meta.ns),
				  cluster_str(c, pod->meta.name)),
			"MissingLabel",
			plan_strf(e->plan, "%s: ignored, since the pod lacks the label %s",
				  POD_ANNOTATION(period), MCKUBE_LABEL),
		};
	}
}

/* Nodes with real-time pods and a silent helper. */
static void warn_of_silent_helpers(struct emitter *e)
{
	const struct cluster *c = e->trial->c;
	char date[DATE_TEXT];

	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct node *node = &c->nodes.items[id];

		if (!e->trial->nodes[id].units.n || helper_state(c, node) != HELPER_SILENT)
			continue;
		*array_add(&e->plan->warnings) = (struct warning){
			plan_strf(e->plan, "Node %s", cluster_str(c, node->meta.name)),
			"HelperSilent",
			plan_strf(
				e->plan,
				"no heartbeat from its helper%s%s: its readings are not used, and "
				"budgets may not be enforced",
				node->heartbeat ? " since " : "",
				node->heartbeat ? date_format(node->heartbeat, date) : ""),
		};
	}
}

static void warn_of_pod(struct emitter *e, const struct pod *pod, const char *reason,
			const char *message)
{
	const struct cluster *c = e->trial->c;

	*array_add(&e->plan->warnings) = (struct warning){
		plan_strf(e->plan, "Pod %s/%s", cluster_str(c, pod->meta.ns),
			  cluster_str(c, pod->meta.name)),
		reason,
		message,
	};
}

/* Pods on cores that they may not use, and that could not be moved. */
static void warn_of_misplaced(struct emitter *e)
{
	const struct trial *t = e->trial;

	array_each(u, &t->units) {
		const struct pod *pod = unit_pod(t, u);
		char cores[CPUSET_TEXT];

		if (!u->is_misplaced || u->is_evicted || u->at != u->origin)
			continue;
		cpuset_format(&t->req.sets.items[unit_request(t, u)->cores], cores);
		warn_of_pod(e, pod, reason_name(REASON_CORES_NOT_ALLOWED),
			    plan_strf(e->plan,
				      "it stays on core %s of %s, which it may not use: there is "
				      "nowhere else to go",
				      cores, cluster_str(t->c, pod->node_name)));
	}
}

/* Why no real-time budget is enforced there; NULL: one is, or the node's backend is not known and
 * may be another program's. A silent helper has a warning of its own. */
static const char *no_real_time(struct emitter *e, const struct node *node)
{
	const struct cluster *c = e->trial->c;
	const char *backend = helper_backend(c, node);
	enum guarantee has = guarantee_of_backend(backend);

	if (!backend_is_known(backend) || has >= GUARANTEE_REALTIME)
		return NULL;
	return plan_strf(e->plan, "node %s: backend %s %s", cluster_str(c, node->meta.name),
			 backend,
			 has == GUARANTEE_CAP ? "limits CPU time and gives no real-time guarantee"
					      : "enforces no budget");
}

/* Pods on nodes that do not give what was demanded, and High ones that the plan places where no
 * real-time budget is enforced. */
static void warn_of_guarantees(struct emitter *e)
{
	const struct trial *t = e->trial;

	array_each(u, &t->units) {
		if (u->at == NONE || u->is_evicted)
			continue;
		node_id id = t->places.items[u->at].node;
		const struct node *node = &t->c->nodes.items[id];
		const char *text = NULL;

		if (!filter_guarantees(&e->p->filters, u, id))
			warn_of_pod(e, unit_pod(t, u), "GuaranteeNotMet",
				    plan_strf(e->plan,
					      "node %s: backend '%s' is %s, %s is requested",
					      cluster_str(t->c, node->meta.name),
					      helper_backend(t->c, node),
					      guarantee_name(guarantee_of_node(t->c, node)),
					      guarantee_name(unit_request(t, u)->guarantee)));
		else if (u->rank == LEVEL_HIGH && unit_is_new(u))
			text = no_real_time(e, node);
		if (text)
			warn_of_pod(e, unit_pod(t, u), "NoRealTime", text);
	}
}

static void list_incoming(struct emitter *e)
{
	e->incoming = xmalloc(e->trial->units.n * sizeof(*e->incoming));
	for (uint32_t turn = 0; turn < e->trial->units.n; turn++) {
		const struct unit *u = &e->trial->units.items[e->trial->by_turn[turn]];

		if (unit_is_new(u) && u->at != NONE)
			e->incoming[e->n_incoming++] = e->trial->by_turn[turn];
	}
	qsort_r(e->incoming, e->n_incoming, sizeof(*e->incoming), trial_by_since, (void *)e->trial);
}

static void list_incoming_by_node(struct emitter *e)
{
	size_t n_nodes = e->trial->c->nodes.n;

	e->first_incoming = xmalloc(n_nodes * sizeof(*e->first_incoming));
	e->next_incoming = xmalloc(e->n_incoming * sizeof(*e->next_incoming));
	memset(e->first_incoming, 0xff, n_nodes * sizeof(*e->first_incoming));
	for (size_t i = e->n_incoming; i-- > 0;) {
		place_id at = e->trial->units.items[e->incoming[i]].at;
		uint32_t *first = &e->first_incoming[e->trial->places.items[at].node];

		e->next_incoming[i] = *first;
		*first = (uint32_t)i;
	}
}

static void emitter_init(struct emitter *e, struct planner *p, struct plan *plan)
{
	*e = (struct emitter){ .p = p, .trial = &p->trial, .plan = plan };
	plan->server = plan_str(plan, cluster_str(p->trial.c, p->trial.c->server));
	plan->digest = plan_str(plan, p->trial.c->digest);
	emit_place_migrated(p, true);
	e->enforcement = enforcement_choose(&p->trial);
	emit_place_migrated(p, false);
	e->update_reason = xmalloc(p->trial.units.n);
	e->last_action = xcalloc(p->trial.units.n, sizeof(*e->last_action));
	e->finalizer = xcalloc(p->trial.c->mckubes.n, sizeof(*e->finalizer));
	list_incoming(e);
	list_incoming_by_node(e);
	for (unit_id id = 0; id < p->trial.units.n; id++)
		if (p->trial.units.items[id].is_evicted &&
		    p->trial.units.items[id].replacement != NONE)
			*array_add(&e->replaced) = id;
	emit_choose_updates(e);
}

static void emitter_done(struct emitter *e)
{
	free(e->enforcement);
	free(e->update_reason);
	free(e->last_action);
	free(e->finalizer);
	array_done(&e->replaced);
	array_done(&e->forgotten);
	array_done(&e->rests);
	free(e->incoming);
	free(e->first_incoming);
	free(e->next_incoming);
}

void emit_plan(struct planner *p, struct plan *plan)
{
	struct emitter e;

	emitter_init(&e, p, plan);
	emit_finalizers(&e);
	emit_shrinking(&e);
	emit_displacements(&e);
	emit_updates(&e);
	emit_placements(&e);
	emit_reliefs(&e);
	emit_migrations(&e);
	emit_economy(&e);
	emit_cleanup(&e);
	emit_unplaced(&e);
	emit_economy_unplaced(&e);
	emit_economy_status(&e);
	emit_warnings(&e);
	warn_of_missing_labels(&e);
	warn_of_silent_helpers(&e);
	warn_of_misplaced(&e);
	warn_of_guarantees(&e);
	emitter_done(&e);
}

/* Budgets on the targets that are no longer watched, so that there is room in the kernel. */
static void keep_needed_updates(struct emitter *e)
{
	const struct trial *t = e->trial;
	AUTO_FREE bool *is_target = xcalloc(t->c->nodes.n + (size_t)1, sizeof(*is_target));

	array_each(g, &e->p->migrations.list)
		is_target[g->to] |= g->unit != NONE;
	for (unit_id id = 0; id < t->units.n; id++) {
		node_id node = t->units.items[id].node;

		if (node == NONE || !is_target[node] || !emit_gives_up_watch(e, id))
			e->update_reason[id] = REASON_NONE;
	}
}

void emit_migration_plan(struct planner *p, struct plan *plan)
{
	struct emitter e;

	emitter_init(&e, p, plan);
	keep_needed_updates(&e);
	emit_updates(&e);
	emit_migrations(&e);
	emitter_done(&e);
}
