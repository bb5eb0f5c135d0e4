/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/json_out.h"

enum { REPORTS_MAX = 1024, SEND_AT_ONCE = 16, SERIES_MS = 10000, MICRO_TEXT = 32 };

static const struct {
	const char *reason, *action, *type;
} kinds[] = {
	[NOTE_APPLIED] = { "RTBudgetApplied", "SetBudget", "Normal" },
	[NOTE_REFUSED] = { "RTBudgetRefused", "SetBudget", "Warning" },
	[NOTE_OVERRUN] = { "RTOverrun", "Watch", "Warning" },
	[NOTE_ESCALATED] = { "RuntimeEscalated", "Raise", "Warning" },
	[NOTE_RECOVERED] = { "RuntimeRecovered", "Lower", "Normal" },
	[NOTE_DEGRADED] = { "Degraded", "Cut", "Warning" },
	[NOTE_RESTORED] = { "Restored", "GiveBack", "Normal" },
	[NOTE_REWRITTEN] = { "RTBudgetRewritten", "SetBudget", "Warning" },
};

const char *note_reason(enum note_kind kind)
{
	return kinds[kind].reason;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void reports_init(struct reports *r, const char *node_name)
{
	*r = (struct reports){ .node_name = node_name };
	pthread_mutex_init(&r->lock, NULL);
}

void reports_done(struct reports *r)
{
	array_done(&r->reports);
	array_done(&r->pods);
	pthread_mutex_destroy(&r->lock);
}

static void set_pod_state(struct reports *r, const struct note *n)
{
	struct pod_state *p = NULL;

	array_each(each, &r->pods)
		if (strcmp(each->uid, n->uid) == 0)
			p = each;
	if (!p) {
		p = array_add(&r->pods);
		*p = (struct pod_state){ 0 };
		snprintf(p->uid, sizeof(p->uid), "%s", n->uid);
		snprintf(p->ns, sizeof(p->ns), "%s", n->ns);
		snprintf(p->name, sizeof(p->name), "%s", n->name);
	}
	p->level = n->level;
	p->is_applied = n->kind != NOTE_REFUSED;
	p->is_due = true;
}

static struct report *find_report(struct reports *r, const struct note *n)
{
	array_each(report, &r->reports)
		if (report->kind == n->kind && strcmp(report->uid, n->uid) == 0)
			return report;
	if (r->reports.n == REPORTS_MAX)
		return NULL;
	struct report *report = array_add(&r->reports);
	*report = (struct report){ .kind = n->kind, .first_us = now_us() };
	snprintf(report->uid, sizeof(report->uid), "%s", n->uid);
	snprintf(report->ns, sizeof(report->ns), "%s", n->ns);
	snprintf(report->name, sizeof(report->name), "%s", n->name);
	return report;
}

void reports_add(struct reports *r, const struct note *n)
{
	pthread_mutex_lock(&r->lock);
	set_pod_state(r, n);
	struct report *report = find_report(r, n);
	if (report) {
		report->count++;
		report->last_us = now_us();
		snprintf(report->text, sizeof(report->text), "%s", n->text);
	} else {
		r->dropped++;
	}
	pthread_mutex_unlock(&r->lock);
}

void reports_forget(struct reports *r, const char *uid)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = r->reports.n; i-- > 0;)
		if (strcmp(r->reports.items[i].uid, uid) == 0)
			r->reports.items[i] = r->reports.items[--r->reports.n];
	for (size_t i = r->pods.n; i-- > 0;)
		if (strcmp(r->pods.items[i].uid, uid) == 0)
			r->pods.items[i] = r->pods.items[--r->pods.n];
	pthread_mutex_unlock(&r->lock);
}

/* "2026-11-21T09:00:00.123456Z": a MicroTime. */
static const char *format_micro(int64_t us, char buf[MICRO_TEXT])
{
	char date[DATE_TEXT];

	date_format(us / 1000000, date);
	snprintf(buf, MICRO_TEXT, "%.19s.%06dZ", date, (int)(us % 1000000));
	return buf;
}

static void add_text(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_text(o, value);
}

static void add_regarding(struct json_out *o, const struct report *report)
{
	json_out_key(o, "regarding");
	json_out_object(o);
	add_text(o, "apiVersion", "v1");
	add_text(o, "kind", "Pod");
	add_text(o, "namespace", report->ns);
	add_text(o, "name", report->name);
	add_text(o, "uid", report->uid);
	json_out_end(o);
}

static void write_event(struct json_out *o, const struct reports *r, const struct report *report)
{
	char time[MICRO_TEXT];

	json_out_object(o);
	add_text(o, "apiVersion", "events.k8s.io/v1");
	add_text(o, "kind", "Event");
	json_out_key(o, "metadata");
	json_out_object(o);
	add_text(o, "name", report->event);
	add_text(o, "namespace", report->ns);
	json_out_end(o);
	add_text(o, "eventTime", format_micro(report->first_us, time));
	add_text(o, "reportingController", "mckube.io/node");
	add_text(o, "reportingInstance", r->node_name);
	add_text(o, "action", kinds[report->kind].action);
	add_text(o, "reason", kinds[report->kind].reason);
	add_text(o, "type", kinds[report->kind].type);
	add_text(o, "note", report->text);
	add_regarding(o, report);
	json_out_end(o);
}

/* The first one is made, the others are a series on it: nothing else of an Event may change. */
static int send_event(const struct reports *r, struct kube *k, struct report *report,
		      struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	char time[MICRO_TEXT];
	const struct kube_ref ref = { &kube_events, report->ns, report->event, NULL, NULL };

	if (report->sent) {
		str_addf(&text, "\"series\":{\"count\":%llu,\"lastObservedTime\":\"%s\"}",
			 (unsigned long long)report->count, format_micro(report->last_us, time));
		kube_patch(&request, k, &ref, &(struct kube_change){ .json = text.s });
		return kube_do(k, &request, err);
	}
	AUTO(json_out_done) struct json_out o = { .out = &text };
	snprintf(report->event, sizeof(report->event), "%.200s.%llx", report->name,
		 (unsigned long long)report->first_us * 1000 + report->kind);
	write_event(&o, r, report);
	kube_create(&request, k, &kube_events, report->ns, (struct slice){ text.s, text.n });
	return kube_do(k, &request, err);
}

static int send_state(struct kube *k, const struct pod_state *p, struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const struct kube_pair notes[] = {
		{ "mckube.io/rt-current", level_name(p->level) },
		{ "mckube.io/rt-applied", p->is_applied ? "true" : "false" },
	};
	const struct kube_ref ref = { &kube_pods, p->ns, p->name, p->uid, NULL };
	const struct kube_change change = { .annotations = notes, .n_annotations = 2 };

	kube_patch(&request, k, &ref, &change);
	int r = kube_do(k, &request, err);
	return r == -ENOENT || r == -EBUSY ? 0 : r; /* gone, or another pod of that name */
}

static bool is_due(const struct report *report, int64_t now_ms)
{
	return report->count > report->sent && now_ms >= report->due_ms;
}

/* Takes one out under the lock, sends it without, and notes the outcome with it. */
static int send_one_report(struct reports *r, struct kube *k, struct error *err)
{
	int64_t now_ms = now_us() / 1000;
	struct report copy = { 0 };

	pthread_mutex_lock(&r->lock);
	array_each(report, &r->reports)
		if (!copy.count && is_due(report, now_ms))
			copy = *report;
	pthread_mutex_unlock(&r->lock);
	if (!copy.count)
		return 0;

	int code = send_event(r, k, &copy, err);
	if (code == -ENOENT || code == -EEXIST || code == -EINVAL)
		code = 0; /* its namespace or pod is gone */
	pthread_mutex_lock(&r->lock);
	array_each(report, &r->reports)
		if (code == 0 && report->kind == copy.kind && strcmp(report->uid, copy.uid) == 0) {
			report->sent = copy.count;
			report->due_ms = now_ms + SERIES_MS;
			memcpy(report->event, copy.event, sizeof(copy.event));
		}
	pthread_mutex_unlock(&r->lock);
	return code < 0 ? code : 1;
}

static int send_one_state(struct reports *r, struct kube *k, struct error *err)
{
	struct pod_state copy = { 0 };

	pthread_mutex_lock(&r->lock);
	array_each(p, &r->pods)
		if (!copy.is_due && p->is_due) {
			copy = *p;
			p->is_due = false;
		}
	pthread_mutex_unlock(&r->lock);
	if (!copy.is_due)
		return 0;

	int code = send_state(k, &copy, err);
	if (code == 0)
		return 1;
	pthread_mutex_lock(&r->lock);
	array_each(p, &r->pods)
		p->is_due |= strcmp(p->uid, copy.uid) == 0;
	pthread_mutex_unlock(&r->lock);
	return code;
}

int reports_send(struct reports *r, struct kube *k, struct error *err)
{
	int code = 1;

	for (int i = 0; code > 0 && i < SEND_AT_ONCE; i++)
		code = send_one_state(r, k, err);
	if (code >= 0)
		code = 1;
	for (int i = 0; code > 0 && i < SEND_AT_ONCE; i++)
		code = send_one_report(r, k, err);
	return code < 0 ? code : 0;
}
