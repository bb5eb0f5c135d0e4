/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_LIST_H
#define MCKUBE_KUBE_LIST_H

#include "kube/client.h"
#include "kube/split.h"

/* LIST in pages, items handed on while the bytes arrive; several lists run side by side.
 *
 * All pages show the cluster at one moment, that of `version`. When that moment is forgotten before
 * the last page (410), or the connection breaks in a page, the list is started again:
 * restart() is called, and what was handed on before is void. (The token that a 410 offers leads to
 * pages of different moments: no plan is made of those.)
 *
 * Only what has the kind, the items and the resourceVersion of a list is one. */

enum {
	LIST_CHUNK = 500,
	LIST_RESTARTS = 5,
	LIST_EMPTY_PAGES = 20,	  /* in a row, each with a token for the next */
	LIST_ITEMS_MAX = 1000000, /* six times what Kubernetes supports of pods */
};

struct kube_list {
	const struct kube_resource *resource;
	const char *ns; /* NULL or "": all namespaces */
	const char *label_selector, *field_selector;

	/* See struct split. */
	int (*take)(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err);
	void (*restart)(struct kube_list *l); /* NULL: then such a list is an error */
	void (*done)(struct kube_list *l);    /* NULL: nothing to do */
	void *arg;

	uint32_t chunk;	   /* items on a page; 0: LIST_CHUNK */
	bool is_forgiving; /* one that may not be read (403) is an empty list */
	bool is_optional;  /* a resource that the server does not have (404) is an empty list */
	bool is_measured;  /* any failure is an empty list, and tried once; metrics have no version
			    */

	/* The outcome. */
	bool is_missing; /* an empty list for one of these reasons */
	int result;
	struct error err;
	struct str version; /* resourceVersion, where a watch goes on */
	uint64_t n_items, n_pages;

	/* Private. */
	struct kube *kube;
	struct kube_request request;
	struct split split;
	unsigned n_restarts, n_empty_pages;
	bool is_running, has_bytes;
};

void kube_list_start(struct kube *k, struct kube_list *l);

/* Runs n lists to their ends. The first error, in the order of the array, is returned; it names the
 * resource. */
int kube_list_all(struct kube *k, struct kube_list *lists, size_t n, struct error *err);

void kube_list_done(struct kube_list *l);

#endif
