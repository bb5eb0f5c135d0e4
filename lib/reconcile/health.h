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
	unsigned n_helpers; /* pods of the helper that there should be */
	bool has_watch;	    /* the Deployment is there, and not scaled to 0 */
};

void health_done(struct health *h);

/* Group versions that the server has (APIGroupList), and those that plans read or write. */
void health_versions(struct health *h, const cJSON *groups);

/* The definition of McKube objects; NULL: there is none. */
void health_definition(struct health *h, const cJSON *definition);

/* The DaemonSet of the node helper and the Deployment of watch, as far as they are rolled out. */
void health_daemon_set(struct health *h, const cJSON *daemon_set);
void health_deployment(struct health *h, const cJSON *deployment);

/* The Lease of the controllers, and the planning round that it tells of: after the Deployment.
 * NULL: there is none; `now` is in seconds since 1970. */
void health_lease(struct health *h, const cJSON *lease, int64_t now);

/* Nodes and McKubes: after the DaemonSet. */
void health_cluster(struct health *h, const struct cluster *c);

struct health_options {
	const char *server;  /* its address */
	const char *ns;	     /* where the programs are installed */
	uint32_t chunk;	     /* of lists */
	bool needs_programs; /* a helper and a controller that are not installed are missing */
};

/* Asks the server for all of it. An error only where the server is not reached at all. */
int health_check(struct kube *k, const struct health_options *o, struct health *h,
		 struct error *err);

#endif
