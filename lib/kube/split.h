/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_SPLIT_H
#define MCKUBE_KUBE_SPLIT_H

#include "base/error.h"
#include "base/str.h"

/* Takes the items out of a list (`PodList` and the like) while its bytes arrive. What is kept is
 * one window of text: memory does not grow with the list. The reader of an item also finds its end,
 * so every byte is read once.
 *
 *	struct split s = { .take = take, .arg = x };
 *	split_init(&s);
 *	split_feed(&s, bytes, &err)	as often as there are bytes
 *	split_end(&s, &err)		the list must be over
 *	split_done(&s); */

enum { SPLIT_ITEM_MAX = 8 << 20, SPLIT_WINDOW = 128 << 10 };

struct split {
	/* Takes the item that text begins with and says in *ret_used how long it was. SCAN_SHORT
	 * (base/scan.h) when it does not end there: it is called again with more. Other negative
	 * results end it all, with err set. */
	int (*take)(struct split *s, struct slice text, size_t *ret_used, struct error *err);
	void *arg;

	/* Of the list; "" until they were read. `version` is its resourceVersion. */
	struct str kind, api_version, version, token; /* token: metadata.continue */
	bool has_items;				      /* the member was there */
	uint64_t n_items;

	struct str window;
	size_t at;     /* what is before it in the window is done */
	size_t batch;  /* bytes that are gathered before they are looked at; init: SPLIT_WINDOW */
	size_t enough; /* not worth trying again with less in the window than this */
	uint8_t state;
	bool is_first; /* of the object, or of the items */
};

void split_init(struct split *s);
int split_feed(struct split *s, struct slice bytes, struct error *err);
int split_end(struct split *s, struct error *err);
void split_done(struct split *s);

#endif
