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

/* Every string goes in behind its length and every number in a form that says where it ends, so
 * that no two lists of fields give the same bytes. */

struct short_digest {
	unsigned char bytes[SHA256_SIZE];
};

struct writer {
	struct cluster *c;
	struct sha256 hash;
	struct str out;		     /* the object at hand */
	struct short_digest *labels; /* by where a run begins: pods share runs */
	bool *has_labels;
	struct short_digest *rules;
	ARRAY(struct label) sorted;
};

/* Seven bits a byte, the sign lowest. */
static void put_int(struct str *out, int64_t value)
{
	uint64_t v = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
	unsigned char bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (unsigned char)(v | 0x80);
	bytes[n++] = (unsigned char)v;
	str_addn(out, bytes, n);
}

static void put_id(const struct cluster *c, str_id id, struct str *out)
{
	size_t n = intern_len(&c->strings, id);

	put_int(out, (int64_t)n);
	str_addn(out, intern_str(&c->strings, id), n);
}

static void add_int(struct writer *w, int64_t value)
{
	put_int(&w->out, value);
}

static void add_id(struct writer *w, str_id id)
{
	put_id(w->c, id, &w->out);
}

/* For ids where NONE is "absent" and 0 the empty string. */
static void add_optional(struct writer *w, str_id id)
{
	add_int(w, id != NONE);
	if (id != NONE)
		add_id(w, id);
}

static void add_digest(struct writer *w, const struct short_digest *d)
{
	str_addn(&w->out, d->bytes, sizeof(d->bytes));
}

static struct short_digest digest_of(const void *data, size_t n)
{
	struct sha256 h = SHA256_INIT;
	struct short_digest d = { 0 };

	sha256_add(&h, data, n);
	sha256_finish(&h, d.bytes);
	return d;
}

/* Writes the object into the hash. */
static void flush(struct writer *w)
{
	sha256_add(&w->hash, w->out.s, w->out.n);
	str_clear(&w->out);
}

static int cmp_labels(const void *a, const void *b, void *arg)
{
	const struct label *x = a, *y = b;

	return cluster_cmp(arg, x->key, y->key);
}

static struct short_digest digest_labels(struct writer *w, struct range run)
{
	AUTO(str_done) struct str text = STR_INIT;

	array_clear(&w->sorted);
	for (uint32_t i = 0; i < run.n; i++)
		*array_add(&w->sorted) = w->c->labels.items[run.at + i];
	qsort_r(w->sorted.items, w->sorted.n, sizeof(*w->sorted.items), cmp_labels, w->c);
	array_each(label, &w->sorted) {
		put_id(w->c, label->key, &text);
		put_id(w->c, label->value, &text);
	}
	return digest_of(text.s, text.n);
}

static void add_labels(struct writer *w, struct range run)
{
	add_int(w, run.n);
	if (run.n == 0)
		return;
	if (!w->has_labels[run.at]) {
		w->labels[run.at] = digest_labels(w, run);
		w->has_labels[run.at] = true;
	}
	add_digest(w, &w->labels[run.at]);
}

static int cmp_amounts(const void *a, const void *b, void *arg)
{
	const struct amount *x = a, *y = b;

	return cluster_cmp(arg, x->name, y->name);
}

static void add_amounts(struct writer *w, struct range run)
{
	size_t size = run.n * sizeof(struct amount);
	AUTO_FREE struct amount *sorted = xmalloc(size);

	add_int(w, run.n);
	if (run.n == 0)
		return;
	memcpy(sorted, w->c->amounts.items + run.at, size);
	qsort_r(sorted, run.n, sizeof(*sorted), cmp_amounts, w->c);
	for (uint32_t i = 0; i < run.n; i++) {
		add_id(w, sorted[i].name);
		add_int(w, sorted[i].value);
	}
}

static void add_meta(struct writer *w, const char *kind, const struct meta *m)
{
	str_add(&w->out, kind);
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

static void add_notes(struct writer *w, notes_id id)
{
	const struct notes *n = id == NONE ? NULL : &w->c->notes.items[id];
	const str_id absent[] = { NONE };
	const str_id *ids = n ? (const str_id *)(const void *)n : absent;

	for (size_t i = 0; i < (n ? sizeof(*n) / sizeof(str_id) : 1); i++)
		add_optional(w, ids[i]);
}
_Static_assert(sizeof(struct notes) % sizeof(str_id) == 0, "notes are ids and nothing else");

static void add_pod(struct writer *w, const struct pod *p)
{
	add_meta(w, "Pod", &p->meta);
	add_id(w, p->node_name);
	add_digest(w, &w->rules[p->rules]);
	add_labels(w, p->labels);
	add_notes(w, p->notes);
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
	str_addn(&w->out, flags, sizeof(flags));
	flush(w);
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
	add_int(w, m->is_deleting);
	add_int(w, m->has_finalizer);
	flush(w);
}

static void add_taints(struct writer *w, struct range run)
{
	add_int(w, run.n);
	for (uint32_t i = 0; i < run.n; i++) {
		const struct taint *t = &w->c->taints.items[run.at + i];

		add_id(w, t->key);
		add_id(w, t->value);
		add_int(w, t->effect);
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
	add_int(w, n->has_capacity_scope);
	add_int(w, n->has_rt_capacity);
	add_int(w, n->has_rt_cores);
	add_int(w, n->has_topology);
	flush(w);
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
	flush(w);
}

static void add_small_kinds(struct writer *w)
{
	array_each(claim, &w->c->claims) {
		add_meta(w, "PersistentVolumeClaim", &claim->meta);
		add_id(w, claim->volume);
		flush(w);
	}
	array_each(namespace, &w->c->namespaces) {
		add_meta(w, "Namespace", &namespace->meta);
		add_labels(w, namespace->labels);
		flush(w);
	}
	array_each(pdb, &w->c->pdbs) {
		add_meta(w, "PodDisruptionBudget", &pdb->meta);
		add_selector(w, &pdb->pods);
		add_int(w, pdb->disruptions_allowed);
		flush(w);
	}
	array_each(class, &w->c->priority_classes) {
		add_meta(w, "PriorityClass", &class->meta);
		add_int(w, class->value);
		add_int(w, class->is_default);
		flush(w);
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
		str_add(&w->out, text ? text : "");
		flush(w);
	}
}

static void writer_init(struct writer *w, struct cluster *c)
{
	size_t n = c->labels.n ? c->labels.n : 1;

	*w = (struct writer){ .c = c, .hash = SHA256_INIT, .out = STR_INIT };
	w->labels = xcalloc(n, sizeof(*w->labels));
	w->has_labels = xcalloc(n, sizeof(*w->has_labels));
	w->rules = xcalloc(c->rules.n, sizeof(*w->rules));
	for (size_t i = 0; i < c->rules.n; i++) {
		str_id text = c->rules.items[i].text;

		w->rules[i] =
			digest_of(intern_str(&c->strings, text), intern_len(&c->strings, text));
	}
}

static void writer_done(struct writer *w)
{
	free(w->labels);
	free(w->has_labels);
	free(w->rules);
	array_done(&w->sorted);
	str_done(&w->out);
}

void cluster_digest(struct cluster *c)
{
	AUTO(writer_done) struct writer w;
	char hex[SHA256_HEX];

	writer_init(&w, c);
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

	sha256_finish_hex(&w.hash, hex);
	snprintf(c->digest, sizeof(c->digest), "sha256:%s", hex);
}
