/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/events.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"

enum { NS_PER_US = 1000, US_PER_S = 1000000 };

static const struct {
	const char *reason, *action;
	bool is_warning;
} kinds[] = {
	[NOTE_APPLIED] = { "RTBudgetApplied", "SetBudget", false },
	[NOTE_REFUSED] = { "RTBudgetRefused", "SetBudget", true },
	[NOTE_OVERRUN] = { "RTOverrun", "Watch", true },
	[NOTE_ESCALATED] = { "RuntimeEscalated", "Raise", true },
	[NOTE_RECOVERED] = { "RuntimeRecovered", "Lower", false },
	[NOTE_DEGRADED] = { "Degraded", "Cut", true },
	[NOTE_RESTORED] = { "Restored", "GiveBack", false },
	[NOTE_REWRITTEN] = { "RTBudgetRewritten", "SetBudget", true },
};

const char *note_reason(enum note_kind kind)
{
	return kinds[kind].reason;
}

void reports_init(struct reports *r, struct kube *k, const char *node_name)
{
	*r = (struct reports){ .writer = event_writer_new(k, "mckube.io/node", node_name) };
	pthread_mutex_init(&r->lock, NULL);
}

void reports_done(struct reports *r)
{
	if (!r->writer)
		return;
	event_writer_free(r->writer);
	array_done(&r->notes);
	pthread_mutex_destroy(&r->lock);
}

void reports_add(struct reports *r, const struct note *n)
{
	pthread_mutex_lock(&r->lock);
	if (r->notes.n < REPORT_NOTES_MAX)
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

static void post(struct reports *r, const struct note *n)
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

static void take_notes(struct reports *r)
{
	pthread_mutex_lock(&r->lock);
	array_each(n, &r->notes)
		post(r, n);
	array_clear(&r->notes);
	pthread_mutex_unlock(&r->lock);
}

int reports_step(struct reports *r)
{
	take_notes(r);
	return event_step(r->writer);
}

void reports_flush(struct reports *r, int timeout_ms)
{
	take_notes(r);
	event_flush(r->writer, timeout_ms);
}
