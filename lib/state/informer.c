/* SPDX-License-Identifier: Apache-2.0 */
#include "state/informer.h"

#include <stdlib.h>

#include "base/alloc.h"

struct follow {
	struct mirror *mirror;
	struct kube_watch watches[N_WANTED];
	bool is_listed[N_WANTED];
};

static unsigned kind_of(const struct kube_watch *w)
{
	const struct follow *f = w->arg;

	return (unsigned)(w - f->watches);
}

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	const struct follow *f = w->arg;

	return mirror_item(f->mirror, kind_of(w), text, w->list.split.kind.s,
			   w->list.split.api_version.s, ret_used, err);
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	const struct follow *f = w->arg;

	return mirror_event(f->mirror, kind_of(w), e->type, e->object, err);
}

static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct follow *f = w->arg;

	f->is_listed[kind_of(w)] = is_complete;
	if (!is_complete)
		mirror_begin_list(f->mirror, kind_of(w));
}

struct follow *follow_start(struct kube *k, const char *server, uint32_t chunk)
{
	struct follow *f = xcalloc(1, sizeof(*f));

	f->mirror = mirror_new(server);
	for (unsigned i = 0; i < N_WANTED; i++) {
		f->watches[i] = (struct kube_watch){
			.resource = wanted[i].resource,
			.field_selector = wanted[i].field_selector,
			.is_optional = wanted[i].is_optional,
			.chunk = chunk,
			.item = on_item,
			.event = on_event,
			.sync = on_sync,
			.arg = f,
		};
		kube_watch_start(k, &f->watches[i]);
	}
	return f;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < N_WANTED; i++)
		kube_watch_done(&f->watches[i]);
	mirror_free(f->mirror);
	free(f);
}

/* When a server is back, the first stream that notices tells the others. A kind that is missing
 * keeps its pause. */
static void spread_news(struct follow *f)
{
	int64_t heard_ms = 0;

	for (unsigned i = 0; i < N_WANTED; i++)
		if (f->watches[i].heard_ms > heard_ms)
			heard_ms = f->watches[i].heard_ms;
	for (unsigned i = 0; i < N_WANTED; i++)
		if (!f->watches[i].list.is_missing)
			kube_watch_hurry(&f->watches[i], heard_ms);
}

int follow_step(struct follow *f, struct error *err)
{
	int least = 1000;

	spread_news(f);

	for (unsigned i = 0; i < N_WANTED; i++) {
		int wait = kube_watch_step(&f->watches[i]);

		if (wait < 0) {
			*err = f->watches[i].err;
			return f->watches[i].result;
		}
		least = wait < least ? wait : least;
	}
	return least;
}

bool follow_is_current(const struct follow *f)
{
	for (unsigned i = 0; i < N_WANTED; i++)
		if (!f->is_listed[i])
			return false;
	return true;
}

struct mirror *follow_mirror(const struct follow *f)
{
	return f->mirror;
}

const struct kube_watch *follow_watch(const struct follow *f, unsigned kind)
{
	return &f->watches[kind];
}
