/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mckube_options.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 9 };

struct option_field {
	enum mckube_member member;
	int32_t max; /* of a whole number; 0: a word */
	const char *rule;
};

static const struct option_field fields[] = {
	{ MCKUBE_MEMBER_migration, 0, "is not Never, Restart or Checkpoint; Never is taken" },
	{ MCKUBE_MEMBER_recovery_mode, 0, "is not consumption or nodeCpu; consumption is taken" },
	{ MCKUBE_MEMBER_recovery_delay, RECOVERY_DELAY_MAX,
	  "is not a whole number from 0 to 86400; the default is taken" },
	{ MCKUBE_MEMBER_recovery_threshold, PER_CENT,
	  "is not a whole number from 0 to 100; the default is taken" },
};

static int32_t number_of(const struct cluster *c, const struct raw *raw, int32_t max)
{
	const char *text = cluster_str(c, raw->text);

	if (raw->kind != RAW_NUMBER || text[strspn(text, "0123456789")] || strlen(text) > DIGITS)
		return RECOVERY_NOT_GIVEN;
	long value = strtol(text, NULL, 10);
	return value <= max ? (int32_t)value : RECOVERY_NOT_GIVEN;
}

static bool is_known(const struct cluster *c, const struct raw *raw, const struct option_field *f)
{
	if (raw->kind == RAW_ABSENT)
		return true;
	if (f->max)
		return number_of(c, raw, f->max) != RECOVERY_NOT_GIVEN;
	return raw->kind == RAW_STRING &&
	       member_fits(mckube_rows[f->member].form, cluster_str(c, raw->text));
}

void mckube_options_check(const struct cluster *c, const struct mckube *m,
			  struct warnings *warnings)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct option_field *f = &fields[i];
		const struct member_row *row = &mckube_rows[f->member];
		const struct raw *raw = (const void *)((const char *)m + row->offset);

		if (is_known(c, raw, f))
			continue;
		warning_add(warnings, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			    cluster_str(c, m->meta.name), "Unsupported", "%s: '%.40s' %s",
			    row->path, cluster_str(c, raw->text), f->rule);
	}
}

struct recovery mckube_recovery(const struct cluster *c, const struct mckube *m)
{
	struct recovery r = RECOVERY_DEFAULT;

	if (m->recovery_mode.kind == RAW_STRING)
		recovery_mode_parse(cluster_str(c, m->recovery_mode.text), &r.mode);
	r.delay_seconds = number_of(c, &m->recovery_delay, RECOVERY_DELAY_MAX);
	r.threshold = number_of(c, &m->recovery_threshold, PER_CENT);
	return r;
}
