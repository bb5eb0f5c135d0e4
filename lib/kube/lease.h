/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_LEASE_H
#define MCKUBE_KUBE_LEASE_H

#include "kube/client.h"

/* One of many at a time, by a coordination.k8s.io/v1 Lease, as client-go's tools/leaderelection:
 *
 *  - a Lease is free when it names no holder, or when it did not change for as long as it says, by
 * OUR monotonic clock since WE saw it change: clocks in it are never trusted;
 *  - every write names the resourceVersion: of two that want it, one gets 409;
 *  - a holder that could not renew for `renew_ms` holds nothing any more and must stop acting;
 *  - it is released at the end: holderIdentity "", for a second.
 * It is no fence: what is done under it still names versions of its own. */

enum {
	LEASE_DURATION_S = 15,
	LEASE_RENEW_MS = 10000,
	LEASE_RETRY_MS = 2000, /* plus up to 120 % by chance */
};

struct kube_lease {
	const char *ns, *name;
	char identity[352];
	const char *last_pass; /* annotation LEASE_LAST_PASS from the next write on; NULL: none */
	uint32_t duration_s;   /* 0: LEASE_DURATION_S; the others follow in proportion */

	/* Private. */
	struct kube *kube;
	struct kube_request request;
	struct str version, holder;	   /* of the record as it was seen last */
	int64_t seen_ms, seen_duration_ms; /* when it changed, how long it is good for */
	int64_t sent_ms, renewed_ms, due_ms, answered_ms;
	int32_t transitions;
	bool exists, is_held, was_held, is_busy;
	bool is_unreachable; /* no reply to the last request */
	struct str acquired; /* acquireTime while it is ours */
	int result;	     /* a refusal that no waiting changes */
	struct error err;    /* ... or why the last request failed */
};

/* The identity is that of k->holder, or host_pid, and random digits. */
void kube_lease_start(struct kube *k, struct kube_lease *l);

/* Does what is due: tries to get it, or renews it. Returns the milliseconds until it wants to be
 * called again, or a negative result when it will never get it (403, no such namespace, and it was
 * never held). To be called between http_run()s. */
int kube_lease_step(struct kube_lease *l);

bool kube_lease_is_held(const struct kube_lease *l);

/* Did the server answer a request about it within its duration? Holders and those that wait ask
 * every few seconds. */
bool kube_lease_is_answered(const struct kube_lease *l);

/* For a holder that was busy for long and took no step meanwhile: renews what is old by now, which
 * takes half of renew_ms at the most. True if it is held then; no other had it in between. */
bool kube_lease_refresh(struct kube_lease *l);

/* Waits until it is held, at most timeout_ms. An error names the holder, or says why the server did
 * not answer; one that cannot be reached is not waited for. */
int kube_lease_acquire(struct kube *k, struct kube_lease *l, int64_t timeout_ms, struct error *err);

/* Releases it if it is held, and frees what is kept here. */
void kube_lease_release(struct kube_lease *l);

#endif
