/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_THREAD_CLASS_H
#define MCKUBE_BUDGET_THREAD_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "budget/budget.h"

/* The scheduling policy and priority that the node helper gives to the threads of a pod's
 * containers, which then need no CAP_SYS_NICE: the values of mckube.io/rt-policy and
 * mckube.io/rt-priority, and of spec.rtSettings.policy and priority of a McKube.
 *
 *	policy		FIFO, RR, or one for each container: "app=FIFO,logger=RR"
 *	priority	1 to 89, or one for each container: "app=20,logger=5"
 *
 * A value without a name is for all containers that have a part of the pod's budget; one that a
 * list of policies does not name keeps its policy. Without a priority it is 10, 20 or 30 by the
 * pod's criticality. The helper's own threads run at 90 and above, and its --max-priority is the
 * highest that it gives. */

enum thread_policy { THREAD_POLICY_KEEP, THREAD_POLICY_FIFO, THREAD_POLICY_RR };
enum { THREAD_PRIORITY_MIN = 1, THREAD_PRIORITY_MAX = 89, THREAD_CLASS_TEXT_MAX = 1024 };

struct thread_class {
	uint8_t policy;	  /* enum thread_policy */
	uint8_t priority; /* 0 with THREAD_POLICY_KEEP */
};

/* A value without what it is about: NULL and "" are absent. Words may be written in any case. */
bool thread_policy_is_valid(const char *text);
bool thread_priority_is_valid(const char *text);

/* The class of a container of a pod with valid values. */
struct thread_class thread_class_of(const char *policy, const char *priority, const char *container,
				    enum level criticality);

/* Calls `visit` with each container's name of a valid value. False: `visit` has returned false. */
bool thread_class_each_name(const char *text, bool (*visit)(const char *name, size_t n, void *arg),
			    void *arg);

/* "FIFO 20"; "" with THREAD_POLICY_KEEP. */
enum { THREAD_CLASS_NAME = 16 };
const char *thread_class_format(struct thread_class c, char buf[static THREAD_CLASS_NAME]);

/* The same of valid values: "FIFO 20", or as they are written where they name containers. Adds
 * nothing where there is no policy. */
void thread_class_add(struct str *out, const char *policy, const char *priority,
		      enum level criticality);

#endif
