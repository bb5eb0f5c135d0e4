/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_WATCHED_KINDS_H
#define MCKUBE_STATE_WATCHED_KINDS_H

#include "kube/client.h"
#include "model/delta.h"

/* The kinds of objects that a plan reads, and how they are asked for. */
struct watched_kinds {
	const struct kube_resource *resource;
	const char *field_selector, *label_selector;
	const struct delta_kind *rows;
	bool is_optional;  /* the server may not know the kind */
	bool is_forgiving; /* ... or not let it be read */
	bool is_measured;  /* metrics: only where they are wanted, listed again and again since they
			    * cannot be watched, and empty when the list fails in any way */
	bool is_ours;	   /* no server has them: they are made and put in here */
};

enum { N_WATCHED_KINDS = 23 };
extern const struct watched_kinds watched_kinds[N_WATCHED_KINDS];

#endif
