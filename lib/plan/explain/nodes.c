/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "model/guarantee.h"
#include "model/heartbeat.h"
#include "model/match.h"
#include "model/pdb.h"
#include "model/storage.h"
#include "plan/explain/explainer.h"

/* ---- The pods on a cell ---- */

static void count_holder(struct explainer *x, unit_id id, bool stores)
{
	const struct trial *t = &x->p.trial;
	place_id at = t->units.items[id].at;
	struct range cells = at == NONE ? (struct range){ 0 } : t->places.items[at].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		struct range *run = &x->of_cell[t->place_cells.items[cells.at + i]];

		if (stores)
			x->holders[run->at + run->n] = id;
		run->n++;
	}
}

/* By cell, and there by turn. */
static void list_holders(struct explainer *x)
{
	const struct trial *t = &x->p.trial;
	uint32_t at = 0;

	x->of_cell = xcalloc(t->n_cells, sizeof(*x->of_cell));
	for (unit_id id = 0; id < t->units.n; id++)
		count_holder(x, id, false);
	for (cell_id cell = 0; cell < t->n_cells; cell++) {
		x->of_cell[cell].at = at;
		at += x->of_cell[cell].n;
		x->of_cell[cell].n = 0;
	}
	x->holders = xmalloc(at * sizeof(*x->holders));
	for (uint32_t turn = 0; turn < t->units.n; turn++)
		count_holder(x, t->by_turn[turn], true);
}

const char *explain_fixed_words(const struct trial *t, const struct unit *u)
{
	const struct pod *pod = unit_pod(t, u);

	if (pod->is_terminating)
		return "it is terminating and keeps its room until it is gone";
	if (pod->is_mirror || strcmp(cluster_str(t->c, pod->owner_kind), "Node") == 0)
		return "it is a static pod of its kubelet";
	if (unit_request(t, u)->is_bad)
		return "its request is invalid";
	if (unit_request(t, u)->source == SOURCE_NONE)
		return "its real-time request is gone";
	return "it is system-critical";
}

static const char *protection_words(struct explainer *x, const struct unit *u)
{
	const struct trial *t = &x->p.trial;
	const struct meta *pdb = u->pdb == NONE ? NULL : &t->c->pdbs.items[u->pdb].meta;

	if (trial_is_kept(t, unit_pod(t, u)))
		return "its annotation do-not-evict forbids to evict it";
	if (trial_may_not_evict(t, unit_pod(t, u)))
		return "no controller recreates it, and evictions.bare is never";
	if (u->can_evict && evictions_are_closed(&t->evictions))
		return "evictions.windows is closed";
	if (u->can_evict && evictions_reached(&t->evictions, u->pod))
		return "the plan evicts as many pods as its settings allow";
	if (!pdb)
		return "a DaemonSet's pod may move, not be evicted";
	if (pdb_left(&t->c->pdbs.items[u->pdb]) > 0 && !u->can_evict)
		return "a pod under several PodDisruptionBudgets cannot be evicted";
	return plan_strf(&x->out->plan, "PodDisruptionBudget %s allows no %seviction",
			 cluster_str(t->c, pdb->name), u->can_evict ? "further " : "");
}

bool explain_yields(struct explainer *x, const struct unit *holder, const char **ret_why)
{
	const struct trial *t = &x->p.trial;
	unsigned rank = explainer_unit(x)->rank;
	bool is_protected = !trial_may_evict(t, holder);

	if (holder->kind == UNIT_FIXED)
		*ret_why = explain_fixed_words(t, holder);
	else if (holder->rank >= rank)
		*ret_why = holder->rank > rank ? "it is more critical" : "it is as critical";
	else if (unit_reach(t, explainer_unit(x)) < rank)
		*ret_why = "it is less critical, but the pod's preemptionPolicy is Never";
	else if (holder->kind != UNIT_PENDING && is_protected)
		*ret_why = protection_words(x, holder);
	else
		*ret_why = "it is less critical and could yield";
	return holder->kind != UNIT_FIXED && holder->rank < unit_reach(t, explainer_unit(x)) &&
	       (holder->kind == UNIT_PENDING || !is_protected);
}

static struct holder holder_of(struct explainer *x, const struct unit *u)
{
	const struct trial *t = &x->p.trial;
	const struct meta *meta = &unit_pod(t, u)->meta;
	struct holder h = {
		.ns = plan_str(&x->out->plan, cluster_str(t->c, meta->ns)),
		.name = plan_str(&x->out->plan, cluster_str(t->c, meta->name)),
		.criticality = u->rank,
	};

	memcpy(h.load, u->load, sizeof(h.load));
	h.can_yield = explain_yields(x, u, &h.why);
	return h;
}

/* ---- The verdict of a core ---- */

/* Ranks below this one can be removed from the cell in the trial. */
static unsigned yielding_rank(const struct core_verdict *v, const struct unit *u)
{
	for (uint32_t i = 0; i < v->n_holders; i++)
		if (v->holders[i].criticality < u->rank && !v->holders[i].can_yield)
			return 0;
	return u->rank;
}

static void fill_loads(struct core_verdict *v, const struct cell *cell, const struct unit *u)
{
	unsigned rank = yielding_rank(v, u);

	v->would_yield = true;
	for (int k = 0; k < LEVELS; k++) {
		uint32_t rest = cell->used[rank][k];

		v->load[k] = cell->used[0][k] + u->load[k];
		v->cap[k] = cell->cap[k];
		v->room[k] = rest < cell->cap[k] ? cell->cap[k] - rest : 0;
		v->would_yield = v->would_yield && u->load[k] <= v->room[k];
		if (v->load[k] > v->cap[k] && v->load[k] - v->cap[k] > v->missing) {
			v->missing = v->load[k] - v->cap[k];
			v->mode = (uint8_t)k;
		}
	}
	v->would_yield = v->would_yield && v->missing;
}

static const char *core_words(struct explainer *x, const struct core_verdict *v)
{
	if (!v->missing)
		return "fits";
	return plan_strf(&x->out->plan, "%s too much in mode %s%s",
			 emit_ratio(&x->emit, v->missing), criticality_name((enum level)v->mode),
			 v->would_yield ? ", unless less critical pods yield" : "");
}

static bool is_in_place(const struct explainer *x, uint32_t core)
{
	struct range cores =
		x->place == NONE ? (struct range){ 0 } : x->p.trial.places.items[x->place].cores;

	for (uint32_t i = 0; i < cores.n; i++)
		if (x->p.trial.place_cores.items[cores.at + i] == core)
			return true;
	return false;
}

/* Of cores that count as one. */
static struct core_verdict core_verdict(struct explainer *x, const uint32_t *cores, uint32_t n)
{
	const struct trial *t = &x->p.trial;
	cell_id cell = t->cell_of_core[cores[0]];
	struct range holders = x->of_cell[cell];
	struct core_verdict v = { .n_holders = holders.n };
	struct cpuset set = { 0 };
	char text[CPUSET_TEXT];

	for (uint32_t i = 0; i < n; i++) {
		cpuset_add(&set, t->cap.cores.items[cores[i]].cpu);
		v.is_chosen = v.is_chosen || is_in_place(x, cores[i]);
		v.score += x->p.score[cores[i]];
	}
	v.score /= n;
	v.cores = plan_str(&x->out->plan, cpuset_format(&set, text));
	v.holders = arena_new(&x->out->plan.arena, struct holder, holders.n);
	for (uint32_t i = 0; i < holders.n; i++)
		v.holders[i] = holder_of(x, &t->units.items[x->holders[holders.at + i]]);
	fill_loads(&v, &t->cells[cell], explainer_unit(x));
	v.message = core_words(x, &v);
	return v;
}

/* ---- The verdict of a node ---- */

/* "300m", "64Mi", "3" */
static void add_amount(struct str *out, int64_t value, bool is_milli, bool is_bytes)
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti" };
	size_t unit = 0;

	if (is_milli && value % 1000 == 0)
		value /= 1000, is_milli = false;
	while (is_bytes && value >= 1024 && value % 1024 == 0 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		unit++;
	}
	str_addf(out, "%lld%s%s", (long long)value, units[unit], is_milli ? "m" : "");
}

struct lack {
	struct str text;
	uint64_t share;
};

static void add_lack(struct lack *l, const char *name, int64_t lacking, int64_t have, bool is_milli,
		     bool is_bytes)
{
	if (lacking <= 0)
		return;
	str_add(&l->text, l->text.n ? " and " : "");
	add_amount(&l->text, lacking, is_milli, is_bytes);
	str_addf(&l->text, " of %s", name);
	l->share += have > 0 ? (uint64_t)((unsigned __int128)lacking * PPM / (uint64_t)have) : PPM;
}

const char *explain_lack(struct explainer *x, node_id node, uint64_t *ret_share)
{
	static const char *const names[RES_KINDS] = { "cpu", "memory", "ephemeral-storage",
						      "pods" };
	const struct trial *t = &x->p.trial;
	const struct pod *pod = &t->c->pods.items[x->pod];
	const struct node_load *n = &t->nodes[node];
	int64_t want[RES_KINDS] = { pod->cpu_milli, pod->memory, pod->ephemeral, 1 };
	struct lack l = { .text = STR_INIT };

	for (int i = 0; i < RES_KINDS; i++)
		if (want[i])
			add_lack(&l, names[i], n->used[0][i] + want[i] - n->have[i], n->have[i],
				 i == RES_CPU, i == RES_MEMORY || i == RES_EPHEMERAL);
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &t->c->amounts.items[pod->extended.at + i];
		const struct extended *e = trial_extended(t, node, a->name);
		int64_t have = e ? e->have : 0, used = e ? e->used[0] : 0;

		if (a->value)
			add_lack(&l, cluster_str(t->c, a->name), used + a->value - have, have,
				 false, false);
	}
	const char *text = plan_str(&x->out->plan, l.text.s);
	str_done(&l.text);
	if (ret_share)
		*ret_share = l.share;
	return text;
}

/* The node that it is bound to, the node of its pin. */
static const char *bound_words(struct explainer *x, node_id node)
{
	(void)node;
	return explainer_node(x, explainer_unit(x)->node);
}

static const char *pin_words(struct explainer *x, node_id node)
{
	(void)node;
	return x->out->node_pin;
}

/* The first part of the pod's nodeSelector that the node's labels do not meet. */
static const char *selector_words(struct explainer *x, node_id node)
{
	const struct cluster *c = x->p.trial.c;
	struct range all = c->rules.items[c->pods.items[x->pod].rules].node_selector;

	for (uint32_t i = 0; i < all.n; i++) {
		struct range one = { all.at + i, 1 };
		const struct requirement *r = &c->requirements.items[one.at];

		if (!selector_matches(c, (struct selector){ one, true },
				      c->nodes.items[node].labels))
			return plan_strf(&x->out->plan, "%s=%s", cluster_str(c, r->key),
					 r->values.n ? cluster_str(c, c->names.items[r->values.at])
						     : "");
	}
	return "";
}

/* All that it does not tolerate. */
static const char *taint_words(struct explainer *x, node_id node)
{
	static const char *const effects[] = {
		[EFFECT_ANY] = "",
		[EFFECT_NO_SCHEDULE] = ":NoSchedule",
		[EFFECT_PREFER_NO_SCHEDULE] = ":PreferNoSchedule",
		[EFFECT_NO_EXECUTE] = ":NoExecute",
	};
	const struct cluster *c = x->p.trial.c;
	struct range taints = c->nodes.items[node].taints;
	AUTO(str_done) struct str text = STR_INIT;

	for (uint32_t i = 0; i < taints.n; i++) {
		const struct taint *t = &c->taints.items[taints.at + i];

		if (match_tolerates_taint(c, &c->rules.items[c->pods.items[x->pod].rules], t))
			continue;
		str_addf(&text, "%s%s%s%s%s", text.n ? ", " : "", cluster_str(c, t->key),
			 t->value ? "=" : "", cluster_str(c, t->value), effects[t->effect]);
	}
	return plan_str(&x->out->plan, text.s);
}

static const char *resource_words(struct explainer *x, node_id node)
{
	return plan_strf(&x->out->plan, "%s is missing", explain_lack(x, node, NULL));
}

static const char *storage_words(struct explainer *x, node_id node)
{
	const struct cluster *c = x->p.trial.c;
	char text[512];
	str_id claim;
	enum storage_refusal r = storage_refuses(c, &c->rules.items[c->pods.items[x->pod].rules],
						 &c->nodes.items[node], &claim);

	storage_describe(c, r, claim, text, sizeof(text));
	return plan_str(&x->out->plan, text);
}

static const char *cores_words(struct explainer *x, node_id node)
{
	uint32_t n = x->p.trial.cap.nodes.items[node].cores.n;

	if (*x->out->core_pin)
		return plan_strf(&x->out->plan, "no RT core %s", x->out->core_pin);
	return plan_strf(&x->out->plan, "%u requested, it has %u", x->out->core_count, n);
}

/* What it demands, and what the node's backend gives. */
static const char *guarantee_words(struct explainer *x, node_id node)
{
	const struct cluster *c = x->p.trial.c;
	const char *backend = helper_backend(c, &c->nodes.items[node]);

	const char *asked = guarantee_name((enum guarantee)explainer_request(x)->guarantee);

	if (!*backend)
		return plan_strf(&x->out->plan, "%s requested, it has no helper", asked);
	return plan_strf(&x->out->plan, "%s requested, backend %s is %s", asked, backend,
			 guarantee_name(guarantee_of_backend(backend)));
}

static const char *(*const details[REFUSALS])(struct explainer *x, node_id node) = {
	[REFUSE_OTHER_NODE] = bound_words,    [REFUSE_PIN] = pin_words,
	[REFUSE_GUARANTEE] = guarantee_words, [REFUSE_SELECTOR] = selector_words,
	[REFUSE_TAINT] = taint_words,	      [REFUSE_RESOURCES] = resource_words,
	[REFUSE_CORES] = cores_words,	      [REFUSE_VOLUME] = storage_words,
	[REFUSE_DEVICE] = storage_words,
};

/* The chosen node passed when it was the pod's turn; later placements may refuse it now. */
static enum refusal filter_refusal(struct explainer *x, node_id node, bool *ret_would_yield)
{
	const struct unit *u = explainer_unit(x);

	*ret_would_yield = false;
	if (x->place != NONE && x->p.trial.places.items[x->place].node == node)
		return REFUSE_NOTHING;
	if (u->kind != UNIT_PENDING && u->node != node)
		return REFUSE_OTHER_NODE;
	if (u->kind == UNIT_UNASSIGNED && !filter_guarantees(&x->p.filters, u, node))
		return REFUSE_GUARANTEE;
	if (u->kind != UNIT_PENDING)
		return REFUSE_NOTHING;

	enum refusal r = filter_node(&x->p.filters, u, node, 0, NULL, 0);
	if (r != REFUSE_NOTHING)
		*ret_would_yield = filter_node(&x->p.filters, u, node, unit_reach(&x->p.trial, u),
					       NULL, 0) == REFUSE_NOTHING;
	return r;
}

/* The cores to be tried: the pinned ones, or all; false when there are too few. */
static bool list_cores(const struct explainer *x, const struct request *q, node_id node,
		       uint32_t *cores, uint32_t *n)
{
	const struct trial *t = &x->p.trial;
	struct range run = t->cap.nodes.items[node].cores;

	*n = 0;
	for (uint32_t i = 0; i < run.n; i++)
		if (!q->has_pin ||
		    cpuset_has(&t->req.sets.items[q->pin], t->cap.cores.items[run.at + i].cpu))
			cores[(*n)++] = run.at + i;
	return *n >= x->out->core_count;
}

/* Fills the node's cores; says whether enough of them have room. */
static bool judge_cores(struct explainer *x, struct node_verdict *v, node_id node,
			const uint32_t *cores, uint32_t n)
{
	bool is_one = x->p.trial.cap.nodes.items[node].scope == SCOPE_NODE;
	uint32_t step = is_one ? n : 1, n_fitting = 0;

	v->n_cores = n / step;
	v->cores = arena_new(&x->out->plan.arena, struct core_verdict, v->n_cores);
	for (uint32_t i = 0; i < v->n_cores; i++) {
		v->cores[i] = core_verdict(x, cores + (size_t)i * step, step);
		n_fitting += v->cores[i].missing == 0;
	}
	return n_fitting >= (is_one ? 1 : x->out->core_count);
}

static void judge_node(struct explainer *x, struct node_verdict *v, node_id node)
{
	uint32_t cores[CPUSET_MAX], n;

	v->refused = (uint8_t)filter_refusal(x, node, &v->would_yield);
	if (v->refused != REFUSE_NOTHING && !v->would_yield)
		return;
	bool has_cores = list_cores(x, explainer_request(x), node, cores, &n) && n > 0;
	bool has_room = has_cores && judge_cores(x, v, node, cores, n);
	if (v->refused == REFUSE_NOTHING && !has_room)
		v->refused = has_cores ? REFUSE_BUDGET : REFUSE_CORES;
}

void explain_nodes(struct explainer *x)
{
	const struct trial *t = &x->p.trial;

	list_holders(x);
	for (node_id node = 0; node < t->c->nodes.n; node++) {
		struct node_verdict v = {
			.node = plan_str(&x->out->plan, explainer_node(x, node)),
			.is_chosen = x->place != NONE && t->places.items[x->place].node == node,
			.detail = "",
		};

		judge_node(x, &v, node);
		if (details[v.refused])
			v.detail = details[v.refused](x, node);
		v.refusal = v.refused == REFUSE_NOTHING ? "" : refusal_text(v.refused);
		*array_add(&x->out->nodes) = v;
	}
}
