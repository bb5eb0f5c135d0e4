/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_ACTION_H
#define MCKUBE_OUTPUT_ACTION_H

#include "output/style.h"
#include "plan/plan.h"

/* How actions are shown: one row of a table per kind, or two where a kind does two things. */
struct action_style {
	const char *sign; /* "+", "~", "-" */
	const char *verb; /* "bind" */
	uint8_t role;	  /* enum color_role */
};

const struct action_style *action_style(const struct action *a);

/* An Assign to the cores that the pod has already. */
bool action_is_update(const struct action *a);

/* All rows, in the order of totals; one without a verb ends them. */
const struct action_style *action_styles(void);
/* How many actions of the plan are shown so. */
size_t action_count(const struct plan *p, const struct action_style *style);

/* "default/brake", or "edge-1" for what has no namespace. */
void action_add_object(const struct target *on, struct str *out);

/* "core 2", "cores 2-3" */
void action_add_cores(const char *cores, struct str *out);

/* "edge-1 core 2", "edge-1 cores 2-3", "edge-1". */
void action_add_place(const struct place *place, struct str *out);

/* "level low"; "at its floor" of a Degrade. */
const char *action_level_words(const struct action *a);

/* "250ms of 1s" */
void action_add_budget(const struct place *place, struct str *out);

/* The node that it happens on, "" where it is none. */
const char *action_node(const struct action *a);

/* The kind as kubectl writes it in names: "pod", "mckube". */
void action_add_kind(const struct target *on, struct str *out);

#endif
