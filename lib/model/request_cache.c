/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request_cache.h"

#include <string.h>

#include "base/auto.h"
#include "model/request_internal.h"

enum {
	SETS_SPARE = 1024, /* unused lists of CPUs, until all is read again */
	SEARCHES = 16,	   /* of all McKubes for one pod; for more pods an index is made */
};

struct again {
	struct reading r;
	struct request_cache *before;
	uint32_t *was;	/* by pod_id: its pod_id before, if its version is the same; NONE */
	bool *is_same;	/* by mckube_id: has it the version of before? */
	uint32_t n_new; /* pods that have not */
	bool has_new_mckube;
};

/* ---- What is known of the objects ---- */

static struct known_object known_of(const struct meta *m)
{
	return (struct known_object){ m->ns, m->name, m->version };
}

static void remember_objects(const struct cluster *c, struct request_cache *m)
{
	array_clear(&m->pods);
	array_reserve(&m->pods, c->pods.n);
	array_each(pod, &c->pods)
		*array_add(&m->pods) = known_of(&pod->meta);
	array_clear(&m->mckubes);
	array_reserve(&m->mckubes, c->mckubes.n);
	array_each(mckube, &c->mckubes)
		*array_add(&m->mckubes) = known_of(&mckube->meta);
}

static bool has_name(const struct known_object *k, const struct meta *m)
{
	return k->ns == m->ns && k->name == m->name;
}

static bool has_version(const struct known_object *k, const struct meta *m)
{
	return m->version && k->version == m->version;
}

static bool is_before(const struct cluster *c, const struct known_object *k, const struct meta *m)
{
	int order = cluster_cmp(c, k->ns, m->ns);

	return (order ? order : cluster_cmp(c, k->name, m->name)) < 0;
}

/* False when some came or went, and ids mean others than before. */
static bool compare_mckubes(struct again *a)
{
	const struct cluster *c = a->r.c;

	if (c->mckubes.n != a->before->mckubes.n)
		return false;
	for (mckube_id id = 0; id < c->mckubes.n; id++) {
		const struct known_object *known = &a->before->mckubes.items[id];
		const struct meta *meta = &c->mckubes.items[id].meta;

		a->is_same[id] = has_name(known, meta) && has_version(known, meta);
		a->has_new_mckube |= !a->is_same[id];
	}
	return true;
}

/* Both lists are in the order of names: one walk along them. */
static void compare_pods(struct again *a)
{
	const struct cluster *c = a->r.c;
	size_t at = 0, n = a->before->pods.n;

	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct meta *meta = &c->pods.items[id].meta;
		const struct known_object *known = a->before->pods.items + at;

		while (at < n && !has_name(known, meta) && is_before(c, known, meta)) {
			known++;
			at++;
		}
		bool is_known = at < n && has_name(known, meta);
		bool is_same = is_known && has_version(known, meta);
		a->was[id] = is_same ? (uint32_t)at : NONE;
		a->n_new += !is_same;
		at += is_known;
	}
}

/* ---- Which McKube takes precedence for which pod ---- */

static const struct request *request_before(const struct again *a, pod_id id)
{
	uint32_t at = a->was[id] == NONE ? NONE : a->before->requests.of_pod[a->was[id]];

	return at == NONE ? NULL : &a->before->requests.list.items[at];
}

/* False when not all of it is known. */
static bool bind_as_before(struct again *a, mckube_id *best)
{
	if (a->has_new_mckube || a->before->has_rivals || a->n_new > SEARCHES)
		return false;
	for (pod_id id = 0; id < a->r.c->pods.n; id++) {
		const struct request *q = request_before(a, id);

		if (q && q->mckube != NONE)
			reading_name_pod(&a->r, best, q->mckube, id);
		else if (a->was[id] == NONE && !reading_bind_one(&a->r, best, id))
			return false;
	}
	return true;
}

static void bind_again(struct again *a, mckube_id *best)
{
	if (bind_as_before(a, best))
		return;
	memset(best, 0xff, a->r.c->pods.n * sizeof(*best)); /* NONE */
	memset(a->r.out->of_mckube, 0xff, a->r.c->mckubes.n * sizeof(*a->r.out->of_mckube));
	reading_bind(&a->r, best);
}

/* ---- Requests ---- */

/* Nodes come and go, and a warning has to be given each time. */
static bool is_as_before(const struct again *a, const struct request *q, mckube_id m)
{
	bool selects_many = m != NONE && a->r.out->of_mckube[m] == REQUEST_MANY;

	return q->mckube == m && (m == NONE || a->is_same[m]) && !q->is_noted && !q->has_node_pin &&
	       q->selects_many == selects_many;
}

static void read_again(struct again *a, pod_id id, mckube_id m)
{
	const struct request *before = request_before(a, id);

	if (a->was[id] != NONE && !before && m == NONE)
		return;
	if (!before || !is_as_before(a, before, m)) {
		reading_pod(&a->r, id, m);
		return;
	}
	struct request q = *before;
	q.pod = id;
	reading_add(&a->r, &q);
}

static void read_changes(struct again *a)
{
	size_t n_pods = a->r.c->pods.n;
	AUTO_FREE mckube_id *best = reading_new_ids(n_pods);

	compare_pods(a);
	reading_begin(&a->r);
	a->r.out->sets = a->before->requests.sets;
	memset(&a->before->requests.sets, 0, sizeof(a->before->requests.sets));
	array_reserve(&a->r.out->list, a->before->requests.list.n + a->n_new);

	bind_again(a, best);
	reading_words(&a->r);
	for (pod_id id = 0; id < n_pods; id++)
		read_again(a, id, best[id]);
}

static bool is_usable(const struct cluster *c, const struct settings *settings,
		      const struct request_cache *m)
{
	array_each(mckube, &c->mckubes)
		if (mckube->is_unread)
			return false;
	return m->requests.of_pod && !m->has_unread_mckube && m->n_sweeps == c->strings.n_sweeps &&
	       m->ignores_legacy_pins == settings->ignores_legacy_pins &&
	       m->requests.sets.n <= 2 * m->n_sets + SETS_SPARE;
}

void requests_update(const struct cluster *c, const struct settings *settings,
		     struct request_cache *memory, struct warnings *warnings)
{
	AUTO_FREE uint32_t *was = reading_new_ids(c->pods.n);
	AUTO_FREE bool *is_same = xcalloc(c->mckubes.n, sizeof(*is_same));
	struct requests requests = { 0 };
	struct again a = {
		.r = { .c = c, .settings = settings, .out = &requests, .warnings = warnings },
		.before = memory,
		.was = was,
		.is_same = is_same,
	};

	if (is_usable(c, settings, memory) && compare_mckubes(&a)) {
		read_changes(&a);
	} else {
		reading_all(&a.r);
		memory->n_sets = requests.sets.n;
	}
	requests_done(&memory->requests);
	memory->requests = requests;
	memory->has_rivals = a.r.has_rivals;
	memory->has_unread_mckube = a.r.has_unread_mckube;
	memory->n_sweeps = c->strings.n_sweeps;
	memory->ignores_legacy_pins = settings->ignores_legacy_pins;
	remember_objects(c, memory);
}

void request_cache_done(struct request_cache *m)
{
	requests_done(&m->requests);
	array_done(&m->pods);
	array_done(&m->mckubes);
	*m = (struct request_cache){ 0 };
}
