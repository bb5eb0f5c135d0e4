/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_TO_API_H
#define MCKUBE_EXECUTE_TO_API_H

#include "kube/client.h"
#include "plan/plan.h"

/* Executes a plan on an API server.
 *
 * An action begins when those it comes after are done, and those before it on the same object; so
 * many run at a time as `parallel` says. Behind an eviction that others wait for, the pod must be
 * gone before they begin: until then its budget is not free. When an action fails, what depends on
 * it is skipped, and nothing else.
 *
 * Where a write ends without an answer its outcome is unknown. It counts as failed, and the next
 * pass plans from what is there: a write that was done already is refused, or changes nothing. When
 * the server is unreachable, nothing new begins. */

struct api_options {
	uint32_t parallel;     /* 0: 16 */
	uint32_t gone_seconds; /* how long an evicted pod may take to be gone; 0: 60 */
	bool keeps_bare;       /* Evicts of pods without a controller are skipped */

	/* Asked before each action, and at least twice a second. A text: nothing new begins, what
	 * runs is finished, and the rest is skipped for that reason. NULL: never. */
	const char *(*stop)(void *arg);
	/* Called with each result as it comes. May be NULL. */
	void (*on_result)(const struct action *a, const struct result *r, void *arg);
	/* Why the action must not begin; NULL: it may. Asked at the start, of a Migrate when it
	 * would begin. May be NULL. */
	const char *(*denial)(const struct action *a, void *denial_arg);
	void *denial_arg;
	void *arg;
};

/* Fills p->results, one for each action. `c` is the snapshot, read just before; the plan may be a
 * saved one that fits it. Fails only where nothing could be tried. */
int execute_on_api(struct kube *k, struct plan *p, const struct cluster *c,
		   const struct api_options *options, struct error *err);

#endif
