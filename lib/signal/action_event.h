/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SIGNAL_ACTION_EVENT_H
#define MCKUBE_SIGNAL_ACTION_EVENT_H

#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* What an action that was done is called in an Event. Pure. */

struct action_event {
	const char *reason, *action; /* reason NULL: nothing is told of it */
	bool is_warning;
	bool concerns_node, concerns_mckube; /* besides the object itself */
};

struct action_event action_event_of(const struct cluster *c, const struct action *a);

/* The sentence of the Event: the place, and the pod that gains. */
void action_event_note(const struct action *a, struct str *out);

#endif
