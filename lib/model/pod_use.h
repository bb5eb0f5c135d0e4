/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_POD_USE_H
#define MCKUBE_MODEL_POD_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/json_out.h"

/* What a node's pods use of their budgets, as its helper has accounted it: the annotation
 *HELPER_USE of the helper's Lease. It is for showing: no plan depends on it.
 *
 *	{"pods":[{"uid":"...","overruns":3,"changed":"2026-11-21T09:00:00Z",
 *	  "containers":[{"name":"app","usedUs":5210,"p99Us":6143}]}],"omitted":2}
 *
 * usedUs is the mean of all periods of the last minute, p99Us of those in which the container ran,
 * each on one of its CPUs; absent where it is not known. `overruns` counts since the helper has
 * known the pod, `changed` is when its level or budget last did. Lists name only pods that have
 * room: the ones that use most of their budget. Members that are not known are ignored. */

enum { POD_USE_MAX = 8 << 10 /* bytes that a helper writes */, POD_USE_READ_MAX = 256 << 10 };

struct container_used {
	const char *name;
	int64_t used_us, p99_us; /* -1: not known */
};

struct pod_used {
	const char *uid;
	int64_t overruns;
	int64_t changed; /* seconds since 1970; 0: never */
	const struct container_used *containers;
	size_t n_containers;
};

/* Adds the object of one pod. */
void pod_use_write(struct json_out *o, const struct pod_used *p);

/* Adds what the text says of pods, its strings in the arena; nothing after an error. */
struct pod_uses {
	ARRAY(struct pod_used) list;
	int64_t omitted;
};
int pod_uses_read(const char *text, size_t n, struct arena *arena, struct pod_uses *ret,
		  struct error *err);

/* NULL: nothing is known of the pod. */
const struct pod_used *pod_uses_find(const struct pod_uses *u, const char *uid);

/* What all helpers say, by node. Zeroed: nothing. */
struct node_use {
	char *node;
	struct arena arena; /* has the strings */
	struct pod_uses uses;
};
struct node_uses {
	ARRAY(struct node_use) list;
};

/* Takes a Lease as JSON text, in place of what its helper said before; `is_gone`: it was deleted.
 * Leases of others are left. False: its annotation cannot be read, so nothing of that node is
 * known. */
bool node_uses_take(struct node_uses *u, const char *lease, size_t n, bool is_gone);
void node_uses_clear(struct node_uses *u);
void node_uses_done(struct node_uses *u);

const struct pod_used *node_uses_find(const struct node_uses *u, const char *node, const char *uid);

/* Of all its containers; -1: one is not known, or there is none. */
int64_t pod_used_us(const struct pod_used *p);
int64_t pod_p99_us(const struct pod_used *p);

#endif
