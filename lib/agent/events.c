/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/events.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/units.h"

static const struct {
	const char *reason, *action;
	bool is_warning;
} kinds[] = {
	[NODE_EVENT_APPLIED] = { "RTBudgetApplied", "SetBudget", false },
	[NODE_EVENT_UNENFORCED] = { "NoEnforcement", "SetBudget", true },
	[NODE_EVENT_REFUSED] = { "RTBudgetRefused", "SetBudget", true },
	[NODE_EVENT_OVERRUN] = { "RTOverrun", "Watch", true },
	[NODE_EVENT_ESCALATED] = { "RuntimeEscalated", "Raise", true },
	[NODE_EVENT_RECOVERED] = { "RuntimeRecovered", "Lower", false },
	[NODE_EVENT_DEGRADED] = { "Degraded", "Cut", true },
	[NODE_EVENT_RESTORED] = { "Restored", "GiveBack", false },
	[NODE_EVENT_RETAINED] = { "RTBudgetRetained", "RemoveBudget", true },
	[NODE_EVENT_REWRITTEN] = { "RTBudgetRewritten", "SetBudget", true },
	[NODE_EVENT_POLICY] = { "RTPolicyApplied", "SetPolicy", false },
	[NODE_EVENT_POLICY_REFUSED] = { "RTPolicyRefused", "SetPolicy", true },
	[NODE_EVENT_CAN_OUTRANK] = { "CanOutrank", "Watch", true },
};

const char *node_event_reason(enum node_event_kind kind)
{
	return kinds[kind].reason;
}

void events_init(struct events *e, struct kube *k, const char *node_name)
{
	*e = (struct events){ .writer = event_writer_new(k, MCKUBE_DOMAIN "/node", node_name) };
	pthread_mutex_init(&e->lock, NULL);
}

void events_done(struct events *e)
{
	if (!e->writer)
		return;
	event_writer_free(e->writer);
	array_done(&e->pending);
	pthread_mutex_destroy(&e->lock);
}

void events_add(struct events *e, const struct node_event *n)
{
	pthread_mutex_lock(&e->lock);
	if (e->pending.n < EVENTS_PENDING_MAX)
		*array_add(&e->pending) = *n;
	else
		e->dropped++;
	pthread_mutex_unlock(&e->lock);
}

/* A time of CLOCK_MONOTONIC, since 1970. */
static int64_t since_1970_us(int64_t at_ns)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / NS_PER_US -
	       (clock_ns() - at_ns) / NS_PER_US;
}

static void post(struct events *e, const struct node_event *n)
{
	event_post(e->writer, &(struct event){
				      .resource = &kube_pods,
				      .ns = n->ns,
				      .name = n->name,
				      .uid = n->uid,
				      .is_warning = kinds[n->kind].is_warning,
				      .reason = kinds[n->kind].reason,
				      .action = kinds[n->kind].action,
				      .note = n->text,
				      .count = n->count,
				      .at_us = n->at_ns ? since_1970_us(n->at_ns) : 0,
			      });
}

static void take_events(struct events *e)
{
	pthread_mutex_lock(&e->lock);
	array_each(n, &e->pending)
		post(e, n);
	array_clear(&e->pending);
	pthread_mutex_unlock(&e->lock);
}

int events_step(struct events *e)
{
	take_events(e);
	return event_step(e->writer);
}

void events_flush(struct events *e, int timeout_ms)
{
	take_events(e);
	event_flush(e->writer, timeout_ms);
}
