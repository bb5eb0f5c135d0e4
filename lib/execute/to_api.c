/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/to_api.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "execute/api_request.h"
#include "execute/order.h"
#include "execute/relocate.h"
#include "migrate/advance.h"

enum { DEFAULT_PARALLEL = 16, DEFAULT_GONE_SECONDS = 60, POLL_MS = 500, READS_MAX = 5 };

enum job_state {
	JOB_BLOCKED, /* on others */
	JOB_READY,
	JOB_SENT,
	JOB_LEAVING, /* evicted, not gone yet */
	JOB_PAUSED,  /* a Migrate between two requests */
	JOB_OVER,
};

struct job {
	struct run *run;
	uint32_t at; /* in the plan's actions */
	enum job_state state;
	struct kube_request request;
	bool has_second; /* the request is the patch that follows a read */
	unsigned n_reads;
	int64_t due_ms, deadline_ms;
	const char *version;	      /* after a write of ours; the plan's arena's */
	struct relocation relocation; /* of a Migrate by Restart */
	struct move_progress *move;   /* ... by Checkpoint */
};

struct run {
	struct kube *k;
	struct plan *plan;
	const struct cluster *c;
	const struct api_options *o;
	struct job *jobs;
	struct order order;
	uint32_t n, n_over, n_running;
	ARRAY(uint32_t) ready; /* in the order in which they became it */
	size_t next_ready;
	ARRAY(uint32_t) leaving; /* evicted, and polled until they are gone; or paused */
	char stopped[128];	 /* why nothing new begins; "" while it does */
};

static const struct action *action_of(const struct job *j)
{
	return &j->run->plan->actions.items[j->at];
}

static void run_init(struct run *x)
{
	x->n = (uint32_t)x->plan->actions.n;
	x->jobs = xcalloc(x->n, sizeof(*x->jobs));
	order_init(&x->order, x->plan);
	array_clear(&x->plan->results);
	for (uint32_t i = 0; i < x->n; i++) {
		struct job *j = &x->jobs[i];

		*array_add(&x->plan->results) = (struct result){ .id = i + 1, .message = "" };
		*j = (struct job){ .run = x, .at = i };
		if (!x->order.n_open[i]) {
			j->state = JOB_READY;
			*array_add(&x->ready) = i;
		}
	}
}

static void run_done(struct run *x)
{
	for (uint32_t i = 0; i < x->n; i++) {
		kube_request_done(&x->jobs[i].request);
		relocate_done(&x->jobs[i].relocation);
		free(x->jobs[i].move);
	}
	free(x->jobs);
	order_done(&x->order);
	array_done(&x->ready);
	array_done(&x->leaving);
}

/* Ends. */

static void end(struct job *j, enum result_state state, const char *message);

/* One that waited for j is ready, or is skipped with it. */
static void release(struct job *j, struct job *waiting, enum result_state state)
{
	struct run *x = j->run;

	if (waiting->state != JOB_BLOCKED)
		return;
	if (state != RESULT_DONE) {
		end(waiting, RESULT_SKIPPED,
		    plan_strf(x->plan, "it waits for action %u, which %s", j->at + 1,
			      state == RESULT_FAILED ? "failed" : "was skipped"));
	} else if (--x->order.n_open[waiting->at] == 0) {
		waiting->state = JOB_READY;
		*array_add(&x->ready) = waiting->at;
	}
}

static void end(struct job *j, enum result_state state, const char *message)
{
	struct run *x = j->run;
	struct result *r = &x->plan->results.items[j->at];
	const struct range waiting = x->order.dependents[j->at];

	j->state = JOB_OVER;
	x->n_over++;
	r->state = state;
	r->message = message;
	if (x->o->on_result)
		x->o->on_result(action_of(j), r, x->o->arg);
	for (uint32_t i = 0; i < waiting.n; i++)
		release(j, &x->jobs[x->order.list[waiting.at + i]], state);
}

static void fail(struct job *j, const struct error *err)
{
	end(j, RESULT_FAILED, plan_str(j->run->plan, err->msg));
}

/* Has the server itself, and not its answer, failed? */
static bool is_unreachable(const struct http_call *call)
{
	return call->code == 0 && call->result < 0;
}

static void stop(struct run *x, const char *why)
{
	if (!x->stopped[0])
		snprintf(x->stopped, sizeof(x->stopped), "%s", why);
}

static bool is_awaited(const struct job *j)
{
	return j->run->order.dependents[j->at].n > 0;
}

/* Requests and their answers. */

static void on_reply(struct http_call *call);

static void send(struct job *j)
{
	j->request.call.done = on_reply;
	j->request.call.arg = j;
	j->state = JOB_SENT;
	j->run->n_running++;
	kube_start(j->run->k, &j->request);
}

/* The version that our own write gave the object: a later action of the plan names it. */
static void keep_version(struct job *j)
{
	const struct str *reply = &j->request.call.reply;
	AUTO_JSON cJSON *root = NULL;
	const char *kind, *version;

	if (!is_awaited(j) || json_parse(reply->s, reply->n, &root, NULL) < 0)
		return;
	kind = json_text(json_get(root, "kind"));
	version = json_text(json_path(root, "metadata.resourceVersion"));
	if (kind && strcmp(kind, "Status") != 0 && version)
		j->version = plan_str(j->run->plan, version);
}

/* Asks whether the evicted pod is gone. */
static void poll_pod(struct job *j)
{
	struct kube_resource resource;
	const struct kube_ref ref = api_ref(action_of(j), j->run->c, &resource);

	kube_request_done(&j->request);
	kube_get(&j->request, &ref);
	send(j);
	j->state = JOB_LEAVING;
	j->due_ms = INT64_MAX;
}

static void begin_leaving(struct job *j)
{
	uint32_t seconds = j->run->o->gone_seconds;

	j->state = JOB_LEAVING;
	j->due_ms = clock_ms() + POLL_MS;
	j->deadline_ms = clock_ms() + (seconds ? seconds : DEFAULT_GONE_SECONDS) * 1000ll;
	*array_add(&j->run->leaving) = j->at;
}

static void on_polled(struct job *j)
{
	const struct http_call *call = &j->request.call;
	struct slice reply = { call->reply.s, call->reply.n };

	if (call->code == 404 || (call->result == 0 && api_is_other(action_of(j), reply)))
		end(j, RESULT_DONE, "");
	else if (call->result < 0)
		fail(j, &call->err);
	else if (clock_ms() >= j->deadline_ms)
		end(j, RESULT_FAILED, "evicted, still terminating");
	else
		j->due_ms = clock_ms() + POLL_MS;
}

/* The object was read: now its list of finalizers, or of taints, can be written. */
static void send_second(struct job *j)
{
	AUTO(str_done) struct str object = j->request.call.reply;
	struct error err = ERROR_INIT;

	j->request.call.reply = (struct str)STR_INIT;
	kube_request_done(&j->request);
	int r = api_request_after(&j->request, j->run->k, action_of(j), j->run->c,
				  (struct slice){ object.s, object.n }, &err);
	j->has_second = true;
	j->n_reads++;
	if (r < 0)
		fail(j, &err);
	else if (r > 0)
		end(j, RESULT_DONE, "already so");
	else
		send(j);
}

static void on_success(struct job *j)
{
	const struct action *a = action_of(j);

	keep_version(j);
	if (api_request_reads(a) && !j->has_second)
		send_second(j);
	else if (a->kind == ACTION_EVICT && is_awaited(j) && !j->run->k->is_dry_run)
		begin_leaving(j);
	else
		end(j, RESULT_DONE, "");
}

/* Another write between the read and the patch: node helpers report every few seconds. */
static bool may_read_again(const struct job *j)
{
	return j->has_second && j->request.call.code == 409 && j->n_reads < READS_MAX;
}

static void begin(struct job *j);

static void read_again(struct job *j)
{
	kube_request_done(&j->request);
	j->has_second = false;
	begin(j);
}

static void on_failure(struct job *j)
{
	const struct http_call *call = &j->request.call;
	const struct action *a = action_of(j);
	bool wants_gone = a->kind == ACTION_EVICT || a->kind == ACTION_RELEASE ||
			  a->reason == REASON_FINALIZER_REMOVED;

	if (is_unreachable(call)) {
		stop(j->run, "the server is unreachable");
		fail(j, &call->err);
	} else if (call->code == 404 && wants_gone) {
		end(j, RESULT_DONE, "already deleted");
	} else if (may_read_again(j)) {
		read_again(j);
	} else {
		fail(j, &call->err);
	}
}

/* Migrate. */

static void pause_job(struct job *j, uint32_t ms)
{
	if (j->state != JOB_PAUSED && j->due_ms == 0)
		*array_add(&j->run->leaving) = j->at;
	j->state = JOB_PAUSED;
	j->due_ms = clock_ms() + ms;
}

static bool is_relocation(const struct job *j)
{
	return action_of(j)->kind == ACTION_MIGRATE;
}

static void on_relocated(struct job *j)
{
	struct relocation *x = &j->relocation;

	switch (relocate_next(x, &j->request, clock_ms())) {
	case RELOCATE_SEND:
		send(j);
		break;
	case RELOCATE_WAIT:
		pause_job(j, RELOCATE_POLL_MS);
		break;
	case RELOCATE_DONE:
		end(j, RESULT_DONE, plan_str(j->run->plan, x->why));
		break;
	case RELOCATE_FAILED:
		end(j, RESULT_FAILED, plan_str(j->run->plan, x->why));
		break;
	}
}

static const char *moved_text(struct plan *plan, const struct action *a,
			      const struct move_progress *p)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%s on %s", p->new_pod, a->to.node);
	if (p->downtime_ms)
		str_addf(&text, ", stood still for %lld ms", (long long)p->downtime_ms);
	if (p->downtime_ms && a->budget.period)
		str_addf(&text, ": %lld whole periods",
			 (long long)p->downtime_ms * 1000 / a->budget.period);
	if (*p->lost)
		str_addf(&text, "; %s", p->lost);
	return plan_str(plan, text.s);
}

static void end_moved(struct job *j, const struct move_progress *p)
{
	struct result *r = &j->run->plan->results.items[j->at];

	r->downtime_ms = (uint32_t)p->downtime_ms;
	end(j, RESULT_DONE, moved_text(j->run->plan, action_of(j), p));
}

/* One step of a move with memory. */
static void advance(struct job *j)
{
	const struct action *a = action_of(j);
	struct annotation_change change = { .n = 0 };
	struct move_progress *p = j->move;
	struct error err = ERROR_INIT;

	if (a->budget.period)
		assignment_set(a, &change);
	assignment_drop_nulls(&change);
	const struct move m = {
		.ns = a->on.ns,
		.pod = a->on.name,
		.uid = a->on.uid,
		.to = a->to.node,
		.annotations = change.pairs,
		.n_annotations = change.n,
	};
	if (move_advance(j->run->k, &m, p, &err) < 0)
		fail(j, &err);
	else if (p->step == STEP_DONE)
		end_moved(j, p);
	else if (p->step == STEP_FAILED)
		end(j, RESULT_FAILED, plan_str(j->run->plan, p->why));
	else
		pause_job(j, p->wait_ms);
}

/* It is noted on the pod, so that the next plan looks at other pods. */
static bool is_denied(struct job *j)
{
	const struct api_options *o = j->run->o;
	const char *why = o->denial ? o->denial(action_of(j), o->denial_arg) : NULL;

	if (!why)
		return false;
	j->relocation = (struct relocation){ .k = j->run->k, .a = action_of(j), .c = j->run->c };
	relocate_refuse(&j->relocation, &j->request, why, time(NULL));
	send(j);
	return true;
}

static void begin_migration(struct job *j)
{
	struct run *x = j->run;
	struct error err = ERROR_INIT;

	if (is_denied(j))
		return;
	if (action_of(j)->method == MIGRATE_CHECKPOINT) {
		if (x->k->is_dry_run) {
			end(j, RESULT_DONE, "");
		} else {
			j->move = xcalloc(1, sizeof(*j->move));
			pause_job(j, 0);
		}
		return;
	}
	j->relocation = (struct relocation){
		.k = x->k,
		.a = action_of(j),
		.c = x->c,
		.gone_seconds = x->o->gone_seconds ? x->o->gone_seconds : DEFAULT_GONE_SECONDS,
	};
	if (relocate_begin(&j->relocation, &j->request, &err) < 0)
		fail(j, &err);
	else
		send(j);
}

static void go_on(struct job *j)
{
	if (action_of(j)->method == MIGRATE_CHECKPOINT) {
		advance(j);
		return;
	}
	relocate_again(&j->relocation, &j->request);
	send(j);
}

static void on_reply(struct http_call *call)
{
	struct job *j = call->arg;

	j->run->n_running--;
	if (is_relocation(j)) {
		on_relocated(j);
		return;
	}
	if (j->state == JOB_LEAVING)
		on_polled(j);
	else if (call->result == 0)
		on_success(j);
	else
		on_failure(j);
}

/* The loop. */

/* Is it an eviction of a pod without a controller, and without --force? */
static bool is_withheld(const struct job *j)
{
	const struct cluster *c = j->run->c;
	const struct action *a = action_of(j);

	if (!j->run->o->keeps_bare || a->kind != ACTION_EVICT)
		return false;
	pod_id id = cluster_pod(c, a->on.ns, a->on.name);
	return id != NONE && pod_is_bare(&c->pods.items[id]);
}

static void begin(struct job *j)
{
	struct run *x = j->run;
	const uint32_t before = x->order.previous[j->at];
	const char *version = before == NONE ? NULL : x->jobs[before].version;
	struct error err = ERROR_INIT;

	if (is_withheld(j))
		end(j, RESULT_SKIPPED, "no controller recreates it; --force evicts it");
	else if (is_relocation(j))
		begin_migration(j);
	else if (api_request(&j->request, x->k, action_of(j), version, x->c, &err) < 0)
		fail(j, &err);
	else
		send(j);
}

static void skip_all(struct run *x)
{
	for (uint32_t i = 0; i < x->n; i++)
		if (x->jobs[i].state <= JOB_READY)
			end(&x->jobs[i], RESULT_SKIPPED, plan_str(x->plan, x->stopped));
}

static void ask_to_stop(struct run *x)
{
	const char *why = x->o->stop ? x->o->stop(x->o->arg) : NULL;

	if (why)
		stop(x, why);
}

static void begin_ready(struct run *x)
{
	uint32_t parallel = x->o->parallel ? x->o->parallel : DEFAULT_PARALLEL;

	while (x->next_ready < x->ready.n && x->n_running < parallel) {
		ask_to_stop(x);
		if (x->stopped[0])
			return;
		struct job *j = &x->jobs[x->ready.items[x->next_ready++]];
		if (j->state == JOB_READY)
			begin(j);
	}
}

/* Does what is due for an evicted pod; when to do so again. */
static int64_t step_leaving(struct job *j, int64_t now)
{
	const char *stopped = j->run->stopped;

	if (j->state == JOB_PAUSED && *stopped)
		end(j, RESULT_FAILED, plan_strf(j->run->plan, "not ended: %s", stopped));
	else if (j->state == JOB_PAUSED && j->due_ms <= now)
		go_on(j);
	else if (j->state == JOB_LEAVING && *stopped && j->due_ms != INT64_MAX)
		end(j, RESULT_DONE, "");
	else if (j->state == JOB_LEAVING && j->due_ms <= now)
		poll_pod(j);
	return j->state == JOB_SENT ? INT64_MAX : j->due_ms;
}

/* The milliseconds until the next evicted pod is due. */
static int step_all_leaving(struct run *x)
{
	int64_t now = clock_ms(), next = now + POLL_MS;
	size_t n = 0;

	for (size_t i = 0; i < x->leaving.n; i++) {
		struct job *j = &x->jobs[x->leaving.items[i]];

		if (j->state == JOB_OVER)
			continue;
		x->leaving.items[n++] = j->at;
		int64_t due = step_leaving(j, now);
		next = due < next ? due : next;
	}
	x->leaving.n = n;
	return next > now ? (int)(next - now) : 0;
}

/* The last first: each is given its own reason, and not that of one it waits for. */
static void skip_denied(struct run *x)
{
	for (uint32_t i = x->n; x->o->denial && i-- > 0;) {
		struct job *j = &x->jobs[i];
		const char *why =
			is_relocation(j) ? NULL : x->o->denial(action_of(j), x->o->denial_arg);

		if (why && j->state <= JOB_READY)
			end(j, RESULT_SKIPPED, plan_str(x->plan, why));
	}
}

static void run_all(struct run *x)
{
	skip_denied(x);
	while (x->n_over < x->n) {
		begin_ready(x);
		ask_to_stop(x);
		if (x->stopped[0])
			skip_all(x);
		int wait = step_all_leaving(x);
		if (x->n_running > 0 || (x->n_over < x->n && x->next_ready == x->ready.n))
			http_wait(x->k->http, wait);
	}
}

int execute_on_api(struct kube *k, struct plan *p, const struct cluster *c,
		   const struct api_options *options, struct error *err)
{
	struct run x = { .k = k, .plan = p, .c = c, .o = options };

	if (p->actions.n >= NONE)
		return error_set(err, -E2BIG, "the plan has too many actions");
	run_init(&x);
	run_all(&x);
	run_done(&x);
	return 0;
}
