/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_POD_STATUS_H
#define MCKUBE_AGENT_POD_STATUS_H

#include "base/array.h"
#include "base/json.h"
#include "kube/client.h"
#include "node/engine.h"

/* What the API server has about the pods of this node: their annotations rt-current and rt-applied,
 * and the status of their McKubes. Derived from the engine and written where it differs from what
 * was written last, so nothing has to be queued while the server is unavailable. All of it belongs
 * to the thread that owns `kube`.
 *
 * rt-current has two writers. The node takes precedence: while the engine's level was not written
 * yet, the other's value is overwritten. Otherwise another client's write that is newer than our
 * last one (by resourceVersion) is a request, and the engine goes to that level. */

struct pod_facts {
	char uid[64], ns[64], name[254];
	uint8_t level;
	bool is_boosted;
	int32_t runtime_us, period_us;
	int64_t overrun_ns;	       /* CLOCK_MONOTONIC; 0: never */
	char refusal[NODE_EVENT_TEXT]; /* empty: it has its budget, but for ... */
	char waits_for[64];	       /* ... this container, whose cgroup is not there yet */
	struct cpuset cores;
};

struct pod_status {
	struct pod_facts now;
	char invalid[NODE_EVENT_TEXT]; /* what is wrong with its annotations; empty: valid */
	bool is_gone;		       /* and this is still to be written */
	bool is_known;		       /* to the engine */
	bool is_changed;	       /* since its McKube was written */
	bool has_mckube;	       /* one may exist for it */
	bool has_changed_mckube;       /* it has changed */
	/* On the server, as last read or written. */
	char level[8], applied[8];
	uint64_t version; /* of our last write */
	int64_t reported_overrun_ns;
	int64_t status_ms; /* when its McKube was written; 0: not yet */
};

struct pod_statuses {
	struct engine *engine;
	const char *node_name;
	uint64_t revision; /* of the engine, when it was looked at */
	ARRAY(struct pod_status) pods;
};

void pod_statuses_done(struct pod_statuses *s);

/* NULL: not known. */
struct pod_status *pod_statuses_find(struct pod_statuses *s, const char *uid);

/* A pod as the server has it. Its level is applied where it is a request. */
void pod_statuses_see_pod(struct pod_statuses *s, const cJSON *pod);

/* Its annotations are invalid, or (text NULL) valid. True: that is new. */
bool pod_statuses_set_invalid(struct pod_statuses *s, const char *uid, const char *text);

/* A McKube for the pod of this name has come or changed. */
void pod_statuses_see_mckube(struct pod_statuses *s, const char *ns, const char *podname);

/* The pod is gone, or no longer assigned. */
void pod_statuses_forget(struct pod_statuses *s, const char *uid);

enum { POD_STATUSES_STEP_MS = 60000 }; /* pod_statuses_send() asks for no longer wait */

/* Sends what differs, a few requests at a time. Returns after how many milliseconds to call it
 * again if nothing happens; or the first error: what was not sent is tried again with the next
 * call. */
int pod_statuses_send(struct pod_statuses *s, struct kube *k, struct error *err);

#endif
