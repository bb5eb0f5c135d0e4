/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pod_status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mckube_status.h"
#include "base/auto.h"
#include "base/clock.h"
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

static void take_facts(const struct engine_pod *pod, const struct escalation_pod *pod_status,
		       void *arg)
{
	struct pod_status *p = find_or_add(arg, pod->uid, pod->ns, pod->name);
	struct pod_facts f = p->now;

	f.level = pod_status->level;
	f.is_boosted = pod_status->is_boosted;
	f.runtime_us = escalation_runtime(pod_status);
	f.period_us = pod_status->budget.period;
	f.cores = pod_status->cores;
	memset(f.waits_for, 0, sizeof(f.waits_for));
	for (size_t i = 0; i < pod->n_containers; i++)
		if (!pod->containers[i].node)
			strncpy(f.waits_for, pod->containers[i].name, sizeof(f.waits_for) - 1);
	memset(f.refusal, 0, sizeof(f.refusal));
	if (pod->refusal)
		strncpy(f.refusal, pod->refusal, sizeof(f.refusal) - 1);
	p->is_changed |= !p->is_known || memcmp(&f, &p->now, sizeof(f)) != 0;
	f.overrun_ns = (int64_t)pod->last_overrun.at_ns;
	p->now = f;
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
	bool is_local = strcmp(p->level, level_name(p->now.level)) != 0;

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

/* "" while a container is still to be started: neither refused nor applied. */
static const char *applied_value(const struct pod_status *p)
{
	const struct pod_facts *f = &p->now;

	if (*f->refusal || *p->invalid)
		return "false";
	return *f->waits_for ? "" : "true";
}

/* Of a pod whose annotations were never valid only that is written. */
static const char *level_value(const struct pod_status *p)
{
	return p->is_known ? level_name(p->now.level) : p->level;
}

static bool are_annotations_due(const struct pod_status *p)
{
	return !p->is_gone && (p->is_known || *p->invalid) &&
	       (strcmp(p->level, level_value(p)) != 0 || strcmp(p->applied, applied_value(p)) != 0);
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
	const char *level = level_value(&copy), *applied = applied_value(&copy);
	const struct kube_pair annotations[] = {
		{ POD_ANNOTATION(current), *level ? level : NULL },
		{ POD_ANNOTATION(applied), *applied ? applied : NULL },
	};
	const struct kube_ref ref = { &kube_pods, copy.now.ns, copy.now.name, copy.now.uid, NULL };
	const struct kube_change change = { .annotations = annotations, .n_annotations = 2 };

	kube_patch(&request, k, &ref, &change);
	int r = kube_do(k, &request, err);
	bool is_other = r == -ENOENT || r == -EBUSY; /* gone, or another pod of that name */
	struct pod_status *p = pod_statuses_find(s, copy.now.uid);
	if (p && (r == 0 || is_other)) {
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
		int64_t at = mckube_status_due_ms(p);

		next = at < next ? at : next;
	}
	return next > now ? (int)(next - now) : 0;
}

static void drop_gone(struct pod_statuses *s)
{
	for (size_t i = s->pods.n; i-- > 0;)
		if (s->pods.items[i].is_gone && !s->pods.items[i].has_mckube)
			s->pods.items[i] = s->pods.items[--s->pods.n];
}

int pod_statuses_send(struct pod_statuses *s, struct kube *k, struct error *err)
{
	struct pod_status *p;

	refresh_facts(s);
	for (int i = 0; i < SEND_AT_ONCE && (p = next_due(s, are_annotations_due)); i++)
		if (send_annotations(s, p, k, err) < 0)
			return err->code;
	for (int i = 0; i < SEND_AT_ONCE && (p = next_due(s, is_status_due)); i++)
		if (mckube_status_send(s, p, k, err) < 0)
			return err->code;
	drop_gone(s);
	return next_ms(s);
}
