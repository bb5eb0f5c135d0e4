/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_REPORT_H
#define MCKUBE_NODE_REPORT_H

#include <pthread.h>

#include "base/array.h"
#include "kube/client.h"
#include "node/engine.h"

/* What the API server is told about pods: an Event series for each pod and reason, and the
 * annotations rt-current and rt-applied.
 *
 * report_add() may be called from any thread and never waits for the server: equal reports are
 * counted, an Event that was sent is only brought up to date, every ten seconds at most. While the
 * server is away everything is kept, and sent when it is back. */
struct report {
	char uid[64], ns[64], name[254];
	enum note_kind kind;
	char text[NOTE_TEXT];
	char event[280]; /* its name; empty: not sent yet */
	uint64_t count, sent;
	int64_t first_us, last_us; /* since 1970 */
	int64_t due_ms;
};

struct pod_state {
	char uid[64], ns[64], name[254];
	uint8_t level;
	bool is_applied, is_due;
};

struct reports {
	pthread_mutex_t lock;
	const char *node_name;
	ARRAY(struct report) reports;
	ARRAY(struct pod_state) pods;
	uint64_t dropped;
};

void reports_init(struct reports *r, const char *node_name);
void reports_done(struct reports *r);

void reports_add(struct reports *r, const struct note *n);

/* The pod is gone: nothing more is said about it. */
void reports_forget(struct reports *r, const char *uid);

/* Sends what is due, a few requests at a time. The first error is returned, and what was not sent
 * stays due. */
int reports_send(struct reports *r, struct kube *k, struct error *err);

/* "RuntimeEscalated": the reason of an Event. */
const char *note_reason(enum note_kind kind);

#endif
