/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_EVENT_H
#define MCKUBE_KUBE_EVENT_H

#include "kube/client.h"

/* events.k8s.io/v1, in series as client-go's tools/events writes them: what happens for the first
 * time is an Event; what happens again to the same object, for the same reason, only counts. The
 * count goes to the server with the second one, every half hour, and after six quiet minutes. So a
 * task that overruns a thousand times a second is one Event.
 *
 * Nothing here waits: event_post() queues, event_step() starts what is due, http_run() sends it.
 * What the server refuses is dropped; where it is unavailable it is tried again, EVENT_TRIES
 * times in all. A server that has just started forbids what it allows some seconds later, when it
 * has read its rules (seen with Kubernetes 1.36): EVENT_FORBIDDEN_TRIES. */

enum {
	EVENT_SERIES_MAX = 1024, /* at a time; more are dropped */
	EVENT_NOTE_MAX = 1024,	 /* bytes that the API server takes; the rest is cut off */
	EVENT_WORD_MAX = 128,	 /* ... of reportingInstance */
	EVENT_NAME_MAX = 200,	 /* ... of an object's name in the Event's */
	EVENT_PARALLEL = 16,	 /* under way at a time: more would each open a connection */
	EVENT_TRIES = 360,	 /* an hour */
	EVENT_FORBIDDEN_TRIES = 12,
	EVENT_RETRY_MS = 10000,
	EVENT_REFRESH_MS = 30 * 60 * 1000,
	EVENT_FINISH_MS = 6 * 60 * 1000,
	EVENT_STEP_MS = 60 * 1000, /* event_step() asks for no longer pause */
};

struct event {
	const struct kube_resource *resource; /* of the object that it is about */
	const char *ns, *name, *uid;	      /* ns NULL or "": a cluster-wide object */
	bool is_warning;
	const char *reason, *action; /* words of at most 128 bytes: "RTOverrun", "Escalate" */
	const char *note;	     /* a sentence; that of the first one stays */
	bool is_single; /* it cannot happen again: nothing is kept once it is written */
	uint64_t count; /* how often it happened; 0: once */
	int64_t at_us;	/* when, since 1970; 0: now */
};

/* The name of an Event about an object: a DNS subdomain (RFC 1123), whatever the object's name is;
 * allocated. */
char *event_name(const char *object, uint64_t number);

/* As much of a text, allocated, as takes `max` bytes once it is UTF-8. */
char *event_text(const char *text, size_t max);

struct event_writer;

/* `controller` is a qualified name, mckube.io/node-helper; `instance` says which one of them. */
struct event_writer *event_writer_new(struct kube *k, const char *controller, const char *instance);

/* At most so many requests a second, so many at first; event_flush() keeps to it, too. */
void event_writer_limit(struct event_writer *w, uint32_t qps, uint32_t burst);

void event_post(struct event_writer *w, const struct event *e);

/* Returns the milliseconds until it wants to be called again though nothing was posted and no call
 * ended. */
int event_step(struct event_writer *w);

/* Sends the counts that are open and waits for them, at most timeout_ms. */
void event_flush(struct event_writer *w, int timeout_ms);
void event_writer_free(struct event_writer *w);

/* For tests and metrics. */
struct event_stats {
	uint64_t posted, written, dropped;
};
struct event_stats event_stats(const struct event_writer *w);

#endif
