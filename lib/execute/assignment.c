/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/assignment.h"

#include <stdio.h>
#include <string.h>

const char assignment_gate[] = "mckube.io/placement";
const char assignment_finalizer[] = "mckube.mcoperator.sdv.com/finalizer";

static void set_note(struct annotation_change *c, const char *name, const char *value)
{
	c->pairs[c->n++] = (struct kube_pair){ name, value };
}

static void set_number(struct annotation_change *c, const char *name, int32_t value)
{
	snprintf(c->numbers[c->n], sizeof(c->numbers[0]), "%d", value);
	set_note(c, name, c->numbers[c->n]);
}

void assignment_set(const struct action *a, struct annotation_change *c)
{
	set_note(c, "mckube.io/rt-core", a->to.cores);
	set_number(c, "mckube.io/rt-period", a->budget.period);
	set_number(c, "mckube.io/rt-runtime-low", a->budget.low);
	if (a->budget.medium)
		set_number(c, "mckube.io/rt-runtime-medium", a->budget.medium);
	else
		set_note(c, "mckube.io/rt-runtime-medium", NULL);
	set_number(c, "mckube.io/rt-runtime-hi", a->budget.hi);
	set_number(c, "mckube.io/rt-runtime-floor", a->budget.floor);
	set_note(c, "mckube.io/rt-enforcement",
		 enforcement_name((enum enforcement)a->to.enforcement));
	set_note(c, "mckube.io/rt-current", level_name(a->to.level));
	set_note(c, "mckube.io/criticality", criticality_name(a->budget.criticality));
	set_note(c, "mckube.io/rt-source", a->source);
	if (strcmp(a->source, "mckube") == 0)
		set_note(c, "mckube.io/rt-recovery",
			 a->recovery && *a->recovery ? a->recovery : NULL);
	set_note(c, "mckube.io/rt-applied", NULL);
	if (a->reason == REASON_PLACED)
		set_note(c, "mckube.io/rt-degraded", NULL);
}

void assignment_set_level(const struct action *a, struct annotation_change *c)
{
	set_note(c, "mckube.io/rt-current", level_name(a->to.level));
	set_note(c, "mckube.io/rt-degraded", NULL);
}

void assignment_degrade(const struct action *a, struct annotation_change *c)
{
	set_note(c, "mckube.io/rt-degraded", assignment_date(a->since, c->date));
}

const char *assignment_date(int64_t since, char buf[static DATE_TEXT])
{
	buf[0] = '\0';
	return since ? date_format(since, buf) : buf;
}

void assignment_clear(const char *source, struct annotation_change *c)
{
	static const char *const names[] = {
		"mckube.io/rt-core",	      "mckube.io/rt-current",
		"mckube.io/rt-source",	      "mckube.io/rt-enforcement",
		"mckube.io/rt-runtime-floor", "mckube.io/rt-degraded",
		"mckube.io/rt-applied",	      "mckube.io/rt-period",
		"mckube.io/rt-runtime-low",   "mckube.io/rt-runtime-medium",
		"mckube.io/rt-runtime-hi",    "mckube.io/criticality",
		"mckube.io/rt-recovery",
	};
	enum { OURS_ALONE = 7 };
	bool is_request = source && strcmp(source, "annotations") == 0;

	for (size_t i = 0; i < (is_request ? OURS_ALONE : ARRAY_LEN(names)); i++)
		set_note(c, names[i], NULL);
}
