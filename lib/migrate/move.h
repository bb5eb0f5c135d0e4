/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_MOVE_H
#define MCKUBE_MIGRATE_MOVE_H

#include <stdint.h>

#include "base/json.h"
#include "migrate/move_id.h"

/* A move of a running pod from node A to node B, as its two pods in the API say it. Nothing else
 * holds the state of a move, so whatever is killed, the next one goes on from there; what
 *mckube-migrate keeps on its node is only what it needs to resume the containers by itself.
 *
 * On the source, written by the executor (E) or by mckube-migrate on A or B:
 *
 *	label mckube.io/migrating   E  the move's id, also on the new pod
 *	mckube.io/migrate-id, -to   E  the promise: its id, the target node
 *	mckube.io/migrate-placement E  {"since":SECONDS,"annotations":{...}}: what the new pod gets
 *	mckube.io/migrate-new       E  name of the new pod that an owner made, before it is bound
 *	mckube.io/migrate-state     E  Requested
 *	                            A  Waiting: the target's pull may come
 *	                               Paused: nothing runs any more, the archive is being made
 *	                               Sent: B has the last byte, A will not resume by itself
 *	                               Resumed: text: the source runs again, and will not be moved
 *	                               Failed: text: the source was never paused
 *	mckube.io/migrate-ready     B  Ready, or Failed: text; for a StatefulSet's pod not before
 *	                               its images have been pulled: Pulled
 *	mckube.io/migrate-cancel    E  why: A is to go back, unless it is Sent
 *	mckube.io/migrate-gone      E  "true": the new pod is gone, and with it all that B could run
 *
 * On the new pod:
 *
 *	mckube.io/migrate-id        E  the same
 *	mckube.io/migrate-from      E  NODE/UID of the source
 *	mckube.io/migrate-base      E  the images that its containers are of, in order, by commas
 *	mckube.io/migrate-state     B  Restored: MS: text: its containers run, so long after the
 *	                               last byte; what is not as it was before
 *
 * A StatefulSet's pod leaves its name to the new one: meanwhile the target's Node holds the move
 * (migrate/arrival.h).
 *
 * The label is taken off the new pod when its image names lead to the base images again and the
 * source is gone. */

enum move_state {
	MOVE_NONE,
	MOVE_REQUESTED,
	MOVE_WAITING,
	MOVE_PAUSED,
	MOVE_SENT,
	MOVE_RESTORED,
	MOVE_RESUMED,
	MOVE_FAILED,
};

/* Values of migrate-ready. */
#define MOVE_READY  "Ready"
#define MOVE_PULLED "Pulled"

/* The word that begins such an annotation; MOVE_NONE for another one, or none. ret_text (if not
 * NULL) is what follows ": ", "" where nothing does. */
enum move_state move_state_of(const char *annotation, const char **ret_text);
const char *move_state_word(enum move_state state);

struct move_container {
	const char *name;
	const char *id;	     /* "containerd://..."; NULL: not started */
	const char *image;   /* imageID of its status */
	const char *waiting; /* reason, NULL: it does not wait */
	const char *message; /* of the waiting state, or of the last end */
	bool is_running;
	bool has_failed_start; /* it ended, or was ended, by an error of the runtime */
	bool is_sidecar;       /* an init container that runs as long as the others */
	int64_t restarts;
};

/* What concerns a move of a Pod object, whose tree must live as long. Texts are NULL where they are
 * not given. */
struct move_pod {
	const cJSON *json;
	const char *ns, *name, *uid, *version, *node, *phase;
	const char *label, *id, *to, *from, *state_text, *ready, *cancel, *gone, *base, *placement,
		*new_name;
	enum move_state state;
	const char *why; /* behind the state's word, "" */
	bool is_deleting, is_ready;
	int64_t created;     /* seconds since 1970, 0: not known */
	size_t n_containers; /* of the spec: those that run, sidecars first, as they start */
	struct move_container containers[MOVE_CONTAINERS];
};

/* -EINVAL: it has no name or uid, or more than MOVE_CONTAINERS containers. */
int move_pod_read(const cJSON *pod, struct move_pod *ret, struct error *err);

const char *move_label(const struct move_pod *p, const char *key);

/* Is the move of this pod under way? A new pod keeps what it was moved by, but has no target. */
static inline bool move_is_promised(const struct move_pod *p)
{
	return p->id && p->to;
}

/* The lists of a pod's spec in which those containers are, in their order. Init containers that run
 * to their end are none of them: they run again on the target. */
enum { MOVE_LISTS = 2 };
extern const char *const move_lists[MOVE_LISTS];
bool move_takes(const char *list, const cJSON *container);

/* Do all its containers run? */
bool move_pod_runs(const struct move_pod *p);

/* The container of the new pod that cannot be started, by what the kubelet says; NULL: none. */
const struct move_container *move_pod_failed(const struct move_pod *p);

#endif
