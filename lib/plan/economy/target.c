/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "plan/economy/scaling.h"

struct kind {
	const char *name;
	const struct scalable *items;
	size_t n;
};

enum { KINDS = 2 };

static void list_kinds(const struct cluster *c, struct kind ret[static KINDS])
{
	ret[0] = (struct kind){ "Deployment", c->deployments.items, c->deployments.n };
	ret[1] = (struct kind){ "StatefulSet", c->stateful_sets.items, c->stateful_sets.n };
}

static void refuse(struct scaling *s, const char *reason, const char *message)
{
	s->target = NULL;
	s->inactive = reason;
	s->active_message = message;
}

/* Does the pod template name the optimizer, or do pods that do belong to it? */
typedef bool (*is_wanted)(const struct economy *e, optimizer_id id, const struct scalable *s);

static bool has_label(const struct economy *e, optimizer_id id, const struct scalable *s)
{
	str_id label = intern_find(&e->c->strings, KCLOUD_OPTIMIZER_LABEL,
				   sizeof(KCLOUD_OPTIMIZER_LABEL) - 1);

	return label != INTERN_NONE && cluster_label(e->c, s->template_labels, label) ==
					       e->c->optimizers.items[id].meta.name;
}

static bool has_pod(const struct economy *e, optimizer_id id, const struct scalable *s)
{
	for (pod_id pod = 0; pod < e->c->pods.n; pod++)
		if (e->of_pod[pod] == id &&
		    selector_matches(e->c, s->pods, e->c->pods.items[pod].labels))
			return true;
	return false;
}

/* Puts the one that fits into ret; returns how many do. */
static size_t search(const struct economy *e, optimizer_id id, is_wanted fits, struct scaling *ret)
{
	struct kind kinds[KINDS];
	size_t n = 0;

	list_kinds(e->c, kinds);
	for (size_t k = 0; k < KINDS; k++)
		for (size_t i = 0; i < kinds[k].n; i++) {
			const struct scalable *s = &kinds[k].items[i];

			if (s->meta.ns != e->c->optimizers.items[id].meta.ns || !fits(e, id, s))
				continue;
			ret->kind = kinds[k].name;
			ret->target = s;
			n++;
		}
	return n;
}

static bool is_named(const struct economy *e, const struct optimizer *o, const struct kind *kind,
		     const struct scalable *s)
{
	return s->meta.ns == o->meta.ns && s->meta.name == o->target_name &&
	       strcmp(cluster_str(e->c, o->target_kind), kind->name) == 0;
}

static void find_named(const struct economy *e, optimizer_id id, struct scaling *ret)
{
	struct kind kinds[KINDS];

	list_kinds(e->c, kinds);
	for (size_t k = 0; k < KINDS; k++)
		for (size_t i = 0; i < kinds[k].n; i++) {
			const struct scalable *s = kinds[k].items + i;

			if (is_named(e, &e->c->optimizers.items[id], &kinds[k], s)) {
				ret->kind = kinds[k].name;
				ret->target = s;
			}
		}
	if (!ret->target)
		refuse(ret, "FailedGetScale", "targetRef: no such Deployment or StatefulSet");
}

/* One that cannot be read may scale anything in its namespace. */
static bool is_autoscaled_by(const struct economy *e, const struct scaling *s,
			     const struct autoscaler *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct autoscaler *a = &list[i];

		if (a->meta.ns == s->target->meta.ns &&
		    (a->is_unread || (a->target_name == s->target->meta.name &&
				      strcmp(cluster_str(e->c, a->target_kind), s->kind) == 0)))
			return true;
	}
	return false;
}

static const char *conflict_of(const struct economy *e, const struct scaling *s)
{
	const struct cluster *c = e->c;

	if (is_autoscaled_by(e, s, c->autoscalers.items, c->autoscalers.n))
		return "a HorizontalPodAutoscaler scales the same target";
	if (is_autoscaled_by(e, s, c->scaled_objects.items, c->scaled_objects.n))
		return "a ScaledObject scales the same target, or is paused";
	return NULL;
}

void economy_find_target(const struct economy *e, optimizer_id id, struct scaling *ret)
{
	if (e->c->optimizers.items[id].target_name) {
		find_named(e, id, ret);
	} else {
		size_t n = search(e, id, has_label, ret);

		n = n ? n : search(e, id, has_pod, ret);
		if (n == 0)
			refuse(ret, "FailedGetScale", "no Deployment or StatefulSet has its pods");
		else if (n > 1)
			refuse(ret, "AmbiguousTarget",
			       "several Deployments or StatefulSets have its pods");
	}
	if (!ret->target)
		return;
	if (ret->target->is_unread) {
		refuse(ret, "FailedGetScale", "its target cannot be read, or is being deleted");
		return;
	}
	const char *conflict = conflict_of(e, ret);
	if (conflict)
		refuse(ret, "ConflictingAutoscaler", conflict);
}
