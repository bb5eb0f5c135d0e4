/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"

static const char released[] = "migrating-";

static const cJSON *owner_of(const struct move_pod *p)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, json_path(p->json, "metadata.ownerReferences"))
		if (cJSON_IsTrue(json_get(o, "controller")))
			return o;
	return NULL;
}

static const char *hash_of(const struct move_pod *p)
{
	return move_label(p, LABEL_TEMPLATE_HASH);
}

bool move_is_released(const struct move_pod *source)
{
	const char *hash = hash_of(source);

	return hash && strncmp(hash, released, sizeof(released) - 1) == 0;
}

enum move_kind move_kind_of(const struct move_pod *source)
{
	const cJSON *owner = owner_of(source);
	const char *kind = json_text(json_get(owner, "kind"));

	if (move_is_released(source))
		return MOVE_REPLICASET;
	if (!owner)
		return MOVE_BARE;
	if (kind && strcmp(kind, "StatefulSet") == 0)
		return MOVE_STATEFULSET;
	return kind && strcmp(kind, "ReplicaSet") == 0 && hash_of(source) ? MOVE_REPLICASET
									  : MOVE_UNSUPPORTED;
}

bool move_has_gate(const struct move_pod *p)
{
	const cJSON *gate;

	cJSON_ArrayForEach(gate, json_path(p->json, "spec.schedulingGates")) {
		const char *name = json_text(json_get(gate, "name"));

		if (name && strcmp(name, MCKUBE_GATE) == 0)
			return true;
	}
	return false;
}

bool move_is_ours(const struct move_pod *p)
{
	const char *scheduler = json_text(json_path(p->json, "spec.schedulerName"));

	return move_has_gate(p) || (scheduler && strcmp(scheduler, MCKUBE_SCHEDULER) == 0);
}

static void set(struct move_decision *d, enum move_step step, const char *why)
{
	d->step = step;
	snprintf(d->why, sizeof(d->why), "%s", why);
}

/* Nothing was promised yet. */
static void decide_promise(const struct move_pod *s, struct move_decision *d)
{
	enum move_kind kind = move_kind_of(s);

	if (kind == MOVE_UNSUPPORTED)
		set(d, STEP_FAILED, "its owner's pods cannot be moved with their memory");
	else if (kind != MOVE_BARE && !move_is_ours(s))
		set(d, STEP_FAILED, "its owner's pods are not placed by mckube");
	else if (s->is_deleting)
		set(d, STEP_FAILED, "is being deleted");
	else if (!move_pod_runs(s))
		set(d, STEP_FAILED, "not all its containers run");
	else
		set(d, STEP_PROMISE, "");
}

/* Why it is called off, into d->why. */
static bool must_cancel(const struct move_view *v, struct move_decision *d)
{
	const struct move_container *failed = v->new ? move_pod_failed(v->new) : NULL;
	const char *text;

	if (move_state_of(v->source->ready, &text) == MOVE_FAILED) {
		snprintf(d->why, sizeof(d->why), "target node: %.200s", text);
	} else if (failed) {
		snprintf(d->why, sizeof(d->why), "container %.60s of the new pod: %.60s: %.100s",
			 failed->name, failed->waiting ? failed->waiting : "ended",
			 failed->message ? failed->message : "no message");
	} else if (v->new && v->new->is_deleting) {
		snprintf(d->why, sizeof(d->why), "the new pod is being deleted");
	} else if (v->since && v->now - v->since > MOVE_SECONDS && v->source->state != MOVE_SENT) {
		snprintf(d->why, sizeof(d->why), "not done after %d s: %.100s", MOVE_SECONDS,
			 v->source->state == MOVE_REQUESTED ? "no helper answers on its node"
			 : !v->source->ready		    ? "no helper answers on the target"
							    : "the target did not pull");
	} else {
		return false;
	}
	d->step = STEP_CANCEL;
	return true;
}

/* Both helpers wait: the new pod comes now. */
static void decide_new(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *s = v->source, *n = v->new;
	bool is_bare = move_kind_of(s) == MOVE_BARE;

	if (!n && is_bare)
		set(d, STEP_CREATE, "");
	else if (!n && !move_is_released(s))
		set(d, STEP_RELEASE, "");
	else if (!n)
		set(d, STEP_WAIT, "waits for its ReplicaSet's new pod");
	else if (!is_bare && !n->id)
		set(d, STEP_PLACE, "");
	else if (!is_bare && !s->new_name)
		set(d, STEP_RECORD, "");
	else if (!n->node && move_is_ours(n))
		set(d, STEP_BIND, "");
	else
		set(d, STEP_WAIT, "waits for the target to pull");
}

/* The way back. The source's helper decides whether it still may. */
static void decide_back(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *s = v->source;
	bool is_back =
		s->state == MOVE_RESUMED || s->state == MOVE_FAILED || s->state == MOVE_REQUESTED;

	/* A released one is given back first: else its owner makes another new pod. */
	if (v->new && !v->new->is_deleting &&
	    (s->state == MOVE_SENT || (is_back && !move_is_released(s))))
		set(d, STEP_DELETE_NEW, "");
	else if (s->state == MOVE_SENT && !v->new && !s->gone)
		set(d, STEP_GONE, "");
	else if (s->state == MOVE_SENT && v->new)
		set(d, STEP_WAIT,
		    "waits until the target's kubelet confirms that the new pod is gone; "
		    "the source stays paused");
	else if (!is_back)
		set(d, STEP_WAIT, "waits for the helper to resume the source");
	else if (move_is_released(s))
		set(d, STEP_ADOPT, "");
	else if (v->new)
		set(d, STEP_WAIT, "waits until the new pod is gone");
	else
		set(d, STEP_CLEAN, s->cancel ? s->cancel : s->why);
}

static bool is_up(const struct move_pod *new)
{
	return new && !new->is_deleting &&new->state == MOVE_RESTORED &&new->is_ready;
}

/* A StatefulSet's pod, which its helper may call off until it is deleted. */
static void decide_stateful(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *s = v->source;

	if (must_cancel(v, d))
		return;
	if (s->state != MOVE_SENT || !s->ready || strcmp(s->ready, MOVE_PULLED) != 0)
		set(d, STEP_WAIT,
		    s->state == MOVE_PAUSED || s->state == MOVE_SENT
			    ? "waits until the target has the checkpoint"
			    : "waits for the helpers of both nodes");
	else
		set(d, v->arrival ? STEP_DELETE_SOURCE : STEP_KEEP, "");
}

static void decide_stateful_back(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *s = v->source;

	if (s->state == MOVE_PAUSED || s->state == MOVE_SENT || s->state == MOVE_WAITING)
		set(d, STEP_WAIT, "waits for the helper to resume the source");
	else if (v->arrival)
		set(d, STEP_FORGET, "");
	else
		set(d, STEP_CLEAN, s->cancel ? s->cancel : s->why);
}

/* Was it patched for this move? */
static bool is_arriving(const struct move_view *v)
{
	return v->new && v->new->id &&strcmp(v->new->id, v->arrival->id) == 0;
}

static bool is_of_revision(const struct move_view *v)
{
	const char *its = move_label(v->new, LABEL_REVISION_HASH);

	return !v->arrival->revision || (its && strcmp(its, v->arrival->revision) == 0);
}

/* Why the new pod cannot have its memory, into d->why. */
static bool is_lost(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *n = v->new;
	bool is_late = v->now - v->arrival->since > ARRIVAL_SECONDS;
	const struct move_container *failed = is_arriving(v) ? move_pod_failed(n) : NULL;

	d->step = STEP_FAIL;
	if (failed)
		snprintf(d->why, sizeof(d->why), "container %.60s of the new pod: %.60s: %.100s",
			 failed->name, failed->waiting ? failed->waiting : "ended",
			 failed->message ? failed->message : "no message");
	else if (n && n->phase && strcmp(n->phase, "Failed") == 0)
		set(d, STEP_FAIL, "the target's kubelet refuses the new pod");
	else if (n && n->is_deleting)
		set(d, STEP_FAIL, "the new pod is being deleted");
	else if (n && !is_arriving(v) && n->node)
		set(d, STEP_FAIL, "the new pod was placed elsewhere");
	else if (n && !is_of_revision(v))
		set(d, STEP_FAIL, "its StatefulSet has another revision now");
	else if (is_late)
		set(d, STEP_FAIL, n ? "the new pod does not run" : "no new pod was made");
	return *d->why;
}

/* The source is gone. */
static void decide_arrival(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *n = v->new;

	if (is_arriving(v) && n->state == MOVE_RESTORED && !n->is_deleting)
		set(d, STEP_FORGET, "");
	else if (is_lost(v, d))
		return;
	else if (!n)
		set(d, STEP_WAIT, "waits for its StatefulSet's new pod");
	else if (!is_arriving(v))
		set(d, STEP_PLACE, "");
	else if (!n->node)
		set(d, STEP_BIND, "");
	else
		set(d, STEP_WAIT, "waits for the new pod to run");
}

/* ... and its memory lost. */
static void decide_return(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *n = v->new;
	bool has_room = v->now - v->arrival->since <= RETURN_SECONDS;

	if (is_arriving(v) && !n->is_deleting)
		set(d, STEP_DELETE_NEW, "");
	else if (n && n->is_deleting)
		set(d, STEP_WAIT, "waits until the target's kubelet confirms that it is gone");
	else if (!n && has_room)
		set(d, STEP_WAIT, "waits for its StatefulSet's new pod");
	else if (n && !n->node && move_is_ours(n) && is_of_revision(v) && has_room)
		set(d, STEP_RETURN, "");
	else
		set(d, STEP_FORGET, v->arrival->failed);
}

/* The source is gone; the move deletes it only when the new pod runs. If it was deleted otherwise,
 * what the new pod waits for will not come, unless its memory was sent before. */
static void decide_without_source(const struct move_view *v, struct move_decision *d)
{
	const struct move_container *failed = move_pod_failed(v->new);

	if (v->new->state == MOVE_RESTORED)
		set(d, STEP_DONE, "");
	else if (v->new->is_deleting)
		set(d, STEP_FAILED, "was deleted meanwhile");
	else if (failed || v->now - v->new->created > MOVE_SECONDS)
		set(d, STEP_DELETE_NEW, "was deleted meanwhile");
	else
		set(d, STEP_WAIT, "was deleted meanwhile; waits for the new pod to run or fail");
}

static void decide_forward(const struct move_view *v, struct move_decision *d)
{
	const struct move_pod *s = v->source;

	if (is_up(v->new))
		set(d, STEP_DELETE_SOURCE, "");
	else if (must_cancel(v, d))
		return;
	else if (s->state == MOVE_SENT && !v->new)
		set(d, STEP_CANCEL, "the new pod is gone");
	else if (s->state == MOVE_SENT)
		set(d, STEP_WAIT, "waits for the new pod to be ready");
	else if (s->state == MOVE_PAUSED)
		set(d, STEP_WAIT, "waits for the checkpoint");
	else if (s->state == MOVE_WAITING && s->ready)
		decide_new(v, d);
	else
		set(d, STEP_WAIT,
		    s->state == MOVE_WAITING ? "waits for the helper of the target"
					     : "waits for the helper of its node");
}

void move_decide(const struct move_view *v, struct move_decision *ret)
{
	const struct move_pod *s = v->source;
	bool is_stateful = s && move_kind_of(s) == MOVE_STATEFULSET;
	struct move_decision d = { 0 };

	if (!s && v->arrival)
		(v->arrival->failed ? decide_return : decide_arrival)(v, &d);
	else if (!s && v->new)
		decide_without_source(v, &d);
	else if (!s)
		set(&d, STEP_FAILED, "is gone");
	else if (!move_is_promised(s))
		decide_promise(s, &d);
	else if (s->is_deleting)
		set(&d, STEP_WAIT, "waits until the source is gone");
	else if (s->state == MOVE_RESUMED || s->state == MOVE_FAILED || s->cancel)
		(is_stateful ? decide_stateful_back : decide_back)(v, &d);
	else
		(is_stateful ? decide_stateful : decide_forward)(v, &d);
	*ret = d;
}

const char *move_step_word(enum move_step step)
{
	static const char *const words[] = {
		[STEP_PROMISE] = "promise",
		[STEP_WAIT] = "wait",
		[STEP_RELEASE] = "release",
		[STEP_CREATE] = "create",
		[STEP_PLACE] = "place",
		[STEP_RECORD] = "record",
		[STEP_BIND] = "bind",
		[STEP_DELETE_SOURCE] = "delete source",
		[STEP_CANCEL] = "cancel",
		[STEP_ADOPT] = "adopt",
		[STEP_DELETE_NEW] = "delete new pod",
		[STEP_GONE] = "resume source",
		[STEP_CLEAN] = "clean",
		[STEP_KEEP] = "keep",
		[STEP_FORGET] = "forget",
		[STEP_FAIL] = "fail",
		[STEP_RETURN] = "return",
		[STEP_DONE] = "done",
		[STEP_FAILED] = "failed",
	};

	return words[step];
}
