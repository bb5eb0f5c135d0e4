/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/scan.h"
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

#define ROW(member, key, ...) FIELD(key, read_raw, struct mckube_draft, mckube.member),

static const struct field settings_fields[] = {
	MCKUBE_RT_SETTINGS(ROW){ 0 },
};

static const struct field recovery_fields[] = {
	MCKUBE_RECOVERY(ROW){ 0 },
};

static const struct field spec_fields[] = {
	MCKUBE_SPEC(ROW) FIELD("node", read_text, struct mckube_draft, mckube.node),
	FIELD("podname", read_text, struct mckube_draft, mckube.podname),
	FIELD_SUB("recovery", recovery_fields),
	FIELD_SUB("rtSettings", settings_fields),
	FIELD("selector", read_selector, struct mckube_draft, mckube.selector),
	{ 0 },
};
#undef ROW

static const char *const condition_types[] = {
	[MCKUBE_CONDITION_ACCEPTED] = "Accepted",
	[MCKUBE_CONDITION_PLACED] = "Placed",
	[MCKUBE_CONDITION_READY] = "Ready",
	[MCKUBE_CONDITION_MIGRATED] = "Migrated",
};

struct condition {
	struct slice type, status, reason, message, since; /* as they are written */
};

static struct slice *member_of(struct condition *c, struct slice key)
{
	return slice_eq(key, "type")		     ? &c->type
	       : slice_eq(key, "status")	     ? &c->status
	       : slice_eq(key, "reason")	     ? &c->reason
	       : slice_eq(key, "message")	     ? &c->message
	       : slice_eq(key, "lastTransitionTime") ? &c->since
						     : NULL;
}

static int scan_condition(struct scan *s, struct condition *ret)
{
	struct slice key;
	int r = scan_open(s, '{');

	while (r == 0 && (r = scan_member(s, &key)) > 0) {
		struct slice *value = member_of(ret, key);

		r = value && s->at < s->end && *s->at == '"' ? scan_string(s, value) : scan_skip(s);
	}
	return r;
}

/* No plan depends on it, so what is written otherwise counts as not there. */
static int read_said(struct decoder *d, const struct field *f, void *into)
{
	struct mckube_draft *m = into;
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	if (r < 0 || first != '[')
		return r;
	AUTO_FREE char *text = xstrndup(token.s, token.n);
	struct scan s = scan_of((struct slice){ text, token.n });
	if (scan_open(&s, '[') != 0)
		return 0;
	while (scan_element(&s) > 0) {
		struct condition c = { SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE("") };

		if (scan_condition(&s, &c) != 0)
			break;
		for (int i = 0; i < MCKUBE_CONDITION_TYPES; i++)
			if (slice_eq(c.type, condition_types[i]))
				m->mckube.said[i] = (struct mckube_said){
					.text = condition_text(d, &c.status, c.reason, c.message),
					.since = intern_add(d->strings, c.since.s, c.since.n),
				};
	}
	return 0;
}

#define ROW(member, key, ...) FIELD(key, read_token, struct mckube_draft, mckube.member),
static const struct field status_fields[] = {
	FIELD_WHOLE("conditions", read_said, NULL),
	MCKUBE_STATUS(ROW){ 0 },
};
#undef ROW

static const struct field mckube_fields[] = {
	FIELD_META(struct mckube_draft),
	FIELD_SUB("spec", spec_fields, UNREAD_TARGET | UNREAD_BUDGET),
	FIELD_SUB("status", status_fields, UNREAD_BUDGET),
	{ 0 },
};

int decode_mckube(struct objects *o, str_id kind, str_id version)
{
	struct mckube_draft m = { 0 };
	int r = decode_whole(o, mckube_fields, &m, &m.meta, SCOPE_COUNTS_UNNAMED);

	if (r < 0)
		return r;
	m.mckube.meta = m.meta.meta;
	m.mckube.kind = kind;
	m.mckube.api_version = version;
	m.mckube.is_deleting = m.meta.is_terminating;
	m.mckube.has_finalizer = m.meta.has_finalizer;
	m.mckube.is_unread = o->d.unread & (UNREAD_NAME | UNREAD_TARGET);
	m.mckube.is_anywhere = o->d.unread & UNREAD_NAME;
	m.mckube.holds_unknown = o->d.unread & UNREAD_BUDGET;
	if (m.mckube.holds_unknown)
		m.mckube.period = (struct raw){ 0, RAW_OTHER };
	*array_add(&o->c->mckubes) = m.mckube;
	return 0;
}
