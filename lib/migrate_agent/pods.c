/* SPDX-License-Identifier: Apache-2.0 */

/* The pods of moves, as the API server has them: a watch of those with the label alone, so that a
 * helper costs nothing while nothing moves. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/timer.h"
#include "migrate_agent/helper.h"

enum { AGAIN_MS = 10000 };

static struct seen_pod *find_pod(struct helper *h, const char *uid)
{
	array_each(p, &h->pods)
		if (strcmp(p->uid, uid) == 0)
			return p;
	return NULL;
}

static bool is_seen(struct helper *h, const char *uid)
{
	return find_pod(h, uid) != NULL;
}

static int take_text(struct helper *h, struct slice text, bool is_gone, struct error *err)
{
	AUTO_JSON cJSON *json = NULL;

	if (json_parse(text.s, text.n, &json, err) < 0)
		return err->code;
	const char *uid = json_text(json_path(json, "metadata.uid"));
	if (!uid)
		return 0;
	struct seen_pod *p = find_pod(h, uid);
	if (!p) {
		p = array_add(&h->pods);
		*p = (struct seen_pod){ .uid = xstrdup(uid) };
	}
	json_free(&p->json);
	p->json = TAKE(json);
	p->is_dirty = p->is_listed = true;
	p->is_gone = is_gone;
	return 0;
}

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	struct slice item;
	int r = watch_whole_item(text, &item, ret_used);

	return r < 0 ? r : take_text(w->arg, item, false, err);
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	if (e->type > WATCH_DELETED)
		return 0;
	return take_text(w->arg, e->object, e->type == WATCH_DELETED, err);
}

static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct helper *h = w->arg;

	array_each(p, &h->pods) {
		if (!is_complete)
			p->is_listed = false;
		else if (!p->is_listed)
			p->is_dirty = p->is_gone = true;
	}
	if (!is_complete)
		return;
	source_unsee_others(h, is_seen);
	sweep_want(h);
}

void pods_start(struct helper *h)
{
	kube_watch_done(&h->watch);
	h->watch = (struct kube_watch){
		.resource = &kube_pods,
		.label_selector = MIGRATING,
		.item = on_item,
		.event = on_event,
		.sync = on_sync,
		.arg = h,
	};
	kube_watch_start(&h->kube, &h->watch);
}

static void see(struct helper *h, struct seen_pod *p)
{
	struct error err = ERROR_INIT;
	struct move_pod pod;

	p->is_dirty = false;
	if (p->is_gone) {
		source_unsee(h, p->uid);
		target_unsee(h, p->uid);
		return;
	}
	if (move_pod_read(p->json, &pod, &err) < 0) {
		log_warning("%s", err.msg);
		return;
	}
	if (!pod.id)
		return;
	if (!pod.to) {
		source_see_new(h, &pod);
		target_see_new(h, &pod);
		return;
	}
	source_see(h, &pod);
	target_see_source(h, &pod);
}

static void see_all(struct helper *h)
{
	for (size_t i = 0; i < h->pods.n; i++) {
		struct seen_pod *p = &h->pods.items[i];

		if (p->is_dirty)
			see(h, p);
		if (!p->is_gone)
			continue;
		free(p->uid);
		json_free(&p->json);
		h->pods.items[i--] = h->pods.items[--h->pods.n];
	}
}

int pods_step(struct helper *h)
{
	int wait = kube_watch_step(&h->watch);

	see_all(h);
	if (wait >= 0)
		return wait;
	if (!h->watch_due_ms) {
		log_warning("watch pods: %s", h->watch.err.msg);
		h->watch_due_ms = clock_ms() + AGAIN_MS;
	}
	int64_t left = h->watch_due_ms - clock_ms();
	if (left > 0)
		return (int)left;
	h->watch_due_ms = 0;
	pods_start(h);
	return 0;
}
