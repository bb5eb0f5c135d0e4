/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_EVENTS_H
#define MCKUBE_AGENT_EVENTS_H

#include "kube/event.h"
#include "node/engine.h"

/* Notes become Events of their pods, in series.
 *
 * reports_add() may be called from any thread and never waits for the server. The others belong to
 * the thread that owns `kube`; while the server is away the Events wait there. */
struct reports {
	pthread_mutex_t lock;
	ARRAY(struct note) notes;
	uint64_t dropped;
	struct event_writer *writer;
};

/* The notes that may wait for the other thread. */
enum { REPORT_NOTES_MAX = 1024 };

void reports_init(struct reports *r, struct kube *k, const char *node_name);
void reports_done(struct reports *r);

void reports_add(struct reports *r, const struct note *n);

/* Starts what is due; http_run() carries it. Returns as event_step(). */
int reports_step(struct reports *r);

/* Sends what is open, counts too, and waits for it, at most timeout_ms. */
void reports_flush(struct reports *r, int timeout_ms);

/* "RuntimeEscalated": the reason of an Event. */
const char *note_reason(enum note_kind kind);

#endif
