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
	array_each(list, &x->lists)
		array_done(list);
	array_done(&x->lists);
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

static void list_pod(struct pod_index *x, pod_id id)
{
	const struct pod *pod = &x->c->pods.items[id];

	for (uint32_t i = 0; i < pod->labels.n; i++) {
		const struct label *label = &x->c->labels.items[pod->labels.at + i];
		struct list_key key = { pod->meta.ns, label->key, label->value };

		if (!x->is_wanted[label->key])
			continue;
		str_id at = intern_find(&x->keys, &key, sizeof(key));
		if (at != INTERN_NONE)
			*array_add(&x->lists.items[at]) = id;
	}
}

void pod_index_fill(struct pod_index *x)
{
	for (str_id id = 0; id < x->keys.n; id++)
		*array_add(&x->lists) = (pod_ids){ 0 };
	for (pod_id id = 0; id < x->c->pods.n && x->keys.n; id++)
		list_pod(x, id);
}

/* The shortest list that all pods of the selector are in, NULL if there is none. */
static const pod_ids *shortest(const struct pod_index *x, str_id ns, struct selector sel)
{
	const pod_ids *best = NULL;

	for (uint32_t i = 0; i < sel.all.n; i++) {
		struct list_key key;

		if (!has_list(x, ns, &x->c->requirements.items[sel.all.at + i], &key))
			continue;
		const pod_ids *list = &x->lists.items[intern_find(&x->keys, &key, sizeof(key))];
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

void pod_index_find(const struct pod_index *x, str_id ns, struct selector sel, pod_ids *ret)
{
	const struct cluster *c = x->c;
	const pod_ids *list = shortest(x, ns, sel);

	array_clear(ret);
	if (!sel.is_set)
		return;
	if (list) {
		array_each(id, list)
			if (selector_matches(c, sel, c->pods.items[*id].labels))
				*array_add(ret) = *id;
		return;
	}
	for (pod_id id = first_of(c, ns); id < c->pods.n && c->pods.items[id].meta.ns == ns; id++)
		if (selector_matches(c, sel, c->pods.items[id].labels))
			*array_add(ret) = id;
}
