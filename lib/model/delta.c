/* SPDX-License-Identifier: Apache-2.0 */
#include "model/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* Sameness. */

static bool same_names(const struct cluster *c, struct range a, struct range b)
{
	return a.n == b.n && (a.n == 0 || memcmp(c->names.items + a.at, c->names.items + b.at,
						 a.n * sizeof(*c->names.items)) == 0);
}

static bool same_requirements(const struct cluster *c, struct range a, struct range b)
{
	bool is_same = a.n == b.n;

	for (uint32_t i = 0; i < a.n && is_same; i++) {
		const struct requirement *x = &c->requirements.items[a.at + i];
		const struct requirement *y = &c->requirements.items[b.at + i];

		is_same = x->key == y->key && x->op == y->op && same_names(c, x->values, y->values);
	}
	return is_same;
}

static bool same_selector(const struct cluster *c, struct selector a, struct selector b)
{
	return a.is_set == b.is_set && same_requirements(c, a.all, b.all);
}

static bool same_node_terms(const struct cluster *c, struct range a, struct range b)
{
	bool is_same = a.n == b.n;

	for (uint32_t i = 0; i < a.n && is_same; i++) {
		const struct node_term *x = &c->node_terms.items[a.at + i];
		const struct node_term *y = &c->node_terms.items[b.at + i];

		is_same = same_requirements(c, x->expressions, y->expressions) &&
			  same_requirements(c, x->fields, y->fields);
	}
	return is_same;
}

static bool same_amounts(const struct cluster *c, struct range a, struct range b)
{
	bool is_same = a.n == b.n;

	for (uint32_t i = 0; i < a.n && is_same; i++) {
		const struct amount *x = &c->amounts.items[a.at + i];
		const struct amount *y = &c->amounts.items[b.at + i];

		is_same = x->name == y->name && x->value == y->value;
	}
	return is_same;
}

static bool same_taints(const struct cluster *c, struct range a, struct range b)
{
	bool is_same = a.n == b.n;

	for (uint32_t i = 0; i < a.n && is_same; i++) {
		const struct taint *x = &c->taints.items[a.at + i];
		const struct taint *y = &c->taints.items[b.at + i];

		is_same = x->key == y->key && x->value == y->value && x->effect == y->effect;
	}
	return is_same;
}

static bool same_annotations(const struct cluster *c, annotations_id a, annotations_id b)
{
	if (a == NONE || b == NONE)
		return a == b;
	return memcmp(&c->annotations.items[a], &c->annotations.items[b],
		      sizeof(struct pod_annotations)) == 0;
}

#if __has_builtin(__builtin_clear_padding)
#define CLEAR_PADDING(p) __builtin_clear_padding(p)
#else
#define CLEAR_PADDING(p) ((void)(p)) /* then two that are the same may look different */
#endif

static bool same_bytes(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

/* Two rows that differ in nothing but their versions and in a member that was compared before:
 * copies, in which both are made equal. */
#define SAME_BUT(type, a, b, member)                               \
	({                                                         \
		type x_, y_;                                       \
		memcpy(&x_, (a), sizeof(x_));                      \
		memcpy(&y_, (b), sizeof(y_));                      \
		x_.meta.version = y_.meta.version;                 \
		memcpy(&x_.member, &y_.member, sizeof(x_.member)); \
		CLEAR_PADDING(&x_);                                \
		CLEAR_PADDING(&y_);                                \
		same_bytes(&x_, &y_, sizeof(x_));                  \
	})

static bool nodes_same(const struct cluster *c, const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	struct node calm;

	/* How much CPU time it uses changes all the time; that it is too much, isCpuBusy says. */
	memcpy(&calm, x, sizeof(calm));
	calm.annotations.cpu_usage = y->annotations.cpu_usage;
	calm.annotations.busy_seconds = y->annotations.busy_seconds;
	calm.heartbeat = y->heartbeat;
	calm.heartbeat_seconds = y->heartbeat_seconds;
	return same_taints(c, x->taints, y->taints) && SAME_BUT(struct node, &calm, b, taints);
}

static bool pods_same(const struct cluster *c, const void *a, const void *b)
{
	const struct pod *x = a, *y = b;
	struct pod told;

	/* What a pass said about the last one asks for no other. */
	memcpy(&told, x, sizeof(told));
	told.unscheduled = y->unscheduled;
	return same_annotations(c, x->annotations, y->annotations) &&
	       SAME_BUT(struct pod, &told, b, annotations);
}

static bool mckubes_same(const struct cluster *c, const void *a, const void *b)
{
	const struct mckube *x = a, *y = b;
	struct mckube told;

	memcpy(&told, x, sizeof(told));
	memcpy(told.said, y->said, sizeof(told.said));
	told.status_pods = y->status_pods;
	return same_selector(c, x->selector, y->selector) &&
	       SAME_BUT(struct mckube, &told, b, selector);
}

static bool pdbs_same(const struct cluster *c, const void *a, const void *b)
{
	const struct pdb *x = a, *y = b;

	return same_selector(c, x->pods, y->pods) && SAME_BUT(struct pdb, a, b, pods);
}

static bool volumes_same(const struct cluster *c, const void *a, const void *b)
{
	const struct volume *x = a, *y = b;

	return same_node_terms(c, x->node_terms, y->node_terms) &&
	       SAME_BUT(struct volume, a, b, node_terms);
}

static bool priority_classes_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	return SAME_BUT(struct priority_class, a, b, meta.version);
}

static bool claims_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	return SAME_BUT(struct claim, a, b, meta.version);
}

static bool csi_nodes_same(const struct cluster *c, const void *a, const void *b)
{
	const struct csi_node *x = a, *y = b;

	return same_amounts(c, x->limits, y->limits) && SAME_BUT(struct csi_node, a, b, limits);
}

static bool resource_claims_same(const struct cluster *c, const void *a, const void *b)
{
	const struct resource_claim *x = a, *y = b;

	return same_node_terms(c, x->node_terms, y->node_terms) &&
	       SAME_BUT(struct resource_claim, a, b, node_terms);
}

static bool namespaces_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	return SAME_BUT(struct namespace, a, b, meta.version);
}

/* A renewal is no change: that one is missing shows with time alone. */
static bool helper_leases_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	(void)a;
	(void)b;
	return true;
}

/* Runs of an array in which rows of nothing but numbers and names stand. */
#define SAME_RUN(c, member, a, b)                                                          \
	((a).n == (b).n &&                                                                 \
	 ((a).n == 0 || same_bytes(&(c)->member.items[(a).at], &(c)->member.items[(b).at], \
				   (a).n * sizeof(*(c)->member.items))))

static bool same_preferences(const struct cluster *c, struct range a, struct range b)
{
	bool is_same = a.n == b.n;

	for (uint32_t i = 0; i < a.n && is_same; i++) {
		const struct preference *x = &c->preferences.items[a.at + i];
		const struct preference *y = &c->preferences.items[b.at + i];

		is_same = x->weight == y->weight &&
			  same_requirements(c, x->term.expressions, y->term.expressions) &&
			  same_requirements(c, x->term.fields, y->term.fields);
	}
	return is_same;
}

static bool optimizers_same(const struct cluster *c, const void *a, const void *b)
{
	const struct optimizer *x = a, *y = b;
	struct optimizer moved;

	memcpy(&moved, x, sizeof(moved));
	moved.node_selector = y->node_selector;
	moved.node_terms = y->node_terms;
	moved.preferences = y->preferences;
	moved.metrics = y->metrics;
	moved.history = y->history;
	moved.status_nodes = y->status_nodes;
	moved.past_savings = y->past_savings;
	moved.conditions = y->conditions;
	return same_requirements(c, x->node_selector, y->node_selector) &&
	       same_node_terms(c, x->node_terms, y->node_terms) &&
	       same_preferences(c, x->preferences, y->preferences) &&
	       SAME_RUN(c, scaling_metrics, x->metrics, y->metrics) &&
	       SAME_RUN(c, conditions, x->conditions, y->conditions) &&
	       same_names(c, x->history, y->history) &&
	       same_names(c, x->status_nodes, y->status_nodes) &&
	       SAME_RUN(c, past_savings, x->past_savings, y->past_savings) &&
	       SAME_RUN(c, avoids, x->avoid, y->avoid) &&
	       SAME_BUT(struct optimizer, &moved, b, avoid);
}

static bool same_note(const struct cluster *c, const struct policy_note *x,
		      const struct policy_note *y)
{
	return SAME_RUN(c, conditions, x->conditions, y->conditions) &&
	       SAME_RUN(c, alert_notes, x->alerts, y->alerts);
}

static bool cost_policies_same(const struct cluster *c, const void *a, const void *b)
{
	const struct cost_policy *x = a, *y = b;
	struct cost_policy moved;

	memcpy(&moved, x, sizeof(moved));
	moved.namespaces = y->namespaces;
	moved.workloads = y->workloads;
	moved.note.conditions = y->note.conditions;
	moved.note.alerts = y->note.alerts;
	return same_selector(c, x->namespaces, y->namespaces) &&
	       same_selector(c, x->workloads, y->workloads) && same_note(c, &x->note, &y->note) &&
	       SAME_RUN(c, alerts, x->alerts, y->alerts) &&
	       SAME_BUT(struct cost_policy, &moved, b, alerts);
}

static bool power_policies_same(const struct cluster *c, const void *a, const void *b)
{
	const struct power_policy *x = a, *y = b;
	struct power_policy moved;

	memcpy(&moved, x, sizeof(moved));
	moved.namespaces = y->namespaces;
	moved.workloads = y->workloads;
	moved.peak_hours = y->peak_hours;
	moved.note.conditions = y->note.conditions;
	moved.note.alerts = y->note.alerts;
	return same_selector(c, x->namespaces, y->namespaces) &&
	       same_selector(c, x->workloads, y->workloads) && same_note(c, &x->note, &y->note) &&
	       SAME_RUN(c, day_spans, x->peak_hours, y->peak_hours) &&
	       SAME_RUN(c, alerts, x->alerts, y->alerts) &&
	       SAME_BUT(struct power_policy, &moved, b, alerts);
}

static bool price_tables_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	return SAME_BUT(struct price_table, a, b, meta.version);
}

/* Labels are shared: the same ones are one run. */
static bool scalables_same(const struct cluster *c, const void *a, const void *b)
{
	const struct scalable *x = a, *y = b;

	return same_selector(c, x->pods, y->pods) && SAME_BUT(struct scalable, a, b, pods);
}
#define deployments_same   scalables_same
#define stateful_sets_same scalables_same
#define scale_targets_same scalables_same

static bool autoscalers_same(const struct cluster *c, const void *a, const void *b)
{
	(void)c;
	return SAME_BUT(struct autoscaler, a, b, meta.version);
}

#define scaled_objects_same autoscalers_same

/* With its 7 leading binary digits: within 1 to 2 per cent, so that what an idle cluster uses is no
 * change. A use that drifts is one, each time that it passes such a step. */
static int64_t use_step(int64_t use)
{
	int bits = use > 0 ? 64 - __builtin_clzll((uint64_t)use) : 0;

	return bits > 7 ? use >> (bits - 7) << (bits - 7) : use;
}

/* When it was measured decides nothing: what is too old is told from the time of a plan. */
static bool metric_samples_same(const struct cluster *c, const void *a, const void *b)
{
	struct metric_sample x = *(const struct metric_sample *)a,
			     y = *(const struct metric_sample *)b;

	(void)c;
	if (x.node_metric != NODE_METRIC_PRICE) {
		x.value = use_step(x.value);
		y.value = use_step(y.value);
	}
	return SAME_BUT(struct metric_sample, &x, &y, at);
}

static bool use_same(const struct cluster *c, const void *a, const void *b)
{
	const struct metrics *x = a, *y = b;

	(void)c;
	return x->has_cpu == y->has_cpu && x->has_memory == y->has_memory &&
	       x->is_unread == y->is_unread && use_step(x->cpu_milli) == use_step(y->cpu_milli) &&
	       use_step(x->memory) == use_step(y->memory);
}
#define node_metrics_same use_same
#define pod_metrics_same  use_same

/* Kinds. */

#define ROWS(member)                                                                             \
	static struct meta *first_of_##member(struct cluster *c)                                 \
	{                                                                                        \
		return c->member.items ? &c->member.items->meta : NULL;                          \
	}                                                                                        \
	static size_t *n_of_##member(struct cluster *c)                                          \
	{                                                                                        \
		return &c->member.n;                                                             \
	}                                                                                        \
	static void reserve_##member(struct cluster *c, size_t more)                             \
	{                                                                                        \
		array_reserve(&c->member, more);                                                 \
	}                                                                                        \
	static void fit_##member(struct cluster *c)                                              \
	{                                                                                        \
		c->member.cap = c->member.n + c->member.n / 8 + 8;                               \
		c->member.items =                                                                \
			xreallocarray(c->member.items, c->member.cap, sizeof(*c->member.items)); \
	}                                                                                        \
	const struct delta_kind delta_of_##member = {                                            \
		.size = sizeof(*((struct cluster *)0)->member.items),                            \
		.first = first_of_##member,                                                      \
		.n = n_of_##member,                                                              \
		.reserve = reserve_##member,                                                     \
		.fit = fit_##member,                                                             \
		.is_same = member##_same,                                                        \
	};

ROWS(nodes)
ROWS(pods)
ROWS(mckubes)
ROWS(pdbs)
ROWS(priority_classes)
ROWS(volumes)
ROWS(claims)
ROWS(csi_nodes)
ROWS(resource_claims)
ROWS(namespaces)
ROWS(helper_leases)
ROWS(optimizers)
ROWS(cost_policies)
ROWS(power_policies)
ROWS(price_tables)
ROWS(deployments)
ROWS(stateful_sets)
ROWS(scale_targets)
ROWS(autoscalers)
ROWS(scaled_objects)
ROWS(metric_samples)
ROWS(node_metrics)
ROWS(pod_metrics)

void *row_at(struct cluster *c, const struct delta_kind *k, size_t i)
{
	return (unsigned char *)k->first(c) + i * k->size;
}

/* Committing. */

struct commit {
	struct cluster *c;
	const struct delta_kind *k;
	size_t n;		/* rows that count */
	unsigned char *inserts; /* copies, in order of their names */
	size_t n_inserts;
	unsigned did;
};

static const struct meta *meta_at(const struct commit *s, size_t i)
{
	return row_at(s->c, s->k, i);
}

static int cmp(const struct commit *s, const struct meta *a, const struct meta *b)
{
	int order = cluster_cmp(s->c, a->ns, b->ns);

	return order ? order : cluster_cmp(s->c, a->name, b->name);
}

static int cmp_new_rows(const void *a, const void *b, void *arg)
{
	const struct commit *s = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = cmp(s, meta_at(s, x), meta_at(s, y));

	return order ? order : (x > y) - (x < y);
}

/* The first of the first n rows that is not before the one that is looked for. */
static size_t lower_bound(const struct commit *s, size_t n, const struct meta *key)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (cmp(s, meta_at(s, mid), key) < 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

/* The places of the new rows, behind those that count: by name, only the last of each. */
static size_t *sort_new_rows(struct commit *s, size_t n_marks, size_t *ret_n)
{
	size_t *order = xcalloc(n_marks, sizeof(*order));
	size_t first = *s->k->n(s->c), kept = 0;

	for (size_t i = 0; i < n_marks; i++)
		order[i] = first + i;
	qsort_r(order, n_marks, sizeof(*order), cmp_new_rows, s);
	for (size_t i = 0; i < n_marks; i++)
		if (i + 1 == n_marks || cmp(s, meta_at(s, order[i]), meta_at(s, order[i + 1])) != 0)
			order[kept++] = order[i];
	*ret_n = kept;
	return order;
}

static void insert(struct commit *s, const void *row)
{
	memcpy(s->inserts + s->n_inserts++ * s->k->size, row, s->k->size);
	s->did |= DELTA_RESIZED;
}

static void replace(struct commit *s, size_t at, const void *row)
{
	void *old = row_at(s->c, s->k, at);

	if (!s->k->is_same(s->c, old, row))
		s->did |= DELTA_CHANGED;
	memcpy(old, row, s->k->size);
}

/* Moves the rows from `from` up to `end`. */
static void shift(struct commit *s, size_t to, size_t from, size_t end)
{
	if (from < end && to != from)
		memmove(row_at(s->c, s->k, to), row_at(s->c, s->k, from),
			(end - from) * s->k->size);
}

/* Closes the gaps at these places, which are in order. */
static void remove_rows(struct commit *s, const size_t *gaps, size_t n)
{
	size_t to = n ? gaps[0] : 0;

	for (size_t i = 0; i < n; i++) {
		size_t from = gaps[i] + 1, end = i + 1 < n ? gaps[i + 1] : s->n;

		shift(s, to, from, end);
		to += end - from;
	}
	s->n -= n;
}

/* Opens a gap for each, from the last to the first. There is room where the new rows were. */
static void insert_rows(struct commit *s)
{
	size_t end = s->n;

	for (size_t i = s->n_inserts; i-- > 0;) {
		const void *row = s->inserts + i * s->k->size;
		size_t at = lower_bound(s, end, row);

		shift(s, at + i + 1, at, end);
		memcpy(row_at(s->c, s->k, at + i), row, s->k->size);
		end = at;
	}
	s->n += s->n_inserts;
}

/* A server's list is in order, and nothing was known before: the rows only move down. */
static bool take_list(struct commit *s, const uint8_t *marks, size_t n_marks)
{
	size_t first = *s->k->n(s->c);

	for (size_t i = 0; i < n_marks; i++)
		if (marks[i] != DELTA_PUT ||
		    (i && cmp(s, meta_at(s, first + i - 1), meta_at(s, first + i)) >= 0))
			return false;
	shift(s, 0, first, first + n_marks);
	s->n = n_marks;
	return true;
}

static void merge(struct commit *s, const uint8_t *marks, size_t n_marks)
{
	size_t first = *s->k->n(s->c), n_order, n_gaps = 0;
	AUTO_FREE size_t *order = sort_new_rows(s, n_marks, &n_order);

	s->inserts = xcalloc(n_order, s->k->size);
	for (size_t i = 0; i < n_order; i++) {
		const struct meta *row = meta_at(s, order[i]);
		bool is_gone = marks[order[i] - first] == DELTA_DELETE;
		size_t at = lower_bound(s, s->n, row);
		bool is_known = at < s->n && cmp(s, meta_at(s, at), row) == 0;

		if (is_known && is_gone)
			order[n_gaps++] = at;
		else if (is_known)
			replace(s, at, row);
		else if (!is_gone)
			insert(s, row);
	}
	if (n_gaps)
		s->did |= DELTA_RESIZED;
	remove_rows(s, order, n_gaps);
	insert_rows(s);
	free(s->inserts);
}

/* What a list of everything changes, while its rows are still behind the old ones. */
static unsigned compare_list(struct commit *s, size_t n_old, const uint8_t *marks, size_t n_marks)
{
	size_t first = *s->k->n(s->c), n_order;
	AUTO_FREE size_t *order = sort_new_rows(s, n_marks, &n_order);
	unsigned did = n_order == n_old ? 0 : DELTA_RESIZED;

	for (size_t i = 0; i < n_old && did != DELTA_RESIZED; i++) {
		if (marks[order[i] - first] != DELTA_PUT ||
		    cmp(s, meta_at(s, i), meta_at(s, order[i])) != 0)
			did = DELTA_RESIZED;
		else if (!s->k->is_same(s->c, row_at(s->c, s->k, i), row_at(s->c, s->k, order[i])))
			did = DELTA_CHANGED;
	}
	return did;
}

unsigned delta_commit(struct cluster *c, const struct delta_kind *k, const uint8_t *marks,
		      size_t n_marks, bool is_new_list)
{
	size_t *n = k->n(c);
	struct commit s = { .c = c, .k = k, .n = is_new_list ? 0 : *n };
	size_t had = *n + n_marks;
	unsigned by_list = is_new_list ? compare_list(&s, *n, marks, n_marks) : 0;

	if (n_marks && !(is_new_list && take_list(&s, marks, n_marks)))
		merge(&s, marks, n_marks);
	if (is_new_list)
		s.did = by_list;
	*n = s.n;
	if (is_new_list || had > 2 * s.n + 1024)
		k->fit(c);
	return s.did;
}
