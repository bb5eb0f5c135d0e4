/* SPDX-License-Identifier: Apache-2.0 */
#include "state/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"

/* Every number goes in in a form that says where it ends. A string goes in behind its length where
 * it is met first, and from then on as the number of that meeting; so do runs of labels. No two
 * lists of objects give the same bytes, and what a thousand pods have in common is hashed once. */

enum { OUT_SIZE = 4 << 10, INT_SIZE = 10 };

struct writer {
	struct cluster *c;
	struct sha256 hash;
	unsigned char out[OUT_SIZE]; /* not hashed yet */
	size_t n;
	uint32_t *strings, n_strings; /* by id: which string it was, from 1; 0: not met yet */
	uint32_t *labels, n_labels;   /* the same, by where a run begins */
};

static void flush(struct writer *w)
{
	sha256_add(&w->hash, w->out, w->n);
	w->n = 0;
}

static void add(struct writer *w, const void *bytes, size_t n)
{
	if (n > sizeof(w->out) - w->n)
		flush(w);
	if (n > sizeof(w->out)) {
		sha256_add(&w->hash, bytes, n);
		return;
	}
	memcpy(w->out + w->n, bytes, n);
	w->n += n;
}

/* Seven bits a byte, the sign lowest. */
static void add_int(struct writer *w, int64_t value)
{
	uint64_t v = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);

	if (sizeof(w->out) - w->n < INT_SIZE)
		flush(w);
	for (; v >= 0x80; v >>= 7)
		w->out[w->n++] = (unsigned char)(v | 0x80);
	w->out[w->n++] = (unsigned char)v;
}

static void add_text(struct writer *w, const char *text, size_t n)
{
	add_int(w, (int64_t)n);
	add(w, text, n);
}

/* The number of something that was met before, else 0 and a number for the next time. */
static bool add_number(struct writer *w, uint32_t *number, uint32_t *n_numbers)
{
	add_int(w, *number);
	if (*number)
		return true;
	*number = ++*n_numbers;
	return false;
}

static void add_id(struct writer *w, str_id id)
{
	const struct intern *strings = &w->c->strings;

	if (!add_number(w, &w->strings[id], &w->n_strings))
		add_text(w, intern_str(strings, id), intern_len(strings, id));
}

/* For ids where NONE is "absent" and 0 the empty string. */
static void add_optional(struct writer *w, str_id id)
{
	add_int(w, id != NONE);
	if (id != NONE)
		add_id(w, id);
}

static int cmp_labels(const void *a, const void *b, void *arg)
{
	const struct label *x = a, *y = b;

	return cluster_cmp(arg, x->key, y->key);
}

/* Runs are sorted by ids, which differ from reading to reading. */
static void add_labels(struct writer *w, struct range run)
{
	size_t size = run.n * sizeof(struct label);

	add_int(w, run.n);
	if (run.n == 0 || add_number(w, &w->labels[run.at], &w->n_labels))
		return;

	AUTO_FREE struct label *sorted = xmalloc(size);
	memcpy(sorted, w->c->labels.items + run.at, size);
	qsort_r(sorted, run.n, sizeof(*sorted), cmp_labels, w->c);
	for (uint32_t i = 0; i < run.n; i++) {
		add_id(w, sorted[i].key);
		add_id(w, sorted[i].value);
	}
}

static int cmp_amounts(const void *a, const void *b, void *arg)
{
	const struct amount *x = a, *y = b;

	return cluster_cmp(arg, x->name, y->name);
}

static void add_amounts(struct writer *w, struct range run)
{
	size_t size = run.n * sizeof(struct amount);

	add_int(w, run.n);
	if (run.n == 0)
		return;

	AUTO_FREE struct amount *sorted = xmalloc(size);
	memcpy(sorted, w->c->amounts.items + run.at, size);
	qsort_r(sorted, run.n, sizeof(*sorted), cmp_amounts, w->c);
	for (uint32_t i = 0; i < run.n; i++) {
		add_id(w, sorted[i].name);
		add_int(w, sorted[i].value);
	}
}

static void add_meta(struct writer *w, const char *kind, const struct meta *m)
{
	add_text(w, kind, strlen(kind));
	add_id(w, m->ns);
	add_id(w, m->name);
	add_id(w, m->uid);
	add_id(w, m->version);
	add_int(w, m->created);
}

static void add_names(struct writer *w, struct range run)
{
	add_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++)
		add_id(w, w->c->names.items[run.at + i]);
}

static void add_requirements(struct writer *w, struct range run)
{
	add_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++) {
		const struct requirement *r = &w->c->requirements.items[run.at + i];

		add_id(w, r->key);
		add_int(w, r->op);
		add_names(w, r->values);
	}
}

static void add_selector(struct writer *w, const struct selector *s)
{
	add_int(w, s->is_set);
	add_requirements(w, s->all);
}

static void add_notes(struct writer *w, annotations_id id)
{
	const struct annotations *n = id == NONE ? NULL : &w->c->annotations.items[id];
	const str_id absent[] = { NONE };
	const str_id *ids = n ? (const str_id *)(const void *)n : absent;

	for (size_t i = 0; i < (n ? sizeof(*n) / sizeof(str_id) : 1); i++)
		add_optional(w, ids[i]);
}
_Static_assert(sizeof(struct annotations) % sizeof(str_id) == 0, "notes are ids and nothing else");

static void add_pod(struct writer *w, const struct pod *p)
{
	add_meta(w, "Pod", &p->meta);
	add_id(w, p->node_name);
	add_id(w, w->c->rules.items[p->rules].text);
	add_labels(w, p->labels);
	add_notes(w, p->annotations);
	add_id(w, p->owner_kind);
	add_id(w, p->owner_uid);
	add_id(w, p->owner_name);
	add_id(w, p->priority_class);
	add_int(w, p->memory);
	add_int(w, p->ephemeral);
	add_int(w, p->cpu_milli);
	add_amounts(w, p->extended);
	add_int(w, p->priority);

	const unsigned char flags[] = {
		p->phase,   p->qos,	     p->has_priority,	p->is_terminating, p->is_mirror,
		p->is_ours, p->has_our_gate, p->has_other_gate, p->has_label,
	};
	add(w, flags, sizeof(flags));
}

static void add_raw(struct writer *w, const struct raw *r)
{
	add_int(w, r->kind);
	add_id(w, r->text);
}

static void add_mckube(struct writer *w, const struct mckube *m)
{
	const struct raw *raws[] = {
		&m->criticality,
		&m->core,
		&m->core_count,
		&m->period,
		&m->medium,
		&m->floor,
		&m->low[0],
		&m->low[1],
		&m->hi[0],
		&m->hi[1],
		&m->recovery_mode,
		&m->recovery_delay,
		&m->recovery_threshold,
		&m->migration,
	};

	add_meta(w, "McKube", &m->meta);
	add_id(w, m->kind);
	add_id(w, m->api_version);
	add_id(w, m->podname);
	add_selector(w, &m->selector);
	add_id(w, m->node);
	for (size_t i = 0; i < ARRAY_LEN(raws); i++)
		add_raw(w, raws[i]);
	add_id(w, m->status_current);
	add_id(w, m->status_core);
	add_id(w, m->status_overrun);
	add_id(w, m->status_uid);
	add_int(w, m->is_deleting);
	add_int(w, m->has_finalizer);
}

static void add_taints(struct writer *w, struct range run)
{
	add_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++) {
		const struct taint *t = &w->c->taints.items[run.at + i];

		add_id(w, t->key);
		add_id(w, t->value);
		add_int(w, t->effect);
		add_int(w, t->added);
	}
}

static void add_node(struct writer *w, const struct node *n)
{
	add_meta(w, "Node", &n->meta);
	add_labels(w, n->labels);
	add_taints(w, n->taints);
	add_int(w, n->cpu_milli);
	add_int(w, n->memory);
	add_int(w, n->ephemeral);
	add_int(w, n->max_pods);
	add_int(w, n->capacity_cpu_milli);
	add_amounts(w, n->extended);
	add_int(w, n->has_allocatable);
	add_int(w, n->is_unschedulable);
	add_id(w, n->backend);
	add_id(w, n->capacity_scope);
	add_id(w, n->rt_capacity);
	add_id(w, n->rt_cores);
	add_id(w, n->topology);
	add_id(w, n->is_busy);
	add_id(w, n->cpu_usage);
	add_id(w, n->busy_seconds);
	add_int(w, n->has_capacity_scope);
	add_int(w, n->has_rt_capacity);
	add_int(w, n->has_rt_cores);
	add_int(w, n->has_topology);
}

static void add_volume(struct writer *w, const struct volume *v)
{
	add_meta(w, "PersistentVolume", &v->meta);
	add_int(w, v->has_node_affinity);
	add_int(w, v->node_terms.n);
	for (uint32_t i = 0; i < v->node_terms.n; i++) {
		const struct node_term *t = &w->c->node_terms.items[v->node_terms.at + i];

		add_requirements(w, t->expressions);
		add_requirements(w, t->fields);
	}
}

static void add_small_kinds(struct writer *w)
{
	array_each(claim, &w->c->claims) {
		add_meta(w, "PersistentVolumeClaim", &claim->meta);
		add_id(w, claim->volume);
	}
	array_each(namespace, &w->c->namespaces) {
		add_meta(w, "Namespace", &namespace->meta);
		add_labels(w, namespace->labels);
	}
	array_each(pdb, &w->c->pdbs) {
		add_meta(w, "PodDisruptionBudget", &pdb->meta);
		add_selector(w, &pdb->pods);
		add_int(w, pdb->disruptions_allowed);
	}
	array_each(class, &w->c->priority_classes) {
		add_meta(w, "PriorityClass", &class->meta);
		add_int(w, class->value);
		add_int(w, class->is_default);
	}
}

static int cmp_others(const void *a, const void *b, void *arg)
{
	const struct other *x = a, *y = b;
	const struct cluster *c = arg;
	int order = cluster_cmp(c, x->kind, y->kind);

	if (order == 0)
		order = cluster_cmp(c, x->meta.ns, y->meta.ns);
	return order ? order : cluster_cmp(c, x->meta.name, y->meta.name);
}

/* Objects that are kept as they came: by their JSON, in a form of its own. */
static void add_others(struct writer *w)
{
	struct cluster *c = w->c;

	if (c->others.n > 1)
		qsort_r(c->others.items, c->others.n, sizeof(*c->others.items), cmp_others, c);
	array_each(other, &c->others) {
		AUTO_JSON cJSON *tree = NULL;
		AUTO_FREE char *text = NULL;

		if (json_parse(intern_str(&c->strings, other->json),
			       intern_len(&c->strings, other->json), &tree, NULL) == 0) {
			json_sort(tree);
			text = cJSON_PrintUnformatted(tree);
		}
		add_meta(w, intern_str(&c->strings, other->kind), &other->meta);
		add_text(w, text ? text : "", text ? strlen(text) : 0);
	}
}

static void writer_done(struct writer *w)
{
	free(w->strings);
	free(w->labels);
}

void cluster_digest(struct cluster *c)
{
	AUTO(writer_done) struct writer w = { .c = c, .hash = SHA256_INIT };
	char hex[SHA256_HEX];

	w.strings = xcalloc(c->strings.n + (size_t)1, sizeof(*w.strings));
	w.labels = xcalloc(c->labels.n + (size_t)1, sizeof(*w.labels));
	array_each(mckube, &c->mckubes)
		add_mckube(&w, mckube);
	array_each(node, &c->nodes)
		add_node(&w, node);
	array_each(pod, &c->pods)
		add_pod(&w, pod);
	array_each(volume, &c->volumes)
		add_volume(&w, volume);
	add_small_kinds(&w);
	add_others(&w);
	flush(&w);

	sha256_finish_hex(&w.hash, hex);
	snprintf(c->digest, sizeof(c->digest), "sha256:%s", hex);
}
