/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_REQUEST_H
#define MCKUBE_MODEL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/budget.h"
#include "budget/cpuset.h"
#include "budget/recovery.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "model/warning.h"

/* Which pod asks for what. The first source that requests wins: a McKube object, the pod's
 * mckube.io/rt-* annotations, rt-operator's annotations. Values are checked here, once; a bad one
 * makes the request bad (never bound) and is named in a warning.
 *
 * The result has one entry for each pod with a source, or that still carries an
 * assignment though none does (SOURCE_NONE), in the order of pod ids. */

enum request_source { SOURCE_NONE, SOURCE_MCKUBE, SOURCE_ANNOTATIONS, SOURCE_RT_OPERATOR };

/* What the pod's own annotations say of its assignment. */
enum assignment {
	ASSIGNMENT_NONE,    /* nothing, or not all of it: its place was written elsewhere, or by
			     * another program */
	ASSIGNMENT_OTHER,   /* it grants something else than is asked for now */
	ASSIGNMENT_CURRENT, /* what is asked for */
};

struct request {
	pod_id pod;
	mckube_id mckube;  /* NONE unless the source is a McKube */
	uint8_t source;	   /* enum request_source */
	uint8_t level;	   /* enum level at which the pod runs now */
	uint8_t guarantee; /* enum guarantee: what its node must at least have */
	bool is_bad;	 /* never placed; `budget` is that of the assignment annotations, if any */
	bool has_budget; /* false: bad, and nothing assigned: it loads nothing */
	bool has_pin;	 /* spec.rtSettings.core: exactly these cores */
	bool has_cores;	 /* it has cores now: `cores` */
	bool selects_many; /* its McKube means several pods: no allocatedCore for it */
	bool has_node_pin;
	bool is_noted;	       /* a warning came of it */
	bool is_unread;	       /* it holds more than could be read: see model/closed.h */
	uint8_t assignment;    /* enum assignment */
	bool shrinks;	       /* ASSIGNMENT_OTHER, which grants as much or more in every mode */
	struct budget granted; /* by the assignment; period 0: none */
	struct recovery recovery;
	uint16_t core_count;	 /* 1 unless asked; with a pin the number of its cores */
	str_id policy, priority; /* of threads: budget/thread_class.h; 0: not given */
	node_id node_pin;	 /* spec.node; NONE with has_node_pin: a node that we do not know */
	struct budget budget;
	/* ppm, see budget_load(). What was granted holds until the assignment is renewed, so where
	 * it is more, it counts, mode by mode; but for a pod that shrinks: a plan renews its
	 * assignment first of all. */
	uint32_t load[LEVELS];
	uint32_t pin, cores; /* indices into requests.sets */
};

struct requests {
	ARRAY(struct request) list;
	ARRAY(struct cpuset) sets;
	uint32_t *of_pod;    /* index in list by pod_id, NONE */
	uint32_t *of_mckube; /* the one pod (id) that a McKube is about, NONE; REQUEST_MANY */
};
#define REQUEST_MANY (UINT32_MAX - 1)

void requests_read(const struct cluster *c, const struct settings *settings, struct requests *ret,
		   struct warnings *warnings);
void requests_done(struct requests *r);

/* Is a pin of this McKube one that an older controller wrote? It equals what that controller had
 * chosen: status.allocatedCore. */
bool request_pin_is_legacy(const struct cluster *c, const struct mckube *m,
			   const struct cpuset *pin);

/* What the pod holds, or would: what was granted, until its assignment is renewed. */
static inline const struct budget *request_held(const struct request *q)
{
	return q->assignment == ASSIGNMENT_OTHER && q->granted.period ? &q->granted : &q->budget;
}

/* "mckube", "annotations", "rt-operator"; "" for SOURCE_NONE. */
const char *request_source_name(enum request_source s);

#endif
