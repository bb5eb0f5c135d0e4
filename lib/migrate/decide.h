/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_DECIDE_H
#define MCKUBE_MIGRATE_DECIDE_H

#include "migrate/arrival.h"

/* What is done next for a move: a function of its pods and of the time alone.
 *
 * The source is deleted only when the new pod runs and is ready. The way back begins with
 * migrate-cancel on the source; its helper resumes it, or, when the archive was sent, does so only
 * after the new pod is gone from the API, which its kubelet confirms: two never run.
 *
 * Where the source is deleted otherwise the new pod goes too, unless it was sent before and runs.
 *
 * A StatefulSet's pod is deleted before, when the target has pulled all of it, and only as it was
 * read: until then its helper may still go back, which changes it. That helper never resumes a
 * source that is gone, so nothing of it runs when the new pod is made. Where the target cannot
 * restore it, the StatefulSet makes another one, which starts afresh on the node of the source. */

enum move_kind {
	MOVE_BARE,	  /* owned by nothing: created again under another name */
	MOVE_REPLICASET,  /* released by its pod-template-hash; the ReplicaSet makes the new pod */
	MOVE_STATEFULSET, /* deleted; the StatefulSet makes the new pod under its name */
	MOVE_UNSUPPORTED,
};

enum move_step {
	STEP_PROMISE, /* write id and target on the source */
	STEP_WAIT,
	STEP_RELEASE, /* a ReplicaSet's pod: take it from its owner, which makes another */
	STEP_CREATE,  /* the new pod of a bare one */
	STEP_PLACE,   /* the owner's new pod: its image and annotations */
	STEP_RECORD,  /* ... its name on the source: from then on only its absence by name counts */
	STEP_BIND,    /* ... and its node, or its gate opened for it */
	STEP_DELETE_SOURCE,
	STEP_CANCEL,
	STEP_ADOPT, /* give a released pod back to its ReplicaSet */
	STEP_DELETE_NEW,
	STEP_GONE,  /* tell the source's helper that the new pod is gone */
	STEP_CLEAN, /* take the promise off the source */
	/* Of a StatefulSet's pod: migrate/arrival.h. */
	STEP_KEEP,   /* the move is noted on the target's Node */
	STEP_FORGET, /* ... and taken off */
	STEP_FAIL,   /* ... why the new pod will not have its memory */
	STEP_RETURN, /* the new pod starts afresh on the source's node */
	STEP_DONE,
	STEP_FAILED, /* and the source runs, or never was touched */
};

enum {
	MOVE_SECONDS = 120,    /* from the promise until it is called off, unless it is Sent */
	ARRIVAL_SECONDS = 300, /* from the source's end until the new pod has to run */
	RETURN_SECONDS = 600,  /* ... until its room on the source's node counts no longer */
};

struct move_view {
	const struct move_pod *source, *new; /* NULL: there is none */
	int64_t now;			     /* seconds since 1970 */
	int64_t since;			     /* of the promise, 0: not known */
	const struct arrival *arrival;	     /* NULL: the Node has none */
};

enum move_kind move_kind_of(const struct move_pod *source);
bool move_is_released(const struct move_pod *source);

/* Is the pod placed by mckube: scheduler or gate? */
bool move_is_ours(const struct move_pod *p);
bool move_has_gate(const struct move_pod *p);

/* `why` says what is waited for, what failed, or why it is called off: valid as long as the pods.
 */
struct move_decision {
	enum move_step step;
	char why[256];
};

void move_decide(const struct move_view *v, struct move_decision *ret);

const char *move_step_word(enum move_step step);

#endif
