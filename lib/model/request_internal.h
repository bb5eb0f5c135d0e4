/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_REQUEST_INTERNAL_H
#define MCKUBE_MODEL_REQUEST_INTERNAL_H

#include "model/request.h"

/* The parts of requests_read(), in the order in which they are called. */

enum { SETS_KNOWN = 256 };

struct reading {
	const struct cluster *c;
	const struct settings *settings;
	struct requests *out;
	struct warnings *warnings;
	bool has_rivals; /* several McKubes select one pod, which a warning says */
	bool has_unread_mckube;
	/* A thousand pods are on core 3: lists of CPUs by the id of their text, the last few. */
	struct {
		str_id text; /* 0: none */
		uint32_t set;
	} known[SETS_KNOWN];
};

/* n times NONE, to be freed. */
uint32_t *reading_new_ids(size_t n);

/* Makes out empty. */
void reading_begin(struct reading *r);

/* best[pod], NONE before, becomes the McKube that it takes its request from; and out->of_mckube is
 * filled. */
void reading_bind(struct reading *r, mckube_id *best);

/* The same for one pod, by a look at all McKubes; false, with nothing done, when it has rivals. */
bool reading_bind_one(struct reading *r, mckube_id *best, pod_id pod);

/* This McKube means the pod. */
void reading_name_pod(struct reading *r, mckube_id *best, mckube_id m, pod_id pod);

/* Checks those words of McKubes that mean pods on which no request depends. */
void reading_words(struct reading *r);

/* Reads the request of a pod, m is its McKube (NONE); or adds one that is known. Pods come in their
 * order. */
void reading_pod(struct reading *r, pod_id id, mckube_id m);
void reading_add(struct reading *r, const struct request *q);

/* All of it. */
void reading_all(struct reading *r);

#endif
