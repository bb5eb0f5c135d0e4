/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/advance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/names.h"
#include "kube/list.h"
#include "migrate/new_pod.h"

enum { WAIT_MS = 50, AFTER_ERROR_MS = 500, GRACE_SECONDS = 1 };

/* The pods of a move as they were read. */
struct pods {
	cJSON *source_json, *new_json, *node_json, *arrivals;
	struct move_pod source, new;
	struct arrival arrival;
	bool has_source, has_new, has_arrival;
};

static void pods_done(struct pods *p)
{
	json_free(&p->source_json);
	json_free(&p->new_json);
	json_free(&p->node_json);
	json_free(&p->arrivals);
}

static struct kube_ref ref_of(const struct move_pod *p)
{
	return (struct kube_ref){ &kube_pods, p->ns, p->name, p->uid, NULL };
}

/* Reading. */

/* NULL where it is not there. */
static int read_object(struct kube *k, const struct kube_ref *ref, cJSON **ret, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };

	*ret = NULL;
	kube_get(&r, ref);
	int code = kube_do(k, &r, err);
	if (code == -ENOENT) {
		*err = ERROR_INIT;
		return 0;
	}
	return code < 0 ? code : json_parse(r.call.reply.s, r.call.reply.n, ret, err);
}

/* `ret` points into the JSON; not set where the pod is not there. */
static int read_pod(struct kube *k, const char *ns, const char *name, cJSON **ret_json,
		    struct move_pod *ret, bool *ret_is_there, struct error *err)
{
	const struct kube_ref ref = { &kube_pods, ns, name, NULL, NULL };

	*ret_is_there = false;
	if (read_object(k, &ref, ret_json, err) < 0)
		return err->code;
	if (*ret_json && move_pod_read(*ret_json, ret, err) < 0)
		return err->code;
	*ret_is_there = *ret_json != NULL;
	return 0;
}

static int read_source(struct kube *k, const struct move *m, struct pods *p, struct error *err)
{
	bool is_there;

	if (read_pod(k, m->ns, m->pod, &p->source_json, &p->source, &is_there, err) < 0)
		return err->code;
	/* Another pod of that name: ours is gone. */
	p->has_source = is_there && (!m->uid || strcmp(p->source.uid, m->uid) == 0);
	return 0;
}

/* Arrivals: migrate/arrival.h. */

static int read_arrival_of(struct kube *k, const struct move *m, const char *node, struct pods *p,
			   struct error *err)
{
	const struct kube_ref ref = { &kube_nodes, NULL, node, NULL, NULL };

	json_free(&p->node_json);
	json_free(&p->arrivals);
	if (read_object(k, &ref, &p->node_json, err) < 0)
		return err->code;
	p->arrivals = arrivals_read(p->node_json);
	p->has_arrival = arrival_find(p->arrivals, m->ns, m->pod, &p->arrival);
	return 0;
}

static const char *node_name(const struct pods *p)
{
	return json_text(json_path(p->node_json, "metadata.name"));
}

/* On whichever node. */
static int read_any_arrival(struct kube *k, const struct move *m, struct pods *p, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	AUTO_JSON cJSON *list = NULL;
	const cJSON *node;

	r.path = (struct str)STR_INIT;
	kube_path(&r.path, &kube_nodes, NULL, NULL, NULL);
	r.call.method = "GET";
	r.call.path = r.path.s;
	if (kube_do(k, &r, err) < 0 || json_parse(r.call.reply.s, r.call.reply.n, &list, err) < 0)
		return err->code;
	cJSON_ArrayForEach(node, json_get(list, "items")) {
		const char *name = json_text(json_path(node, "metadata.name"));

		if (name && json_get(json_path(node, "metadata.annotations"), NODE_ARRIVALS) &&
		    read_arrival_of(k, m, name, p, err) < 0)
			return err->code;
		if (p->has_arrival)
			return 0;
	}
	return 0;
}

/* A pod of that name that is no source may be the one that its StatefulSet made since. */
static int read_arrived(struct kube *k, const struct move *m, struct pods *p, struct error *err)
{
	bool is_there = p->source_json != NULL;

	if (is_there && move_kind_of(&p->source) != MOVE_STATEFULSET)
		return 0;
	if ((m->to ? read_arrival_of(k, m, m->to, p, err) : read_any_arrival(k, m, p, err)) < 0)
		return err->code;
	if (is_there && p->has_arrival && strcmp(p->arrival.uid, p->source.uid) == 0)
		p->has_arrival = false; /* left by a move that was called off */
	if (!p->has_arrival)
		return 0;
	p->new = p->source;
	p->new_json = p->source_json;
	p->source_json = NULL;
	p->has_new = is_there;
	p->has_source = false;
	return 0;
}

static const char *template_hash(const cJSON *pod)
{
	return json_text(json_get(json_path(pod, "metadata.labels"), LABEL_TEMPLATE_HASH));
}

/* The pod that the ReplicaSet made for a released one: unbound, of the same template. */
static bool replaces(const cJSON *pod, const struct move_pod *source)
{
	const char *mine = template_hash(source->json), *its = template_hash(pod);
	const char *was = mine ? strchr(mine, '-') : NULL;

	return was && its && strcmp(was + 1, its) == 0 &&
	       !json_text(json_path(pod, "spec.nodeName")) &&
	       !json_path(pod, "metadata.deletionTimestamp") &&
	       !json_get(json_path(pod, "metadata.annotations"), MIGRATE_ID);
}

struct search {
	const struct move_pod *source;
	cJSON *found;
};

/* Patched for this move already, or still to be. */
static bool is_new(const struct search *s, const cJSON *pod)
{
	const char *id = json_text(json_get(json_path(pod, "metadata.annotations"), MIGRATE_ID));

	return id ? strcmp(id, s->source->id) == 0 : replaces(pod, s->source);
}

static int find_new(struct kube *k, const char *ns, const char *selector, struct search *s,
		    struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	AUTO_JSON cJSON *list = NULL;
	cJSON *pod;

	r.path = (struct str)STR_INIT;
	kube_path(&r.path, &kube_pods, ns, NULL, NULL);
	kube_query(&r.path, "labelSelector", selector);
	r.call.method = "GET";
	r.call.path = r.path.s;
	if (kube_do(k, &r, err) < 0 || json_parse(r.call.reply.s, r.call.reply.n, &list, err) < 0)
		return err->code;
	cJSON_ArrayForEach(pod, cJSON_GetObjectItemCaseSensitive(list, "items")) {
		if (!is_new(s, pod))
			continue;
		s->found = cJSON_Duplicate(pod, true);
		break;
	}
	return 0;
}

/* An owner's pod that is not bound yet, and so has no name on the source. */
static int read_unbound(struct kube *k, const char *ns, struct pods *p, struct error *err)
{
	AUTO(str_done) struct str selector = STR_INIT;
	struct search s = { .source = &p->source };

	str_addf(&selector, LABEL_TEMPLATE_HASH "=%s",
		 strchr(template_hash(p->source.json), '-') + 1);
	if (find_new(k, ns, selector.s, &s, err) < 0)
		return err->code;
	p->new_json = s.found;
	p->has_new = s.found != NULL;
	return s.found ? move_pod_read(s.found, &p->new, err) : 0;
}

/* A pod that has run is looked for by its name alone: what a label selects may lack it. */
static int read_named(struct kube *k, const char *ns, const char *name, struct pods *p,
		      struct error *err)
{
	bool is_there;

	if (read_pod(k, ns, name, &p->new_json, &p->new, &is_there, err) < 0)
		return err->code;
	/* Another pod of that name: ours is gone. */
	p->has_new = is_there && p->new.id && !p->new.to &&
		     (!p->has_source || (strcmp(p->new.id, p->source.id) == 0 &&
					 strcmp(p->new.uid, p->source.uid) != 0));
	return 0;
}

static int read_new(struct kube *k, const struct move *m, struct pods *p, struct error *err)
{
	const char *ns = m->ns;
	AUTO(str_done) struct str name = STR_INIT;

	if (move_kind_of(&p->source) == MOVE_STATEFULSET) {
		if (read_arrival_of(k, m, p->source.to, p, err) < 0)
			return err->code;
		if (p->has_arrival && strcmp(p->arrival.id, p->source.id) != 0)
			p->has_arrival = false;
		return 0;
	}
	if (p->source.new_name)
		return read_named(k, ns, p->source.new_name, p, err);
	if (move_is_released(&p->source))
		return read_unbound(k, ns, p, err);
	if (move_kind_of(&p->source) != MOVE_BARE)
		return 0;
	new_pod_name(&p->source, &name);
	return read_named(k, ns, name.s, p, err);
}

/* Writing. */

static void patch_text(struct kube_request *r, const struct kube *k, const struct move_pod *pod,
		       const struct str *text)
{
	const struct kube_ref ref = ref_of(pod);

	r->path = (struct str)STR_INIT;
	r->body = (struct str)STR_INIT;
	kube_path(&r->path, ref.resource, ref.ns, ref.name, NULL);
	kube_query(&r->path, "fieldManager", k->manager);
	str_addn(&r->body, text->s, text->n);
	r->call.method = "PATCH";
	r->call.path = r->path.s;
	r->call.content_type = "application/strategic-merge-patch+json";
	r->call.body = (struct slice){ r->body.s, r->body.n };
}

static void annotate(struct kube_request *r, const struct kube *k, const struct move_pod *pod,
		     const struct kube_pair *notes, size_t n, const char *metadata)
{
	const struct kube_ref ref = ref_of(pod);
	const struct kube_change change = {
		.kind = KUBE_PATCH_STRATEGIC,
		.annotations = notes,
		.n_annotations = n,
		.metadata = metadata,
	};

	kube_patch(r, k, &ref, &change);
}

static void write_placement(const struct move *m, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_member_int(&o, "since", (int64_t)time(NULL));
	json_out_key(&o, "annotations");
	json_out_object(&o);
	for (size_t i = 0; i < m->n_annotations; i++)
		json_out_given(&o, m->annotations[i].name, m->annotations[i].value);
	json_out_end(&o);
	json_out_end(&o);
}

static int promise(struct kube_request *r, const struct kube *k, const struct move *m,
		   const struct move_pod *source, struct error *err)
{
	AUTO(str_done) struct str placement = STR_INIT;
	AUTO(str_done) struct str labels = STR_INIT;
	char id[MOVE_ID_SIZE];

	if (move_id_make(id, err) < 0)
		return err->code;
	write_placement(m, &placement);
	str_addf(&labels, "\"labels\":{\"" MIGRATING "\":\"%s\"}", id);
	const struct kube_pair notes[] = {
		{ MIGRATE_ID, id },
		{ MIGRATE_TO, m->to },
		{ MIGRATE_STATE, move_state_word(MOVE_REQUESTED) },
		{ MIGRATE_PLACEMENT, placement.s },
		{ MIGRATE_READY, NULL },
		{ MIGRATE_CANCEL, NULL },
		{ MIGRATE_GONE, NULL },
		{ MIGRATE_NEW, NULL },
		{ MIGRATE_FROM, NULL },
		{ MIGRATE_BASE, NULL },
	};
	annotate(r, k, source, notes, sizeof(notes) / sizeof(notes[0]), labels.s);
	return 0;
}

static void clean(struct kube_request *r, const struct kube *k, const struct move_pod *source)
{
	static const struct kube_pair notes[] = {
		{ MIGRATE_ID, NULL },	     { MIGRATE_TO, NULL },     { MIGRATE_STATE, NULL },
		{ MIGRATE_READY, NULL },     { MIGRATE_CANCEL, NULL }, { MIGRATE_GONE, NULL },
		{ MIGRATE_PLACEMENT, NULL }, { MIGRATE_NEW, NULL },
	};

	annotate(r, k, source, notes, sizeof(notes) / sizeof(notes[0]),
		 "\"labels\":{\"" MIGRATING "\":null}");
}

/* "HASH" to "migrating-HASH", or back. */
static void set_hash(struct kube_request *r, const struct kube *k, const struct move_pod *source)
{
	AUTO(str_done) struct str labels = STR_INIT;
	const char *hash = template_hash(source->json);
	bool is_released = move_is_released(source);

	str_addf(&labels, "\"labels\":{\"" LABEL_TEMPLATE_HASH "\":\"%s%s\"}",
		 is_released ? "" : "migrating-", is_released ? strchr(hash, '-') + 1 : hash);
	annotate(r, k, source, NULL, 0, labels.s);
}

/* `version` NULL: however it is by now. */
static void delete_pod(struct kube_request *r, const struct move_pod *pod, int grace_seconds,
		       const char *version)
{
	r->path = (struct str)STR_INIT;
	r->body = (struct str)STR_INIT;
	kube_path(&r->path, &kube_pods, pod->ns, pod->name, NULL);
	str_addf(&r->body,
		 "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":%d,"
		 "\"preconditions\":{\"uid\":\"%s\"",
		 grace_seconds, pod->uid);
	if (version)
		str_addf(&r->body, ",\"resourceVersion\":\"%s\"", version);
	str_add(&r->body, "}}");
	r->call.method = "DELETE";
	r->call.path = r->path.s;
	r->call.content_type = "application/json";
	r->call.body = (struct slice){ r->body.s, r->body.n };
}

static void bind(struct kube_request *r, const struct kube *k, const struct pods *p,
		 const char *node)
{
	AUTO(str_done) struct str text = STR_INIT;
	const struct kube_ref ref = ref_of(&p->new);

	if (!move_has_gate(&p->new)) {
		kube_bind(r, k, &ref, node, NULL, 0);
		return;
	}
	new_pod_open_gate(&p->new, node, &text);
	patch_text(r, k, &p->new, &text);
}

static void place(struct kube_request *r, const struct kube *k, const struct pods *p)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (p->has_source)
		new_pod_patch(&p->source, &p->new, &text);
	else
		new_pod_patch_arrived(&p->arrival, &p->new, &text);
	patch_text(r, k, &p->new, &text);
}

/* Only as the Node was read: another move may have been noted since. */
static void write_arrivals(struct kube_request *r, const struct kube *k, const struct pods *p)
{
	const cJSON *meta = json_get(p->node_json, "metadata");
	const struct kube_ref ref = { &kube_nodes, NULL, node_name(p),
				      json_text(json_get(meta, "uid")),
				      json_text(json_get(meta, "resourceVersion")) };
	char *text = p->arrivals->child ? cJSON_PrintUnformatted(p->arrivals) : NULL;
	const struct kube_pair note = { NODE_ARRIVALS, text };
	const struct kube_change change = { .kind = KUBE_PATCH_MERGE,
					    .annotations = &note,
					    .n_annotations = 1 };

	kube_patch(r, k, &ref, &change);
	free(text);
}

static int keep(struct kube_request *r, const struct kube *k, const struct pods *p,
		struct error *err)
{
	if (!p->node_json)
		return error_set(err, -EAGAIN, "node %s: not found", p->source.to);
	arrival_add(p->arrivals, &p->source, (int64_t)time(NULL));
	write_arrivals(r, k, p);
	return 0;
}

/* On the source's node, and what it had there. */
static void return_pod(struct kube_request *r, const struct kube *k, const struct pods *p)
{
	ARRAY(struct kube_pair) notes = { 0 };
	const struct kube_ref ref = ref_of(&p->new);
	const cJSON *item;

	cJSON_ArrayForEach(item, p->arrival.back)
		if (item->string && cJSON_IsString(item))
			*array_add(&notes) = (struct kube_pair){ item->string, item->valuestring };
	if (move_has_gate(&p->new))
		bind(r, k, p, p->arrival.from);
	else
		kube_bind(r, k, &ref, p->arrival.from, notes.items, notes.n);
	array_done(&notes);
}

static int prepare_arrival(struct kube_request *r, const struct kube *k, const struct move *m,
			   const struct pods *p, const struct move_decision *d, struct error *err)
{
	if (d->step == STEP_KEEP)
		return keep(r, k, p, err);
	if (d->step == STEP_FAIL)
		arrival_fail(p->arrivals, m->ns, m->pod, d->why);
	else
		arrival_remove(p->arrivals, m->ns, m->pod);
	write_arrivals(r, k, p);
	return 0;
}

static int prepare(struct kube_request *r, const struct kube *k, const struct move *m,
		   const struct pods *p, const struct move_decision *d, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;

	switch (d->step) {
	case STEP_PROMISE:
		return promise(r, k, m, &p->source, err);
	case STEP_RELEASE:
	case STEP_ADOPT:
		set_hash(r, k, &p->source);
		break;
	case STEP_CREATE:
		new_pod_write(&p->source, &text);
		kube_create(r, k, &kube_pods, p->source.ns, (struct slice){ text.s, text.n });
		break;
	case STEP_PLACE:
		place(r, k, p);
		break;
	case STEP_RECORD:
		annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_NEW, p->new.name }, 1,
			 NULL);
		break;
	case STEP_BIND:
		bind(r, k, p, p->has_source ? p->source.to : node_name(p));
		break;
	case STEP_DELETE_SOURCE:
		/* A StatefulSet's is held by its helper, which ends it: nothing is waited for. */
		if (p->has_arrival)
			delete_pod(r, &p->source, 0, p->source.version);
		else
			delete_pod(r, &p->source, GRACE_SECONDS, NULL);
		break;
	case STEP_DELETE_NEW:
		delete_pod(r, &p->new, GRACE_SECONDS, NULL);
		break;
	case STEP_RETURN:
		return_pod(r, k, p);
		break;
	case STEP_KEEP:
	case STEP_FAIL:
	case STEP_FORGET:
		return prepare_arrival(r, k, m, p, d, err);
	case STEP_CANCEL:
		annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_CANCEL, d->why }, 1, NULL);
		break;
	case STEP_GONE:
		annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_GONE, "true" }, 1, NULL);
		break;
	case STEP_CLEAN:
		clean(r, k, &p->source);
		break;
	case STEP_WAIT:
	case STEP_DONE:
	case STEP_FAILED:
		break;
	}
	return 0;
}

static bool is_passing(int code)
{
	return code == -EBUSY || code == -EEXIST || code == -ENOENT || code == -EAGAIN ||
	       code == -EIO || code == -ETIMEDOUT || code == -ECONNREFUSED;
}

static int do_step(struct kube *k, const struct move *m, const struct pods *p,
		   const struct move_decision *d, struct move_progress *progress, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };

	progress->step = d->step;
	progress->wait_ms = d->step == STEP_WAIT ? WAIT_MS : 0;
	snprintf(progress->why, sizeof(progress->why), "%s", d->why);
	if (d->step == STEP_WAIT || d->step == STEP_DONE || d->step == STEP_FAILED)
		return 0;
	progress->is_arrived = d->step == STEP_FORGET && !p->has_source && !p->arrival.failed;
	int code = prepare(&r, k, m, p, d, err);
	if (code == 0)
		code = kube_do(k, &r, err);
	log_v(4, "pod %s/%s: %s: %s", m->ns, m->pod, move_step_word(d->step),
	      code < 0 ? err->msg : "done");
	if (code < 0 && is_passing(code)) {
		progress->step = STEP_WAIT;
		progress->wait_ms = code == -EBUSY ? WAIT_MS : AFTER_ERROR_MS;
		snprintf(progress->why, sizeof(progress->why), "%.250s", err->msg);
		*err = ERROR_INIT;
		return 0;
	}
	if (code < 0)
		return error_wrap(err, "%s", move_step_word(d->step));
	progress->has_begun = true;
	if (d->step == STEP_CLEAN)
		progress->step = STEP_FAILED;
	else if (d->step == STEP_FORGET && !p->has_source)
		progress->step = progress->is_arrived ? STEP_DONE : STEP_FAILED;
	return 0;
}

static int64_t milliseconds(const char *text)
{
	return text ? strtoll(text, NULL, 10) : 0;
}

static int read_pods(struct kube *k, const struct move *m, const struct move_progress *progress,
		     struct pods *p, struct error *err)
{
	if (read_source(k, m, p, err) < 0)
		return err->code;
	if (!p->has_source && *progress->new_pod && strcmp(progress->new_pod, m->pod) != 0)
		return read_named(k, m->ns, progress->new_pod, p, err);
	if (!p->has_source || !move_is_promised(&p->source))
		return read_arrived(k, m, p, err);
	return read_new(k, m, p, err);
}

static void note(const struct pods *p, struct move_progress *progress)
{
	if (p->has_source && move_is_promised(&p->source)) {
		progress->has_begun = true;
		progress->state = p->source.state;
	}
	if (p->has_source && p->source.state == MOVE_SENT)
		progress->sent_ms = milliseconds(p->source.why);
	else if (!p->has_source && p->has_arrival)
		progress->sent_ms = p->arrival.sent_ms;
	if (p->has_new)
		snprintf(progress->new_pod, sizeof(progress->new_pod), "%s", p->new.name);
	if (progress->sent_ms && p->has_new && p->new.state == MOVE_RESTORED)
		progress->downtime_ms = progress->sent_ms + milliseconds(p->new.why);
}

int move_advance(struct kube *k, const struct move *m, struct move_progress *progress,
		 struct error *err)
{
	AUTO(pods_done) struct pods p = { 0 };
	struct move_decision d;

	int code = read_pods(k, m, progress, &p, err);
	if (code < 0 && is_passing(code)) {
		progress->step = STEP_WAIT;
		progress->wait_ms = AFTER_ERROR_MS;
		*err = ERROR_INIT;
		return 0;
	}
	if (code < 0)
		return code;
	note(&p, progress);
	if (progress->is_arrived && !p.has_arrival) {
		progress->step = STEP_DONE;
		return 0;
	}
	if (p.has_source && !move_is_promised(&p.source) && (progress->has_begun || !m->to)) {
		progress->step = STEP_FAILED;
		if (!*progress->why)
			snprintf(progress->why, sizeof(progress->why), "no move is under way");
		return 0;
	}
	const struct move_view view = {
		.source = p.has_source ? &p.source : NULL,
		.new = p.has_new ? &p.new : NULL,
		.now = (int64_t)time(NULL),
		.since = p.has_source ? placement_since(&p.source) : 0,
		.arrival = p.has_arrival ? &p.arrival : NULL,
	};
	move_decide(&view, &d);
	return do_step(k, m, &p, &d, progress, err);
}

int move_cancel(struct kube *k, const struct move *m, const char *why, struct error *err)
{
	AUTO(pods_done) struct pods p = { 0 };
	AUTO(kube_request_done) struct kube_request r = { 0 };

	if (read_source(k, m, &p, err) < 0)
		return err->code;
	if (!p.has_source || !move_is_promised(&p.source))
		return error_set(err, -ENOENT, "pod %s/%s: no move is under way", m->ns, m->pod);
	annotate(&r, k, &p.source, &(struct kube_pair){ MIGRATE_CANCEL, why }, 1, NULL);
	return kube_do(k, &r, err);
}
