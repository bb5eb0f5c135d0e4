/* SPDX-License-Identifier: Apache-2.0 */
#include "state/load_live.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/log.h"
#include "base/names.h"
#include "base/scan.h"
#include "objects/objects.h"
#include "state/watched_kinds.h"

static struct kube_list list_of(const struct watched_kinds *w, uint32_t chunk, void *arg)
{
	return (struct kube_list){
		.resource = w->resource,
		.field_selector = w->field_selector,
		.label_selector = w->label_selector,
		.is_optional = w->is_optional,
		.is_forgiving = w->is_forgiving,
		.is_measured = w->is_measured,
		.chunk = chunk,
		.arg = arg,
	};
}

/* Fills those that are wanted; returns how many. */
static size_t lists_init(struct kube_list lists[static N_WATCHED_KINDS], uint32_t chunk,
			 bool with_metrics, void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < N_WATCHED_KINDS; i++)
		if (!watched_kinds[i].is_ours && (with_metrics || !watched_kinds[i].is_measured))
			lists[n++] = list_of(&watched_kinds[i], chunk, arg);
	return n;
}

static bool may_try_again(int result, unsigned tries)
{
	return (result == -ESTALE || result == -ECONNRESET) && tries < LIVE_TRIES;
}

static int load_item(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	const struct object_origin origin = {
		.file = l->resource->plural,
		.item = (uint32_t)(l->n_items + l->split.n_items + 1),
		.list_kind = l->split.kind.s,
		.list_version = l->split.api_version.s,
	};

	return loader_item(l->arg, text, &origin, ret_used, err);
}

/* What pods use counts where a WorkloadOptimizer scales by it. */
static int load_pod_metrics(struct kube *k, uint32_t chunk, struct loader *loader,
			    struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < N_WATCHED_KINDS && r == 0; i++) {
		struct kube_list list = list_of(&watched_kinds[i], chunk, loader);

		if (watched_kinds[i].rows != &delta_of_pod_metrics)
			continue;
		list.take = load_item;
		r = kube_list_all(k, &list, 1, err);
		kube_list_done(&list);
	}
	return r;
}

static int load_once(struct kube *k, uint32_t chunk, bool with_metrics, struct loader *loader,
		     struct error *err)
{
	struct kube_list lists[N_WATCHED_KINDS];
	size_t n = lists_init(lists, chunk, with_metrics, loader);
	int r;

	for (size_t i = 0; i < n; i++)
		lists[i].take = load_item;
	r = kube_list_all(k, lists, n, err);
	for (size_t i = 0; i < n && r == 0; i++)
		log_v(4, "list %s: %llu items on %llu pages", lists[i].resource->plural,
		      (unsigned long long)lists[i].n_items, (unsigned long long)lists[i].n_pages);
	for (size_t i = 0; i < n; i++)
		kube_list_done(&lists[i]);
	if (r == 0 && !with_metrics && loader_scales(loader))
		r = load_pod_metrics(k, chunk, loader, err);
	return r;
}

int load_live(struct kube *k, const char *server, uint32_t chunk, bool with_metrics,
	      struct loader **ret, struct error *err)
{
	for (unsigned tries = 1;; tries++) {
		struct loader *loader = loader_new();
		int r;

		loader_taken(loader, server, time(NULL));
		r = load_once(k, chunk, with_metrics, loader, err);
		if (r == 0) {
			*ret = loader;
			return 0;
		}
		loader_free(loader);
		if (!may_try_again(r, tries))
			return r;
		log_v(2, "%s: all lists begin again", err->msg);
	}
}

/* Objects as text. */

struct saver {
	FILE *out;
	uint64_t n;
	bool has_optimizers;
};

/* Steps over an object; *ret_says_kind: it has a member "kind", as custom resources do. */
static int measure_item(struct slice text, size_t *ret_used, bool *ret_says_kind)
{
	struct scan s = scan_of(text);
	struct slice key;
	int r = scan_open(&s, '{');

	*ret_says_kind = false;
	while (r == 0 && (r = scan_member(&s, &key)) > 0) {
		*ret_says_kind |= slice_eq(key, "kind");
		r = scan_skip(&s);
	}
	*ret_used = (size_t)(s.at - text.s);
	return r;
}

/* Items of typed lists do not say what they are; in a List they have to. */
static int save_item(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	struct saver *s = l->arg;
	const char *kind = l->split.kind.s;
	size_t n = strlen(kind);
	bool says_kind;
	int r = measure_item(text, ret_used, &says_kind);

	(void)err;
	if (r < 0)
		return r;
	if (n > 4 && strcmp(kind + n - 4, "List") == 0)
		n -= 4;
	fputs(s->n++ ? ",\n" : "\n", s->out);
	if (says_kind)
		fwrite(text.s, 1, *ret_used, s->out);
	else
		fprintf(s->out, "{\"apiVersion\":\"%s\",\"kind\":\"%.*s\",%.*s",
			l->split.api_version.s, (int)n, kind, (int)(*ret_used - 1), text.s + 1);
	return 0;
}

static int save_one(struct kube *k, const struct watched_kinds *w, uint32_t chunk, struct saver *s,
		    struct error *err)
{
	struct kube_list list = list_of(w, chunk, s);

	list.take = save_item;
	int r = kube_list_all(k, &list, 1, err);
	s->has_optimizers |= w->rows == &delta_of_optimizers && list.n_items > 0;
	kube_list_done(&list);
	return r;
}

/* What pods use counts where WorkloadOptimizers may scale by it; they are listed before. */
static bool is_wanted(const struct watched_kinds *w, bool with_metrics, const struct saver *s)
{
	if (w->is_ours)
		return false;
	return with_metrics || !w->is_measured ||
	       (s->has_optimizers && w->rows == &delta_of_pod_metrics);
}

int save_live(struct kube *k, const char *server, uint32_t chunk, bool with_metrics, FILE *out,
	      struct error *err)
{
	struct saver s = { .out = out };
	AUTO(str_done) struct str head = STR_INIT;
	char date[DATE_TEXT];
	int r = 0;

	str_add(&head, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":{\"annotations\":{"
		       "\"" SNAPSHOT_SERVER "\":");
	str_add_json(&head, server);
	str_addf(&head, ",\"" SNAPSHOT_TAKEN_AT "\":\"%s\"}},\"items\":[",
		 date_format(time(NULL), date));
	fwrite(head.s, 1, head.n, out);
	for (size_t i = 0; i < N_WATCHED_KINDS && r == 0; i++)
		if (is_wanted(&watched_kinds[i], with_metrics, &s))
			r = save_one(k, &watched_kinds[i], chunk, &s, err);
	fputs("\n]}\n", out);
	return r;
}
