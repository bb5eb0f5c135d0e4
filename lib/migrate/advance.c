/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/advance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/log.h"
#include "migrate/move_pods.h"
#include "migrate/move_request.h"
#include "migrate/new_pod.h"

enum { WAIT_MS = 50, AFTER_ERROR_MS = 500 };

static bool is_passing(int code)
{
	return code == -EBUSY || code == -EEXIST || code == -ENOENT || code == -EAGAIN ||
	       code == -EIO || code == -ETIMEDOUT || code == -ECONNREFUSED;
}

static int do_step(struct kube *k, const struct move *m, const struct move_pods *p,
		   const struct move_decision *d, struct move_progress *progress, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };

	progress->step = d->step;
	progress->wait_ms = d->step == STEP_WAIT ? WAIT_MS : 0;
	snprintf(progress->why, sizeof(progress->why), "%s", d->why);
	if (d->step == STEP_WAIT || d->step == STEP_DONE || d->step == STEP_FAILED)
		return 0;
	progress->is_arrived = d->step == STEP_FORGET && !p->has_source && !p->arrival.failed;
	int code = move_request(&r, k, m, p, d, err);
	if (code == 0)
		code = kube_do(k, &r, err);
	log_v(4, "pod %s/%s: %s: %s", m->ns, m->pod, move_step_word(d->step),
	      code < 0 ? err->msg : "done");
	if (code < 0 && is_passing(code)) {
		progress->step = STEP_WAIT;
		progress->wait_ms = code == -EBUSY ? WAIT_MS : AFTER_ERROR_MS;
		snprintf(progress->why, sizeof(progress->why), "%.250s", err->msg);
		*err = ERROR_INIT;
		return 0;
	}
	if (code < 0)
		return error_wrap(err, "%s", move_step_word(d->step));
	progress->has_begun = true;
	if (d->step == STEP_CLEAN)
		progress->step = STEP_FAILED;
	else if (d->step == STEP_FORGET && !p->has_source)
		progress->step = progress->is_arrived ? STEP_DONE : STEP_FAILED;
	return 0;
}

static int64_t milliseconds(const char *text)
{
	return text ? strtoll(text, NULL, 10) : 0;
}

/* "420: text" */
static const char *text_behind(const char *number)
{
	const char *at = number + strspn(number, "0123456789");

	return strncmp(at, ": ", 2) == 0 ? at + 2 : "";
}

static void note(const struct move_pods *p, struct move_progress *progress)
{
	if (p->has_source && move_is_promised(&p->source)) {
		progress->has_begun = true;
		progress->state = p->source.state;
	}
	if (p->has_source && p->source.state == MOVE_SENT)
		progress->sent_ms = milliseconds(p->source.why);
	else if (!p->has_source && p->has_arrival)
		progress->sent_ms = p->arrival.sent_ms;
	if (p->has_new)
		snprintf(progress->new_pod, sizeof(progress->new_pod), "%s", p->new.name);
	if (p->has_new && p->new.state == MOVE_RESTORED)
		snprintf(progress->lost, sizeof(progress->lost), "%s", text_behind(p->new.why));
	if (progress->sent_ms && p->has_new && p->new.state == MOVE_RESTORED)
		progress->downtime_ms = progress->sent_ms + milliseconds(p->new.why);
}

int move_advance(struct kube *k, const struct move *m, struct move_progress *progress,
		 struct error *err)
{
	AUTO(move_pods_done) struct move_pods p = { 0 };
	struct move_decision d;

	int code = move_pods_read(k, m, progress, &p, err);
	if (code < 0 && is_passing(code)) {
		progress->step = STEP_WAIT;
		progress->wait_ms = AFTER_ERROR_MS;
		*err = ERROR_INIT;
		return 0;
	}
	if (code < 0)
		return code;
	note(&p, progress);
	if (progress->is_arrived && !p.has_arrival) {
		progress->step = STEP_DONE;
		return 0;
	}
	if (p.has_source && !move_is_promised(&p.source) && (progress->has_begun || !m->to)) {
		progress->step = STEP_FAILED;
		if (!*progress->why)
			snprintf(progress->why, sizeof(progress->why), "no move is under way");
		return 0;
	}
	const struct move_view view = {
		.source = p.has_source ? &p.source : NULL,
		.new = p.has_new ? &p.new : NULL,
		.now = (int64_t)time(NULL),
		.since = p.has_source ? placement_since(&p.source) : 0,
		.arrival = p.has_arrival ? &p.arrival : NULL,
	};
	move_decide(&view, &d);
	return do_step(k, m, &p, &d, progress, err);
}

int move_cancel(struct kube *k, const struct move *m, const char *why, struct error *err)
{
	AUTO(move_pods_done) struct move_pods p = { 0 };
	AUTO(kube_request_done) struct kube_request r = { 0 };

	if (move_pods_read_source(k, m, &p, err) < 0)
		return err->code;
	if (!p.has_source || !move_is_promised(&p.source))
		return error_set(err, -ENOENT, "pod %s/%s: no move is under way", m->ns, m->pod);
	move_annotate(&r, k, &p.source, &(struct kube_pair){ MIGRATE_CANCEL, why }, 1, NULL);
	return kube_do(k, &r, err);
}
