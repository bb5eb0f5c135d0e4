/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/mckube_status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/names.h"
#include "base/units.h"

enum { WRITE_INTERVAL_MS = 500, OVERRUN_INTERVAL_MS = 10000 };
enum { PLACED, RT_APPLIED, OVERRUNNING, READY, CONDITIONS };

static const char *const types[CONDITIONS] = { "Placed", "RTApplied", "Overrunning", "Ready" };

/* The status to be written. */
struct wanted {
	const char *core, *level, *pod_uid, *node; /* NULL: none */
	char cores[CPUSET_TEXT];
	char overrun[DATE_TEXT]; /* empty: never */
	char now[DATE_TEXT];
	int64_t generation;
	struct mckube_condition conditions[CONDITIONS];
};

static void set(struct mckube_condition *c, bool is_true, const char *reason, const char *format,
		...) __attribute__((format(printf, 4, 5)));

static void set(struct mckube_condition *c, bool is_true, const char *reason, const char *format,
		...)
{
	va_list ap;

	c->is_true = is_true;
	c->reason = reason;
	va_start(ap, format);
	vsnprintf(c->message, sizeof(c->message), format, ap);
	va_end(ap);
}

static void set_applied(struct mckube_condition *c, const struct pod_status *p)
{
	const struct pod_facts *f = &p->now;
	const long long kernel_us = (long long)f->kernel_us;

	if (*p->invalid) {
		set(c, false, "RTBudgetRefused", "%s", p->invalid);
		return;
	}
	switch ((enum pod_applied)f->applied) {
	case POD_APPLIED_NOTHING:
		set(c, false, "NoEnforcement", "the node's backend enforces no budget");
		break;
	case POD_APPLIED_WAITING:
		set(c, false, "Waiting", "container %s has no cgroup yet", f->container);
		break;
	case POD_APPLIED_REFUSED:
		if (kernel_us)
			set(c, false, "RTBudgetRefused", "%s; the kernel has %lld/%d us",
			    f->refusal, kernel_us, f->period_us);
		else
			set(c, false, "RTBudgetRefused", "%s", f->refusal);
		break;
	case POD_APPLIED_DIFFERENT:
		set(c, false, "NotInForce", "container %s: the kernel has %lld us, not %d us",
		    f->container, kernel_us, f->runtime_us);
		break;
	case POD_APPLIED_NO_POLICY:
		if (*f->policy_refusal)
			set(c, false, "RTPolicyRefused", "container %s: %s", f->container,
			    f->policy_refusal);
		else
			set(c, false, "Waiting", "container %s has no thread with its policy yet",
			    f->container);
		break;
	case POD_APPLIED_UNLIMITED:
		set(c, false, "Unlimited",
		    "threads %s: a bandwidth cap does not limit real-time threads", f->policy);
		break;
	case POD_APPLIED_CAP:
		set(c, true, "BandwidthCapOnly",
		    "%lld us of every %d us at most, without real-time guarantee", kernel_us,
		    f->period_us);
		break;
	case POD_APPLIED:
		set(c, true, "InForce", "%lld us of every %d us%s%s%s", kernel_us, f->period_us,
		    *f->policy ? ", threads " : "", f->policy,
		    f->can_outrank ? "; " MESSAGE_OUTRANKS : "");
		break;
	}
}

static void set_ready(struct mckube_condition *c, const struct mckube_condition *applied,
		      const struct pod_facts *f)
{
	if (!applied->is_true)
		set(c, false, applied->reason, "%s", applied->message);
	else if (f->is_floor)
		set(c, false, "Degraded", "it has its floor, %lld us of every %d us",
		    (long long)f->kernel_us, f->period_us);
	else
		set(c, true, "Ready", "%s", applied->message);
}

void mckube_status_conditions(const struct pod_status *p, struct mckube_condition *ret_applied,
			      struct mckube_condition *ret_ready)
{
	set_applied(ret_applied, p);
	set_ready(ret_ready, ret_applied, &p->now);
}

static void want_gone(struct wanted *w)
{
	for (int i = 0; i < CONDITIONS; i++)
		set(&w->conditions[i], false, "PodGone", "the pod is no longer on a node");
}

static void want(const struct pod_statuses *s, const struct pod_status *p, struct wanted *ret)
{
	const struct pod_facts *f = &p->now;
	struct mckube_condition *c = ret->conditions;
	bool is_over = f->level != LEVEL_LOW || f->is_boosted;
	struct timespec now;

	*ret = (struct wanted){ 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	date_format(now.tv_sec, ret->now);
	if (f->overrun_ns)
		date_format(now.tv_sec - (clock_ns() - f->overrun_ns) / NS_PER_S, ret->overrun);
	if (p->is_gone) {
		want_gone(ret);
		return;
	}
	ret->core = cpuset_format(&f->cores, ret->cores);
	ret->level = f->is_floor ? LEVEL_NAME_FLOOR : level_name(f->level);
	ret->pod_uid = f->uid;
	ret->node = s->node_name;
	set(&c[PLACED], true, "Assigned", "node %s, CPU %.200s", s->node_name, ret->core);
	mckube_status_conditions(p, &c[RT_APPLIED], &c[READY]);
	set(&c[OVERRUNNING], is_over, is_over ? "AboveLow" : "WithinLow", "level %s", ret->level);
}

int64_t mckube_status_due_ms(const struct pod_status *p)
{
	bool has_changed = p->is_gone || p->has_changed_mckube || p->is_changed;

	if (!p->has_mckube || (!has_changed && p->now.overrun_ns == p->reported_overrun_ns))
		return INT64_MAX;
	int64_t due = p->status_ms ? p->status_ms +
					     (has_changed ? WRITE_INTERVAL_MS : OVERRUN_INTERVAL_MS)
				   : 0;
	return due > p->status_retry.at_ms ? due : p->status_retry.at_ms;
}

/* Reading. */

static bool takes_precedence(const cJSON *a, const cJSON *b)
{
	const char *keys[] = { "metadata.creationTimestamp", "metadata.name" };

	for (int i = 0; i < 2; i++) {
		const char *x = json_text(json_path(a, keys[i]));
		const char *y = json_text(json_path(b, keys[i]));
		int order = strcmp(x ? x : "", y ? y : "");

		if (order)
			return order < 0;
	}
	return false;
}

static const cJSON *choose(const cJSON *list, const char *podname)
{
	const cJSON *item, *best = NULL;

	cJSON_ArrayForEach(item, json_get(list, "items")) {
		const char *name = json_text(json_path(item, "spec.podname"));

		if (!name || strcmp(name, podname) != 0 ||
		    json_path(item, "metadata.deletionTimestamp"))
			continue;
		if (!best || takes_precedence(item, best))
			best = item;
	}
	return best;
}

/* Definitions that older operators installed cannot select by podname: then all are read. */
static int list(struct pod_statuses *s, struct kube *k, const struct pod_status *p, cJSON **ret,
		struct error *err)
{
	int r = -EINVAL;

	for (int is_all = 0; is_all < 2; is_all++) {
		AUTO(kube_request_done) struct kube_request request = { 0 };
		AUTO_FREE char *selector = xasprintf("spec.podname=%s", p->now.name);
		const struct kube_ref ref = { &kube_mckubes, p->now.ns, NULL, NULL, NULL };

		kube_get(&request, &ref);
		if (!is_all)
			kube_query(&request.path, "fieldSelector", selector);
		r = kube_do(k, &request, err);
		s->code = request.call.code;
		if (r == 0)
			return json_parse(request.call.reply.s, request.call.reply.n, ret, err);
		if (request.call.code != 400)
			break;
	}
	return r;
}

/* Writing. */

static const cJSON *find_condition(const cJSON *status, const char *type)
{
	const cJSON *c;

	cJSON_ArrayForEach(c, json_get(status, "conditions")) {
		const char *has = json_text(json_get(c, "type"));

		if (has && strcmp(has, type) == 0)
			return c;
	}
	return NULL;
}

static bool is_text(const cJSON *object, const char *key, const char *text)
{
	const char *has = json_text(json_get(object, key));

	return strcmp(has ? has : "", text ? text : "") == 0;
}

static bool is_number(const cJSON *object, const char *key, int64_t number)
{
	int64_t has = -1;

	return json_int(json_get(object, key), &has) && has == number;
}

static bool is_current(const cJSON *status, const struct wanted *w)
{
	if (!is_text(status, "allocatedCore", w->core) ||
	    !is_text(status, "currentRuntime", w->level) ||
	    !is_text(status, "podUID", w->pod_uid) || !is_text(status, "node", w->node) ||
	    !is_number(status, "observedGeneration", w->generation) ||
	    (*w->overrun && !is_text(status, "lastOverrunTime", w->overrun)))
		return false;
	for (int i = 0; i < CONDITIONS; i++) {
		const struct mckube_condition *c = &w->conditions[i];
		const cJSON *has = find_condition(status, types[i]);

		if (!is_text(has, "status", c->is_true ? "True" : "False") ||
		    !is_text(has, "reason", c->reason) || !is_text(has, "message", c->message) ||
		    !is_number(has, "observedGeneration", w->generation))
			return false;
	}
	return true;
}

static void add_text(cJSON *object, const char *key, const char *text)
{
	cJSON_AddItemToObject(object, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static void add_condition(cJSON *list, const struct wanted *w, int i, const cJSON *status)
{
	const struct mckube_condition *c = &w->conditions[i];
	const cJSON *before = find_condition(status, types[i]);
	const char *word = c->is_true ? "True" : "False";
	const char *since = json_text(json_get(before, "lastTransitionTime"));
	cJSON *out = cJSON_CreateObject();

	add_text(out, "type", types[i]);
	add_text(out, "status", word);
	cJSON_AddNumberToObject(out, "observedGeneration", (double)w->generation);
	add_text(out, "lastTransitionTime",
		 since && is_text(before, "status", word) ? since : w->now);
	add_text(out, "reason", c->reason);
	add_text(out, "message", c->message);
	cJSON_AddItemToArray(list, out);
}

static bool is_ours(const char *type)
{
	for (int i = 0; i < CONDITIONS; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The list is replaced as a whole: conditions of other types are kept. */
static void add_conditions(cJSON *out, const struct wanted *w, const cJSON *status)
{
	cJSON *list = cJSON_AddArrayToObject(out, "conditions");
	const cJSON *other;

	for (int i = 0; i < CONDITIONS; i++)
		add_condition(list, w, i, status);
	cJSON_ArrayForEach(other, json_get(status, "conditions")) {
		const char *type = json_text(json_get(other, "type"));

		if (type && !is_ours(type))
			cJSON_AddItemToArray(list, cJSON_Duplicate(other, true));
	}
}

static char *render(const struct wanted *w, const cJSON *status)
{
	cJSON *out = cJSON_CreateObject();

	add_text(out, "allocatedCore", w->core);
	add_text(out, "currentRuntime", w->level);
	add_text(out, "podUID", w->pod_uid);
	add_text(out, "node", w->node);
	if (*w->overrun)
		add_text(out, "lastOverrunTime", w->overrun);
	cJSON_AddNumberToObject(out, "observedGeneration", (double)w->generation);
	add_conditions(out, w, status);
	AUTO_FREE char *text = cJSON_PrintUnformatted(out);
	cJSON_Delete(out);
	return xasprintf("\"status\":%s", text);
}

static int write_status(struct pod_statuses *s, struct kube *k, const cJSON *mckube,
			const char *json, struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const char *version = json_text(json_get(mckube, "apiVersion"));
	struct kube_resource resource = kube_mckubes;
	const struct kube_ref ref = {
		.resource = &resource,
		.ns = json_text(json_path(mckube, "metadata.namespace")),
		.name = json_text(json_path(mckube, "metadata.name")),
		.uid = json_text(json_path(mckube, "metadata.uid")),
		.version = json_text(json_path(mckube, "metadata.resourceVersion")),
	};

	if (version)
		resource.api_version = version;
	kube_patch(&request, k, &ref,
		   &(struct kube_change){ .subresource = "status", .json = json });
	int r = kube_do(k, &request, err);
	s->code = request.call.code;
	return r;
}

/* -EBUSY: it changed meanwhile; it is read and written again. */
static int send(struct pod_statuses *s, const struct pod_status *p, struct kube *k,
		struct error *err)
{
	AUTO_JSON cJSON *found = NULL;
	struct wanted w;

	if (list(s, k, p, &found, err) < 0)
		return err->code == -ENOENT ? 0 : err->code;
	const cJSON *mckube = choose(found, p->now.name);
	const cJSON *status = json_get(mckube, "status");
	/* Another pod of this name has taken over. */
	if (!mckube || (p->is_gone && !is_text(status, "podUID", p->now.uid)))
		return 0;
	want(s, p, &w);
	json_int(json_path(mckube, "metadata.generation"), &w.generation);
	if (is_current(status, &w))
		return 0;
	AUTO_FREE char *json = render(&w, status);
	int r = write_status(s, k, mckube, json, err);
	return r == -ENOENT ? 0 : r;
}

int mckube_status_send(struct pod_statuses *s, const struct pod_status *due, struct kube *k,
		       struct error *err)
{
	const struct pod_status copy = *due;

	pod_statuses_find(s, copy.now.uid)->is_changed = false;
	int r = send(s, &copy, k, err);
	struct pod_status *p = pod_statuses_find(s, copy.now.uid);

	if (!p)
		return 0;
	p->status_ms = clock_ms();
	if (r < 0) {
		p->is_changed = true;
		if (r == -EBUSY)
			return 0;
		retry_later(&p->status_retry, clock_ms());
		return r;
	}
	p->status_retry = (struct retry){ 0 };
	p->reported_overrun_ns = copy.now.overrun_ns;
	p->has_changed_mckube = false;
	p->has_mckube = !copy.is_gone;
	return 0;
}
