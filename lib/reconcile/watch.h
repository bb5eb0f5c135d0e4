/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_WATCH_H
#define MCKUBE_RECONCILE_WATCH_H

#include "base/error.h"
#include "kube/client.h"
#include "kube/target.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "reconcile/move_services.h"
#include "serve/serve.h"

/* The controller: follows a cluster and makes passes (reconcile/schedule.h says when), while it
 * holds a Lease; serves and saves metrics. */

struct watch_options {
	struct kube *kube;
	const char *server;	      /* its address, for the snapshot */
	const char *version, *commit; /* of the program, for mckube_build_info */
	const struct settings *settings;
	const struct move_services_options *services; /* NULL: none */
	const char *ns;		    /* only what concerns it is logged; NULL: all */
	const char *lease;	    /* NAMESPACE/NAME */
	const char *address;	    /* of /metrics, /healthz and /readyz; "0": none */
	const char *secure_address; /* of /metrics over TLS, then not at `address`; NULL: none */
	struct serve_tls tls;
	const struct kube_target *target; /* its API server is asked which accounts may read them */
	const char *textfile; /* the metrics are saved here after each pass; NULL: nowhere */
	int64_t interval_ms;
	uint32_t parallel, gone_seconds, chunk;
	bool is_dry_run; /* nothing is written, and no Lease acquired */
	/* Asked all the time: a reason to end; NULL: go on. */
	const char *(*stop)(void *arg);
	/* With watch_once(): called between a plan, which may have taken long, and its writes. */
	void (*before_writing)(void *arg);
	void *arg;
};

/* Until `stop` has a reason, which is logged. */
int watch_run(const struct watch_options *o, struct error *err);

/* One pass over a snapshot that the caller has read, the Lease being the caller's too. A pass of
 * which not all could be done is no error: *ret_has_failed. */
int watch_once(const struct watch_options *o, const struct cluster *c, bool *ret_has_failed,
	       struct error *err);

/* Allocates the namespace of "NAMESPACE/NAME" and points at the name. */
int lease_split(const char *lease, char **ret_ns, const char **ret_name, struct error *err);

#endif
