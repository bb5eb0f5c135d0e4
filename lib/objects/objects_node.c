/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "objects/objects_internal.h"

struct node_draft {
	struct object_meta meta;
	struct range taints;
	struct resources allocatable, capacity;
	bool has_allocatable, is_unschedulable;
};

/* In the order of enum taint_effect, where ANY is no effect of a taint. */
static const char *const effects[] = { "", "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };

static const struct field taint_fields[] = {
	FIELD_MORE("effect", read_choice, struct taint, effect, effects),
	FIELD("key", read_text, struct taint, key),
	FIELD("timeAdded", read_time, struct taint, added),
	FIELD("value", read_text, struct taint, value),
	{ 0 },
};

static int read_taint(struct decoder *d, void *arg)
{
	struct taint t = { 0 };
	int r = decode_object(d, taint_fields, &t);

	(void)arg;
	if (r == 0 && t.effect == EFFECT_ANY)
		return decode_refuse(d, "a taint without effect");
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

static const struct field spec_fields[] = {
	FIELD("taints", read_taints, struct node_draft, taints),
	FIELD("unschedulable", read_bool, struct node_draft, is_unschedulable),
	{ 0 },
};

static const struct field status_fields[] = {
	FIELD_WHOLE("allocatable", read_allocatable, NULL),
	FIELD("capacity", read_resources, struct node_draft, capacity),
	{ 0 },
};

static const struct field node_fields[] = {
	FIELD_META(struct node_draft),
	FIELD_SUB("spec", spec_fields),
	FIELD_SUB("status", status_fields),
	{ 0 },
};

int decode_node(struct objects *o, str_id kind, str_id version)
{
	struct node_draft n = { 0 };

	memset(&n.meta.node_annotations, 0xff, sizeof(n.meta.node_annotations)); /* NONE */
	int r = decode_whole(o, node_fields, &n, &n.meta, false);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;

	struct node node = {
		.meta = n.meta.meta,
		.labels = n.meta.labels,
		.taints = n.taints,
		.cpu_milli = resources_get(&n.allocatable, o->id_cpu),
		.memory = resources_get(&n.allocatable, o->id_memory),
		.ephemeral = resources_get(&n.allocatable, o->id_ephemeral),
		.max_pods = resources_get(&n.allocatable, intern_cstr(&o->c->strings, "pods")),
		.capacity_cpu_milli = resources_get(&n.capacity, o->id_cpu),
		.extended = resources_extended(o, &n.allocatable),
		.has_allocatable = n.has_allocatable,
		.is_unschedulable = n.is_unschedulable,
		.annotations = n.meta.node_annotations,
	};
	*array_add(&o->c->nodes) = node;
	return 0;
}
