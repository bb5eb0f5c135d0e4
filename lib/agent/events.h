/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_EVENTS_H
#define MCKUBE_AGENT_EVENTS_H

#include "kube/event.h"
#include "node/engine/engine.h"

/* Posts the engine's events as Events of their pods, in series.
 *
 * events_add() may be called from any thread and never waits for the server. The others belong to
 * the thread that owns `kube`; while the server is away the Events wait there. */
struct events {
	pthread_mutex_t lock;
	ARRAY(struct node_event) pending;
	uint64_t dropped;
	struct event_writer *writer;
};

/* The events that may wait for the other thread. */
enum { EVENTS_PENDING_MAX = 1024 };

void events_init(struct events *e, struct kube *k, const char *node_name);
void events_done(struct events *e);

void events_add(struct events *e, const struct node_event *n);

/* Starts what is due; http_run() carries it. Returns as event_step(). */
int events_step(struct events *e);

/* Sends what is open, counts too, and waits for it, at most timeout_ms. */
void events_flush(struct events *e, int timeout_ms);

/* "RuntimeEscalated": the reason of an Event. */
const char *node_event_reason(enum node_event_kind kind);

#endif
