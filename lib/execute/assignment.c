/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/assignment.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"

static void set_note(struct annotation_change *c, const char *name, const char *value)
{
	c->pairs[c->n++] = (struct kube_pair){ name, value };
}

static void set_text(struct annotation_change *c, const char *name, const char *value)
{
	set_note(c, name, value && *value ? value : NULL);
}

static void set_number(struct annotation_change *c, const char *name, int32_t value)
{
	snprintf(c->numbers[c->n], sizeof(c->numbers[0]), "%d", value);
	set_note(c, name, c->numbers[c->n]);
}

static void set_decimal(struct annotation_change *c, const char *name, int64_t micro,
			char text[static DECIMAL_TEXT])
{
	AUTO(str_done) struct str s = STR_INIT;

	decimal_add(&s, micro, 0);
	snprintf(text, DECIMAL_TEXT, "%s", s.s);
	set_note(c, name, text);
}

void assignment_set(const struct action *a, struct annotation_change *c)
{
	if (a->moved_at) {
		set_note(c, POD_ANNOTATION(moved_at), assignment_date(a->moved_at, c->date));
		set_number(c, POD_ANNOTATION(moves), (int32_t)a->moves);
	}
	if (a->baseline.cost)
		set_decimal(c, POD_ANNOTATION(baseline_cost), a->baseline.cost, c->baseline_cost);
	if (a->baseline.watts)
		set_decimal(c, POD_ANNOTATION(baseline_watts), a->baseline.watts,
			    c->baseline_watts);
	if (a->budget.period == 0)
		return;
	set_note(c, POD_ANNOTATION(core), a->to.cores);
	set_number(c, POD_ANNOTATION(period), a->budget.period);
	set_number(c, POD_ANNOTATION(runtime_low), a->budget.low);
	if (a->budget.medium)
		set_number(c, POD_ANNOTATION(runtime_medium), a->budget.medium);
	else
		set_note(c, POD_ANNOTATION(runtime_medium), NULL);
	set_number(c, POD_ANNOTATION(runtime_hi), a->budget.hi);
	set_number(c, POD_ANNOTATION(runtime_floor), a->budget.floor);
	set_note(c, POD_ANNOTATION(enforcement),
		 enforcement_name((enum enforcement)a->to.enforcement));
	set_note(c, POD_ANNOTATION(current), level_name(a->to.level));
	set_note(c, POD_ANNOTATION(criticality), criticality_name(a->budget.criticality));
	set_note(c, POD_ANNOTATION(source), a->source);
	if (strcmp(a->source, "mckube") == 0) {
		set_text(c, POD_ANNOTATION(recovery), a->recovery);
		set_text(c, POD_ANNOTATION(policy), a->policy);
		set_text(c, POD_ANNOTATION(priority), a->priority);
	}
	set_note(c, POD_ANNOTATION(applied), NULL);
	if (a->reason == REASON_PLACED)
		set_note(c, POD_ANNOTATION(degraded), NULL);
}

void assignment_drop_nulls(struct annotation_change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->pairs[i].value)
			c->pairs[n++] = c->pairs[i];
	c->n = n;
}

void assignment_set_level(const struct action *a, struct annotation_change *c)
{
	set_note(c, POD_ANNOTATION(current), level_name(a->to.level));
	set_note(c, POD_ANNOTATION(degraded), NULL);
}

void assignment_degrade(const struct action *a, struct annotation_change *c)
{
	set_note(c, POD_ANNOTATION(degraded), assignment_date(a->since, c->date));
}

const char *assignment_date(int64_t since, char buf[static DATE_TEXT])
{
	buf[0] = '\0';
	return since ? date_format(since, buf) : buf;
}

void assignment_clear(const char *source, struct annotation_change *c)
{
	bool is_request = source && strcmp(source, "annotations") == 0;

	for (size_t i = 0; i < POD_ANNOTATIONS_N; i++) {
		const struct member_row *row = &pod_annotation_rows[i];

		if (row->part == PART_ASSIGNMENT || (row->part == PART_BOTH && !is_request))
			set_note(c, row->key, NULL);
	}
}
