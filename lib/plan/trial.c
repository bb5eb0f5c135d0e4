/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/sort.h"
#include "model/pdb.h"
#include "plan/inter_pod.h"

enum { SYSTEM_CRITICAL = 2000000000 };

/* ---- Cells and places ---- */

static void make_cells(struct trial *w)
{
	size_t n_cores = w->cap.cores.n;

	w->cell_of_core = xmalloc(n_cores * sizeof(*w->cell_of_core));
	w->pods_on_core = xcalloc(n_cores, sizeof(*w->pods_on_core));
	w->cells = xcalloc(n_cores, sizeof(*w->cells));
	for (node_id id = 0; id < w->cap.nodes.n; id++) {
		const struct node_capacity *nc = &w->cap.nodes.items[id];

		for (uint32_t i = 0; i < nc->cores.n; i++) {
			if (i == 0 || nc->scope == SCOPE_CORE) {
				struct cell *cell = &w->cells[w->n_cells++];

				cell->node = id;
				memcpy(cell->cap, nc->cap, sizeof(cell->cap));
			}
			w->cell_of_core[nc->cores.at + i] = w->n_cells - 1;
		}
	}
}

static place_id add_place(struct trial *w, node_id node, const uint32_t *cores, uint32_t n)
{
	const struct node_capacity *nc = &w->cap.nodes.items[node];
	struct core_set p = {
		.node = node,
		.cores = { (uint32_t)w->place_cores.n, n },
		.cells = { (uint32_t)w->place_cells.n, 0 },
	};

	for (uint32_t i = 0; i < n; i++)
		*array_add(&w->place_cores) = cores[i];
	/* A node-wide cell is loaded once, and whatever the cores are. */
	if (nc->scope == SCOPE_NODE && nc->cores.n)
		*array_add(&w->place_cells) = w->cell_of_core[nc->cores.at];
	for (uint32_t i = 0; i < n && nc->scope == SCOPE_CORE; i++)
		*array_add(&w->place_cells) = w->cell_of_core[cores[i]];
	p.cells.n = (uint32_t)w->place_cells.n - p.cells.at;
	*array_add(&w->places) = p;
	return (place_id)w->places.n - 1;
}

static void make_single_places(struct trial *w)
{
	array_reserve(&w->places, w->cap.cores.n);
	array_reserve(&w->place_cores, w->cap.cores.n);
	array_reserve(&w->place_cells, w->cap.cores.n);
	for (uint32_t i = 0; i < w->cap.cores.n; i++)
		add_place(w, w->cap.cores.items[i].node, &i, 1);
}

place_id trial_place(struct trial *w, node_id node, const uint32_t *cores, uint32_t n)
{
	if (n == 1)
		return cores[0];

	uint32_t key[1 + CPUSET_MAX] = { node };
	memcpy(key + 1, cores, n * sizeof(*cores));
	str_id set = intern_add(&w->place_sets, key, (n + 1) * sizeof(*key));

	while (w->place_of_set.n <= set)
		*array_add(&w->place_of_set) = NONE;
	if (w->place_of_set.items[set] == NONE)
		w->place_of_set.items[set] = add_place(w, node, cores, n);
	return w->place_of_set.items[set];
}

/* ---- Budgets ---- */

/* A pod that may not be touched counts for every rank; used[] wraps back to what it was. */
static unsigned budget_ranks(const struct unit *u)
{
	return u->kind == UNIT_FIXED ? LEVELS + 1u : u->rank + 1u;
}

static void load_cells(struct trial *w, const struct unit *u, place_id at, bool adds)
{
	struct range cells = w->places.items[at].cells;
	struct range cores = w->places.items[at].cores;
	unsigned ranks = budget_ranks(u);
	uint32_t change[LANES];

	for (int k = 0; k < LANES; k++)
		change[k] = adds ? u->load[k] : -u->load[k];
	for (uint32_t i = 0; i < cells.n; i++) {
		struct cell *cell = &w->cells[w->place_cells.items[cells.at + i]];

		for (unsigned r = 0; r < ranks; r++)
			for (int k = 0; k < LANES; k++)
				cell->used[r][k] += change[k];
	}
	for (uint32_t i = 0; i < cores.n; i++)
		w->pods_on_core[w->place_cores.items[cores.at + i]] += adds ? 1u : -1u;
}

void trial_assign(struct trial *w, unit_id id, place_id place)
{
	struct unit *u = &w->units.items[id];

	u->at = place;
	load_cells(w, u, place, true);
}

void trial_unassign(struct trial *w, unit_id id)
{
	struct unit *u = &w->units.items[id];

	load_cells(w, u, u->at, false);
	u->at = NONE;
}

/* ---- Requests ---- */

static struct extended *extended_of(const struct trial *w, node_id node, str_id name)
{
	struct range run = w->nodes[node].extended;

	for (uint32_t i = 0; i < run.n; i++)
		if (w->extended.items[run.at + i].name == name)
			return &w->extended.items[run.at + i];
	return NULL;
}

static void add_requests(struct trial *w, const struct pod *pod, node_id node, unsigned ranks,
			 int64_t sign)
{
	struct node_load *n = &w->nodes[node];

	for (unsigned r = 0; r < ranks; r++) {
		n->used[r][RES_CPU] += sign * pod->cpu_milli;
		n->used[r][RES_MEMORY] += sign * pod->memory;
		n->used[r][RES_EPHEMERAL] += sign * pod->ephemeral;
		n->used[r][RES_PODS] += sign;
	}
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &w->c->amounts.items[pod->extended.at + i];
		struct extended *x = extended_of(w, node, a->name);

		for (unsigned r = 0; x && r < ranks; r++)
			x->used[r] += sign * a->value;
	}
}

static unsigned request_ranks(const struct unit *u)
{
	return u->kind == UNIT_PENDING || u->can_evict ? u->rank + 1u : LEVELS;
}

void trial_charge(struct trial *w, unit_id id, node_id node)
{
	const struct unit *u = &w->units.items[id];

	add_requests(w, unit_pod(w, u), node, request_ranks(u), 1);
	if (w->terms)
		inter_pod_charge(w->terms, w, u->pod, node);
}

void trial_uncharge(struct trial *w, unit_id id, node_id node)
{
	const struct unit *u = &w->units.items[id];

	add_requests(w, unit_pod(w, u), node, request_ranks(u), -1);
	if (w->terms)
		inter_pod_uncharge(w->terms, w, u->pod, node);
}

static bool brings_requests(const struct unit *u)
{
	return u->kind == UNIT_PENDING || u->is_evicted;
}

void trial_add(struct trial *w, unit_id id, place_id place)
{
	if (brings_requests(&w->units.items[id]))
		trial_charge(w, id, w->places.items[place].node);
	trial_assign(w, id, place);
}

void trial_remove(struct trial *w, unit_id id)
{
	const struct unit *u = &w->units.items[id];
	node_id node = w->places.items[u->at].node;

	trial_unassign(w, id);
	if (brings_requests(u))
		trial_uncharge(w, id, node);
}

void trial_evict(struct trial *w, unit_id id)
{
	struct unit *u = &w->units.items[id];

	u->is_evicted = true;
	trial_uncharge(w, id, u->node);
	if (u->pdb != NONE)
		w->evictions_left[u->pdb]--;
}

void trial_unevict(struct trial *w, unit_id id)
{
	struct unit *u = &w->units.items[id];

	u->is_evicted = false;
	trial_charge(w, id, u->node);
	if (u->pdb != NONE)
		w->evictions_left[u->pdb]++;
}

/* Is what the pod asks for within what the node has, with `more` times its requests added? */
static bool requests_fit(const struct trial *w, const struct unit *u, node_id node, unsigned rank,
			 int more)
{
	const struct pod *pod = unit_pod(w, u);
	const struct node_load *n = &w->nodes[node];
	int64_t want[RES_KINDS] = { pod->cpu_milli, pod->memory, pod->ephemeral, 1 };

	for (int i = 0; i < RES_KINDS; i++)
		if (want[i] && n->used[rank][i] + more * want[i] > n->have[i])
			return false;
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &w->c->amounts.items[pod->extended.at + i];
		const struct extended *x = extended_of(w, node, a->name);

		if (a->value && (!x || x->used[rank] + more * a->value > x->have))
			return false;
	}
	return true;
}

bool trial_has_room(const struct trial *w, const struct unit *u, node_id node, unsigned rank)
{
	return requests_fit(w, u, node, rank, 1);
}

bool trial_keeps_room(const struct trial *w, const struct unit *u, node_id node, unsigned rank)
{
	return requests_fit(w, u, node, rank, 0);
}

static void make_nodes(struct trial *w)
{
	const struct cluster *c = w->c;

	w->nodes = xcalloc(c->nodes.n, sizeof(*w->nodes));
	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct node *node = &c->nodes.items[id];

		w->nodes[id] = (struct node_load){
			.have = { node->cpu_milli, node->memory, node->ephemeral, node->max_pods },
			.extended = { (uint32_t)w->extended.n, node->extended.n },
		};
		for (uint32_t i = 0; i < node->extended.n; i++) {
			const struct amount *a = &c->amounts.items[node->extended.at + i];

			*array_add(&w->extended) = (struct extended){ a->name, a->value, { 0 } };
		}
	}
}

/* ---- Units ---- */

static void find_owner_kinds(struct trial *w)
{
	const struct intern *strings = &w->c->strings;

	w->owner.node = intern_find(strings, "Node", 4);
	w->owner.daemon_set = intern_find(strings, "DaemonSet", 9);
	w->owner.stateful_set = intern_find(strings, "StatefulSet", 11);
}

static bool is_untouchable(const struct trial *w, const struct pod *pod)
{
	return pod->is_terminating || pod->is_mirror || pod->priority >= SYSTEM_CRITICAL ||
	       pod->owner_kind == w->owner.node;
}

/* Will its controller make a new one that comes to us and asks for the same? */
static bool is_reschedulable(const struct trial *w, const struct unit *u)
{
	const struct pod *pod = unit_pod(w, u);
	const struct request *q = unit_request(w, u);

	if (!pod->is_ours || q->is_bad || !pod->owner_kind ||
	    pod->owner_kind == w->owner.daemon_set)
		return false;
	if (q->source == SOURCE_MCKUBE && w->c->mckubes.items[q->mckube].podname)
		return pod->owner_kind == w->owner.stateful_set;
	return q->source != SOURCE_NONE;
}

static bool unit_kind_of(const struct trial *w, const struct request *q, uint8_t *ret)
{
	const struct pod *pod = &w->c->pods.items[q->pod];
	bool can_ask = q->has_budget && !q->is_bad && q->source != SOURCE_NONE;

	/* What a bad or forgotten request would allow is not known: its load stays where it is. */
	if (pod->node != NONE && q->has_cores)
		*ret = !can_ask || is_untouchable(w, pod) ? UNIT_FIXED : UNIT_RUNNING;
	else if (pod->node != NONE && can_ask && !pod->is_terminating)
		*ret = UNIT_UNASSIGNED;
	else if (!pod->node_name && can_ask && pod->is_ours && !pod->has_other_gate &&
		 !pod->is_terminating)
		*ret = UNIT_PENDING;
	else
		return false;
	return true;
}

/* The part of the pod's cores that the node has; is_misplaced if it may not use them as they are.
 */
static place_id origin_of(struct trial *w, struct unit *u)
{
	const struct request *q = unit_request(w, u);
	const struct cpuset *set = &w->req.sets.items[q->cores];
	uint32_t cores[CPUSET_MAX], n = 0, watched_kinds = 0;

	cpuset_each(cpu, set) {
		uint32_t core = capacity_core(&w->cap, u->node, cpu);

		watched_kinds++;
		if (core != NONE)
			cores[n++] = core;
	}
	u->is_misplaced = n != watched_kinds || n != q->core_count ||
			  (q->has_pin && !cpuset_eq(set, &w->req.sets.items[q->pin]));
	return trial_place(w, u->node, cores, n);
}

static void add_unit(struct trial *w, uint32_t request, const struct pdb_cover *covers)
{
	const struct request *q = &w->req.list.items[request];
	const struct pod *pod = &w->c->pods.items[q->pod];
	struct unit u = {
		.pod = q->pod,
		.request = request,
		.node = pod->node,
		.origin = NONE,
		.at = NONE,
		.replacement = NONE,
		.pdb = covers[q->pod].pdb,
		.rank = q->budget.criticality,
		.core_count = q->core_count,
	};

	if (!unit_kind_of(w, q, &u.kind))
		return;
	memcpy(u.load, q->load, sizeof(q->load));
	if (q->has_cores && u.node != NONE)
		u.origin = origin_of(w, &u);
	if (u.kind == UNIT_FIXED)
		u.is_misplaced = false;
	if (u.kind == UNIT_RUNNING || u.kind == UNIT_UNASSIGNED)
		u.can_evict = pdb_allows(w->c, covers[q->pod]) && !is_untouchable(w, pod) &&
			      pod->owner_kind != w->owner.daemon_set;
	u.is_reschedulable = u.kind == UNIT_RUNNING && is_reschedulable(w, &u);
	w->unit_of_pod[q->pod] = (unit_id)w->units.n;
	*array_add(&w->units) = u;
}

int trial_by_since(const void *a, const void *b, void *arg)
{
	const struct trial *w = arg;
	uint32_t x = w->units.items[*(const unit_id *)a].since;
	uint32_t y = w->units.items[*(const unit_id *)b].since;

	return x < y ? -1 : x > y;
}

/* The more critical first, then by priority. */
static uint64_t importance_key(const struct trial *w, const struct unit *u)
{
	return (uint64_t)(LEVEL_HIGH - u->rank) << 32 |
	       (uint32_t)((int64_t)INT32_MAX - unit_pod(w, u)->priority);
}

static uint64_t age_key(const struct trial *w, const struct unit *u)
{
	return (uint64_t)unit_pod(w, u)->meta.created ^ (uint64_t)1 << 63;
}

/* Units are in the order of names, which decides between those that are the same in all else. */
static void give_turns(struct trial *w)
{
	uint32_t n = (uint32_t)w->units.n;
	AUTO_FREE uint64_t *age = xmalloc(n * sizeof(*age));
	AUTO_FREE uint64_t *importance = xmalloc(n * sizeof(*importance));

	w->by_turn = xmalloc(n * sizeof(*w->by_turn));
	for (unit_id id = 0; id < n; id++) {
		age[id] = age_key(w, &w->units.items[id]);
		importance[id] = importance_key(w, &w->units.items[id]);
		w->by_turn[id] = id;
	}
	sort_ids(w->by_turn, n, age);
	sort_ids(w->by_turn, n, importance);
	for (uint32_t turn = 0; turn < n; turn++)
		w->units.items[w->by_turn[turn]].turn = turn;
}

/* Lists the bound units of every node, by turn. */
static void list_node_units(struct trial *w)
{
	uint32_t at = 0;

	array_each(u, &w->units)
		if (u->node != NONE)
			w->nodes[u->node].units.n++;
	for (node_id id = 0; id < w->c->nodes.n; id++) {
		w->nodes[id].units.at = at;
		at += w->nodes[id].units.n;
		w->nodes[id].units.n = 0;
	}
	w->node_units = xmalloc(at * sizeof(*w->node_units));
	for (uint32_t turn = 0; turn < w->units.n; turn++) {
		const struct unit *u = &w->units.items[w->by_turn[turn]];

		if (u->node == NONE)
			continue;
		struct range *run = &w->nodes[u->node].units;
		w->node_units[run->at + run->n++] = w->by_turn[turn];
	}
}

/* What needs repair from the start. */
static void find_broken(struct trial *w)
{
	for (cell_id id = 0; id < w->n_cells; id++) {
		struct cell *cell = &w->cells[id];

		cell->was_overcommitted = !cell_holds(cell, 0);
		if (cell->was_overcommitted)
			w->nodes[cell->node].is_broken = true;
	}
	array_each(u, &w->units) {
		struct range cells =
			u->origin == NONE ? (struct range){ 0 } : w->places.items[u->origin].cells;

		u->is_repair = u->is_misplaced;
		for (uint32_t i = 0; i < cells.n; i++)
			if (w->cells[w->place_cells.items[cells.at + i]].was_overcommitted)
				u->is_repair = true;
		if (u->is_misplaced)
			w->nodes[u->node].is_broken = true;
	}
}

/* Everything where the snapshot has it. */
static void settle(struct trial *w)
{
	for (pod_id id = 0; id < w->c->pods.n; id++) {
		const struct pod *pod = &w->c->pods.items[id];
		unit_id unit = w->unit_of_pod[id];

		if (pod->node == NONE)
			continue;
		if (unit == NONE) {
			add_requests(w, pod, pod->node, LEVELS, 1);
			if (w->terms)
				inter_pod_charge(w->terms, w, id, pod->node);
		} else {
			trial_charge(w, unit, pod->node);
		}
	}
	for (unit_id id = 0; id < w->units.n; id++)
		if (w->units.items[id].origin != NONE)
			trial_assign(w, id, w->units.items[id].origin);
	find_broken(w);
}

static void read_requests(struct trial *w)
{
	if (!w->memory) {
		requests_read(w->c, w->settings, &w->req, &w->warnings);
		return;
	}
	requests_update(w->c, w->settings, w->memory, &w->warnings);
	w->req = w->memory->requests;
}

void trial_init(struct trial *w, const struct cluster *c, const struct settings *settings,
		struct request_cache *memory)
{
	*w = (struct trial){ .c = c, .settings = settings, .memory = memory };
	w->warnings.arena = &w->arena;
	capacity_read(c, settings, &w->cap, &w->warnings);
	read_requests(w);
	make_cells(w);
	make_single_places(w);
	make_nodes(w);

	w->evictions_left = xcalloc(c->pdbs.n, sizeof(*w->evictions_left));
	for (pdb_id id = 0; id < c->pdbs.n; id++)
		w->evictions_left[id] = c->pdbs.items[id].disruptions_allowed;

	w->unit_of_pod = xmalloc(c->pods.n * sizeof(*w->unit_of_pod));
	memset(w->unit_of_pod, 0xff, c->pods.n * sizeof(*w->unit_of_pod));
	find_owner_kinds(w);
	AUTO_FREE struct pdb_cover *covers = pdbs_read(c, w->req.of_pod);
	for (uint32_t i = 0; i < w->req.list.n; i++)
		add_unit(w, i, covers);
	give_turns(w);
	list_node_units(w);
	w->terms = inter_pod_new(w);
	settle(w);
}

void trial_done(struct trial *w)
{
	inter_pod_free(w->terms);
	capacity_done(&w->cap);
	if (!w->memory)
		requests_done(&w->req);
	array_done(&w->warnings.list);
	arena_done(&w->arena);
	array_done(&w->units);
	array_done(&w->extended);
	array_done(&w->places);
	array_done(&w->place_cores);
	array_done(&w->place_cells);
	array_done(&w->place_of_set);
	intern_done(&w->place_sets);
	free(w->unit_of_pod);
	free(w->by_turn);
	free(w->nodes);
	free(w->node_units);
	free(w->cells);
	free(w->cell_of_core);
	free(w->pods_on_core);
	free(w->evictions_left);
	*w = (struct trial){ 0 };
}
