/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/move_services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/names.h"
#include "kube/event.h"
#include "reconcile/economy_news.h"

enum { FLUSH_MS = 3000 };

/* The engine's answer to one action. */
struct denial {
	uint32_t action;
	char why[POLICY_REASON_MAX + 64];
};

struct move_services {
	struct policy_engine engine;
	struct plan_veto veto;
	struct influx *influx;
	struct event_writer *events;
	ARRAY(struct denial) denials;
};

static bool is_given(const char *text)
{
	return text && *text;
}

int move_services_open(struct kube *k, const struct move_services_options *o,
		       struct move_services **ret, struct error *err)
{
	struct move_services *s = xcalloc(1, sizeof(*s));
	char host[64] = "";

	s->engine = o->engine;
	s->veto.service = o->core;
	if (is_given(o->influx.url) && influx_open(&o->influx, &s->influx, err) < 0) {
		free(s);
		return error_wrap(err, "InfluxDB");
	}
	gethostname(host, sizeof(host) - 1);
	if (k)
		s->events =
			event_writer_new(k, k->controller ? k->controller : KUBE_CONTROLLER, host);
	*ret = s;
	return 0;
}

void move_services_close(struct move_services *s)
{
	if (!s)
		return;
	influx_flush(s->influx, FLUSH_MS);
	influx_close(s->influx);
	if (s->events) {
		event_flush(s->events, FLUSH_MS);
		event_writer_free(s->events);
	}
	array_done(&s->denials);
	free(s);
}

/* Asking. */

/* Only the target pod's own words: name, nodes, labels. */
static void fill_question(const struct action *a, const struct cluster *c,
			  struct policy_question *ret)
{
	pod_id id = cluster_pod(c, a->on.ns, a->on.name);
	struct range labels = id == NONE ? (struct range){ 0 } : c->pods.items[id].labels;
	struct policy_pair *pairs = xcalloc(labels.n + (size_t)1, sizeof(*pairs));

	for (uint32_t i = 0; i < labels.n; i++)
		pairs[i] = (struct policy_pair){
			cluster_str(c, c->labels.items[labels.at + i].key),
			cluster_str(c, c->labels.items[labels.at + i].value),
		};
	*ret = (struct policy_question){ a->on.ns,   a->on.name, a->from.node,
					 a->to.node, pairs,	 labels.n };
}

/* What was begun is ended: asked once, and perhaps allowed by an answer that is lost. */
static bool is_asked(const struct action *a)
{
	return a->kind == ACTION_MIGRATE && a->reason != REASON_RESUMED;
}

static void note_answers(struct move_services *s, const uint32_t *ids,
			 const struct policy_answer *answers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_answer *answer = &answers[i];
		struct denial *d;

		if (answer->is_allowed)
			continue;
		d = array_add(&s->denials);
		d->action = ids[i];
		if (answer->was_given)
			snprintf(d->why, sizeof(d->why), "denied by the policy engine%s%s",
				 *answer->reason ? ": " : "", answer->reason);
		else
			snprintf(d->why, sizeof(d->why), "denied: %s", answer->reason);
	}
}

void move_services_ask(struct move_services *s, const struct plan *p, const struct cluster *c,
		       const char *(*stop)(void *arg), void *arg)
{
	ARRAY(struct policy_question) questions = { 0 };
	ARRAY(uint32_t) ids = { 0 };

	if (!s)
		return;
	array_clear(&s->denials);
	plan_veto_ask(&s->veto, p, stop, arg);
	if (!is_given(s->engine.url))
		return;
	array_each(a, &p->actions) {
		if (!is_asked(a))
			continue;
		fill_question(a, c, array_add(&questions));
		*array_add(&ids) = a->id;
	}
	if (questions.n) {
		AUTO_FREE struct policy_answer *answers = xcalloc(questions.n, sizeof(*answers));
		struct policy_engine engine = s->engine;

		engine.fail_open = p->settings.migration.fail_open;
		policy_ask(&engine, questions.items, questions.n, answers, stop, arg);
		note_answers(s, ids.items, answers, ids.n);
	}
	array_each(q, &questions)
		free((void *)q->labels);
	array_done(&questions);
	array_done(&ids);
}

const char *move_services_denial(const struct action *a, void *services)
{
	const struct move_services *s = services;

	if (!s)
		return NULL;
	array_each(d, &s->denials)
		if (d->action == a->id)
			return d->why;
	return plan_veto_denial(&s->veto, a);
}

const char *move_services_refusal(const struct action *a, const struct move_services *s)
{
	return s && a->status && strcmp(a->on.kind, "WorkloadOptimizer") == 0
		       ? plan_veto_denial(&s->veto, a)
		       : NULL;
}

void move_services_warn(struct move_services *s, struct plan *p)
{
	array_each(d, &s->denials) {
		const struct target *on = &p->actions.items[d->action - 1].on;

		*array_add(&p->warnings) = (struct warning){
			.object = plan_strf(p, "Pod %s/%s", on->ns, on->name),
			.reason = "MigrationDenied",
			.message = plan_str(p, d->why),
		};
	}
	if (*s->veto.why)
		*array_add(&p->warnings) = (struct warning){
			.object = "Plan",
			.reason = "PlanRefused",
			.message = plan_strf(p, "%s; what is done for cost and power is left out",
					     s->veto.why),
		};
}

/* Telling. */

const char *move_services_reason(const struct move_services *s, const struct action *a,
				 const struct result *r)
{
	if (a->kind != ACTION_MIGRATE || r->state == RESULT_SKIPPED)
		return NULL;
	if (r->state == RESULT_DONE)
		return "Migrated";
	if (move_services_denial(a, (void *)s))
		return "MigrationDenied";
	return a->method == MIGRATE_CHECKPOINT ? "MigrationRolledBack" : "MigrationFailed";
}

/* The status that is told of, and the writer of Events. */
struct telling {
	struct move_services *s;
	const struct action *a;
};

static void post_economy(const char *reason, const char *note, bool is_warning, void *arg)
{
	static const struct kube_resource *const resources[] = {
		[STATUS_OPTIMIZER] = &kube_optimizers,
		[STATUS_COST_POLICY] = &kube_cost_policies,
		[STATUS_POWER_POLICY] = &kube_power_policies,
	};
	const struct telling *t = arg;

	event_post(t->s->events, &(struct event){
					 .resource = resources[economy_status_kind(t->a->status)],
					 .ns = t->a->on.ns,
					 .name = t->a->on.name,
					 .uid = t->a->on.uid,
					 .is_warning = is_warning,
					 .reason = reason,
					 .action = "Optimize",
					 .note = note,
				 });
	event_step(t->s->events);
}

/* Of a status: that it is refused, or what is new in the one that was written. */
static void tell_economy(struct move_services *s, const struct cluster *c, const struct action *a,
			 const struct result *r)
{
	struct telling t = { s, a };
	const char *refusal = move_services_refusal(a, s);

	if (refusal)
		post_economy("PlanRefused", refusal, true, &t);
	if (r->state == RESULT_DONE)
		economy_news(c, a, post_economy, &t);
}

void move_services_tell(struct move_services *s, const struct cluster *c, const struct action *a,
			const struct result *r)
{
	struct timespec now;

	if (s && a->status)
		tell_economy(s, c, a, r);
	const char *reason = move_services_reason(s, a, r);
	if (!s || !reason)
		return;
	AUTO_FREE char *note = xasprintf(
		"%s from %s to %s%s%s", migration_method_name((enum migration_method)a->method),
		a->from.node, a->to.node, *r->message ? ": " : "", r->message);
	event_post(s->events, &(struct event){
				      .resource = &kube_pods,
				      .ns = a->on.ns,
				      .name = a->on.name,
				      .uid = a->on.uid,
				      .is_warning = r->state != RESULT_DONE,
				      .reason = reason,
				      .action = "Migrate",
				      .note = note,
			      });
	event_step(s->events);
	if (!s->influx || move_services_denial(a, s))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	influx_add(s->influx, &(struct influx_point){
				      .pod = a->on.name,
				      .source = a->from.node,
				      .target = a->to.node,
				      .success = r->state == RESULT_DONE,
				      .at_ns = now.tv_sec * 1000000000ll + now.tv_nsec,
			      });
	influx_step(s->influx);
}

void move_services_step(struct move_services *s)
{
	if (!s)
		return;
	event_step(s->events);
	influx_step(s->influx);
}
