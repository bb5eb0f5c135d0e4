/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "plan/economy/scaling.h"

struct table {
	const struct scalable *items;
	size_t n;
};

/* What is found by its pods; other kinds are scaled only where they are named. */
enum { TABLES = 2 };

static void list_tables(const struct cluster *c, struct table ret[static TABLES])
{
	ret[0] = (struct table){ c->deployments.items, c->deployments.n };
	ret[1] = (struct table){ c->stateful_sets.items, c->stateful_sets.n };
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
	struct table tables[TABLES];
	size_t n = 0;

	list_tables(e->c, tables);
	for (size_t k = 0; k < TABLES; k++)
		for (size_t i = 0; i < tables[k].n; i++) {
			const struct scalable *s = &tables[k].items[i];

			if (s->meta.ns != e->c->optimizers.items[id].meta.ns || !fits(e, id, s))
				continue;
			ret->target = s;
			n++;
		}
	return n;
}

/* Why a target of another kind is not scaled; "" where it is. */
static const char *why_unscaled(const struct scalable *s)
{
	static const char *const whys[] = {
		[NO_SCALE_NONE] = "",
		[NO_SCALE_UNKNOWN] = "its subresource scale was not read",
		[NO_SCALE_NO_KIND] = "the server does not know the kind",
		[NO_SCALE_NOT_NAMESPACED] = "the kind is not namespaced",
		[NO_SCALE_NO_SUBRESOURCE] = "the kind has no subresource scale",
		[NO_SCALE_NOT_FOUND] = "not found",
		[NO_SCALE_FORBIDDEN] = "its subresource scale may not be read",
		[NO_SCALE_UNAVAILABLE] = "its subresource scale could not be read",
	};

	if (s->no_scale)
		return whys[s->no_scale];
	return s->pods.is_set ? "" : "its status.selector is missing, so its pods are not known";
}

static void find_other(struct economy *e, const struct optimizer *o, struct scaling *ret)
{
	const struct cluster *c = e->c;
	const char *ns = cluster_str(c, o->meta.ns), *kind = cluster_str(c, o->target_kind),
		   *name = cluster_str(c, o->target_name),
		   *version = optimizer_target_version(c, o);
	const struct scalable *s = cluster_scale_target(c, version, kind, ns, name);
	const char *why = s ? why_unscaled(s) : "its subresource scale is not in the snapshot";

	ret->target = s;
	if (!*why)
		return;
	refuse(ret, s && !s->no_scale ? "InvalidSelector" : "FailedGetScale",
	       economy_text(e, "targetRef: %s %s: %s", kind, name, why));
	warning_add(&e->p->trial.warnings, "WorkloadOptimizer", ns, cluster_str(c, o->meta.name),
		    ret->inactive, "spec.targetRef: %s %s %s: %s; it is not scaled", version, kind,
		    name, why);
}

static void find_named(struct economy *e, optimizer_id id, struct scaling *ret)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct table tables[TABLES];

	if (!optimizer_target_is_listed(e->c, o)) {
		find_other(e, o, ret);
		return;
	}
	list_tables(e->c, tables);
	for (size_t k = 0; k < TABLES; k++)
		for (size_t i = 0; i < tables[k].n; i++) {
			const struct scalable *s = &tables[k].items[i];

			if (s->meta.ns == o->meta.ns && s->name == o->target_name &&
			    s->kind == o->target_kind)
				ret->target = s;
		}
	if (!ret->target)
		refuse(ret, "FailedGetScale", "targetRef: no such Deployment or StatefulSet");
}

/* One that cannot be read may scale anything in its namespace. */
static bool is_autoscaled_by(const struct scaling *s, const struct autoscaler *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct autoscaler *a = &list[i];

		if (a->meta.ns == s->target->meta.ns &&
		    (a->is_unread ||
		     (a->target_name == s->target->name && a->target_kind == s->target->kind)))
			return true;
	}
	return false;
}

static const char *conflict_of(const struct economy *e, const struct scaling *s)
{
	const struct cluster *c = e->c;

	if (is_autoscaled_by(s, c->autoscalers.items, c->autoscalers.n))
		return "a HorizontalPodAutoscaler scales the same target";
	if (is_autoscaled_by(s, c->scaled_objects.items, c->scaled_objects.n))
		return "a ScaledObject scales the same target, or is paused";
	return NULL;
}

void economy_find_target(struct economy *e, optimizer_id id, struct scaling *ret)
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
