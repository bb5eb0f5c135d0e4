/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_HEALTH_H
#define MCKUBE_RECONCILE_HEALTH_H

#include "base/array.h"
#include "base/json.h"
#include "kube/client.h"
#include "model/cluster.h"

/* The state of an installation: what is missing, what is left over. A finding per check; the checks
 * of one object are functions of that object. */

enum health_state { HEALTH_OK, HEALTH_NOTE, HEALTH_MISSING };

const char *health_state_name(enum health_state state);

struct finding {
	const char *check;
	enum health_state state;
	char *detail;
};

struct health {
	ARRAY(struct finding) findings;
	unsigned n_missing;
};

void health_done(struct health *h);

/* The definition of McKube objects; NULL: there is none. */
void health_definition(struct health *h, const cJSON *definition);

/* Nodes and McKubes. */
void health_cluster(struct health *h, const struct cluster *c);

/* Asks the server for all of it. An error only where the server is not reached at all. */
int health_check(struct kube *k, const char *server, uint32_t chunk, struct health *h,
		 struct error *err);

#endif
