/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_MOVE_REQUEST_H
#define MCKUBE_MIGRATE_MOVE_REQUEST_H

#include "migrate/decide.h"
#include "migrate/move_pods.h"

/* The request of a step; none (r->call.path NULL) for those that only tell how it stands. The
 * caller ends `r` by kube_request_done(). -EAGAIN: the target's Node is not there to be written. */
int move_request(struct kube_request *r, const struct kube *k, const struct move *m,
		 const struct move_pods *p, const struct move_decision *d, struct error *err);

/* Annotations of a pod of the move, and what else of its metadata changes (JSON members, or NULL).
 */
void move_annotate(struct kube_request *r, const struct kube *k, const struct move_pod *pod,
		   const struct kube_pair *notes, size_t n, const char *metadata);

#endif
