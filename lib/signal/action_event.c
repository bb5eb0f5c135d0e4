/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/action_event.h"

#include <string.h>

/* Evictions for a more critical pod are Preempted, as with kube-scheduler. */
static const struct action_event rows[ACTION_KINDS] = {
	[ACTION_BIND] = { "Scheduled", "Binding", false, false, false },
	[ACTION_MOVE] = { "Moved", "Moving", false, false, true },
	[ACTION_EVICT] = { "Evicted", "Evicting", true, true, true },
	[ACTION_DEGRADE] = { "Degraded", "Degrading", true, true, true },
	[ACTION_TAINT] = { "Tainted", "Tainting", true, false, false },
	[ACTION_RELEASE] = { "Released", "Releasing", false, false, false },
	[ACTION_UNTAINT] = { "Untainted", "Untainting", false, false, false },
	[ACTION_SCALE] = { "ScaledByOptimizer", "Scaling", false, false, false },
};

struct action_event action_event_of(const struct cluster *c, const struct action *a)
{
	struct action_event h = rows[a->kind];
	pod_id pod = a->kind == ACTION_BIND ? cluster_pod(c, a->on.ns, a->on.name) : NONE;

	/* Behind our gate kube-scheduler binds it, and says so. */
	if (pod != NONE && c->pods.items[pod].has_our_gate)
		return (struct action_event){ 0 };
	if (a->reason == REASON_SPOT_INTERRUPTED)
		h.reason = "SpotInterruption";
	if (a->kind == ACTION_EVICT && a->by.name) {
		h.reason = "Preempted";
		h.action = "Preempting";
	}
	return h;
}

static void add_place(const struct place *p, struct str *out)
{
	str_addf(out, "node %s", p->node);
	if (p->cores && *p->cores)
		str_addf(out, ", core %s", p->cores);
}

static void add_name(const struct target *t, struct str *out)
{
	if (t->ns && *t->ns)
		str_addf(out, "%s/", t->ns);
	str_add(out, t->name);
}

static void add_what(const struct action *a, struct str *out)
{
	switch (a->kind) {
	case ACTION_BIND:
		str_add(out, "Successfully assigned ");
		add_name(&a->on, out);
		str_add(out, " to ");
		add_place(&a->to, out);
		return;
	case ACTION_MOVE:
		str_add(out, "Moved to ");
		add_place(&a->to, out);
		break;
	case ACTION_EVICT:
		str_add(out, a->by.name ? "Preempted" : "Evicted");
		break;
	case ACTION_DEGRADE:
		str_add(out, "Degraded to its floor");
		break;
	case ACTION_TAINT:
		str_add(out, "Taint added");
		return;
	case ACTION_RELEASE:
		str_add(out, "Scheduling gate removed");
		return;
	case ACTION_SCALE:
		str_addf(out, "Scaled from %u to %u", a->from.replicas, a->to.replicas);
		return;
	default:
		str_add(out, "Taint removed");
		return;
	}
	if (a->by.name) {
		str_add(out, " by ");
		add_name(&a->by, out);
	}
	if (a->from.node) {
		str_add(out, " on ");
		add_place(&a->from, out);
	}
}

void action_event_note(const struct action *a, struct str *out)
{
	add_what(a, out);
	if (a->kind != ACTION_BIND && a->message && *a->message)
		str_addf(out, ": %s", a->message);
}
