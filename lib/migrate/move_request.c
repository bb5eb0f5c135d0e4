/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/move_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/json_out.h"
#include "base/names.h"
#include "migrate/new_pod.h"

enum { GRACE_SECONDS = 1 };

static void patch_text(struct kube_request *r, const struct kube *k, const struct move_pod *pod,
		       const struct str *text)
{
	const struct kube_ref ref = move_pod_ref(pod);

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

void move_annotate(struct kube_request *r, const struct kube *k, const struct move_pod *pod,
		   const struct kube_pair *notes, size_t n, const char *metadata)
{
	const struct kube_ref ref = move_pod_ref(pod);
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
	move_annotate(r, k, source, notes, sizeof(notes) / sizeof(notes[0]), labels.s);
	return 0;
}

static void clean(struct kube_request *r, const struct kube *k, const struct move_pod *source)
{
	static const struct kube_pair notes[] = {
		{ MIGRATE_ID, NULL },	     { MIGRATE_TO, NULL },     { MIGRATE_STATE, NULL },
		{ MIGRATE_READY, NULL },     { MIGRATE_CANCEL, NULL }, { MIGRATE_GONE, NULL },
		{ MIGRATE_PLACEMENT, NULL }, { MIGRATE_NEW, NULL },
	};

	move_annotate(r, k, source, notes, sizeof(notes) / sizeof(notes[0]),
		      "\"labels\":{\"" MIGRATING "\":null}");
}

/* "HASH" to "migrating-HASH", or back. */
static void set_hash(struct kube_request *r, const struct kube *k, const struct move_pod *source)
{
	AUTO(str_done) struct str labels = STR_INIT;
	const char *hash = move_pod_hash(source->json);
	bool is_released = move_is_released(source);

	str_addf(&labels, "\"labels\":{\"" LABEL_TEMPLATE_HASH "\":\"%s%s\"}",
		 is_released ? "" : "migrating-", is_released ? strchr(hash, '-') + 1 : hash);
	move_annotate(r, k, source, NULL, 0, labels.s);
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

static void bind(struct kube_request *r, const struct kube *k, const struct move_pods *p,
		 const char *node)
{
	AUTO(str_done) struct str text = STR_INIT;
	const struct kube_ref ref = move_pod_ref(&p->new);

	if (!move_has_gate(&p->new)) {
		kube_bind(r, k, &ref, node, NULL, 0);
		return;
	}
	new_pod_open_gate(&p->new, node, &text);
	patch_text(r, k, &p->new, &text);
}

static void place(struct kube_request *r, const struct kube *k, const struct move_pods *p)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (p->has_source)
		new_pod_patch(&p->source, &p->new, &text);
	else
		new_pod_patch_arrived(&p->arrival, &p->new, &text);
	patch_text(r, k, &p->new, &text);
}

/* Only as the Node was read: another move may have been noted since. */
static void write_arrivals(struct kube_request *r, const struct kube *k, const struct move_pods *p)
{
	const cJSON *meta = json_get(p->node_json, "metadata");
	const struct kube_ref ref = { &kube_nodes, NULL, move_pods_node(p),
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

static int keep(struct kube_request *r, const struct kube *k, const struct move_pods *p,
		struct error *err)
{
	if (!p->node_json)
		return error_set(err, -EAGAIN, "node %s: not found", p->source.to);
	arrival_add(p->arrivals, &p->source, (int64_t)time(NULL));
	write_arrivals(r, k, p);
	return 0;
}

/* On the source's node, and what it had there. */
static void return_pod(struct kube_request *r, const struct kube *k, const struct move_pods *p)
{
	ARRAY(struct kube_pair) notes = { 0 };
	const struct kube_ref ref = move_pod_ref(&p->new);
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
			   const struct move_pods *p, const struct move_decision *d,
			   struct error *err)
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

int move_request(struct kube_request *r, const struct kube *k, const struct move *m,
		 const struct move_pods *p, const struct move_decision *d, struct error *err)
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
		move_annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_NEW, p->new.name }, 1,
			      NULL);
		break;
	case STEP_BIND:
		bind(r, k, p, p->has_source ? p->source.to : move_pods_node(p));
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
		move_annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_CANCEL, d->why }, 1,
			      NULL);
		break;
	case STEP_GONE:
		move_annotate(r, k, &p->source, &(struct kube_pair){ MIGRATE_GONE, "true" }, 1,
			      NULL);
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
