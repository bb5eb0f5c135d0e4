/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/lease.h"

#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/names.h"
#include "base/timer.h"
#include "base/units.h"
#include "kube/micro_time.h"

enum { TURN_MS = 100 };

static uint32_t duration_s(const struct kube_lease *l)
{
	return l->duration_s ? l->duration_s : LEASE_DURATION_S;
}

/* A bound given for the default duration, in proportion. */
static int64_t scaled(const struct kube_lease *l, int64_t ms)
{
	return ms * duration_s(l) / LEASE_DURATION_S;
}

static void add_time(struct str *out)
{
	char text[MICRO_TIME_TEXT];

	micro_time_now(text);
	str_add(out, text);
}

void kube_lease_start(struct kube *k, struct kube_lease *l)
{
	char host[64] = "";
	uint32_t random_bits = 0;

	gethostname(host, sizeof(host) - 1);
	if (getrandom(&random_bits, sizeof(random_bits), 0) < 0)
		random_bits = (uint32_t)clock_ms();
	if (k->holder)
		snprintf(l->identity, sizeof(l->identity), "%s_%08x", k->holder, random_bits);
	else
		snprintf(l->identity, sizeof(l->identity), "%s_%d_%08x", host, getpid(),
			 random_bits);
	l->kube = k;
	l->version = l->holder = l->acquired = (struct str)STR_INIT;
	l->is_held = l->was_held = l->exists = l->is_busy = l->is_unreachable = false;
	l->err = ERROR_INIT;
	l->due_ms = 0;
}

/* The record of a holder; `seconds` and `holder` differ when it is released. */
static void make_record(const struct kube_lease *l, const char *holder, uint32_t seconds,
			struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	char now[MICRO_TIME_TEXT];

	json_out_object(&o);
	json_out_member(&o, "apiVersion", kube_leases.api_version);
	json_out_member(&o, "kind", kube_leases.kind);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", l->name);
	if (l->exists)
		json_out_member(&o, "resourceVersion", l->version.s);
	if (l->last_pass) {
		json_out_key(&o, "annotations");
		json_out_object(&o);
		json_out_member(&o, LEASE_LAST_PASS, l->last_pass);
		json_out_end(&o);
	}
	json_out_end(&o);
	json_out_key(&o, "spec");
	json_out_object(&o);
	json_out_member(&o, "holderIdentity", holder);
	json_out_member_int(&o, "leaseDurationSeconds", seconds);
	json_out_member_int(&o, "leaseTransitions", l->transitions);
	json_out_member(&o, "acquireTime", l->acquired.s);
	json_out_member(&o, "renewTime", micro_time_now(now));
	json_out_end(&o);
	json_out_end(&o);
}

static void on_read(struct http_call *call);
static void on_written(struct http_call *call);

static struct kube_ref ref_of(const struct kube_lease *l)
{
	return (struct kube_ref){ .resource = &kube_leases, .ns = l->ns, .name = l->name };
}

static void send(struct kube_lease *l, void (*done)(struct http_call *call))
{
	l->request.call.done = done;
	l->request.call.arg = l;
	l->request.call.timeout_ms = scaled(l, LEASE_RENEW_MS) / 2;
	l->sent_ms = clock_ms();
	l->is_busy = true;
	l->is_unreachable = false;
	kube_start(l->kube, &l->request);
}

static void read_record(struct kube_lease *l)
{
	const struct kube_ref ref = ref_of(l);

	kube_request_done(&l->request);
	kube_get(&l->request, &ref);
	send(l, on_read);
}

static void write_record(struct kube_lease *l)
{
	const struct kube_ref ref = ref_of(l);
	AUTO(str_done) struct str json = STR_INIT;
	struct slice text;

	if (!l->is_held) {
		l->transitions += l->exists && l->holder.n && l->transitions < INT32_MAX;
		str_clear(&l->acquired);
		add_time(&l->acquired);
	}
	make_record(l, l->identity, duration_s(l), &json);
	text = (struct slice){ json.s, json.n };
	kube_request_done(&l->request);
	if (l->exists)
		kube_replace(&l->request, l->kube, &ref, text);
	else
		kube_create(&l->request, l->kube, &kube_leases, l->ns, text);
	send(l, on_written);
}

static void again_later(struct kube_lease *l)
{
	int64_t retry = scaled(l, LEASE_RETRY_MS);

	l->is_busy = false;
	l->due_ms = clock_ms() + retry + random() % (retry * 6 / 5 + 1);
}

/* After an error that may pass. */
static void retry_later(struct kube_lease *l, const struct http_call *call)
{
	l->err = call->err;
	l->is_unreachable = call->code == 0;
	again_later(l);
}

/* From 0 to the largest; 0 for what is none. */
static int32_t take_int32(const cJSON *root, const char *path)
{
	int64_t n = 0;

	if (!json_int(json_path(root, path), &n) || n < 0)
		return 0;
	return n < INT32_MAX ? (int32_t)n : INT32_MAX;
}

/* Keeps what a record says; the time counts from when it was seen to change. */
static void observe(struct kube_lease *l, const struct str *reply)
{
	AUTO_JSON cJSON *root = NULL;
	const char *version, *holder;

	if (json_parse(reply->s, reply->n, &root, NULL) < 0)
		return;
	version = json_text(json_path(root, "metadata.resourceVersion"));
	holder = json_text(json_path(root, "spec.holderIdentity"));
	if (!version || (l->exists && strcmp(version, l->version.s) == 0))
		return;
	l->exists = true;
	str_clear(&l->version);
	str_add(&l->version, version);
	str_clear(&l->holder);
	str_add(&l->holder, holder ? holder : "");
	l->seen_ms = clock_ms();
	/* Both are of type int32. */
	l->seen_duration_ms = take_int32(root, "spec.leaseDurationSeconds") * (int64_t)MS_PER_S;
	l->transitions = take_int32(root, "spec.leaseTransitions");
}

static bool is_free(const struct kube_lease *l)
{
	return !l->exists || !l->holder.n || strcmp(l->holder.s, l->identity) == 0 ||
	       clock_ms() - l->seen_ms >= l->seen_duration_ms;
}

static void give_up(struct kube_lease *l, const struct http_call *call)
{
	l->result = call->result;
	l->err = call->err;
	l->is_busy = false;
}

static void note_answer(struct kube_lease *l, const struct http_call *call)
{
	if (call->code)
		l->answered_ms = clock_ms();
}

static void on_read(struct http_call *call)
{
	struct kube_lease *l = call->arg;

	note_answer(l, call);
	if (call->code == 404)
		l->exists = false;
	else if (!l->was_held && (call->code == 401 || call->code == 403)) {
		give_up(l, call);
		return;
	} else if (call->result < 0) {
		retry_later(l, call);
		return;
	} else {
		observe(l, &call->reply);
	}
	l->err = ERROR_INIT;
	if (is_free(l))
		write_record(l);
	else
		again_later(l);
}

static void on_written(struct http_call *call)
{
	struct kube_lease *l = call->arg;

	note_answer(l, call);
	if (call->result == 0) {
		observe(l, &call->reply);
		if (!l->is_held)
			log_v(2, "lease %s/%s: acquired", l->ns, l->name);
		l->is_held = l->was_held = true;
		/* Others count from when the server had it, which may be as early as this. */
		l->renewed_ms = l->sent_ms;
		l->is_busy = false;
		l->due_ms = clock_ms() + scaled(l, LEASE_RETRY_MS);
		return;
	}
	if (!l->was_held && (call->code == 401 || call->code == 403 || call->code == 404)) {
		give_up(l, call);
		return;
	}
	if (call->code == 409) { /* another was faster */
		l->is_held = false;
		again_later(l);
		return;
	}
	retry_later(l, call);
}

bool kube_lease_is_held(const struct kube_lease *l)
{
	return l->is_held && clock_ms() - l->renewed_ms < scaled(l, LEASE_RENEW_MS);
}

bool kube_lease_is_answered(const struct kube_lease *l)
{
	return l->answered_ms &&
	       clock_ms() - l->answered_ms < scaled(l, (int64_t)LEASE_DURATION_S * MS_PER_S);
}

int kube_lease_step(struct kube_lease *l)
{
	int most = (int)scaled(l, LEASE_RETRY_MS);
	int wait = timer_left(l->due_ms, clock_ms(), INT_MAX);

	if (l->result < 0)
		return l->result;
	if (l->is_busy)
		return most;
	if (wait > 0)
		return wait;
	if (l->is_held)
		write_record(l);
	else
		read_record(l);
	return most;
}

bool kube_lease_refresh(struct kube_lease *l)
{
	int64_t now = clock_ms(), patience = scaled(l, LEASE_RENEW_MS) / 2, end = now + patience;

	for (; l->is_held && now - l->renewed_ms >= patience && now < end; now = clock_ms()) {
		int wait = kube_lease_step(l);

		http_wait(l->kube->http, wait < 0 ? TURN_MS : TIMER_MIN(wait, TURN_MS));
	}
	return kube_lease_is_held(l);
}

/* Why it is not held when the time is up. */
static int refusal(const struct kube_lease *l, struct error *err)
{
	if (l->err.msg[0])
		return error_set(err, l->err.code, "%s", l->err.msg);
	return error_set(err, -EBUSY, "lease %s/%s: held by %s", l->ns, l->name,
			 l->holder.n ? l->holder.s : "another client");
}

int kube_lease_acquire(struct kube *k, struct kube_lease *l, int64_t timeout_ms, struct error *err)
{
	int64_t end = clock_ms() + timeout_ms;

	kube_lease_start(k, l);
	while (!l->is_held) {
		int wait = kube_lease_step(l);
		int64_t left = end - clock_ms();

		if (wait < 0)
			return error_set(err, wait, "lease %s/%s: %s", l->ns, l->name, l->err.msg);
		bool is_over = left <= 0 && !l->is_busy;
		if (is_over || l->is_unreachable)
			return refusal(l, err);
		http_wait(k->http, left > 0 ? timer_left(end, clock_ms(), wait) : TURN_MS);
	}
	return 0;
}

/* One that is not released expires: an error here changes nothing. */
static void release(struct kube_lease *l)
{
	const struct kube_ref ref = ref_of(l);
	AUTO(str_done) struct str json = STR_INIT;

	kube_request_done(&l->request);
	make_record(l, "", 1, &json);
	kube_replace(&l->request, l->kube, &ref, (struct slice){ json.s, json.n });
	l->request.call.timeout_ms = LEASE_RETRY_MS;
	kube_do(l->kube, &l->request, NULL);
}

/* A renewal that is under way gives the record another version. */
static void await_reply(const struct kube_lease *l)
{
	int64_t end = clock_ms() + LEASE_RETRY_MS;

	while (l->is_busy && clock_ms() < end)
		http_run(l->kube->http, TURN_MS);
}

void kube_lease_release(struct kube_lease *l)
{
	if (!l->kube)
		return;
	await_reply(l);
	if (kube_lease_is_held(l))
		release(l);
	kube_request_done(&l->request);
	str_done(&l->version);
	str_done(&l->holder);
	str_done(&l->acquired);
	l->kube = NULL;
}
