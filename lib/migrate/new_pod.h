/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_NEW_POD_H
#define MCKUBE_MIGRATE_NEW_POD_H

#include "migrate/arrival.h"

/* The pod that a move leads to, made of its source. */

/* The new pod of a bare one, as an object to create: the source's labels, annotations and spec,
 * with the images of the move, bound to the target. Its name is the source's, less what an earlier
 * move has put behind it, with "-m" and the beginning of the move's id. */
void new_pod_write(const struct move_pod *source, struct str *out);
void new_pod_name(const struct move_pod *source, struct str *out);

/* The patch of an owner's new pod (strategic merge; metadata's uid included): label, annotations
 * and images. */
void new_pod_patch(const struct move_pod *source, const struct move_pod *new, struct str *out);

/* The same where the source is gone. */
void new_pod_patch_arrived(const struct arrival *a, const struct move_pod *new, struct str *out);

/* One patch that pins a gated pod to a node and opens the gate; kube-scheduler binds it. */
void new_pod_open_gate(const struct move_pod *new, const char *node, struct str *out);

/* The images that its containers are of, in their order, by commas. */
void new_pod_base(const struct move_pod *source, struct str *out);

/* The annotations of the placement, from mckube.io/migrate-placement: an object, or NULL. */
cJSON *placement_annotations(const struct move_pod *source);
/* When the promise was made, in seconds since 1970; 0: not known. */
int64_t placement_since(const struct move_pod *source);

#endif
