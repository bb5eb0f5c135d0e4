/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/sort.h"
#include "model/closed.h"
#include "model/pdb.h"
#include "plan/filter/inter_pod.h"
#include "plan/filter/nominated.h"
#include "plan/namespace_limits.h"

enum { SYSTEM_CRITICAL = 2000000000 };

/* ---- Cells and places ---- */

static void make_cells(struct trial *t)
{
	size_t n_cores = t->cap.cores.n;

	t->cell_of_core = xmalloc(n_cores * sizeof(*t->cell_of_core));
	t->pods_on_core = xcalloc(n_cores, sizeof(*t->pods_on_core));
	t->load_on_core = xcalloc(n_cores, sizeof(*t->load_on_core));
	t->cells = xcalloc(n_cores, sizeof(*t->cells));
	for (node_id id = 0; id < t->cap.nodes.n; id++) {
		const struct node_capacity *nc = &t->cap.nodes.items[id];

		for (uint32_t i = 0; i < nc->cores.n; i++) {
			if (i == 0 || nc->scope == SCOPE_CORE) {
				struct cell *cell = &t->cells[t->n_cells++];

				cell->node = id;
				memcpy(cell->cap, nc->cap, sizeof(cell->cap));
			}
			t->cell_of_core[nc->cores.at + i] = t->n_cells - 1;
		}
	}
}

static place_id add_place(struct trial *t, node_id node, const uint32_t *cores, uint32_t n)
{
	const struct node_capacity *nc = &t->cap.nodes.items[node];
	struct core_set p = {
		.node = node,
		.cores = { (uint32_t)t->place_cores.n, n },
		.cells = { (uint32_t)t->place_cells.n, 0 },
	};

	for (uint32_t i = 0; i < n; i++)
		*array_add(&t->place_cores) = cores[i];
	/* A node-wide cell is loaded once, and whatever the cores are. */
	if (nc->scope == SCOPE_NODE && nc->cores.n)
		*array_add(&t->place_cells) = t->cell_of_core[nc->cores.at];
	for (uint32_t i = 0; i < n && nc->scope == SCOPE_CORE; i++)
		*array_add(&t->place_cells) = t->cell_of_core[cores[i]];
	p.cells.n = (uint32_t)t->place_cells.n - p.cells.at;
	*array_add(&t->places) = p;
	return (place_id)t->places.n - 1;
}

static void make_single_places(struct trial *t)
{
	array_reserve(&t->places, t->cap.cores.n);
	array_reserve(&t->place_cores, t->cap.cores.n);
	array_reserve(&t->place_cells, t->cap.cores.n);
	for (uint32_t i = 0; i < t->cap.cores.n; i++)
		add_place(t, t->cap.cores.items[i].node, &i, 1);
}

place_id trial_place(struct trial *t, node_id node, const uint32_t *cores, uint32_t n)
{
	if (n == 1)
		return cores[0];

	uint32_t key[1 + CPUSET_MAX] = { node };
	memcpy(key + 1, cores, n * sizeof(*cores));
	str_id set = intern_add(&t->place_sets, key, (n + 1) * sizeof(*key));

	while (t->place_of_set.n <= set)
		*array_add(&t->place_of_set) = NONE;
	if (t->place_of_set.items[set] == NONE)
		t->place_of_set.items[set] = add_place(t, node, cores, n);
	return t->place_of_set.items[set];
}

/* ---- Budgets ---- */

/* A pod that may not be touched counts for every rank; used[] wraps back to what it was. */
static unsigned budget_ranks(const struct unit *u)
{
	return u->kind == UNIT_FIXED ? LEVELS + 1u : u->rank + 1u;
}

static void load_cells(struct trial *t, const struct unit *u, place_id at, bool adds)
{
	struct range cells = t->places.items[at].cells;
	struct range cores = t->places.items[at].cores;
	unsigned ranks = budget_ranks(u);
	uint32_t change[LANES];

	for (int k = 0; k < LANES; k++)
		change[k] = adds ? u->load[k] : -u->load[k];
	for (uint32_t i = 0; i < cells.n; i++) {
		struct cell *cell = &t->cells[t->place_cells.items[cells.at + i]];

		for (unsigned r = 0; r < ranks; r++)
			for (int k = 0; k < LANES; k++)
				cell->used[r][k] += change[k];
	}
	for (uint32_t i = 0; i < cores.n; i++) {
		t->pods_on_core[t->place_cores.items[cores.at + i]] += adds ? 1u : -1u;
		t->load_on_core[t->place_cores.items[cores.at + i]] += change[LEVEL_LOW];
	}
}

void trial_assign(struct trial *t, unit_id id, place_id place)
{
	struct unit *u = &t->units.items[id];

	u->at = place;
	load_cells(t, u, place, true);
}

void trial_unassign(struct trial *t, unit_id id)
{
	struct unit *u = &t->units.items[id];

	load_cells(t, u, u->at, false);
	u->at = NONE;
}

/* ---- Nodes ---- */

static void make_nodes(struct trial *t)
{
	const struct cluster *c = t->c;
	AUTO_FREE bool *closed = nodes_closed(c, &t->cap, &t->req);

	t->nodes = xcalloc(c->nodes.n, sizeof(*t->nodes));
	for (node_id id = 0; id < c->nodes.n; id++) {
		const struct node *node = &c->nodes.items[id];

		t->nodes[id] = (struct node_load){
			.have = { node->cpu_milli, node->memory, node->ephemeral, node->max_pods },
			.extended = { (uint32_t)t->extended.n, node->extended.n },
			.is_closed = closed[id],
		};
		for (uint32_t i = 0; i < node->extended.n; i++) {
			const struct amount *a = &c->amounts.items[node->extended.at + i];

			*array_add(&t->extended) = (struct extended){ a->name, a->value, { 0 } };
		}
	}
}

/* ---- Units ---- */

static void find_owner_kinds(struct trial *t)
{
	const struct intern *strings = &t->c->strings;

	t->owner.node = intern_find(strings, "Node", 4);
	t->owner.daemon_set = intern_find(strings, "DaemonSet", 9);
	t->owner.replica_set = intern_find(strings, "ReplicaSet", 10);
	t->owner.stateful_set = intern_find(strings, "StatefulSet", 11);
}

bool trial_is_kept(const struct trial *t, const struct pod *pod)
{
	str_id note = pod->annotations == NONE
			      ? NONE
			      : t->c->annotations.items[pod->annotations].do_not_evict;

	return note != NONE && strcmp(cluster_str(t->c, note), "false") != 0;
}

bool trial_may_not_evict(const struct trial *t, const struct pod *pod)
{
	return (t->settings->evictions.keeps_bare && pod_is_bare(pod)) || trial_is_kept(t, pod);
}

bool trial_is_untouchable(const struct trial *t, const struct pod *pod)
{
	return pod->is_unread || pod->is_terminating || pod->is_mirror ||
	       pod->priority >= SYSTEM_CRITICAL || pod->owner_kind == t->owner.node;
}

/* Will its controller recreate it, for us to schedule, with the same request? */
static bool is_reschedulable(const struct trial *t, const struct unit *u)
{
	const struct pod *pod = unit_pod(t, u);
	const struct request *q = unit_request(t, u);

	if (!pod->is_ours || q->is_bad || !pod->owner_kind ||
	    pod->owner_kind == t->owner.daemon_set)
		return false;
	if (q->source == SOURCE_MCKUBE && t->c->mckubes.items[q->mckube].podname)
		return pod->owner_kind == t->owner.stateful_set;
	return q->source != SOURCE_NONE;
}

static bool unit_kind_of(const struct trial *t, const struct request *q, uint8_t *ret)
{
	const struct pod *pod = &t->c->pods.items[q->pod];
	bool is_held = flight_holds(flight_of(&t->flights, q->pod));
	bool can_ask = !is_held && q->has_budget && !q->is_bad && q->source != SOURCE_NONE &&
		       !pod->is_unread;

	/* What a bad or removed request would allow is not known: its load stays where it is. */
	if (pod->node != NONE && q->has_cores)
		*ret = !can_ask || trial_is_untouchable(t, pod) || t->nodes[pod->node].is_closed
			       ? UNIT_FIXED
			       : UNIT_RUNNING;
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
static place_id origin_of(struct trial *t, struct unit *u)
{
	const struct request *q = unit_request(t, u);
	const struct cpuset *set = &t->req.sets.items[q->cores];
	uint32_t cores[CPUSET_MAX], n = 0, wanted = 0;

	cpuset_each(cpu, set) {
		uint32_t core = capacity_core(&t->cap, u->node, cpu);

		wanted++;
		if (core != NONE)
			cores[n++] = core;
	}
	u->is_misplaced = n != wanted || n != q->core_count ||
			  (q->has_pin && !cpuset_eq(set, &t->req.sets.items[q->pin]));
	/* Some of its cores may be all that it asks for: to go there is a move nevertheless. */
	return u->is_misplaced ? add_place(t, u->node, cores, n)
			       : trial_place(t, u->node, cores, n);
}

static void add_unit(struct trial *t, uint32_t request, const struct pdb_cover *covers)
{
	const struct request *q = &t->req.list.items[request];
	const struct pod *pod = &t->c->pods.items[q->pod];
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

	if (!unit_kind_of(t, q, &u.kind))
		return;
	memcpy(u.load, q->load, sizeof(q->load));
	if (q->has_cores && u.node != NONE)
		u.origin = origin_of(t, &u);
	u.may_run =
		!u.is_misplaced && !q->is_bad && q->source != SOURCE_NONE && !pod->is_terminating;
	if (u.kind == UNIT_FIXED)
		u.is_misplaced = false;
	if (u.kind == UNIT_RUNNING || u.kind == UNIT_UNASSIGNED)
		u.can_evict = pdb_allows(t->c, covers[q->pod]) && !trial_is_untouchable(t, pod) &&
			      pod->owner_kind != t->owner.daemon_set &&
			      !trial_may_not_evict(t, pod);
	u.is_reschedulable = u.kind == UNIT_RUNNING && is_reschedulable(t, &u);
	t->unit_of_pod[q->pod] = (unit_id)t->units.n;
	*array_add(&t->units) = u;
}

int trial_by_since(const void *a, const void *b, void *arg)
{
	const struct trial *t = arg;
	uint32_t x = t->units.items[*(const unit_id *)a].since;
	uint32_t y = t->units.items[*(const unit_id *)b].since;

	return x < y ? -1 : x > y;
}

/* The more critical first, then by priority. */
static uint64_t importance_key(const struct trial *t, const struct unit *u)
{
	return (uint64_t)(LEVEL_HIGH - u->rank) << 32 |
	       (uint32_t)((int64_t)INT32_MAX - unit_pod(t, u)->priority);
}

static uint64_t age_key(const struct trial *t, const struct unit *u)
{
	return (uint64_t)unit_pod(t, u)->meta.created ^ (uint64_t)1 << 63;
}

/* Units are in the order of names, which decides between those that are the same in all else. */
static void give_turns(struct trial *t)
{
	uint32_t n = (uint32_t)t->units.n;
	AUTO_FREE uint64_t *age = xmalloc(n * sizeof(*age));
	AUTO_FREE uint64_t *importance = xmalloc(n * sizeof(*importance));

	t->by_turn = xmalloc(n * sizeof(*t->by_turn));
	for (unit_id id = 0; id < n; id++) {
		age[id] = age_key(t, &t->units.items[id]);
		importance[id] = importance_key(t, &t->units.items[id]);
		t->by_turn[id] = id;
	}
	sort_ids(t->by_turn, n, age);
	sort_ids(t->by_turn, n, importance);
	for (uint32_t turn = 0; turn < n; turn++)
		t->units.items[t->by_turn[turn]].turn = turn;
}

/* Lists the bound units of every node, by turn. */
static void list_node_units(struct trial *t)
{
	uint32_t at = 0;

	array_each(u, &t->units)
		if (u->node != NONE)
			t->nodes[u->node].units.n++;
	for (node_id id = 0; id < t->c->nodes.n; id++) {
		t->nodes[id].units.at = at;
		at += t->nodes[id].units.n;
		t->nodes[id].units.n = 0;
	}
	t->node_units = xmalloc(at * sizeof(*t->node_units));
	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		const struct unit *u = &t->units.items[t->by_turn[turn]];

		if (u->node == NONE)
			continue;
		struct range *run = &t->nodes[u->node].units;
		t->node_units[run->at + run->n++] = t->by_turn[turn];
	}
}

/* The cores of a closed node have room for what is on them, and no more. */
static void close_cells(struct trial *t)
{
	for (cell_id id = 0; id < t->n_cells; id++) {
		struct cell *cell = &t->cells[id];

		for (int k = 0; k < LEVELS && t->nodes[cell->node].is_closed; k++)
			if (cell->used[0][k] < cell->cap[k])
				cell->cap[k] = cell->used[0][k];
	}
}

static bool is_on_broken_cell(const struct trial *t, const struct unit *u)
{
	struct range cells =
		u->origin == NONE ? (struct range){ 0 } : t->places.items[u->origin].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (t->cells[t->place_cells.items[cells.at + i]].was_overcommitted)
			return true;
	return false;
}

void trial_find_broken(struct trial *t, node_id node)
{
	struct range cores = t->cap.nodes.items[node].cores;
	struct node_load *n = &t->nodes[node];

	n->is_broken = false;
	for (uint32_t i = cores.at; i < cores.at + cores.n; i++) {
		struct cell *cell = &t->cells[t->cell_of_core[i]];

		cell->was_overcommitted = !cell_holds(cell, 0);
		n->is_broken |= cell->was_overcommitted;
	}
	for (uint32_t i = 0; i < n->units.n; i++) {
		struct unit *u = &t->units.items[t->node_units[n->units.at + i]];

		u->is_repair = u->is_misplaced || is_on_broken_cell(t, u);
		n->is_broken |= u->is_misplaced;
	}
}

/* All pods where the snapshot has them. */
static void place_all(struct trial *t)
{
	for (pod_id id = 0; id < t->c->pods.n; id++) {
		const struct pod *pod = &t->c->pods.items[id];
		unit_id unit = t->unit_of_pod[id];

		if (pod->node == NONE)
			continue;
		if (unit == NONE)
			trial_charge_pod(t, id, pod->node);
		else
			trial_charge(t, unit, pod->node);
	}
	for (unit_id id = 0; id < t->units.n; id++)
		if (t->units.items[id].origin != NONE)
			trial_assign(t, id, t->units.items[id].origin);
	close_cells(t);
	for (node_id id = 0; id < t->c->nodes.n; id++)
		trial_find_broken(t, id);
}

/* Up to what is free: it keeps new pods away, and takes the place of none. */
static void charge_retained(struct trial *t)
{
	for (cell_id id = 0; id < t->n_cells; id++) {
		struct cell *cell = &t->cells[id];
		uint32_t retained = t->cap.nodes.items[cell->node].retained;

		for (int k = 0; retained && k < LEVELS; k++) {
			uint32_t used = cell->used[0][k];
			uint32_t room = used < cell->cap[k] ? cell->cap[k] - used : 0;

			for (int rank = 0; rank <= LEVELS; rank++)
				cell->used[rank][k] += retained < room ? retained : room;
		}
	}
}

static void read_requests(struct trial *t)
{
	if (!t->memory) {
		requests_read(t->c, t->settings, &t->req, &t->warnings);
		return;
	}
	requests_update(t->c, t->settings, t->memory, &t->warnings);
	t->req = t->memory->requests;
}

void trial_init(struct trial *t, const struct cluster *c, const struct settings *settings,
		struct request_cache *memory)
{
	*t = (struct trial){ .c = c, .settings = settings, .memory = memory };
	t->warnings.arena = &t->arena;
	capacity_read(c, settings, &t->cap, &t->warnings);
	read_requests(t);
	make_cells(t);
	make_single_places(t);
	make_nodes(t);

	evictions_init(&t->evictions, c, settings);
	t->unit_of_pod = xmalloc(c->pods.n * sizeof(*t->unit_of_pod));
	memset(t->unit_of_pod, 0xff, c->pods.n * sizeof(*t->unit_of_pod));
	find_owner_kinds(t);
	flights_read(c, &t->flights);
	AUTO_FREE struct pdb_cover *covers = pdbs_read(c, t->req.of_pod);
	for (uint32_t i = 0; i < t->req.list.n; i++)
		add_unit(t, i, covers);
	give_turns(t);
	limits_decide(t);
	list_node_units(t);
	nominated_list(t);
	t->terms = inter_pod_new(c);
	place_all(t);
	charge_retained(t);
}

void trial_done(struct trial *t)
{
	inter_pod_free(t->terms);
	flights_done(&t->flights);
	capacity_done(&t->cap);
	if (!t->memory)
		requests_done(&t->req);
	array_done(&t->warnings.list);
	arena_done(&t->arena);
	array_done(&t->units);
	array_done(&t->nominated);
	array_done(&t->extended);
	array_done(&t->places);
	array_done(&t->place_cores);
	array_done(&t->place_cells);
	array_done(&t->place_of_set);
	intern_done(&t->place_sets);
	free(t->unit_of_pod);
	free(t->by_turn);
	free(t->nodes);
	free(t->node_units);
	free(t->cells);
	free(t->cell_of_core);
	free(t->pods_on_core);
	free(t->load_on_core);
	evictions_done(&t->evictions);
	*t = (struct trial){ 0 };
}
