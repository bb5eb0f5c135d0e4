/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_POD_STATUS_H
#define MCKUBE_AGENT_POD_STATUS_H

#include "base/array.h"
#include "base/json.h"
#include "kube/client.h"
#include "node/engine/engine.h"

/* What the API server has about the pods of this node: their annotations rt-current and rt-applied,
 * and the status of their McKubes. Derived from the engine and written where it differs from what
 * was written last, so nothing has to be queued while the server is unavailable. All of it belongs
 * to the thread that owns `kube`.
 *
 * rt-current has two writers. The node takes precedence: while the engine's level was not written
 * yet, the other's value is overwritten. Otherwise another client's write that is newer than our
 * last one (by resourceVersion) is a request, and the engine goes to that level. */

/* What the kernel has of a pod's budget, as it was read back. */
enum pod_applied {
	POD_APPLIED_NOTHING,   /* the backend enforces nothing */
	POD_APPLIED_WAITING,   /* a container has no cgroup yet */
	POD_APPLIED_REFUSED,   /* the kernel, or the budget does not fit */
	POD_APPLIED_DIFFERENT, /* a container has another budget */
	POD_APPLIED_NO_POLICY, /* all have their budgets, a container's threads not their policy */
	POD_APPLIED_UNLIMITED, /* they have it, and the backend limits no real-time thread */
	POD_APPLIED_CAP,       /* all have it, as a bandwidth cap */
	POD_APPLIED,
};

struct pod_facts {
	char uid[64], ns[64], name[254];
	uint8_t level, applied; /* enum pod_applied */
	bool is_boosted;
	bool is_floor; /* cut to it for a more critical pod, or degraded by a plan */
	int32_t runtime_us, period_us; /* of its level */
	int64_t kernel_us;	       /* all containers together */
	int64_t overrun_ns;	       /* CLOCK_MONOTONIC; 0: never */
	char refusal[NODE_EVENT_TEXT]; /* empty: none */
	char container[64];	       /* that is waited for, or has another budget or policy */
	char policy[64];	       /* of their threads, as read back; empty: none is given */
	char policy_refusal[NODE_EVENT_TEXT];
	bool can_outrank; /* a container has CAP_SYS_NICE */
	struct cpuset cores;
};

/* A write that the server refuses for this object alone is tried again later and later; others go
 * on meanwhile. Times of clock_ms(). */
struct retry {
	int64_t at_ms; /* 0: at once */
	unsigned tries;
};
enum { RETRY_FIRST_MS = 5000, RETRY_LAST_MS = 300000 };

struct pod_status {
	struct pod_facts now;
	struct retry annotations_retry, status_retry;
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
	long code;	   /* HTTP status of the last request; 0: no reply */
	ARRAY(struct pod_status) pods;
};

void pod_statuses_done(struct pod_statuses *s);

/* NULL: not known. */
struct pod_status *pod_statuses_find(struct pod_statuses *s, const char *uid);

/* The engine's side of a pod; the rest of `ret` stays. Pure. */
void pod_facts_take(struct pod_facts *ret, const struct backend *b, const struct engine_pod *pod,
		    const struct escalation_pod *state);

/* The values of rt-applied and rt-current; "" where there is nothing to claim. */
const char *pod_status_applied(const struct pod_status *p);
const char *pod_status_level(const struct pod_status *p);

/* A pod as the server has it. Its level is applied where it is a request. */
void pod_statuses_see_pod(struct pod_statuses *s, const cJSON *pod);

/* Its annotations are invalid, or (text NULL) valid. True: that is new. */
bool pod_statuses_set_invalid(struct pod_statuses *s, const char *uid, const char *text);

/* A McKube for the pod of this name has come or changed. */
void pod_statuses_see_mckube(struct pod_statuses *s, const char *ns, const char *podname);

/* The pod is gone, or no longer assigned. */
void pod_statuses_forget(struct pod_statuses *s, const char *uid);

enum { POD_STATUSES_STEP_MS = 60000 }; /* pod_statuses_send() asks for no longer wait */

/* Is this the server's answer about one object, and not about the client or the server? */
bool pod_status_is_own_fault(long code);
void retry_later(struct retry *r, int64_t now_ms);

/* Sends what differs, a few requests at a time. Returns after how many milliseconds to call it
 * again if nothing happens; or the first error: what was not sent is tried again with the next
 * call. */
int pod_statuses_send(struct pod_statuses *s, struct kube *k, struct error *err);

#endif
