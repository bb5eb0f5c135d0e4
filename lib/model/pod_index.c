/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_index.h"

/* As bytes it is what x->keys holds. */
struct list_key {
	str_id ns, key, value;
};

void pod_index_init(struct pod_index *x, const struct cluster *c)
{
	*x = (struct pod_index){
		.c = c,
		.is_wanted = xcalloc(c->strings.n, sizeof(*x->is_wanted)),
	};
}

void pod_index_done(struct pod_index *x)
{
	array_done(&x->lists);
	array_done(&x->links);
	intern_done(&x->keys);
	free(x->is_wanted);
	*x = (struct pod_index){ 0 };
}

/* Does the requirement mean one value? Then *ret is the key of its list. */
static bool has_list(const struct pod_index *x, str_id ns, const struct requirement *r,
		     struct list_key *ret)
{
	if (r->op != MATCH_IN || r->values.n != 1)
		return false;
	*ret = (struct list_key){ ns, r->key, x->c->names.items[r->values.at] };
	return true;
}

void pod_index_want(struct pod_index *x, str_id ns, struct selector sel)
{
	for (uint32_t i = 0; i < sel.all.n; i++) {
		struct list_key key;

		if (!has_list(x, ns, &x->c->requirements.items[sel.all.at + i], &key))
			continue;
		intern_add(&x->keys, &key, sizeof(key));
		x->is_wanted[key.key] = true;
	}
}

/* The lists that pods of a namespace with these labels are in. */
struct listing {
	str_id ns;
	struct range labels;
	ARRAY(uint32_t) lists;
};

static void find_lists(const struct pod_index *x, struct listing *l)
{
	array_clear(&l->lists);
	for (uint32_t i = 0; i < l->labels.n; i++) {
		const struct label *label = &x->c->labels.items[l->labels.at + i];
		struct list_key key = { l->ns, label->key, label->value };

		if (!x->is_wanted[label->key])
			continue;
		str_id at = intern_find(&x->keys, &key, sizeof(key));
		if (at != INTERN_NONE)
			*array_add(&l->lists) = at;
	}
}

static void append(struct pod_index *x, struct pod_list *list, pod_id id)
{
	uint32_t at = (uint32_t)x->links.n;

	*array_add(&x->links) = (struct pod_link){ id, NONE };
	if (list->n++)
		x->links.items[list->last].next = at;
	else
		list->first = at;
	list->last = at;
}

/* Pods of one template are neighbours and share their labels: what is found for the first of them
 * serves all. */
static void list_pods(struct pod_index *x, const uint32_t *of_pod)
{
	struct listing l = { 0 };

	for (pod_id id = 0; id < x->c->pods.n; id++) {
		const struct pod *pod = &x->c->pods.items[id];

		if ((of_pod && of_pod[id] == NONE) || pod->labels.n == 0)
			continue;
		if (pod->labels.at != l.labels.at || !l.labels.n || pod->meta.ns != l.ns) {
			l.ns = pod->meta.ns;
			l.labels = pod->labels;
			find_lists(x, &l);
		}
		array_each(list, &l.lists)
			append(x, &x->lists.items[*list], id);
	}
	array_done(&l.lists);
}

void pod_index_fill(struct pod_index *x, const uint32_t *of_pod)
{
	array_reserve(&x->lists, x->keys.n);
	for (str_id id = 0; id < x->keys.n; id++)
		*array_add(&x->lists) = (struct pod_list){ NONE, NONE, 0 };
	if (x->keys.n)
		list_pods(x, of_pod);
}

/* The shortest list that all pods of the selector are in, NULL if there is none. */
static const struct pod_list *shortest(const struct pod_index *x, str_id ns, struct selector sel)
{
	const struct pod_list *best = NULL;

	for (uint32_t i = 0; i < sel.all.n; i++) {
		struct list_key key;

		if (!has_list(x, ns, &x->c->requirements.items[sel.all.at + i], &key))
			continue;
		const struct pod_list *list =
			&x->lists.items[intern_find(&x->keys, &key, sizeof(key))];
		if (!best || list->n < best->n)
			best = list;
	}
	return best;
}

/* Pods are sorted by namespace: the first of one. */
static pod_id first_of(const struct cluster *c, str_id ns)
{
	pod_id low = 0, high = (pod_id)c->pods.n;

	while (low < high) {
		pod_id mid = low + (high - low) / 2;

		if (cluster_cmp(c, c->pods.items[mid].meta.ns, ns) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_if_matched(const struct cluster *c, struct selector sel, pod_id id, pod_ids *ret)
{
	if (selector_matches(c, sel, c->pods.items[id].labels))
		*array_add(ret) = id;
}

void pod_index_find(const struct pod_index *x, str_id ns, struct selector sel, pod_ids *ret)
{
	const struct cluster *c = x->c;
	const struct pod_list *list = shortest(x, ns, sel);

	array_clear(ret);
	if (!sel.is_set)
		return;
	if (list) {
		for (uint32_t at = list->first; at != NONE; at = x->links.items[at].next)
			add_if_matched(c, sel, x->links.items[at].pod, ret);
		return;
	}
	for (pod_id id = first_of(c, ns); id < c->pods.n && c->pods.items[id].meta.ns == ns; id++)
		add_if_matched(c, sel, id, ret);
}
