/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"

static const struct pod_annotations *notes_of(const struct cluster *c, const struct pod *pod)
{
	return pod->annotations == NONE ? NULL : &c->annotations.items[pod->annotations];
}

/* The new pod keeps what it was moved by, and the label only while that goes on. */
static bool has_label(const struct cluster *c, const struct pod *pod)
{
	str_id label = intern_find(&c->strings, MIGRATING, sizeof(MIGRATING) - 1);

	return label != INTERN_NONE && cluster_label(c, pod->labels, label) != INTERN_NONE;
}

static enum flight read_flight(const struct cluster *c, const struct pod *pod)
{
	const struct pod_annotations *n = notes_of(c, pod);

	if (!n)
		return FLIGHT_NONE;
	if (n->migrate_id != NONE && n->migrate_to != NONE)
		return FLIGHT_SOURCE;
	if (n->migrate_id != NONE)
		return has_label(c, pod) ? FLIGHT_TARGET : FLIGHT_NONE;
	if (n->migrate_from != NONE && n->migrate_to != NONE && !pod->node_name && pod->is_ours &&
	    !pod->is_terminating)
		return FLIGHT_ORPHAN;
	return FLIGHT_NONE;
}

/* The bare pod that this is a copy of. */
static void find_original(const struct cluster *c, struct flights *f, pod_id copy)
{
	const struct pod *pod = &c->pods.items[copy];
	const char *from = cluster_str(c, notes_of(c, pod)->migrate_from);
	const char *slash = strrchr(from, '/');

	for (pod_id id = 0; slash && id < c->pods.n; id++) {
		const struct pod *other = &c->pods.items[id];

		if (other->meta.ns != pod->meta.ns || !other->meta.uid ||
		    strcmp(cluster_str(c, other->meta.uid), slash + 1) != 0)
			continue;
		f->of_pod[copy] = FLIGHT_COPY;
		f->of_pod[id] = FLIGHT_COPIED;
		f->copy_of[id] = copy;
	}
}

static const char *hash_of(const struct cluster *c, const struct pod *pod, str_id label)
{
	str_id value = cluster_label(c, pod->labels, label);

	return value == INTERN_NONE ? "" : cluster_str(c, value);
}

/* The pods that its ReplicaSet makes in place of a released one. */
static void find_waiting(const struct cluster *c, struct flights *f, pod_id source)
{
	const struct pod *pod = &c->pods.items[source];
	str_id label =
		intern_find(&c->strings, LABEL_TEMPLATE_HASH, sizeof(LABEL_TEMPLATE_HASH) - 1);
	const char *hash = label == INTERN_NONE ? "" : hash_of(c, pod, label);
	size_t n = strlen(MIGRATING_HASH);

	if (strncmp(hash, MIGRATING_HASH, n) != 0)
		return;
	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct pod *other = &c->pods.items[id];

		if (other->meta.ns == pod->meta.ns && !other->node_name && other->is_ours &&
		    strcmp(hash_of(c, other, label), hash + n) == 0)
			f->of_pod[id] = FLIGHT_WAITING;
	}
}

static void set_flight(const struct cluster *c, struct flights *f, pod_id pod, enum flight flight)
{
	if (!f->of_pod) {
		f->of_pod = xcalloc(c->pods.n, sizeof(*f->of_pod));
		f->copy_of = xmalloc(c->pods.n * sizeof(*f->copy_of));
		f->to = xmalloc(c->pods.n * sizeof(*f->to));
	}
	f->of_pod[pod] = (uint8_t)flight;
}

/* A pod "NAMESPACE/NAME" whose uid is not that of the pod that was moved: its successor. */
static void take_arrival(const struct cluster *c, struct flights *f, node_id node,
			 const cJSON *arrival)
{
	const char *uid = json_text(json_get(arrival, "uid"));
	const char *slash = arrival->string ? strchr(arrival->string, '/') : NULL;
	AUTO_FREE char *ns =
		slash ? xstrndup(arrival->string, (size_t)(slash - arrival->string)) : NULL;
	pod_id id = slash ? cluster_pod(c, ns, slash + 1) : NONE;

	if (!uid || id == NONE || c->pods.items[id].is_terminating || !c->pods.items[id].meta.uid ||
	    strcmp(cluster_str(c, c->pods.items[id].meta.uid), uid) == 0)
		return;
	set_flight(c, f, id, FLIGHT_ARRIVING);
	f->to[id] = node;
}

static void read_arrivals(const struct cluster *c, struct flights *f, node_id node)
{
	AUTO_JSON cJSON *arrivals = NULL;
	const char *text = cluster_str(c, c->nodes.items[node].annotations.arrivals);
	const cJSON *arrival;

	if (json_parse(text, strlen(text), &arrivals, NULL) < 0)
		return;
	cJSON_ArrayForEach(arrival, arrivals)
		take_arrival(c, f, node, arrival);
}

void flights_read(const struct cluster *c, struct flights *ret)
{
	*ret = (struct flights){ 0 };
	for (pod_id id = 0; id < c->pods.n; id++) {
		enum flight flight = read_flight(c, &c->pods.items[id]);

		if (flight != FLIGHT_NONE)
			set_flight(c, ret, id, flight);
	}
	for (pod_id id = 0; ret->of_pod && id < c->pods.n; id++) {
		if (ret->of_pod[id] == FLIGHT_ORPHAN)
			find_original(c, ret, id);
		else if (ret->of_pod[id] == FLIGHT_SOURCE)
			find_waiting(c, ret, id);
	}
	for (node_id id = 0; id < c->nodes.n; id++)
		if (c->nodes.items[id].annotations.arrivals != NONE)
			read_arrivals(c, ret, id);
}

void flights_done(struct flights *f)
{
	free(f->of_pod);
	free(f->copy_of);
	free(f->to);
	*f = (struct flights){ 0 };
}
