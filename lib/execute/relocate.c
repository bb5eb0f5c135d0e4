/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/relocate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "execute/api_request.h"
#include "execute/assignment.h"
#include "execute/relocate_copy.h"

static bool does(const struct relocation *x, enum migration_step step)
{
	return x->a->steps & STAGE_BIT(step);
}

static struct kube_ref source_of(const struct relocation *x)
{
	return (struct kube_ref){ .resource = &kube_pods,
				  .ns = x->a->on.ns,
				  .name = x->a->on.name,
				  .uid = x->a->on.uid };
}

static struct kube_ref new_of(const struct relocation *x)
{
	return (struct kube_ref){
		.resource = &kube_pods, .ns = x->a->on.ns, .name = x->name, .uid = x->uid
	};
}

/* Requests. */

static void evict(struct relocation *x, struct kube_request *r)
{
	struct kube_ref ref = source_of(x);

	x->state = RELOCATE_EVICT;
	kube_evict(r, x->k, &ref);
}

static void read_source(struct relocation *x, struct kube_request *r, enum relocation_state state)
{
	struct kube_ref ref = source_of(x);

	x->state = state;
	kube_get(r, &ref);
}

/* The pods of the namespace; those without a node, where the new one waits for us. */
static void list_pods(struct relocation *x, struct kube_request *r)
{
	x->state = RELOCATE_FIND;
	*r = (struct kube_request){ .path = STR_INIT, .body = STR_INIT };
	kube_path(&r->path, &kube_pods, x->a->on.ns, NULL, NULL);
	if (does(x, STAGE_BIND))
		kube_query(&r->path, "fieldSelector", "spec.nodeName=");
	r->call.method = "GET";
}

static int bind(struct relocation *x, struct kube_request *r, struct error *err)
{
	struct annotation_change change = { .n = 0 };
	struct kube_ref ref = new_of(x);

	x->state = RELOCATE_BIND;
	if (x->a->budget.period)
		assignment_set(x->a, &change);
	if (x->has_gate)
		return api_open_gate(r, x->k, &ref, x->a, x->c, x->has_node_affinity, &change, err);
	assignment_drop_nulls(&change);
	kube_bind(r, x->k, &ref, x->a->to.node, change.pairs, change.n);
	return 0;
}

static void clean(struct relocation *x, struct kube_request *r)
{
	const struct kube_pair none[] = { { MIGRATE_TO, NULL }, { MIGRATE_FROM, NULL } };
	struct kube_ref ref = new_of(x);

	x->state = RELOCATE_CLEAN;
	kube_patch(r, x->k, &ref,
		   &(struct kube_change){ .annotations = none, .n_annotations = ARRAY_LEN(none) });
}

int relocate_begin(struct relocation *x, struct kube_request *r, struct error *err)
{
	if (does(x, STAGE_COPY)) {
		read_source(x, r, RELOCATE_READ);
	} else if (does(x, STAGE_EVICT)) {
		evict(x, r);
	} else { /* a copy that waits */
		x->name = xstrdup(x->a->on.name);
		x->uid = xstrdup(x->a->on.uid);
		return bind(x, r, err);
	}
	return 0;
}

void relocate_refuse(struct relocation *x, struct kube_request *r, const char *why, int64_t now)
{
	char date[DATE_TEXT];
	const struct kube_pair notes[] = {
		{ POD_ANNOTATION(migrate_refused), date_format(now, date) },
	};
	const struct kube_change change = { .annotations = notes,
					    .n_annotations = ARRAY_LEN(notes) };
	struct kube_ref ref = source_of(x);

	x->state = RELOCATE_REFUSE;
	snprintf(x->why, sizeof(x->why), "%s", why);
	kube_patch(r, x->k, &ref, &change);
}

void relocate_again(struct relocation *x, struct kube_request *r)
{
	if (x->state == RELOCATE_GONE)
		read_source(x, r, RELOCATE_GONE);
	else
		list_pods(x, r);
}

/* Answers. */

static enum relocation_next end(struct relocation *x, enum relocation_next next, const char *fmt,
				...) __attribute__((format(printf, 3, 4)));
static enum relocation_next end(struct relocation *x, enum relocation_next next, const char *fmt,
				...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->why, sizeof(x->why), fmt, ap);
	va_end(ap);
	return next;
}

static enum relocation_next fail(struct relocation *x, const struct http_call *call)
{
	return end(x, RELOCATE_FAILED, "%s", call->err.msg);
}

static enum relocation_next create_copy(struct relocation *x, struct kube_request *r,
					struct slice pod)
{
	AUTO_FREE char *name = relocate_copy_name(x->a->on.name, x->a->on.uid);
	AUTO_FREE char *copy = relocate_copy(x->a, pod, name);

	kube_request_done(r);
	if (!copy)
		return end(x, RELOCATE_FAILED, "it was deleted and made again");
	x->state = RELOCATE_COPY;
	x->name = TAKE(name);
	kube_create(r, x->k, &kube_pods, x->a->on.ns, slice_of(copy));
	return RELOCATE_SEND;
}

static char *uid_of(struct slice object)
{
	AUTO_JSON cJSON *root = NULL;
	const char *uid = json_parse(object.s, object.n, &root, NULL) < 0
				  ? NULL
				  : json_text(json_path(root, "metadata.uid"));

	return uid ? xstrdup(uid) : NULL;
}

/* After a restart of ours the copy is there already. */
static enum relocation_next on_copied(struct relocation *x, struct kube_request *r)
{
	struct slice reply = { r->call.reply.s, r->call.reply.n };

	if (r->call.result < 0 && r->call.code != 409)
		return fail(x, &r->call);
	if (r->call.result == 0)
		x->uid = uid_of(reply);
	kube_request_done(r);
	evict(x, r);
	return RELOCATE_SEND;
}

/* It is gone: the copy is bound, or what its owner makes is looked for. */
static enum relocation_next on_gone(struct relocation *x, struct kube_request *r, int64_t now_ms)
{
	struct error err = ERROR_INIT;

	kube_request_done(r);
	if (x->name)
		return bind(x, r, &err) < 0 ? end(x, RELOCATE_FAILED, "%s", err.msg)
					    : RELOCATE_SEND;
	x->deadline_ms = now_ms + RELOCATE_FIND_S * 1000ll;
	list_pods(x, r);
	return RELOCATE_SEND;
}

static enum relocation_next wait_more(struct relocation *x, struct kube_request *r, int64_t now_ms,
				      const char *late)
{
	kube_request_done(r);
	return now_ms >= x->deadline_ms ? end(x, RELOCATE_FAILED, "%s", late) : RELOCATE_WAIT;
}

static enum relocation_next on_polled(struct relocation *x, struct kube_request *r, int64_t now_ms)
{
	const struct http_call *call = &r->call;

	if (call->code == 404 ||
	    (call->result == 0 &&
	     api_is_other(x->a, (struct slice){ call->reply.s, call->reply.n })))
		return on_gone(x, r, now_ms);
	if (call->result < 0 && call->code)
		return fail(x, call);
	return wait_more(x, r, now_ms, "evicted, still terminating");
}

static bool is_owned(const struct relocation *x, const cJSON *pod)
{
	const cJSON *owner;

	cJSON_ArrayForEach(owner, json_path(pod, "metadata.ownerReferences")) {
		const char *uid = json_text(json_get(owner, "uid"));

		if (uid && x->a->owner_uid && strcmp(uid, x->a->owner_uid) == 0)
			return true;
	}
	return false;
}

/* Was it not there when the plan was made? */
static bool is_new(const struct relocation *x, const cJSON *pod)
{
	const char *name = json_text(json_path(pod, "metadata.name"));
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	pod_id known = name ? cluster_pod(x->c, x->a->on.ns, name) : NONE;

	return name && uid && !json_path(pod, "metadata.deletionTimestamp") &&
	       strcmp(uid, x->a->on.uid) != 0 &&
	       (known == NONE ||
		strcmp(cluster_str(x->c, x->c->pods.items[known].meta.uid), uid) != 0);
}

static bool holds_gate(const cJSON *pod)
{
	const cJSON *gate;

	cJSON_ArrayForEach(gate, json_path(pod, "spec.schedulingGates")) {
		const char *name = json_text(json_get(gate, "name"));

		if (name && strcmp(name, MCKUBE_GATE) == 0)
			return true;
	}
	return false;
}

/* Takes the replacement, if it is there. */
static bool find_new(struct relocation *x, const cJSON *list, const char **ret_node)
{
	const cJSON *pod;

	cJSON_ArrayForEach(pod, json_get(list, "items")) {
		if (!is_owned(x, pod) || !is_new(x, pod))
			continue;
		*ret_node = json_text(json_path(pod, "spec.nodeName"));
		if (!*ret_node && !does(x, STAGE_BIND))
			return false; /* its scheduler has not chosen yet */
		x->name = xstrdup(json_text(json_path(pod, "metadata.name")));
		x->uid = xstrdup(json_text(json_path(pod, "metadata.uid")));
		x->has_gate = holds_gate(pod);
		x->has_node_affinity = json_path(pod, "spec.affinity.nodeAffinity");
		return true;
	}
	return false;
}

static enum relocation_next on_listed(struct relocation *x, struct kube_request *r, int64_t now_ms)
{
	AUTO_JSON cJSON *list = NULL;
	struct error err = ERROR_INIT;
	const char *node = NULL;

	if (r->call.result < 0 && r->call.code)
		return fail(x, &r->call);
	if (r->call.result < 0 || json_parse(r->call.reply.s, r->call.reply.n, &list, NULL) < 0 ||
	    !find_new(x, list, &node))
		return wait_more(x, r, now_ms, "evicted, and its replacement has no node yet");
	kube_request_done(r);
	if (!does(x, STAGE_BIND))
		return end(x, RELOCATE_DONE, "replaced by %s on %s", x->name, node);
	return bind(x, r, &err) < 0 ? end(x, RELOCATE_FAILED, "%s", err.msg) : RELOCATE_SEND;
}

static enum relocation_next on_evicted(struct relocation *x, struct kube_request *r, int64_t now_ms)
{
	if (r->call.result < 0 && r->call.code != 404)
		return fail(x, &r->call);
	kube_request_done(r);
	x->state = RELOCATE_GONE;
	x->deadline_ms = now_ms + x->gone_seconds * 1000ll;
	return x->k->is_dry_run ? RELOCATE_DONE : RELOCATE_WAIT;
}

static enum relocation_next on_bound(struct relocation *x, struct kube_request *r)
{
	bool is_copy = !does(x, STAGE_AWAIT);

	if (r->call.result < 0)
		return fail(x, &r->call);
	kube_request_done(r);
	snprintf(x->why, sizeof(x->why), "%s on %s", x->name, x->a->to.node);
	if (!is_copy)
		return RELOCATE_DONE;
	clean(x, r);
	return RELOCATE_SEND;
}

enum relocation_next relocate_next(struct relocation *x, struct kube_request *r, int64_t now_ms)
{
	switch (x->state) {
	case RELOCATE_READ:
		if (r->call.result < 0)
			return fail(x, &r->call);
		{
			AUTO(str_done) struct str pod = r->call.reply;

			r->call.reply = (struct str)STR_INIT;
			return create_copy(x, r, (struct slice){ pod.s, pod.n });
		}
	case RELOCATE_COPY:
		return on_copied(x, r);
	case RELOCATE_EVICT:
		return on_evicted(x, r, now_ms);
	case RELOCATE_GONE:
		return on_polled(x, r, now_ms);
	case RELOCATE_FIND:
		return on_listed(x, r, now_ms);
	case RELOCATE_BIND:
		return on_bound(x, r);
	case RELOCATE_REFUSE:
		return RELOCATE_FAILED; /* x->why says it */
	case RELOCATE_CLEAN:		/* it runs, whatever its annotations say */
		return RELOCATE_DONE;
	}
	return RELOCATE_FAILED;
}

void relocate_done(struct relocation *x)
{
	free(x->name);
	free(x->uid);
	x->name = x->uid = NULL;
}
