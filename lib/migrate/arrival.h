/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_ARRIVAL_H
#define MCKUBE_MIGRATE_ARRIVAL_H

#include "migrate/move.h"

/* A StatefulSet's new pod has the name of its source, which is deleted before it can be made. For
 * that while the move stands on the target's Node: its annotation NODE_ARRIVALS is an object with a
 * member "NAMESPACE/NAME" for each such pod. The executor alone writes it: when the source is
 * Sent and the target has all images, right before the source is deleted; and takes it off when
 * the new pod runs, or is on its way back to the node that it came from, without its memory. */

struct arrival {
	const char *id, *uid;	  /* of the move, of the source */
	const char *from;	  /* the source's node */
	const char *base;	  /* as mckube.io/migrate-base */
	const char *revision;	  /* controller-revision-hash of the source, or NULL */
	const char *failed;	  /* why it starts afresh; NULL: it goes on */
	const cJSON *annotations; /* what the new pod gets */
	const cJSON *back;	  /* ... where it starts afresh: what the source had of these */
	int64_t since, sent_ms;	  /* seconds since 1970; how long the source stood still */
};

/* The value of the annotation, which is an object also where there is none, or no object. */
cJSON *arrivals_read(const cJSON *node);

/* False: there is none for the pod, or it lacks id, uid or from. It points into `arrivals`. */
bool arrival_find(const cJSON *arrivals, const char *ns, const char *pod, struct arrival *ret);

void arrival_add(cJSON *arrivals, const struct move_pod *source, int64_t now);
void arrival_fail(cJSON *arrivals, const char *ns, const char *pod, const char *why);
void arrival_remove(cJSON *arrivals, const char *ns, const char *pod);

#endif
