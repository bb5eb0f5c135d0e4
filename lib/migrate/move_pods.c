/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/move_pods.h"

#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "migrate/new_pod.h"

void move_pods_done(struct move_pods *p)
{
	json_free(&p->source_json);
	json_free(&p->new_json);
	json_free(&p->node_json);
	json_free(&p->arrivals);
}

struct kube_ref move_pod_ref(const struct move_pod *p)
{
	return (struct kube_ref){ &kube_pods, p->ns, p->name, p->uid, NULL };
}

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

int move_pods_read_source(struct kube *k, const struct move *m, struct move_pods *p,
			  struct error *err)
{
	bool is_there;

	if (read_pod(k, m->ns, m->pod, &p->source_json, &p->source, &is_there, err) < 0)
		return err->code;
	/* Another pod of that name: ours is gone. */
	p->has_source = is_there && (!m->uid || strcmp(p->source.uid, m->uid) == 0);
	return 0;
}

/* Arrivals: migrate/arrival.h. */

static int read_arrival_of(struct kube *k, const struct move *m, const char *node,
			   struct move_pods *p, struct error *err)
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

const char *move_pods_node(const struct move_pods *p)
{
	return json_text(json_path(p->node_json, "metadata.name"));
}

/* On whichever node. */
static int read_any_arrival(struct kube *k, const struct move *m, struct move_pods *p,
			    struct error *err)
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
static int read_arrived(struct kube *k, const struct move *m, struct move_pods *p,
			struct error *err)
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

const char *move_pod_hash(const cJSON *pod)
{
	return json_text(json_get(json_path(pod, "metadata.labels"), LABEL_TEMPLATE_HASH));
}

/* The pod that the ReplicaSet made for a released one: unbound, of the same template. */
static bool replaces(const cJSON *pod, const struct move_pod *source)
{
	const char *mine = move_pod_hash(source->json), *its = move_pod_hash(pod);
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
static int read_unbound(struct kube *k, const char *ns, struct move_pods *p, struct error *err)
{
	AUTO(str_done) struct str selector = STR_INIT;
	struct search s = { .source = &p->source };

	str_addf(&selector, LABEL_TEMPLATE_HASH "=%s",
		 strchr(move_pod_hash(p->source.json), '-') + 1);
	if (find_new(k, ns, selector.s, &s, err) < 0)
		return err->code;
	p->new_json = s.found;
	p->has_new = s.found != NULL;
	return s.found ? move_pod_read(s.found, &p->new, err) : 0;
}

/* A pod that has run is looked for by its name alone: what a label selects may lack it. */
static int read_named(struct kube *k, const char *ns, const char *name, struct move_pods *p,
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

static int read_new(struct kube *k, const struct move *m, struct move_pods *p, struct error *err)
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

int move_pods_read(struct kube *k, const struct move *m, const struct move_progress *progress,
		   struct move_pods *p, struct error *err)
{
	if (move_pods_read_source(k, m, p, err) < 0)
		return err->code;
	if (!p->has_source && *progress->new_pod && strcmp(progress->new_pod, m->pod) != 0)
		return read_named(k, m->ns, progress->new_pod, p, err);
	if (!p->has_source || !move_is_promised(&p->source))
		return read_arrived(k, m, p, err);
	return read_new(k, m, p, err);
}
