/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/objects_internal.h"

struct mckube_draft {
	struct object_meta meta;
	struct mckube mckube;
};

/* As it is written, whatever it is: bad values are reported where they are used. */
static int read_raw(struct decoder *d, const struct field *f, void *into)
{
	struct raw *raw = into;
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	if (r < 0)
		return r;
	raw->text = intern_add(d->strings, token.s, token.n);
	raw->kind = first == '"'				     ? RAW_STRING
		    : first == '-' || (first >= '0' && first <= '9') ? RAW_NUMBER
								     : RAW_OTHER;
	return 0;
}

#define RAW(key, member)  FIELD(key, read_raw, struct mckube_draft, mckube.member)
#define TEXT(key, member) FIELD(key, read_text, struct mckube_draft, mckube.member)

static const struct field settings_fields[] = {
	RAW("budget_hi", hi[1]),
	RAW("budget_lo", low[1]),
	RAW("core", core),
	RAW("coreCount", core_count),
	RAW("period", period),
	RAW("runtime_floor", floor),
	RAW("runtime_hi", hi[0]),
	RAW("runtime_low", low[0]),
	RAW("runtime_medium", medium),
	{ 0 },
};

static const struct field recovery_fields[] = {
	RAW("delaySeconds", recovery_delay),
	RAW("mode", recovery_mode),
	RAW("threshold", recovery_threshold),
	{ 0 },
};

static const struct field spec_fields[] = {
	RAW("criticality", criticality),
	RAW("migration", migration),
	TEXT("node", node),
	TEXT("podname", podname),
	FIELD_SUB("recovery", recovery_fields),
	FIELD_SUB("rtSettings", settings_fields),
	FIELD("selector", read_selector, struct mckube_draft, mckube.selector),
	{ 0 },
};

static const struct field status_fields[] = {
	FIELD("allocatedCore", read_token, struct mckube_draft, mckube.status_core),
	FIELD("currentRuntime", read_token, struct mckube_draft, mckube.status_current),
	FIELD("lastOverrunTime", read_token, struct mckube_draft, mckube.status_overrun),
	FIELD("podUID", read_token, struct mckube_draft, mckube.status_uid),
	{ 0 },
};

static const struct field mckube_fields[] = {
	FIELD_META(struct mckube_draft),
	FIELD_SUB("spec", spec_fields),
	FIELD_SUB("status", status_fields),
	{ 0 },
};

int decode_mckube(struct objects *o, str_id kind, str_id version)
{
	struct mckube_draft m = { 0 };
	int r = decode_whole(o, mckube_fields, &m, &m.meta, true);

	if (r < 0)
		return r;
	m.mckube.meta = m.meta.meta;
	m.mckube.kind = kind;
	m.mckube.api_version = version;
	m.mckube.is_deleting = m.meta.is_terminating;
	m.mckube.has_finalizer = m.meta.has_finalizer;
	*array_add(&o->c->mckubes) = m.mckube;
	return 0;
}
