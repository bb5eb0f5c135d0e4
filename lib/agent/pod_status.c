/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pod_status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mckube_status.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "budget/thread_class.h"
#include "model/members.h"

enum { SEND_AT_ONCE = 16 };

void pod_statuses_done(struct pod_statuses *s)
{
	array_done(&s->pods);
}

struct pod_status *pod_statuses_find(struct pod_statuses *s, const char *uid)
{
	array_each(p, &s->pods)
		if (strcmp(p->now.uid, uid) == 0)
			return p;
	return NULL;
}

static struct pod_status *find_or_add(struct pod_statuses *s, const char *uid, const char *ns,
				      const char *name)
{
	struct pod_status *p = pod_statuses_find(s, uid);

	if (p)
		return p;
	p = array_add(&s->pods);
	*p = (struct pod_status){ 0 };
	snprintf(p->now.uid, sizeof(p->now.uid), "%s", uid);
	snprintf(p->now.ns, sizeof(p->now.ns), "%s", ns);
	snprintf(p->now.name, sizeof(p->now.name), "%s", name);
	return p;
}

/* The engine's side. */

static void set_text(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "");
}

static bool has_policy(const struct engine_pod *pod)
{
	for (size_t i = 0; i < pod->n_containers; i++)
		if (pod->containers[i].class.policy != THREAD_POLICY_KEEP)
			return true;
	return false;
}

static bool find_without_policy(const struct engine_pod *pod, const char **ret_container)
{
	for (size_t i = 0; i < pod->n_containers; i++) {
		const struct engine_container *c = &pod->containers[i];

		*ret_container = c->name;
		if (c->class.policy != THREAD_POLICY_KEEP &&
		    (!c->threads.is_applied || c->threads.refusal.code))
			return true;
	}
	return false;
}

static enum pod_applied applied_of(const struct backend *b, const struct engine_pod *pod,
				   const char **ret_container)
{
	*ret_container = NULL;
	if (pod->refusal)
		return POD_APPLIED_REFUSED;
	for (size_t i = 0; i < pod->n_containers; i++) {
		*ret_container = pod->containers[i].name;
		if (!pod->containers[i].node)
			return POD_APPLIED_WAITING;
	}
	if (!backend_enforces(b))
		return POD_APPLIED_NOTHING;
	for (size_t i = 0; i < pod->n_containers; i++) {
		*ret_container = pod->containers[i].name;
		if (!pod->containers[i].is_applied)
			return POD_APPLIED_DIFFERENT;
	}
	if (find_without_policy(pod, ret_container))
		return POD_APPLIED_NO_POLICY;
	*ret_container = NULL;
	if (!b->is_rt && has_policy(pod))
		return POD_APPLIED_UNLIMITED;
	return b->is_rt ? POD_APPLIED : POD_APPLIED_CAP;
}

/* "FIFO 20", of several containers "app FIFO 20, logger RR 5"; refusals apart. */
static void take_policy(struct pod_facts *ret, const struct engine_pod *pod)
{
	size_t n = 0;

	ret->policy[0] = ret->policy_refusal[0] = '\0';
	ret->can_outrank = false;
	for (size_t i = 0; i < pod->n_containers; i++) {
		const struct engine_container *c = &pod->containers[i];
		char class[THREAD_CLASS_NAME];

		ret->can_outrank |= c->threads.can_outrank;
		if (c->threads.refusal.code && !*ret->policy_refusal)
			snprintf(ret->policy_refusal, sizeof(ret->policy_refusal), "%.*s",
				 NODE_EVENT_TEXT - 1, c->threads.refusal.msg);
		thread_class_format(c->class, class);
		if (!*class || n >= sizeof(ret->policy))
			continue;
		n += (size_t)snprintf(ret->policy + n, sizeof(ret->policy) - n, "%s%.20s%s%s",
				      n ? ", " : "", pod->n_containers > 1 ? c->name : "",
				      pod->n_containers > 1 ? " " : "", class);
	}
}

void pod_facts_take(struct pod_facts *ret, const struct backend *b, const struct engine_pod *pod,
		    const struct escalation_pod *state)
{
	const char *container;

	ret->level = state->level;
	ret->is_boosted = state->is_boosted;
	ret->is_floor = state->is_cut || pod->is_degraded;
	ret->runtime_us = escalation_runtime(state);
	ret->period_us = state->budget.period;
	ret->cores = state->cores;
	ret->applied = (uint8_t)applied_of(b, pod, &container);
	set_text(ret->container, sizeof(ret->container), container);
	set_text(ret->refusal, sizeof(ret->refusal), pod->refusal);
	take_policy(ret, pod);
	ret->kernel_us = 0;
	for (size_t i = 0; i < pod->n_containers; i++)
		ret->kernel_us += pod->containers[i].in_kernel.runtime_us;
}

/* But for the last overrun. */
static bool facts_eq(const struct pod_facts *a, const struct pod_facts *b)
{
	return a->level == b->level && a->applied == b->applied && a->is_boosted == b->is_boosted &&
	       a->is_floor == b->is_floor && a->runtime_us == b->runtime_us &&
	       a->period_us == b->period_us && a->kernel_us == b->kernel_us &&
	       strcmp(a->refusal, b->refusal) == 0 && strcmp(a->container, b->container) == 0 &&
	       strcmp(a->policy, b->policy) == 0 && a->can_outrank == b->can_outrank &&
	       strcmp(a->policy_refusal, b->policy_refusal) == 0 && cpuset_eq(&a->cores, &b->cores);
}

static void take_facts(const struct engine_pod *pod, const struct escalation_pod *state, void *arg)
{
	struct pod_statuses *s = arg;
	struct pod_status *p = find_or_add(s, pod->uid, pod->ns, pod->name);
	const struct pod_facts before = p->now;

	pod_facts_take(&p->now, s->engine->backend, pod, state);
	p->is_changed |= !p->is_known || !facts_eq(&p->now, &before);
	p->now.overrun_ns = (int64_t)pod->last_overrun.at_ns;
	p->is_known = true;
}

static void refresh_facts(struct pod_statuses *s)
{
	uint64_t revision = engine_revision(s->engine);

	if (revision == s->revision)
		return;
	s->revision = revision;
	engine_each(s->engine, take_facts, s);
}

/* The server's side. */

static void apply_requested_level(struct pod_statuses *s, struct pod_status *p, const char *text)
{
	static const char *const words[] = { "low", "medium", "hi" };
	struct error err;

	refresh_facts(s);
	bool is_local = strcmp(p->level, pod_status_level(p)) != 0;

	snprintf(p->level, sizeof(p->level), "%s", text);
	for (int i = 0; !is_local && i < 3; i++)
		if (strcmp(text, words[i]) == 0)
			engine_set_level(s->engine, p->now.uid, (enum level)i, &err);
}

void pod_statuses_see_pod(struct pod_statuses *s, const cJSON *pod)
{
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	const cJSON *annotations = json_path(pod, "metadata.annotations");
	const char *level = json_text(json_get(annotations, POD_ANNOTATION(current)));
	const char *applied = json_text(json_get(annotations, POD_ANNOTATION(applied)));
	const char *source = json_text(json_get(annotations, POD_ANNOTATION(source)));
	const char *version = json_text(json_path(pod, "metadata.resourceVersion"));
	bool is_new = !pod_statuses_find(s, uid);

	struct pod_status *p = find_or_add(s, uid, json_text(json_path(pod, "metadata.namespace")),
					   json_text(json_path(pod, "metadata.name")));
	p->is_gone = false;
	p->has_mckube = !source || strcmp(source, "mckube") == 0;
	if (version && strtoull(version, NULL, 10) <= p->version)
		return; /* from before our own write */
	snprintf(p->applied, sizeof(p->applied), "%s", applied ? applied : "");
	if (is_new)
		snprintf(p->level, sizeof(p->level), "%s", level ? level : "");
	else if (strcmp(p->level, level ? level : "") != 0)
		apply_requested_level(s, p, level ? level : "");
	s->revision = 0;
}

bool pod_statuses_set_invalid(struct pod_statuses *s, const char *uid, const char *text)
{
	struct pod_status *p = pod_statuses_find(s, uid);
	char invalid[sizeof(p->invalid)];

	snprintf(invalid, sizeof(invalid), "%s", text ? text : "");
	if (!p || strcmp(p->invalid, invalid) == 0)
		return false;
	memcpy(p->invalid, invalid, sizeof(invalid));
	p->is_changed = true;
	return true;
}

void pod_statuses_see_mckube(struct pod_statuses *s, const char *ns, const char *podname)
{
	array_each(p, &s->pods)
		if (strcmp(p->now.name, podname) == 0 && strcmp(p->now.ns, ns) == 0)
			p->has_changed_mckube = true;
}

void pod_statuses_forget(struct pod_statuses *s, const char *uid)
{
	struct pod_status *p = pod_statuses_find(s, uid);

	if (p)
		p->is_gone = true;
}

/* Writing. */

const char *pod_status_applied(const struct pod_status *p)
{
	static const char *const values[] = {
		[POD_APPLIED_NOTHING] = "",	 [POD_APPLIED_WAITING] = "",
		[POD_APPLIED_REFUSED] = "false", [POD_APPLIED_DIFFERENT] = "",
		[POD_APPLIED_NO_POLICY] = "",	 [POD_APPLIED_UNLIMITED] = "",
		[POD_APPLIED_CAP] = "true",	 [POD_APPLIED] = "true",
	};

	return *p->invalid ? "false" : values[p->now.applied];
}

/* Of a pod whose annotations were never valid only that is written. */
const char *pod_status_level(const struct pod_status *p)
{
	if (!p->is_known)
		return p->level;
	return p->now.is_floor ? LEVEL_NAME_FLOOR : level_name(p->now.level);
}

bool pod_status_is_own_fault(long code)
{
	return code >= 400 && code != 401 && code != 429 && code != 503;
}

void retry_later(struct retry *r, int64_t now_ms)
{
	r->at_ms = now_ms + backoff_ms(RETRY_FIRST_MS, RETRY_LAST_MS, ++r->tries);
}

static bool are_annotations_due(const struct pod_status *p)
{
	return p->annotations_retry.at_ms <= clock_ms() && !p->is_gone &&
	       (p->is_known || *p->invalid) &&
	       (strcmp(p->level, pod_status_level(p)) != 0 ||
		strcmp(p->applied, pod_status_applied(p)) != 0);
}

static uint64_t version_of_reply(const struct str *reply)
{
	AUTO_JSON cJSON *object = NULL;
	struct error ignored;

	if (json_parse(reply->s, reply->n, &object, &ignored) < 0)
		return 0;
	const char *text = json_text(json_path(object, "metadata.resourceVersion"));
	return text ? strtoull(text, NULL, 10) : 0;
}

/* The array may change during the request: the pod is looked up again. */
static int send_annotations(struct pod_statuses *s, const struct pod_status *due, struct kube *k,
			    struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const struct pod_status copy = *due;
	const char *level = pod_status_level(&copy), *applied = pod_status_applied(&copy);
	const struct kube_pair annotations[] = {
		{ POD_ANNOTATION(current), *level ? level : NULL },
		{ POD_ANNOTATION(applied), *applied ? applied : NULL },
	};
	const struct kube_ref ref = { &kube_pods, copy.now.ns, copy.now.name, copy.now.uid, NULL };
	const struct kube_change change = { .annotations = annotations,
					    .n_annotations = ARRAY_LEN(annotations) };

	kube_patch(&request, k, &ref, &change);
	int r = kube_do(k, &request, err);
	bool is_other = r == -ENOENT || r == -EBUSY; /* gone, or another pod of that name */
	struct pod_status *p = pod_statuses_find(s, copy.now.uid);
	s->code = request.call.code;
	if (p && r < 0 && !is_other)
		retry_later(&p->annotations_retry, clock_ms());
	if (p && (r == 0 || is_other)) {
		p->annotations_retry = (struct retry){ 0 };
		snprintf(p->level, sizeof(p->level), "%s", level);
		snprintf(p->applied, sizeof(p->applied), "%s", applied);
		p->version = r == 0 ? version_of_reply(&request.call.reply) : p->version;
	}
	return is_other ? 0 : r;
}

static struct pod_status *next_due(struct pod_statuses *s,
				   bool (*is_due)(const struct pod_status *p))
{
	array_each(p, &s->pods)
		if (is_due(p))
			return p;
	return NULL;
}

static bool is_status_due(const struct pod_status *p)
{
	return mckube_status_due_ms(p) <= clock_ms();
}

/* Milliseconds until something is to be sent if nothing happens. */
static int next_ms(struct pod_statuses *s)
{
	int64_t now = clock_ms(), next = now + POD_STATUSES_STEP_MS;

	if (next_due(s, are_annotations_due))
		return 0;
	array_each(p, &s->pods) {
		int64_t at = mckube_status_due_ms(p), retry = p->annotations_retry.at_ms;

		next = at < next ? at : next;
		next = retry > now && retry < next ? retry : next;
	}
	return next > now ? (int)(next - now) : 0;
}

static void drop_gone(struct pod_statuses *s)
{
	for (size_t i = s->pods.n; i-- > 0;)
		if (s->pods.items[i].is_gone && !s->pods.items[i].has_mckube)
			s->pods.items[i] = s->pods.items[--s->pods.n];
}

/* One object that the server refuses must not hold up the others. */
static bool is_tolerable(const struct pod_statuses *s, const struct error *err)
{
	if (!pod_status_is_own_fault(s->code))
		return false;
	log_warning("%s", err->msg);
	return true;
}

int pod_statuses_send(struct pod_statuses *s, struct kube *k, struct error *err)
{
	struct pod_status *p;

	refresh_facts(s);
	for (int i = 0; i < SEND_AT_ONCE && (p = next_due(s, are_annotations_due)); i++)
		if (send_annotations(s, p, k, err) < 0 && !is_tolerable(s, err))
			return err->code;
	for (int i = 0; i < SEND_AT_ONCE && (p = next_due(s, is_status_due)); i++)
		if (mckube_status_send(s, p, k, err) < 0 && !is_tolerable(s, err))
			return err->code;
	drop_gone(s);
	return next_ms(s);
}
