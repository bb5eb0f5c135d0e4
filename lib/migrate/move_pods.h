/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_MOVE_PODS_H
#define MCKUBE_MIGRATE_MOVE_PODS_H

#include "base/json.h"
#include "kube/list.h"
#include "migrate/advance.h"
#include "migrate/arrival.h"
#include "migrate/move.h"

/* The pods of a move as they were read. `source`, `new` and `arrival` point into the JSON beside
 * them. node_json and arrivals are set where a note of arrival was looked for. */
struct move_pods {
	cJSON *source_json, *new_json, *node_json, *arrivals;
	struct move_pod source, new;
	struct arrival arrival;
	bool has_source, has_new, has_arrival;
};

void move_pods_done(struct move_pods *p);

/* The source alone, where it is there. */
int move_pods_read_source(struct kube *k, const struct move *m, struct move_pods *p,
			  struct error *err);
/* The source, and the new pod or the note of its arrival. */
int move_pods_read(struct kube *k, const struct move *m, const struct move_progress *progress,
		   struct move_pods *p, struct error *err);

struct kube_ref move_pod_ref(const struct move_pod *p);
/* Of the node in node_json; NULL where there is none. */
const char *move_pods_node(const struct move_pods *p);
/* The value of the label pod-template-hash; NULL where there is none. */
const char *move_pod_hash(const cJSON *pod);

#endif
