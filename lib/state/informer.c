/* SPDX-License-Identifier: Apache-2.0 */
#include "state/informer.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/timer.h"

struct informer {
	struct store *store;
	struct kube_watch watches[N_WATCHED_KINDS];
	bool is_listed[N_WATCHED_KINDS];
	bool is_unwanted[N_WATCHED_KINDS]; /* not listed */
	struct kube *kube;
};

enum { SCALING_POLL_MS = 15000 }; /* as often as autoscalers look */

static unsigned kind_of(const struct kube_watch *w)
{
	const struct informer *f = w->arg;

	return (unsigned)(w - f->watches);
}

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	const struct informer *f = w->arg;

	return store_item(f->store, kind_of(w), text, w->list.split.kind.s,
			  w->list.split.api_version.s, ret_used, err);
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	const struct informer *f = w->arg;

	return store_event(f->store, kind_of(w), e->type, e->object, err);
}

static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct informer *f = w->arg;

	f->is_listed[kind_of(w)] = is_complete;
	if (!is_complete)
		store_begin_list(f->store, kind_of(w));
}

struct informer *informer_start(struct kube *k, const char *server, uint32_t chunk,
				const struct informer_polls *polls)
{
	uint32_t scaling_ms = polls->scaling_ms ? polls->scaling_ms : SCALING_POLL_MS;
	struct informer *f = xcalloc(1, sizeof(*f));

	f->store = store_new(server);
	f->kube = k;
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		f->watches[i] = (struct kube_watch){
			.resource = watched_kinds[i].resource,
			.field_selector = watched_kinds[i].field_selector,
			.label_selector = watched_kinds[i].label_selector,
			.is_optional = watched_kinds[i].is_optional,
			.is_forgiving = watched_kinds[i].is_forgiving,
			.is_measured = watched_kinds[i].is_measured,
			.poll_ms = polls->all_ms ? polls->all_ms : scaling_ms,
			.chunk = chunk,
			.item = on_item,
			.event = on_event,
			.sync = on_sync,
			.arg = f,
		};
		f->is_unwanted[i] = watched_kinds[i].is_ours ||
				    (watched_kinds[i].is_measured && !polls->all_ms);
		f->is_listed[i] = f->is_unwanted[i];
		if (!f->is_unwanted[i])
			kube_watch_start(k, &f->watches[i]);
	}
	return f;
}

void informer_free(struct informer *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		kube_watch_done(&f->watches[i]);
	store_free(f->store);
	free(f);
}

/* When a server is back, the first stream that notices it tells the others. A kind that is missing
 * keeps its pause. */
static void hurry_others(struct informer *f)
{
	int64_t received_ms = 0;

	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		if (f->watches[i].received_ms > received_ms)
			received_ms = f->watches[i].received_ms;
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		if (!f->watches[i].list.is_missing && !watched_kinds[i].is_measured)
			kube_watch_hurry(&f->watches[i], received_ms);
}

/* What pods use, from when a WorkloadOptimizer scales by it. */
static void want_pod_metrics(struct informer *f)
{
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		if (!f->is_unwanted[i] || watched_kinds[i].rows != &delta_of_pod_metrics ||
		    !cluster_scales(store_cluster(f->store)))
			continue;
		f->is_unwanted[i] = f->is_listed[i] = false;
		kube_watch_start(f->kube, &f->watches[i]);
	}
}

int informer_step(struct informer *f, struct error *err)
{
	int least = 1000;

	want_pod_metrics(f);
	hurry_others(f);

	for (unsigned i = 0; i < N_WATCHED_KINDS; i++) {
		if (f->is_unwanted[i])
			continue;
		int wait = kube_watch_step(&f->watches[i]);

		if (wait < 0) {
			*err = f->watches[i].err;
			return f->watches[i].result;
		}
		least = TIMER_MIN(least, wait);
	}
	return least;
}

int informer_put(struct informer *f, const struct delta_kind *rows, const char *const *objects,
		 size_t n, struct error *err)
{
	unsigned kind = 0;

	while (watched_kinds[kind].rows != rows)
		kind++;
	const struct kube_resource *resource = watched_kinds[kind].resource;
	AUTO_FREE char *list_kind = xasprintf("%sList", resource->kind);

	store_begin_list(f->store, kind);
	for (size_t i = 0; i < n; i++) {
		size_t used;
		int r = store_item(f->store, kind, slice_of(objects[i]), list_kind,
				   resource->api_version, &used, err);

		if (r < 0)
			return r;
	}
	return 0;
}

bool informer_is_current(const struct informer *f)
{
	for (unsigned i = 0; i < N_WATCHED_KINDS; i++)
		if (!f->is_listed[i])
			return false;
	return true;
}

struct store *informer_store(const struct informer *f)
{
	return f->store;
}

const struct kube_watch *informer_watch(const struct informer *f, unsigned kind)
{
	return &f->watches[kind];
}
