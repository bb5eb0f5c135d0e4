/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_ACTION_H
#define MCKUBE_OUTPUT_ACTION_H

#include "output/look.h"
#include "plan/plan.h"

/* How each kind of action is shown: one row of a table per kind. */
struct action_look {
	const char *sign; /* "+", "~", "-" */
	const char *verb; /* "bind" */
	uint8_t hue;	  /* enum hue */
};

const struct action_look *action_look(enum action_kind kind);

/* "default/brake", or "edge-1" for what has no namespace. */
void action_add_object(const struct target *on, struct str *out);

/* "core 2", "cores 2-3" */
void action_add_cores(const char *cores, struct str *out);

/* "edge-1 core 2", "edge-1 cores 2-3", "edge-1". */
void action_add_place(const struct place *place, struct str *out);

/* "250ms of 1s" */
void action_add_budget(const struct place *place, struct str *out);

/* The node that it happens on, "" where it is none. */
const char *action_node(const struct action *a);

/* The kind as kubectl writes it in names: "pod", "mckube". */
void action_add_kind(const struct target *on, struct str *out);

#endif
