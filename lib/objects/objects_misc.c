/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/names.h"
#include "objects/objects_internal.h"

/* Kinds of which little is read. */

struct pdb_draft {
	struct object_meta meta;
	struct pdb pdb;
	str_id policy;
	int64_t observed;
};

static const struct field pdb_spec_fields[] = {
	FIELD("selector", read_selector, struct pdb_draft, pdb.pods, UNREAD_TARGET),
	FIELD("unhealthyPodEvictionPolicy", read_text, struct pdb_draft, policy, UNREAD_TAKEN),
	{ 0 },
};

static const struct field pdb_status_fields[] = {
	FIELD("currentHealthy", read_i32, struct pdb_draft, pdb.current_healthy, UNREAD_TAKEN),
	FIELD("desiredHealthy", read_i32, struct pdb_draft, pdb.desired_healthy, UNREAD_TAKEN),
	FIELD("disruptionsAllowed", read_i32, struct pdb_draft, pdb.disruptions_allowed,
	      UNREAD_TAKEN),
	FIELD("observedGeneration", read_generation, struct pdb_draft, observed, UNREAD_TAKEN),
	{ 0 },
};

static const struct field pdb_fields[] = {
	FIELD_META(struct pdb_draft),
	FIELD_SUB("spec", pdb_spec_fields, UNREAD_TARGET),
	FIELD_SUB("status", pdb_status_fields, UNREAD_TAKEN),
	{ 0 },
};

static void forbid(struct pdb *pdb)
{
	pdb->disruptions_allowed = 0;
	pdb->frees_unready = pdb->frees_unready_healthy = false;
}

/* In policy/v1beta1 an empty selector matches no pod; since v1 it matches all (KEP-85). */
int decode_pdb(struct objects *o, str_id kind, str_id version)
{
	struct intern *strings = &o->c->strings;
	struct pdb_draft p = { 0 };
	int r = decode_whole(o, pdb_fields, &p, &p.meta, SCOPE_COUNTS_UNNAMED);

	(void)kind;
	if (r < 0)
		return r;
	p.pdb.meta = p.meta.meta;
	p.pdb.is_stale = p.observed < p.meta.generation;
	p.pdb.frees_unready = p.policy && p.policy == intern_cstr(strings, "AlwaysAllow");
	p.pdb.frees_unready_healthy =
		!p.policy || p.policy == intern_cstr(strings, "IfHealthyBudget");
	if (version == intern_cstr(strings, "policy/v1beta1") && p.pdb.pods.all.n == 0)
		p.pdb.pods.is_set = false;
	p.pdb.is_unread = o->d.unread & (UNREAD_NAME | UNREAD_TARGET);
	p.pdb.is_anywhere = o->d.unread & UNREAD_NAME;
	if (o->d.unread & (UNREAD_NAME | UNREAD_TARGET | UNREAD_TAKEN | UNREAD_SELF))
		forbid(&p.pdb);
	*array_add(&o->c->pdbs) = p.pdb;
	return 0;
}

/* A word that is not known is taken for the one that disturbs no other pod. */
bool may_preempt(const struct objects *o, str_id policy)
{
	const char *word = intern_str(&o->c->strings, policy);

	return !*word || strcmp(word, "PreemptLowerPriority") == 0;
}

struct class_draft {
	struct object_meta meta;
	struct priority_class class;
	str_id preemption;
};

static const struct field class_fields[] = {
	FIELD("globalDefault", read_bool, struct class_draft, class.is_default, UNREAD_DETAIL),
	FIELD_META(struct class_draft),
	FIELD("preemptionPolicy", read_text, struct class_draft, preemption, UNREAD_RULES),
	FIELD("value", read_i32_saturated, struct class_draft, class.value, UNREAD_TAKEN),
	{ 0 },
};

int decode_priority_class(struct objects *o, str_id kind, str_id version)
{
	struct class_draft p = { 0 };
	int r = decode_whole(o, class_fields, &p, &p.meta, SCOPE_CLUSTER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	p.class.meta = p.meta.meta;
	if (o->d.unread & UNREAD_TAKEN)
		p.class.value = INT32_MAX; /* its pods are not evicted */
	p.class.never_preempts = !may_preempt(o, p.preemption) || (o->d.unread & UNREAD_RULES);
	*array_add(&o->c->priority_classes) = p.class;
	return 0;
}

struct bare {
	struct object_meta meta;
};

static const struct field bare_fields[] = {
	FIELD_META(struct bare),
	{ 0 },
};

int decode_namespace(struct objects *o, str_id kind, str_id version)
{
	struct bare b = { 0 };

	memset(&b.meta.namespace_annotations, 0xff, sizeof(b.meta.namespace_annotations));
	int r = decode_whole(o, bare_fields, &b, &b.meta, SCOPE_CLUSTER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	*array_add(&o->c->namespaces) = (struct namespace){
		.meta = b.meta.meta,
		.labels = b.meta.labels,
		.annotations = b.meta.namespace_annotations,
		.has_unread_labels = o->d.unread & UNREAD_LABELS,
		.has_unread_annotations = o->d.unread & UNREAD_ANNOTATIONS,
	};
	return 0;
}

/* Leases: those of node helpers. */

struct lease_draft {
	struct object_meta meta;
	struct helper_lease lease;
};

static const struct field lease_spec_fields[] = {
	FIELD("leaseDurationSeconds", read_i32_saturated, struct lease_draft, lease.seconds,
	      UNREAD_DETAIL),
	FIELD("renewTime", read_time, struct lease_draft, lease.renewed, UNREAD_DETAIL),
	{ 0 },
};

static const struct field lease_fields[] = {
	FIELD_META(struct lease_draft),
	FIELD_SUB("spec", lease_spec_fields, UNREAD_DETAIL),
	{ 0 },
};

int decode_lease(struct objects *o, str_id kind, str_id version)
{
	static const char prefix[] = HELPER_LEASE_PREFIX;
	struct lease_draft p = { 0 };
	int r = decode_whole(o, lease_fields, &p, &p.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	const char *name = cluster_str(o->c, p.meta.meta.name);
	p.lease.meta = p.meta.meta;
	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		p.lease.node = intern_cstr(&o->c->strings, name + sizeof(prefix) - 1);
	*array_add(&o->c->helper_leases) = p.lease;
	return 0;
}
