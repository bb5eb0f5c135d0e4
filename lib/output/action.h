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
	/* In totals, "finalizer to add" and "finalizers to add"; NULL: "to" and the verb. */
	const char *one, *many;
};

const struct action_style *action_style(const struct action *a);

/* An Assign to the cores that the pod has already. */
bool action_is_update(const struct action *a);

/* What a plan adds up to: "2 to bind", "1 finalizer to add", "3 warnings". */
struct plan_total {
	char text[40];
	uint8_t role; /* enum color_role */
};
enum { PLAN_TOTALS_MAX = ACTION_KINDS + 8 };

/* Fills the totals of a plan, at least one; returns how many. */
size_t plan_list_totals(const struct plan *p, struct plan_total ret[static PLAN_TOTALS_MAX]);

/* "default/brake", or "edge-1" for what has no namespace. */
void action_add_object(const struct target *on, struct str *out);

/* "core 2", "cores 2-3" */
void action_add_cores(const char *cores, struct str *out);

/* "edge-1 core 2", "edge-1 cores 2-3", "edge-1". */
void action_add_place(const struct place *place, struct str *out);

/* "level low"; "at its floor" of a Degrade. */
const char *action_level_words(const struct action *a);

/* What a pod is displaced for: "yields to" a more critical one, or "protects" one on a node under
 * pressure. */
/* Of a Migrate: "Restart: Evict, Await, Bind", with the outage where it is known. */
void action_add_method(const struct action *a, struct str *out);

const char *action_by_words(const struct action *a);

/* " deletion cost -2", of an Annotate. */
void action_add_deletion_cost(const struct action *a, struct str *out);

/* " from edge-1 core 2 to edge-1 core 3"; " on edge-1 core 2, level low" where only the budget
 * changes; "" without a place. */
void action_add_change(const struct action *a, struct str *out);

/* "250ms of 1s" */
void action_add_budget(const struct place *place, struct str *out);

/* The node that it concerns; "": none. */
const char *action_node(const struct action *a);

/* The kind as kubectl writes it in names: "pod", "mckube". */
void action_add_kind(const struct target *on, struct str *out);

#endif
