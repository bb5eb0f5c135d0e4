/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/signals.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/str.h"
#include "kube/event.h"
#include "kube/rate_limit.h"
#include "model/match.h"
#include "signal/action_event.h"
#include "signal/condition.h"
#include "signal/selected.h"

enum { PARALLEL = 4, STEP_MS = 60000 };

/* Applies what is told of moves: what other applies of a round leave out stays. */
static const char move_manager[] = "kubectl-mckube-migration";

/* A status to be written. */
struct job {
	struct signals *signals;
	struct kube_request request;
	struct kube_resource resource;
	char *api_version, *ns, *name, *uid;
	struct str json;
	char *reason, *note; /* of an Event about the pod, posted with it; NULL: none */
	int64_t due_ms;
	bool is_pod, is_event_only, is_first, is_sent;
	bool is_of_move; /* no later round says it again */
};

struct recent {
	char *uid;
	int64_t ms;
};

struct signals {
	struct kube *kube;
	struct event_writer *events;
	struct rate_limit limit;
	ARRAY(struct job *) jobs; /* those under way first */
	ARRAY(struct recent) recent;
	unsigned n_running, n_scheduled;
	bool was_refused;
};

struct signals *signals_new(struct kube *k)
{
	struct signals *s = xcalloc(1, sizeof(*s));
	char host[EVENT_WORD_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);

	s->kube = k;
	s->events = event_writer_new(k, k->controller ? k->controller : KUBE_CONTROLLER,
				     *host ? host : "unknown");
	event_writer_limit(s->events, SIGNAL_QPS, SIGNAL_BURST);
	rate_limit_init(&s->limit, SIGNAL_QPS, SIGNAL_BURST, clock_ms());
	return s;
}

static void job_free(struct job *j)
{
	kube_request_done(&j->request);
	str_done(&j->json);
	free(j->api_version);
	free(j->ns);
	free(j->name);
	free(j->uid);
	free(j->reason);
	free(j->note);
	free(j);
}

static void forget_recent(struct signals *s, int64_t before_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < s->recent.n; i++) {
		if (s->recent.items[i].ms < before_ms)
			free(s->recent.items[i].uid);
		else
			s->recent.items[n++] = s->recent.items[i];
	}
	s->recent.n = n;
}

void signals_free(struct signals *s)
{
	if (!s)
		return;
	array_each(j, &s->jobs)
		job_free(*j);
	array_done(&s->jobs);
	forget_recent(s, INT64_MAX);
	array_done(&s->recent);
	event_writer_free(s->events);
	free(s);
}

/* What is to be written. */

static int64_t due_ms(const struct signals *s, const char *uid)
{
	for (size_t i = s->recent.n; i-- > 0;)
		if (strcmp(s->recent.items[i].uid, uid) == 0)
			return s->recent.items[i].ms + SIGNAL_PAUSE_MS;
	return 0;
}

static struct job *add_job(struct signals *s, const struct kube_resource *resource,
			   const char *api_version, const struct target *on)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->signals = s;
	j->resource = *resource;
	j->api_version = xstrdup(api_version);
	j->resource.api_version = j->api_version;
	j->ns = xstrdup(on->ns);
	j->name = xstrdup(on->name);
	j->uid = xstrdup(on->uid);
	j->json = (struct str)STR_INIT;
	j->due_ms = due_ms(s, j->uid);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&s->jobs) = j;
	return j;
}

static struct job *add_mckube_job(struct signals *s, const struct cluster *c,
				  const struct mckube *m, const struct mckube_report *w,
				  int64_t now)
{
	const struct target on = { .ns = cluster_str(c, m->meta.ns),
				   .name = cluster_str(c, m->meta.name),
				   .uid = cluster_str(c, m->meta.uid) };
	struct job *j = add_job(s, &kube_mckubes, cluster_str(c, m->api_version), &on);

	condition_mckube_json(c, m, w, now, &j->json);
	return j;
}

/* Not written: pods that kube-scheduler will be asked for, and those that are on a node. */
static bool takes_condition(const struct pod *pod)
{
	return !pod->node_name && !pod->has_our_gate && !pod->has_other_gate;
}

static void plan_pod(struct signals *s, const struct cluster *c, const struct pod *pod,
		     const struct unplaced *u, int64_t now)
{
	const char *reason = condition_pod_reason(u->reason);
	bool takes = takes_condition(pod);

	if (takes && condition_pod_says(c, pod, reason, u->message))
		return;
	struct job *j = add_job(s, &kube_pods, kube_pods.api_version, &u->on);
	j->is_pod = true;
	j->is_event_only = !takes;
	j->is_first = !pod->unscheduled;
	j->reason = xstrdup(pod->node_name ? "NoRoom" : "FailedScheduling");
	j->note = xstrdup(u->message);
	condition_pod_json(reason, u->message, j->is_first, now, &j->json);
}

/* A pod that keeps a smaller grant has its cores; the others have none. */
static enum mckube_condition_type type_for(const struct cluster *c, const struct pod *pod)
{
	bool has_cores = pod->node_name && pod->annotations != NONE &&
			 c->annotations.items[pod->annotations].core != NONE;

	return has_cores ? MCKUBE_CONDITION_ACCEPTED : MCKUBE_CONDITION_PLACED;
}

static void plan_mckubes_of(struct signals *s, const struct cluster *c, const struct pod *pod,
			    const struct unplaced *u, bool *is_reported, int64_t now)
{
	enum mckube_condition_type type = type_for(c, pod);
	struct mckube_report report = { 0 };

	report.conditions[type] = (struct condition){ false, reason_name(u->reason), u->message };
	for (mckube_id id = 0; id < c->mckubes.n; id++) {
		const struct mckube *m = &c->mckubes.items[id];

		if (m->podname != pod->meta.name || m->meta.ns != pod->meta.ns || m->is_deleting ||
		    m->selector.is_set)
			continue;
		is_reported[id] = true;
		if (!condition_mckube_says(c, m, type, &report.conditions[type]))
			add_mckube_job(s, c, m, &report, now);
	}
}

/* Was the condition written by a round, as a refusal? */
static bool is_refusal(const struct cluster *c, const struct mckube_said *said)
{
	const char *text = cluster_str(c, said->text);

	if (strncmp(text, "False\n", 6) != 0)
		return false;
	for (int r = REASON_NO_REQUEST; r < REASONS; r++) {
		const char *name = reason_name((enum reason)r);
		size_t n = strlen(name);

		if (strncmp(text + 6, name, n) == 0 && text[6 + n] == '\n')
			return true;
	}
	return false;
}

/* Ends what is over; where the pod is then, the helper of its node tells. */
static void plan_settled(struct signals *s, const struct cluster *c, const struct mckube *m,
			 int64_t now)
{
	const struct mckube_report none = { 0 };

	if (is_refusal(c, &m->said[MCKUBE_CONDITION_PLACED]) ||
	    is_refusal(c, &m->said[MCKUBE_CONDITION_ACCEPTED]))
		add_mckube_job(s, c, m, &none, now);
}

static void plan_selected(struct signals *s, const struct cluster *c, const struct mckube *m,
			  int64_t now)
{
	struct selected selected;
	struct mckube_report report;

	selected_count(c, m, &selected);
	selected_report(&selected, &report);
	if (!selected_is_said(c, m, &report))
		add_mckube_job(s, c, m, &report, now);
}

static bool is_under_way(const struct signals *s, const char *uid, const struct job *but)
{
	array_each(j, &s->jobs)
		if (*j != but && (*j)->is_sent && strcmp((*j)->uid, uid) == 0)
			return true;
	return false;
}

/* What was not sent yet is worked out again. */
static void drop_unsent(struct signals *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->jobs.n; i++) {
		if (s->jobs.items[i]->is_sent || s->jobs.items[i]->is_of_move)
			s->jobs.items[n++] = s->jobs.items[i];
		else
			job_free(s->jobs.items[i]);
	}
	s->jobs.n = n;
}

void signals_plan(struct signals *s, const struct cluster *c, const struct plan *p, int64_t now)
{
	AUTO_FREE bool *is_reported = xcalloc(c->mckubes.n + 1, sizeof(*is_reported));

	s->n_scheduled = 0;
	drop_unsent(s);
	array_each(u, &p->unplaced) {
		pod_id id = cluster_pod(c, u->on.ns, u->on.name);

		if (id == NONE)
			continue;
		plan_pod(s, c, &c->pods.items[id], u, now);
		plan_mckubes_of(s, c, &c->pods.items[id], u, is_reported, now);
	}
	for (mckube_id id = 0; id < c->mckubes.n; id++) {
		const struct mckube *m = &c->mckubes.items[id];

		if (m->is_deleting || m->is_unread || is_reported[id])
			continue;
		if (m->selector.is_set)
			plan_selected(s, c, m, now);
		else
			plan_settled(s, c, m, now);
	}
}

/* Events. */

static void post(struct signals *s, const struct action_event *h,
		 const struct kube_resource *resource, const struct target *on, const char *note)
{
	event_post(s->events, &(struct event){ .resource = resource,
					       .ns = on->ns,
					       .name = on->name,
					       .uid = on->uid,
					       .is_warning = h->is_warning,
					       .reason = h->reason,
					       .action = h->action,
					       .note = note,
					       .is_single = strcmp(h->reason, "Scheduled") == 0 });
}

static void post_to_node(struct signals *s, const struct action_event *h, const struct cluster *c,
			 const struct action *a, const char *note)
{
	node_id id = a->from.node ? cluster_node(c, a->from.node) : NONE;
	AUTO_FREE char *text = xasprintf("%s/%s: %s", a->on.ns, a->on.name, note);

	if (id == NONE)
		return;
	const struct target on = { .name = a->from.node,
				   .uid = cluster_str(c, c->nodes.items[id].meta.uid) };
	post(s, h, &kube_nodes, &on, text);
}

static void post_to_mckubes(struct signals *s, const struct action_event *h,
			    const struct cluster *c, const struct action *a, const char *note)
{
	pod_id id = cluster_pod(c, a->on.ns, a->on.name);
	AUTO_FREE char *text = xasprintf("pod %s: %s", a->on.name, note);

	if (id == NONE)
		return;
	array_each(m, &c->mckubes) {
		struct kube_resource resource = kube_mckubes;

		if (m->is_deleting || !match_mckube(c, m, &c->pods.items[id]))
			continue;
		resource.api_version = cluster_str(c, m->api_version);
		resource.kind = cluster_str(c, m->kind);
		const struct target on = { .ns = cluster_str(c, m->meta.ns),
					   .name = cluster_str(c, m->meta.name),
					   .uid = cluster_str(c, m->meta.uid) };
		post(s, h, &resource, &on, text);
	}
}

static const struct kube_resource *resource_of(const struct target *on)
{
	static const struct kube_resource *const others[] = { &kube_nodes, &kube_deployments,
							      &kube_stateful_sets };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(on->kind, others[i]->kind) == 0)
			return others[i];
	return &kube_pods;
}

void signals_result(struct signals *s, const struct cluster *c, const struct action *a,
		    const struct result *r)
{
	struct action_event h = action_event_of(c, a);
	AUTO(str_done) struct str note = STR_INIT;

	if (!h.reason || r->state != RESULT_DONE)
		return;
	if (a->kind == ACTION_BIND && ++s->n_scheduled > SIGNAL_SCHEDULED_MAX)
		return;
	action_event_note(a, &note);
	post(s, &h, resource_of(&a->on), &a->on, note.s);
	if (h.concerns_node)
		post_to_node(s, &h, c, a, note.s);
	if (h.concerns_mckube)
		post_to_mckubes(s, &h, c, a, note.s);
}

static void tell_move(struct signals *s, const struct cluster *c, const struct mckube *m,
		      const struct action *a, const struct result *r, const char *reason,
		      int64_t now)
{
	const char *method = migration_method_name((enum migration_method)a->method);
	AUTO_FREE char *message =
		xasprintf("pod %s: %s from %s to %s%s%s", a->on.name, method, a->from.node,
			  a->to.node, *r->message ? ": " : "", r->message);
	const struct mckube_move move = {
		.pod = a->on.name,
		.from = a->from.node,
		.to = a->to.node,
		.method = method,
		.result = reason,
		.downtime_ms = r->downtime_ms,
		.period_us = a->budget.period,
	};
	struct mckube_report report = { .move = &move };

	report.conditions[MCKUBE_CONDITION_MIGRATED] =
		(struct condition){ r->state == RESULT_DONE, reason, message };
	struct job *j = add_mckube_job(s, c, m, &report, now);
	j->is_of_move = j->is_first = true;
	j->due_ms = 0;
}

void signals_moved(struct signals *s, const struct cluster *c, const struct action *a,
		   const struct result *r, const char *reason, int64_t now)
{
	pod_id id = cluster_pod(c, a->on.ns, a->on.name);

	if (id == NONE)
		return;
	array_each(m, &c->mckubes)
		if (!m->is_deleting && !m->is_unread && match_mckube(c, m, &c->pods.items[id]))
			tell_move(s, c, m, a, r, reason, now);
}

void signals_refused(struct signals *s, const struct cluster *c, const struct target *optimizer,
		     const char *why, int64_t now)
{
	if (condition_optimizer_is_refused(c, optimizer))
		return;
	struct job *j = add_job(s, &kube_optimizers, KCLOUD_API_VERSION, optimizer);

	j->is_first = true;
	condition_optimizer_json(optimizer, why, now, &j->json);
}

/* Sending. */

static void on_reply(struct http_call *call)
{
	struct job *j = call->arg;
	struct signals *s = j->signals;

	s->n_running--;
	if (call->result < 0) {
		log_v(4, "status of %s %s/%s: %s", j->resource.kind, j->ns, j->name, call->err.msg);
		if (call->code == 403 && !s->was_refused)
			log_warning("%s: conditions and status are not written", call->err.msg);
		s->was_refused |= call->code == 403;
	}
	/* The call stays until it has returned: the next step releases it. */
	j->is_sent = false;
	j->is_event_only = true;
	free(j->note);
	j->note = NULL;
}

static void make_request(struct job *j, const struct kube *k)
{
	const struct kube mover = { .manager = move_manager, .is_dry_run = k->is_dry_run };
	const struct kube_ref ref = {
		.resource = &j->resource, .ns = j->ns, .name = j->name, .uid = j->uid
	};

	if (j->is_pod)
		kube_patch(&j->request, k, &ref,
			   &(struct kube_change){ .kind = KUBE_PATCH_STRATEGIC,
						  .subresource = "status",
						  .json = j->json.s });
	else
		kube_apply(&j->request, j->is_of_move ? &mover : k, &ref, "status",
			   (struct slice){ j->json.s, j->json.n }, true);
	j->request.call.done = on_reply;
	j->request.call.arg = j;
}

static void send(struct signals *s, struct job *j)
{
	if (j->note) {
		const struct action_event h = { .reason = j->reason,
						.action = "Scheduling",
						.is_warning = true };
		const struct target on = { .ns = j->ns, .name = j->name, .uid = j->uid };

		post(s, &h, &kube_pods, &on, j->note);
	}
	*array_add(&s->recent) = (struct recent){ xstrdup(j->uid), clock_ms() };
	if (j->is_event_only) {
		free(j->note);
		j->note = NULL;
		return;
	}
	make_request(j, s->kube);
	j->is_sent = true;
	s->n_running++;
	kube_start(s->kube, &j->request);
}

/* It has nothing more to say, and no call that runs. */
static bool is_over(const struct job *j)
{
	return j->is_event_only && !j->note && !j->is_sent;
}

static void sweep(struct signals *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->jobs.n; i++) {
		if (is_over(s->jobs.items[i]))
			job_free(s->jobs.items[i]);
		else
			s->jobs.items[n++] = s->jobs.items[i];
	}
	s->jobs.n = n;
}

/* Pods that never said why they wait come before those whose text only changes. */
static int64_t send_due(struct signals *s, bool is_first, bool is_limited, int64_t now)
{
	int64_t next = now + STEP_MS, due;

	array_each(item, &s->jobs) {
		struct job *j = *item;

		if (j->is_sent || is_over(j) || j->is_first != is_first ||
		    is_under_way(s, j->uid, j))
			continue;
		if (j->due_ms > now) {
			next = j->due_ms < next ? j->due_ms : next;
			continue;
		}
		if (s->n_running >= PARALLEL)
			return next;
		if (is_limited && !rate_limit_take(&s->limit, now, &due))
			return due < next ? due : next;
		send(s, j);
	}
	return next;
}

static int64_t step(struct signals *s, bool is_limited)
{
	int64_t now = clock_ms();

	forget_recent(s, now - SIGNAL_PAUSE_MS);
	sweep(s);
	int64_t first = send_due(s, true, is_limited, now);
	int64_t next = send_due(s, false, is_limited, now);
	sweep(s);
	return first < next ? first : next;
}

int signals_step(struct signals *s)
{
	int64_t next = step(s, true) - clock_ms();
	int events = event_step(s->events);

	next = next > 0 ? next : 0;
	return next < events ? (int)next : events;
}

void signals_flush(struct signals *s, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;

	while (s->jobs.n && clock_ms() < end) {
		step(s, false);
		if (!s->n_running)
			break;
		http_run(s->kube->http, (int)(end - clock_ms()));
	}
	event_flush(s->events, (int)(end - clock_ms()));
}
