/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "objects/objects_internal.h"

struct node_draft {
	struct object_meta meta;
	struct range taints;
	struct resources allocatable, capacity;
	bool has_allocatable, is_unschedulable, restarts_all;
};

/* In the order of enum taint_effect, where ANY is no effect of a taint. */
static const char *const effects[] = { "", "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };

static const struct field taint_fields[] = {
	FIELD_MORE("effect", read_choice, struct taint, effect, effects),
	FIELD("key", read_text, struct taint, key),
	FIELD("timeAdded", read_time, struct taint, added, UNREAD_DETAIL),
	FIELD("value", read_text, struct taint, value),
	{ 0 },
};

static int read_taint(struct decoder *d, void *arg)
{
	struct taint t = { 0 };
	int r = decode_object(d, taint_fields, &t);

	(void)arg;
	if (r == 0 && (t.effect == EFFECT_ANY || !t.key))
		return decode_refuse(d, "key or effect is missing");
	if (r == 0)
		*array_add(&objects_of(d)->c->taints) = t;
	return r;
}

static int read_taints(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->taints.n;
	int r = decode_list(d, read_taint, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->taints.n - at };
	return r;
}

static int read_allocatable(struct decoder *d, const struct field *f, void *into)
{
	struct node_draft *n = into;

	n->has_allocatable = true;
	return read_resources(d, f, &n->allocatable);
}

static int read_feature(struct decoder *d, void *arg)
{
	struct slice name;
	int r = decode_text(d, &name);

	if (r == 0 && slice_eq(name, "RestartAllContainersOnContainerExits"))
		*(bool *)arg = true;
	return r;
}

static int read_features(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_feature, into);
}

static const struct field spec_fields[] = {
	FIELD("taints", read_taints, struct node_draft, taints, UNREAD_RULES),
	FIELD("unschedulable", read_bool, struct node_draft, is_unschedulable, UNREAD_RULES),
	{ 0 },
};

static const struct field status_fields[] = {
	FIELD_WHOLE("allocatable", read_allocatable, NULL, UNREAD_TAKEN),
	FIELD("capacity", read_resources, struct node_draft, capacity, UNREAD_TAKEN),
	FIELD("declaredFeatures", read_features, struct node_draft, restarts_all, UNREAD_DETAIL),
	{ 0 },
};

static const struct field node_fields[] = {
	FIELD_META(struct node_draft),
	FIELD_SUB("spec", spec_fields, UNREAD_RULES),
	FIELD_SUB("status", status_fields, UNREAD_TAKEN),
	{ 0 },
};

/* Less than any pod can ask for that asks for more than we count. */
static int64_t least(int64_t amount)
{
	return amount < AMOUNT_MAX ? amount : AMOUNT_MAX - 1;
}

int decode_node(struct objects *o, str_id kind, str_id version)
{
	struct node_draft n = { 0 };

	memset(&n.meta.node_annotations, 0xff, sizeof(n.meta.node_annotations)); /* NONE */
	int r = decode_whole(o, node_fields, &n, &n.meta, SCOPE_CLUSTER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	if (!n.has_allocatable)
		n.allocatable = n.capacity; /* the API server's default */

	struct node node = {
		.meta = n.meta.meta,
		.labels = n.meta.labels,
		.taints = n.taints,
		.cpu_milli = least(resources_get(&n.allocatable, o->id_cpu)),
		.memory = least(resources_get(&n.allocatable, o->id_memory)),
		.ephemeral = least(resources_get(&n.allocatable, o->id_ephemeral)),
		.max_pods = resources_get(&n.allocatable, o->id_pods),
		.capacity_cpu_milli = least(resources_get(&n.capacity, o->id_cpu)),
		.capacity_memory = least(resources_get(&n.capacity, o->id_memory)),
		.extended = resources_extended(o, &n.allocatable),
		.capacity_extended = resources_extended(o, &n.capacity),
		.has_allocatable = n.has_allocatable,
		.is_unschedulable = n.is_unschedulable,
		.restarts_all = n.restarts_all,
		.is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL,
		.has_unread_labels = o->d.unread & UNREAD_LABELS,
		.annotations = n.meta.node_annotations,
	};
	*array_add(&o->c->nodes) = node;
	return 0;
}
