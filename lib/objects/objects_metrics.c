/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/objects_internal.h"

/* Measurements of metrics.k8s.io. */

struct metrics_draft {
	struct object_meta meta;
	int64_t measured;
	struct resources usage; /* of a node, or the sum over a pod's containers */
};

static const struct field node_fields[] = {
	FIELD_META(struct metrics_draft),
	FIELD("timestamp", read_time, struct metrics_draft, measured, UNREAD_TAKEN),
	FIELD("usage", read_resources, struct metrics_draft, usage, UNREAD_TAKEN),
	{ 0 },
};

struct container_usage {
	struct resources usage;
};

static const struct field container_fields[] = {
	FIELD("usage", read_resources, struct container_usage, usage),
	{ 0 },
};

static int read_container(struct decoder *d, void *arg)
{
	struct container_usage c = { 0 };
	int r = decode_object(d, container_fields, &c);

	if (r == 0)
		resources_add(objects_of(d), arg, &c.usage);
	return r;
}

static int read_containers_usage(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_container, into);
}

static const struct field pod_fields[] = {
	FIELD("containers", read_containers_usage, struct metrics_draft, usage, UNREAD_TAKEN),
	FIELD_META(struct metrics_draft),
	FIELD("timestamp", read_time, struct metrics_draft, measured, UNREAD_TAKEN),
	{ 0 },
};

static int64_t least(int64_t amount)
{
	return amount < AMOUNT_MAX ? amount : AMOUNT_MAX;
}

static int decode(struct objects *o, const struct field *fields, enum object_scope scope,
		  struct metrics *ret)
{
	struct metrics_draft m = { 0 };
	int r = decode_whole(o, fields, &m, &m.meta, scope);

	if (r == 0)
		*ret = (struct metrics){
			.meta = m.meta.meta,
			.measured = m.measured,
			.cpu_milli = least(resources_get(&m.usage, o->id_cpu)),
			.memory = least(resources_get(&m.usage, o->id_memory)),
			.is_unread = o->d.unread & (UNREAD_TAKEN | UNREAD_NAME),
		};
	return r;
}

int decode_node_metrics(struct objects *o, str_id kind, str_id version)
{
	struct metrics m;
	int r = decode(o, node_fields, SCOPE_CLUSTER, &m);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->node_metrics) = m;
	return r;
}

int decode_pod_metrics(struct objects *o, str_id kind, str_id version)
{
	struct metrics m;
	int r = decode(o, pod_fields, SCOPE_NAMESPACE, &m);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->pod_metrics) = m;
	return r;
}
