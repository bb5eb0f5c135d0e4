/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_STATUS_H
#define MCKUBE_KUBE_STATUS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* What a reply that is no success says: an HTTP status and, from an API server, a metav1 Status in
 * its body. */
struct kube_status {
	int code;	 /* HTTP, or the Status's own inside a watch */
	char reason[48]; /* "NotFound", "Conflict", ...; "" when the body is no Status */
	char cause[48];	 /* reason of the first cause: "DisruptionBudget", "FieldManagerConflict" */
	int64_t retry_after; /* details.retryAfterSeconds; 0: not given */
};

/* Fills ret and err, and returns a negative errno: 401 EPERM, 403 EACCES, 404 ENOENT, 409 EEXIST
 * for AlreadyExists and else EBUSY, 410 ESTALE, 422 EINVAL, 429 EAGAIN, 5xx EIO. The message is
 * worded as kubectl words it: "Error from server (NotFound): pods "x" not found". */
int kube_status_error(int http_code, struct slice body, struct kube_status *ret, struct error *err);

/* Does a PodDisruptionBudget forbid the eviction now? That is no throttling, though the server says
 * Retry-After with it while it has not counted the budget's pods yet. */
bool kube_status_is_blocked(const struct kube_status *s);

#endif
