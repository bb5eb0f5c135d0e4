/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_NAMESPACE_LIMITS_H
#define MCKUBE_PLAN_NAMESPACE_LIMITS_H

#include "base/str.h"
#include "model/cluster.h"
#include "model/request.h"

struct trial;
struct unit;

/* What a namespace may ask for. Annotations on the Namespace, which tenants cannot write, say it
 * (model/members.h): mckube.io/max-criticality, mckube.io/max-priority, and mckube.io/rt-quota, the
 * sum of hi / period over the cores of its pods, in cores ("2.5").
 *
 * New pods beyond that are not placed, and a budget that was raised beyond it is not granted; what
 * runs already is left, and counts. As with a ResourceQuota, pods that wait count too: in the order
 * of criticality, priority, age and name. A value that cannot be read allows nothing new. */
enum denial {
	DENIAL_NONE,
	DENIAL_UNREAD, /* the namespace's annotations */
	DENIAL_CRITICALITY,
	DENIAL_PRIORITY,
	DENIAL_QUOTA,
};

/* Sets unit.denial; the trial is as the snapshot has it, and units have their turns. */
void limits_decide(struct trial *t);

/* The same as values. Texts are those of the annotations, "" where there is none. */
struct namespace_use {
	bool has_quota;
	int64_t quota, used; /* ppm of a core */
	const char *max_criticality, *max_priority;
	const char *problem; /* "": none */
};

bool limits_are_set(const struct cluster *c, const struct namespace *ns);

/* `ns` NULL: the snapshot does not have the namespace `name`, which so has no limits. */
void limits_use(const struct cluster *c, const struct requests *requests, str_id name,
		const struct namespace *ns, struct namespace_use *ret);

/* "criticality up to Middle, 1.200 of 2.5 cores in use"; false: the namespace has no limits. */
bool limits_summarise(const struct cluster *c, const struct requests *requests,
		      const struct namespace *ns, struct str *out);

/* Why, with the figures. */
void limits_describe(const struct trial *t, const struct unit *u, struct str *out);

/* What would change that, as a sentence. */
void limits_advise(const struct trial *t, const struct unit *u, struct str *out);

#endif
