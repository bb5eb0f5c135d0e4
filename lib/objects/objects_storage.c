/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "objects/objects_internal.h"

/* Volumes, devices, and the claims to them. */

struct volume_draft {
	struct object_meta meta;
	struct volume volume;
};

static const struct field required_fields[] = {
	FIELD("nodeSelectorTerms", read_node_terms, struct volume_draft, volume.node_terms),
	{ 0 },
};

static int read_required(struct decoder *d, const struct field *f, void *into)
{
	struct volume_draft *v = into;

	v->volume.has_node_affinity = true;
	return read_object(d, f, into);
}

static const struct field volume_affinity_fields[] = {
	FIELD_WHOLE("required", read_required, required_fields),
	{ 0 },
};

static const struct field csi_fields[] = {
	FIELD("driver", read_text, struct volume_draft, volume.driver),
	FIELD("volumeHandle", read_text, struct volume_draft, volume.handle),
	{ 0 },
};

static const struct field volume_spec_fields[] = {
	FIELD_SUB("csi", csi_fields, UNREAD_RULES),
	FIELD_SUB("nodeAffinity", volume_affinity_fields, UNREAD_RULES),
	{ 0 },
};

static const struct field volume_fields[] = {
	FIELD_META(struct volume_draft),
	FIELD_SUB("spec", volume_spec_fields, UNREAD_RULES),
	{ 0 },
};

int decode_volume(struct objects *o, str_id kind, str_id version)
{
	struct volume_draft v = { 0 };
	int r = decode_whole(o, volume_fields, &v, &v.meta, SCOPE_CLUSTER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	v.volume.meta = v.meta.meta;
	v.volume.labels = v.meta.labels;
	v.volume.is_unread = o->d.unread & (UNREAD_RULES | UNREAD_LABELS);
	*array_add(&o->c->volumes) = v.volume;
	return 0;
}

struct claim_draft {
	struct object_meta meta;
	struct claim claim;
	str_id phase;
};

static int read_access_mode(struct decoder *d, void *arg)
{
	struct claim_draft *p = arg;
	struct slice mode;
	int r = decode_text(d, &mode);

	if (r == 0 && !slice_eq(mode, "ReadWriteOnce") && !slice_eq(mode, "ReadOnlyMany") &&
	    !slice_eq(mode, "ReadWriteMany"))
		p->claim.is_for_one_pod = true; /* ReadWriteOncePod, or not known */
	return r;
}

static int read_access_modes(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_access_mode, into);
}

static const struct field claim_spec_fields[] = {
	FIELD_WHOLE("accessModes", read_access_modes, NULL, UNREAD_RULES),
	FIELD("volumeName", read_text, struct claim_draft, claim.volume, UNREAD_RULES),
	{ 0 },
};

static const struct field claim_status_fields[] = {
	FIELD("phase", read_text, struct claim_draft, phase, UNREAD_RULES),
	{ 0 },
};

static const struct field claim_fields[] = {
	FIELD_META(struct claim_draft),
	FIELD_SUB("spec", claim_spec_fields, UNREAD_RULES),
	FIELD_SUB("status", claim_status_fields, UNREAD_RULES),
	{ 0 },
};

/* The volume controller names the volume in the claim first, and says last that it is bound: until
 * then the volume may be another claim's. A file may have no status at all. */
int decode_claim(struct objects *o, str_id kind, str_id version)
{
	struct claim_draft p = { 0 };
	int r = decode_whole(o, claim_fields, &p, &p.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	const char *phase = intern_str(&o->c->strings, p.phase);
	p.claim.meta = p.meta.meta;
	p.claim.is_lost = strcmp(phase, "Lost") == 0;
	p.claim.is_bound = p.claim.volume && (!*phase || strcmp(phase, "Bound") == 0);
	p.claim.is_terminating = p.meta.is_terminating;
	p.claim.is_unread = o->d.unread & UNREAD_RULES;
	*array_add(&o->c->claims) = p.claim;
	return 0;
}

struct csi_node_draft {
	struct object_meta meta;
	ARRAY(struct amount) limits;
};

struct driver_draft {
	struct amount limit;
	int32_t count;
	bool has_limit;
};

static int read_count(struct decoder *d, const struct field *f, void *into)
{
	struct driver_draft *driver = into;

	driver->has_limit = true;
	return read_i32(d, f, &driver->count);
}

static const struct field allocatable_fields[] = {
	FIELD_WHOLE("count", read_count, NULL),
	{ 0 },
};

static const struct field driver_fields[] = {
	FIELD_SUB("allocatable", allocatable_fields),
	FIELD("name", read_text, struct driver_draft, limit.name),
	{ 0 },
};

static int read_driver(struct decoder *d, void *arg)
{
	struct csi_node_draft *p = arg;
	struct driver_draft driver = { 0 };
	int r = decode_object(d, driver_fields, &driver);

	driver.limit.value = driver.count;
	if (r == 0 && driver.has_limit)
		*array_add(&p->limits) = driver.limit;
	return r;
}

static int read_drivers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_driver, into);
}

static const struct field csi_node_spec_fields[] = {
	FIELD_WHOLE("drivers", read_drivers, NULL),
	{ 0 },
};

static const struct field csi_node_fields[] = {
	FIELD_META(struct csi_node_draft),
	FIELD_SUB("spec", csi_node_spec_fields, UNREAD_RULES),
	{ 0 },
};

int decode_csi_node(struct objects *o, str_id kind, str_id version)
{
	struct csi_node_draft p = { 0 };
	int r = decode_whole(o, csi_node_fields, &p, &p.meta, SCOPE_CLUSTER);

	(void)kind;
	(void)version;
	if (r == 0) {
		*array_add(&o->c->csi_nodes) = (struct csi_node){
			.meta = p.meta.meta,
			.is_unread = o->d.unread & UNREAD_RULES,
			.limits = { (uint32_t)o->c->amounts.n, (uint32_t)p.limits.n },
		};
		array_each(limit, &p.limits)
			*array_add(&o->c->amounts) = *limit;
	}
	array_done(&p.limits);
	return r;
}

enum { MAX_RESERVED = 256 }; /* of the API, resource.k8s.io/v1 */

struct resource_claim_draft {
	struct object_meta meta;
	struct resource_claim claim;
	unsigned n_reserved;
};

static const struct field node_selector_fields[] = {
	FIELD("nodeSelectorTerms", read_node_terms, struct resource_claim_draft, claim.node_terms),
	{ 0 },
};

static int read_node_selector(struct decoder *d, const struct field *f, void *into)
{
	struct resource_claim_draft *p = into;

	p->claim.has_node_selector = true;
	return read_object(d, f, into);
}

static const struct field allocation_fields[] = {
	FIELD_WHOLE("nodeSelector", read_node_selector, node_selector_fields),
	{ 0 },
};

static int read_allocation(struct decoder *d, const struct field *f, void *into)
{
	struct resource_claim_draft *p = into;

	p->claim.is_allocated = true;
	return read_object(d, f, into);
}

static int count_reserved(struct decoder *d, void *arg)
{
	struct resource_claim_draft *p = arg;

	p->n_reserved++;
	return scan_skip(&d->scan);
}

static int read_reserved(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, count_reserved, into);
}

static const struct field resource_claim_status_fields[] = {
	FIELD_WHOLE("allocation", read_allocation, allocation_fields),
	FIELD_WHOLE("reservedFor", read_reserved, NULL),
	{ 0 },
};

static const struct field resource_claim_fields[] = {
	FIELD_META(struct resource_claim_draft),
	FIELD_SUB("status", resource_claim_status_fields, UNREAD_RULES),
	{ 0 },
};

int decode_resource_claim(struct objects *o, str_id kind, str_id version)
{
	struct resource_claim_draft p = { 0 };
	int r = decode_whole(o, resource_claim_fields, &p, &p.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	p.claim.meta = p.meta.meta;
	if (o->d.unread & UNREAD_RULES)
		p.claim.is_allocated = false;
	p.claim.is_full = p.n_reserved >= MAX_RESERVED;
	p.claim.is_terminating = p.meta.is_terminating;
	*array_add(&o->c->resource_claims) = p.claim;
	return 0;
}
