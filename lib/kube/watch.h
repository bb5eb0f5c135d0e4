/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_WATCH_H
#define MCKUBE_KUBE_WATCH_H

#include "kube/list.h"

/* List, then watch, for ever: client-go's reflector.
 *
 *  - each stream begins where the last thing that was seen ended, bookmarks included;
 *  - a stream's clean end, a broken connection and a quiet line (no byte for two minutes, though
 *    bookmarks were asked for) lead to the next stream, after a back-off from 0.8 s to 10 s
 *    that is reset after two good minutes;
 *  - "too old" (410, as a reply or as an ERROR event) leads to a new list: `sync` says that all
 *    that was known is void and that a full list follows;
 *  - a refusal that no waiting changes (403) ends the watch, until a stream was once opened; later
 *    it is only one more reason for a pause. */

enum {
	WATCH_STALL_SECONDS = 120,
	WATCH_LINE_MAX = SPLIT_ITEM_MAX,
	WATCH_BACKOFF_FIRST_MS = 800,
	WATCH_BACKOFF_LAST_MS = 10000, /* client-go: 30 s, too long for a node's new pods */
	WATCH_HEALTHY_MS = 120000,
	WATCH_SHORT_MS = 1000,	  /* a stream that ends sooner is followed by a pause too */
	WATCH_MISSING_MS = 30000, /* until a resource that was missing is looked for again */
	WATCH_STEP_MS = 60000,	  /* kube_watch_step() asks for no longer pause */
};

enum watch_type { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

/* One line of a stream. `object` is the text of the member; `version` its resourceVersion. */
struct watch_event {
	enum watch_type type;
	struct slice object;
	const char *version;
};

struct kube_watch {
	const struct kube_resource *resource;
	const char *ns, *label_selector, *field_selector;
	bool is_forgiving; /* one that may not be read (403) is an empty list */
	bool is_optional;  /* one that the server does not have (404) is an empty list */
	bool is_measured;  /* see struct kube_list; listed every poll_ms instead of watched */
	uint32_t poll_ms;
	uint32_t chunk;		 /* of the lists */
	uint32_t stall_seconds;	 /* 0: WATCH_STALL_SECONDS */
	uint32_t stream_seconds; /* what the server is asked to end a stream after; 0: 300 to 600 */

	/* Items of a list (as in struct split), then events. A negative result ends the watch. */
	int (*item)(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err);
	int (*event)(struct kube_watch *w, const struct watch_event *e, struct error *err);
	/* A full list begins (false), and is complete (true). */
	void (*sync)(struct kube_watch *w, bool is_complete);
	void *arg;

	/* When it ended by itself: a refusal such as 403, or a callback's error. */
	int result;
	struct error err;

	/* Private. */
	struct kube *kube;
	struct kube_list list;
	struct kube_request request;
	struct str line, version;
	int64_t began_ms, due_ms, received_ms;
	bool is_listing, is_streaming, is_expired, has_failed, has_streamed;
	unsigned n_pauses; /* in a row */
	uint64_t n_streams, n_lists, n_events;
};

void kube_watch_start(struct kube *k, struct kube_watch *w);

/* Keeps it going; to be called between http_run()s. Returns the milliseconds until it wants to be
 * called again though no call brought anything, or a negative value when it ended (w->result). */
int kube_watch_step(struct kube_watch *w);

/* The server answered at this time (received_ms of another watch): a pause that began before it
 * is over within a second of it. */
void kube_watch_hurry(struct kube_watch *w, int64_t received_ms);

void kube_watch_done(struct kube_watch *w);

/* For kube_watch.item: the item at the beginning of the text as a whole. */
int watch_whole_item(struct slice text, struct slice *ret, size_t *ret_used);

/* Reads one line: {"type":..., "object":{...}}. */
int watch_parse(struct slice line, struct watch_event *ret, struct str *version, struct error *err);

#endif
