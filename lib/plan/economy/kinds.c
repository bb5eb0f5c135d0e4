/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* Spans are kept for so many shapes of pods; then they are worked out again. */
enum { MAX_SHAPES = 256 };

/* What rounding moves a value of J by, at most. */
enum { ROUNDING = 2 };

struct room {
	int64_t cpu, memory, pods;
};

struct member {		      /* a node in a tree */
	uint32_t left, right; /* a node and 1; 0: none */
	uint32_t rank;	      /* heap order: no child is above its parent */
	uint32_t kind;
	int64_t cpu;	       /* in use */
	struct room own, most; /* what is free there, and in the subtree */
	uint8_t group;
	bool is_in;
};

typedef ARRAY(struct span) spans;

struct kinds {
	ARRAY(struct kind) list;
	struct member *members; /* by node_id */
	struct intern shapes;
	ARRAY(spans) of_shape; /* by id of shapes */
};

uint32_t kinds_count(const struct kinds *k)
{
	return (uint32_t)k->list.n;
}

uint32_t kind_of(const struct kinds *k, node_id node)
{
	return k->members[node].kind;
}

const struct kind *kinds_get(const struct kinds *k, uint32_t kind)
{
	return &k->list.items[kind];
}

/* ---- Trees ---- */

static struct member *member(struct kinds *k, uint32_t at)
{
	return &k->members[at - 1];
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void raise_room(struct room *most, const struct room *room)
{
	most->cpu = larger(most->cpu, room->cpu);
	most->memory = larger(most->memory, room->memory);
	most->pods = larger(most->pods, room->pods);
}

static void update(struct kinds *k, uint32_t at)
{
	struct member *m = member(k, at);

	m->most = m->own;
	if (m->left)
		raise_room(&m->most, &member(k, m->left)->most);
	if (m->right)
		raise_room(&m->most, &member(k, m->right)->most);
}

/* By CPU in use, then the later name first: from the right it is the fullest, then the first. */
static bool is_before(struct kinds *k, uint32_t a, uint32_t b)
{
	const struct member *x = member(k, a), *y = member(k, b);

	return x->cpu != y->cpu ? x->cpu < y->cpu : a > b;
}

static uint32_t join(struct kinds *k, uint32_t left, uint32_t right)
{
	if (!left || !right)
		return left ? left : right;
	if (member(k, left)->rank > member(k, right)->rank) {
		member(k, left)->right = join(k, member(k, left)->right, right);
		update(k, left);
		return left;
	}
	member(k, right)->left = join(k, left, member(k, right)->left);
	update(k, right);
	return right;
}

static void split(struct kinds *k, uint32_t root, uint32_t by, uint32_t *left, uint32_t *right)
{
	if (!root) {
		*left = *right = 0;
		return;
	}
	if (is_before(k, root, by)) {
		split(k, member(k, root)->right, by, &member(k, root)->right, right);
		*left = root;
	} else {
		split(k, member(k, root)->left, by, left, &member(k, root)->left);
		*right = root;
	}
	update(k, root);
}

static uint32_t insert(struct kinds *k, uint32_t root, uint32_t at)
{
	struct member *m = member(k, at);

	if (!root || m->rank > member(k, root)->rank) {
		split(k, root, at, &m->left, &m->right);
		update(k, at);
		return at;
	}
	uint32_t *side = is_before(k, at, root) ? &member(k, root)->left : &member(k, root)->right;
	*side = insert(k, *side, at);
	update(k, root);
	return root;
}

static uint32_t erase(struct kinds *k, uint32_t root, uint32_t at)
{
	struct member *m = member(k, root);

	if (root == at) {
		uint32_t rest = join(k, m->left, m->right);

		m->left = m->right = 0;
		return rest;
	}
	uint32_t *side = is_before(k, at, root) ? &m->left : &m->right;
	*side = erase(k, *side, at);
	update(k, root);
	return root;
}

static struct room room_of(const struct economy *e, node_id node)
{
	const struct node_load *n = &e->p->trial.nodes[node];

	return (struct room){
		.cpu = n->have[RES_CPU] - n->used[0][RES_CPU],
		.memory = n->have[RES_MEMORY] - n->used[0][RES_MEMORY],
		.pods = n->have[RES_PODS] - n->used[0][RES_PODS],
	};
}

void kinds_refresh(struct economy *e, node_id node)
{
	struct kinds *k = e->kinds;
	struct member *m = &k->members[node];
	const struct site *site = &e->sites[node];
	struct kind *kind = &k->list.items[m->kind];
	bool is_dear = site->n_no_spot > 0 && e->fleet.nodes[node].capacity_type == CAPACITY_SPOT;

	if (m->is_in)
		kind->roots[m->group] = erase(k, kind->roots[m->group], node + 1);
	m->is_in = true;
	m->cpu = site->cpu;
	m->own = room_of(e, node);
	m->group = (uint8_t)((site->n_in_use ? KIND_USED : 0) | (is_dear ? KIND_DEAR : 0));
	kind->roots[m->group] = insert(k, kind->roots[m->group], node + 1);
}

/* ---- Kinds ---- */

typedef ARRAY(int64_t) numbers;

static void add_range(const struct cluster *c, struct range requirements, numbers *to)
{
	for (uint32_t i = 0; i < requirements.n; i++) {
		const struct requirement *r = &c->requirements.items[requirements.at + i];

		*array_add(to) = r->key;
		*array_add(to) = r->op;
		*array_add(to) = r->values.n;
		for (uint32_t v = 0; v < r->values.n; v++)
			*array_add(to) = c->names.items[r->values.at + v];
	}
}

/* The first of the preferences that ask the same. */
static void list_preferences(const struct cluster *c, numbers *ret)
{
	struct intern known = { 0 };
	numbers content = { 0 };

	for (uint32_t i = 0; i < c->preferences.n; i++) {
		const struct node_term *term = &c->preferences.items[i].term;
		uint32_t n = known.n;

		array_clear(&content);
		*array_add(&content) = term->expressions.n;
		add_range(c, term->expressions, &content);
		*array_add(&content) = term->fields.n;
		add_range(c, term->fields, &content);
		if (intern_add(&known, content.items, content.n * sizeof(*content.items)) >= n)
			*array_add(ret) = i;
	}
	intern_done(&known);
	array_done(&content);
}

/* All that J says of a node, beside its pods. */
static void describe(const struct economy *e, node_id node, const numbers *preferences, numbers *to)
{
	const struct fleet_node *n = &e->fleet.nodes[node];
	bool is_spot = n->capacity_type == CAPACITY_SPOT;
	const int64_t fixed[] = {
		n->price,
		n->on_demand,
		n->carbon,
		n->green_ppm,
		n->n_accelerators,
		n->accelerator_max,
		n->has_watts,
		n->capacity_type,
		n->monthly,
		n->is_monthly_known,
		is_spot ? n->type : 0,
		is_spot ? n->zone : 0,
		n->is_removable,
		e->c->nodes.items[node].capacity_cpu_milli,
		(int64_t)n->weight,
		(int64_t)(n->weight >> 64),
		n->curve.n,
	};

	array_clear(to);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		*array_add(to) = fixed[i];
	for (uint32_t i = 0; i < n->curve.n; i++) {
		*array_add(to) = n->curve.use[i];
		*array_add(to) = n->curve.power[i];
	}
	for (size_t i = 0; i < preferences->n; i++)
		*array_add(to) =
			economy_prefers(e, &e->c->preferences.items[preferences->items[i]], node);
}

static uint32_t scatter(uint32_t x)
{
	x = (x ^ x >> 16) * 0x45d9f3bu;
	x = (x ^ x >> 16) * 0x45d9f3bu;
	return x ^ x >> 16;
}

struct kinds *kinds_new(struct economy *e)
{
	struct kinds *k = xcalloc(1, sizeof(*k));
	struct intern known = { 0 };
	numbers preferences = { 0 }, text = { 0 };

	intern_add(&known, "", 0);
	k->members = xcalloc(e->c->nodes.n + 1, sizeof(*k->members));
	list_preferences(e->c, &preferences);
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		int64_t cpu = e->c->nodes.items[node].cpu_milli;

		describe(e, node, &preferences, &text);
		uint32_t id = intern_add(&known, text.items, text.n * sizeof(*text.items)) - 1;
		if (id == k->list.n)
			*array_add(&k->list) = (struct kind){ .node = node };
		k->list.items[id].most_cpu = larger(k->list.items[id].most_cpu, cpu);
		k->members[node].kind = id;
		k->members[node].rank = scatter(node + 1);
	}
	intern_done(&known);
	array_done(&preferences);
	array_done(&text);
	return k;
}

static void forget_shapes(struct kinds *k)
{
	array_each(s, &k->of_shape)
		array_done(s);
	array_clear(&k->of_shape);
	intern_done(&k->shapes);
	k->shapes = (struct intern){ 0 };
}

void kinds_free(struct kinds *k)
{
	if (!k)
		return;
	forget_shapes(k);
	array_done(&k->of_shape);
	array_done(&k->list);
	free(k->members);
	free(k);
}

/* ---- Spans ---- */

enum { MAX_CUTS = 2 * CURVE_POINTS + 1 };

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Where the curve bends below the CPU in use with the pod, or without it. */
static size_t list_cuts(const struct economy *e, node_id node, int64_t cpu, int64_t ret[MAX_CUTS])
{
	const struct power_curve *p = &e->fleet.nodes[node].curve;
	int64_t all = e->c->nodes.items[node].capacity_cpu_milli;
	size_t n = 0, kept = 1;

	ret[n++] = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		int64_t at = (int64_t)((__int128)p->use[i] * all / PPM);

		if (at > 0)
			ret[n++] = at;
		if (at - cpu > 0)
			ret[n++] = at - cpu;
	}
	qsort(ret, n, sizeof(*ret), by_number);
	for (size_t i = 1; i < n; i++)
		if (ret[i] != ret[kept - 1])
			ret[kept++] = ret[i];
	return kept;
}

/* What J of a node of the group changes by when the pod comes. */
static int64_t added(const struct economy *e, const struct cargo *g, node_id node, unsigned group,
		     int64_t cpu)
{
	bool is_used = group & KIND_USED, is_dear = group & KIND_DEAR;

	return economy_cost_with(e, node, cpu + g->load.cpu_milli, is_used || g->counts,
				 is_dear || economy_wants_no_spot(e, g)) -
	       economy_cost_with(e, node, cpu, is_used, is_dear);
}

static void add_spans(const struct economy *e, const struct cargo *g, uint32_t kind, unsigned group,
		      spans *to)
{
	node_id node = e->kinds->list.items[kind].node;
	int64_t most = e->kinds->list.items[kind].most_cpu - g->load.cpu_milli;
	int64_t cuts[MAX_CUTS];
	size_t n = list_cuts(e, node, g->load.cpu_milli, cuts);

	for (size_t i = 0; i < n; i++) {
		bool is_last = i + 1 == n;
		int64_t first = added(e, g, node, group, cuts[i]);
		int64_t last = is_last ? first : added(e, g, node, group, cuts[i + 1]);

		if (g->load.cpu_milli && cuts[i] > most)
			break;
		*array_add(to) = (struct span){
			.from = cuts[i],
			.to = is_last ? INT64_MAX : cuts[i + 1] - 1,
			.least = (first < last ? first : last) - ROUNDING,
			.kind = kind,
			.group = (uint8_t)group,
			.is_falling = last <= first,
		};
	}
}

static int by_least(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	if (a->least != b->least)
		return a->least < b->least ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->from < b->from ? -1 : a->from > b->from;
}

const struct span *kinds_spans(struct economy *e, uint32_t cargo, size_t *ret_n)
{
	struct kinds *k = e->kinds;
	const struct cargo *g = &e->cargo.items[cargo];
	const int64_t shape[] = { g->load.cpu_milli, g->counts, economy_wants_no_spot(e, g) };

	if (k->shapes.n > MAX_SHAPES)
		forget_shapes(k);
	str_id id = intern_add(&k->shapes, shape, sizeof(shape));
	while (k->of_shape.n <= id)
		*array_add(&k->of_shape) = (spans){ 0 };
	spans *s = &k->of_shape.items[id];
	if (!s->n) {
		for (uint32_t kind = 0; kind < k->list.n; kind++)
			for (unsigned group = 0; group < KIND_GROUPS; group++)
				if (!(group & KIND_DEAR) ||
				    e->fleet.nodes[k->list.items[kind].node].capacity_type ==
					    CAPACITY_SPOT)
					add_spans(e, g, kind, group, s);
		qsort(s->items, s->n, sizeof(*s->items), by_least);
		e->steps += s->n;
	}
	*ret_n = s->n;
	return s->items;
}

/* ---- Walking ---- */

struct walk {
	struct economy *e;
	uint32_t cargo;
	struct room wanted;
	int64_t from, to;
	bool is_from_right;
	bool (*accepts)(struct economy *e, uint32_t cargo, node_id node, bool only_used);
	bool only_used;
};

static bool may_hold(const struct walk *w, const struct room *r)
{
	return (!w->wanted.cpu || w->wanted.cpu <= r->cpu) &&
	       (!w->wanted.memory || w->wanted.memory <= r->memory) && r->pods >= 1;
}

static uint32_t walk(const struct walk *w, uint32_t at)
{
	struct member *m;
	uint32_t found;

	if (!at || !may_hold(w, &(m = member(w->e->kinds, at))->most))
		return 0;
	w->e->steps++;
	uint32_t sides[] = { m->cpu >= w->from ? m->left : 0, m->cpu <= w->to ? m->right : 0 };
	found = walk(w, sides[w->is_from_right]);
	if (found)
		return found;
	if (m->cpu >= w->from && m->cpu <= w->to && may_hold(w, &m->own) &&
	    w->accepts(w->e, w->cargo, at - 1, w->only_used))
		return at;
	return walk(w, sides[!w->is_from_right]);
}

node_id kinds_walk(struct economy *e, uint32_t cargo, const struct span *s,
		   bool (*accepts)(struct economy *e, uint32_t cargo, node_id node, bool only_used),
		   bool only_used)
{
	const struct pod *pod = &e->c->pods.items[e->cargo.items[cargo].pod];
	const struct kind *kind = &e->kinds->list.items[s->kind];
	struct walk w = {
		.e = e,
		.cargo = cargo,
		.wanted = { pod->cpu_milli, pod->memory, 1 },
		.from = s->from,
		.to = s->to,
		.is_from_right = s->is_falling,
		.accepts = accepts,
		.only_used = only_used,
	};
	uint32_t found = walk(&w, kind->roots[s->group]);

	if (found && !w.is_from_right) { /* of those with as much in use, the first by name */
		w.from = w.to = member(e->kinds, found)->cpu;
		w.is_from_right = true;
		found = walk(&w, kind->roots[s->group]);
	}
	return found ? found - 1 : NONE;
}
