/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/events.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/names.h"

enum { NS_PER_US = 1000, US_PER_S = 1000000 };

static const struct {
	const char *reason, *action;
	bool is_warning;
} kinds[] = {
	[NODE_EVENT_APPLIED] = { "RTBudgetApplied", "SetBudget", false },
	[NODE_EVENT_REFUSED] = { "RTBudgetRefused", "SetBudget", true },
	[NODE_EVENT_OVERRUN] = { "RTOverrun", "Watch", true },
	[NODE_EVENT_ESCALATED] = { "RuntimeEscalated", "Raise", true },
	[NODE_EVENT_RECOVERED] = { "RuntimeRecovered", "Lower", false },
	[NODE_EVENT_DEGRADED] = { "Degraded", "Cut", true },
	[NODE_EVENT_RESTORED] = { "Restored", "GiveBack", false },
	[NODE_EVENT_REWRITTEN] = { "RTBudgetRewritten", "SetBudget", true },
};

const char *node_event_reason(enum node_event_kind kind)
{
	return kinds[kind].reason;
}

void events_init(struct events *r, struct kube *k, const char *node_name)
{
	*r = (struct events){ .writer = event_writer_new(k, MCKUBE_DOMAIN "/node", node_name) };
	pthread_mutex_init(&r->lock, NULL);
}

void events_done(struct events *r)
{
	if (!r->writer)
		return;
	event_writer_free(r->writer);
	array_done(&r->notes);
	pthread_mutex_destroy(&r->lock);
}

void events_add(struct events *r, const struct node_event *n)
{
	pthread_mutex_lock(&r->lock);
	if (r->notes.n < EVENTS_PENDING_MAX)
		*array_add(&r->notes) = *n;
	else
		r->dropped++;
	pthread_mutex_unlock(&r->lock);
}

/* A time of CLOCK_MONOTONIC, since 1970. */
static int64_t since_1970_us(int64_t at_ns)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / NS_PER_US -
	       (engine_now_ns() - at_ns) / NS_PER_US;
}

static void post(struct events *r, const struct node_event *n)
{
	event_post(r->writer, &(struct event){
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

static void take_events(struct events *r)
{
	pthread_mutex_lock(&r->lock);
	array_each(n, &r->notes)
		post(r, n);
	array_clear(&r->notes);
	pthread_mutex_unlock(&r->lock);
}

int events_step(struct events *r)
{
	take_events(r);
	return event_step(r->writer);
}

void events_flush(struct events *r, int timeout_ms)
{
	take_events(r);
	event_flush(r->writer, timeout_ms);
}
