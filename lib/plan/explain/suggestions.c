/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "model/guarantee.h"
#include "model/match.h"
#include "plan/candidate.h"
#include "plan/explain/explainer.h"
#include "plan/namespace_limits.h"
#include "plan/node_index.h"

/* Each of these tries one change on the planner's own state, by the planner's own search, and takes
 * it back: a sentence when the change is enough, else NULL. */

static place_id best_place(struct explainer *x)
{
	return index_best(&x->p, explainer_unit(x), NONE);
}

/* ---- Pins ---- */

static const char *pin_field(struct explainer *x, bool drops_core, bool drops_node)
{
	if (strcmp(x->out->source, "mckube") != 0)
		return plan_strf(&x->out->plan, "the annotation %s", POD_ANNOTATION(core_request));
	if (drops_core && drops_node)
		return "spec.node and spec.rtSettings.core";
	return drops_core ? "spec.rtSettings.core" : "spec.node";
}

static const char *drop_pins(struct explainer *x)
{
	static const struct {
		bool core, node;
	} tries[] = {
		{ true, false },
		{ false, true },
		{ true, true },
	};
	struct request *q = explainer_request(x);
	const struct request saved = *q;

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		if ((tries[i].core && !saved.has_pin) || (tries[i].node && !saved.has_node_pin))
			continue;
		q->has_pin = saved.has_pin && !tries[i].core;
		q->has_node_pin = saved.has_node_pin && !tries[i].node;
		place_id at = best_place(x);
		*q = saved;
		if (at != NONE)
			return plan_strf(&x->out->plan, "Remove %s from %s%s: there is room on %s.",
					 pin_field(x, tries[i].core, tries[i].node),
					 x->out->asked_by,
					 x->out->has_legacy_pin
						 ? ", or set legacyPins: ignore, since an older "
						   "controller chose it"
						 : "",
					 explain_place_words(x, at));
	}
	return NULL;
}

/* ---- The guarantee ---- */

static const char *lower_guarantee(struct explainer *x)
{
	struct request *q = explainer_request(x);
	const uint8_t asked = q->guarantee;

	while (q->guarantee > GUARANTEE_ANY) {
		q->guarantee--;
		place_id at = best_place(x);
		if (at == NONE)
			continue;
		const char *lower = guarantee_name((enum guarantee)q->guarantee);
		q->guarantee = asked;
		return plan_strf(&x->out->plan,
				 "Lower the guarantee to %s in %s: there is room on %s.", lower,
				 x->out->asked_by, explain_place_words(x, at));
	}
	q->guarantee = asked;
	return NULL;
}

/* ---- Budgets ---- */

/* The cores that lack least, and what they have together. */
struct offer {
	const char *node, *cores;
	uint32_t missing;
	uint32_t room[LEVELS];
	bool yields;
};

static uint32_t missing_at(const uint32_t *load, const uint32_t *room)
{
	uint32_t missing = 0;

	for (int k = 0; k < LEVELS; k++)
		if (load[k] > room[k] && load[k] - room[k] > missing)
			missing = load[k] - room[k];
	return missing;
}

static int least_missing(const void *a, const void *b, void *arg)
{
	const struct core_verdict *x = *(const struct core_verdict *const *)a;
	const struct core_verdict *y = *(const struct core_verdict *const *)b;
	uint32_t m = missing_at(arg, x->room), n = missing_at(arg, y->room);

	return m != n ? (m < n ? -1 : 1) : x < y ? -1 : x > y;
}

/* What is left beside all pods that are there now. */
static uint32_t free_now(const struct explainer *x, const struct core_verdict *v, int mode)
{
	uint32_t rest = v->load[mode] - x->out->load[mode];

	return rest < v->cap[mode] ? v->cap[mode] - rest : 0;
}

static struct offer offer_of(struct explainer *x, const struct node_verdict *v)
{
	struct offer o = { .node = v->node, .cores = "", .room = { PPM, PPM, PPM } };
	uint32_t n = v->n_cores < x->out->core_count ? v->n_cores : x->out->core_count;
	struct cpuset set = { 0 };
	char text[CPUSET_TEXT];
	AUTO_FREE const struct core_verdict **cores = xmalloc(v->n_cores * sizeof(void *));

	for (uint32_t i = 0; i < v->n_cores; i++)
		cores[i] = &v->cores[i];
	qsort_r(cores, v->n_cores, sizeof(void *), least_missing, x->out->load);
	for (uint32_t i = 0; i < n; i++) {
		struct cpuset more = { 0 };

		cpuset_parse(cores[i]->cores, strlen(cores[i]->cores), &more, NULL);
		cpuset_each(cpu, &more)
			cpuset_add(&set, cpu);
		for (int k = 0; k < LEVELS; k++) {
			o.room[k] = cores[i]->room[k] < o.room[k] ? cores[i]->room[k] : o.room[k];
			o.yields = o.yields || cores[i]->room[k] > free_now(x, cores[i], k);
		}
	}
	o.cores = plan_str(&x->out->plan, cpuset_format(&set, text));
	o.missing = missing_at(x->out->load, o.room);
	return o;
}

static int32_t least(int32_t a, int64_t b)
{
	return a < b ? a : (int32_t)b;
}

/* The largest budgets within the present ones that fit the room; false if they come to nothing. */
static bool shrink(const struct budget *b, const uint32_t *room, struct budget *ret)
{
	int64_t most[LEVELS];

	for (int k = 0; k < LEVELS; k++)
		most[k] = (int64_t)room[k] * b->period / PPM;
	*ret = *b;
	if (b->criticality == LEVEL_HIGH)
		ret->hi = least(ret->hi, most[LEVEL_HIGH]);
	if (b->criticality == LEVEL_MIDDLE || (b->criticality == LEVEL_HIGH && !b->medium))
		ret->hi = least(ret->hi, most[LEVEL_MIDDLE]);
	if (b->criticality == LEVEL_HIGH && b->medium)
		ret->medium = least(b->medium, most[LEVEL_MIDDLE]);
	ret->medium = least(ret->medium, ret->hi); /* also where it is not used */
	ret->low = least(least(ret->low, ret->medium ? ret->medium : ret->hi), most[LEVEL_LOW]);
	ret->floor = least(ret->floor, ret->low);
	for (int k = b->criticality + 1; k < LEVELS; k++)
		ret->floor = least(ret->floor, most[k]);
	return ret->low > 0 && ret->floor > 0;
}

/* field NULL: the source has none. */
static void add_lowered(struct str *out, const struct member_row *field, int32_t from, int32_t to)
{
	if (field && to < from && !strstr(out->s, field->key))
		str_addf(out, "%s%s to %d us", out->n ? " and " : "", field->key, to);
}

static bool is_floor_asked(const struct budget *b)
{
	return b->floor != budget_default_floor(b->low);
}

static const char *lower_words(struct explainer *x, const struct budget *to, const struct offer *o)
{
	const struct budget *from = &x->out->budget;
	AUTO(str_done) struct str text = STR_INIT;
	const struct budget_fields *names = explain_budget_fields(x->out->source);

	if (!names->floor && to->floor < budget_default_floor(to->low))
		return NULL;
	add_lowered(&text, names->low, from->low, to->low);
	add_lowered(&text, names->medium, from->medium, to->medium);
	add_lowered(&text, names->hi, from->hi, to->hi);
	if (is_floor_asked(from) || to->floor < budget_default_floor(to->low))
		add_lowered(&text, names->floor, from->floor, to->floor);
	return plan_strf(&x->out->plan,
			 "Lower %s in %s: there is room for that on core%s %s of %s%s.", text.s,
			 x->out->asked_by, strpbrk(o->cores, ",-") ? "s" : "", o->cores, o->node,
			 o->yields ? ", when less critical pods yield" : "");
}

/* Of that node, or (NULL) of any. */
static const char *lower_budgets_on(struct explainer *x, const char *only)
{
	struct offer best = { .missing = UINT32_MAX };
	struct budget budget = { 0 }, tried;

	array_each(v, &x->out->nodes) {
		if (v->refused != REFUSE_BUDGET || (only && strcmp(v->node, only) != 0))
			continue;
		struct offer o = offer_of(x, v);
		if (o.missing == 0 || o.missing >= best.missing ||
		    !shrink(&x->out->budget, o.room, &tried))
			continue;
		best = o;
		budget = tried;
	}
	return best.node ? lower_words(x, &budget, &best) : NULL;
}

static const char *lower_budgets(struct explainer *x)
{
	return lower_budgets_on(x, NULL);
}

void explain_lower_budget(struct explainer *x)
{
	const char *change = lower_budgets_on(x, x->out->then.node);

	if (change)
		*array_add(&x->out->changes) = change;
}

static const char *fewer_cores(struct explainer *x)
{
	struct unit *u = explainer_unit(x);
	uint16_t asked = u->core_count;
	place_id at = NONE;

	if (*x->out->core_pin)
		return NULL;
	while (at == NONE && --u->core_count > 0)
		at = best_place(x);
	uint16_t n = u->core_count;
	u->core_count = asked;
	return at == NONE ? NULL
			  : plan_strf(&x->out->plan,
				      "Ask for %u instead of %u cores in %s: there is room on %s.",
				      n, asked, x->out->asked_by, explain_place_words(x, at));
}

/* ---- Nodes ---- */

static bool has_free_cores(struct explainer *x, node_id node)
{
	const struct unit *u = explainer_unit(x);
	candidates list = { 0 };
	bool fits = false;

	candidates_of(&x->p, u, node, &list);
	for (size_t i = 0; i < list.n && !fits; i++)
		fits = trial_fits(&x->p.trial, u, list.items[i].place, 0);
	array_done(&list);
	return fits;
}

/* Is there a taint that the pod does not tolerate? That of a cordoned node goes with the cordon. */
static bool has_other_taint(const struct cluster *c, const struct rules *rules,
			    const struct node *node)
{
	for (uint32_t i = 0; i < node->taints.n; i++) {
		const struct taint *t = &c->taints.items[node->taints.at + i];

		if (strcmp(cluster_str(c, t->key), "node.kubernetes.io/unschedulable") != 0 &&
		    !match_tolerates_taint(c, rules, t))
			return true;
	}
	return false;
}

/* Would the node take the pod but for its first refusal? Volumes are checked last, so for a pod
 * with claims it is unknown. */
static bool is_only_obstacle(struct explainer *x, node_id node, enum refusal r)
{
	const struct trial *t = &x->p.trial;
	const struct unit *u = explainer_unit(x);
	const struct rules *rules = &t->c->rules.items[unit_pod(t, u)->rules];
	const struct node *n = &t->c->nodes.items[node];

	if (r == REFUSE_UNSCHEDULABLE && !match_node(t->c, rules, n))
		return false;
	if (r == REFUSE_SELECTOR && (rules->has_node_affinity || rules->node_selector.n > 1))
		return false;
	if (r < REFUSE_TAINT && has_other_taint(t->c, rules, n))
		return false;
	if (r < REFUSE_RESOURCES && filter_node_now(t, u, node, 0, NULL, 0) != REFUSE_NOTHING)
		return false;
	if (r == REFUSE_RESOURCES && filter_is_final(&x->p.filters, u, node))
		return false;
	return rules->claims.n + rules->devices.n == 0 && has_free_cores(x, node);
}

static const struct node_verdict *first_refused_only_by(struct explainer *x, enum refusal r)
{
	for (node_id node = 0; node < x->out->nodes.n; node++)
		if (x->out->nodes.items[node].refused == r && is_only_obstacle(x, node, r))
			return &x->out->nodes.items[node];
	return NULL;
}

static const char *free_requests(struct explainer *x)
{
	const char *best = NULL;
	uint64_t share, least_share = UINT64_MAX;

	for (node_id node = 0; node < x->out->nodes.n; node++) {
		if (x->out->nodes.items[node].refused != REFUSE_RESOURCES ||
		    !is_only_obstacle(x, node, REFUSE_RESOURCES))
			continue;
		const char *lack = explain_lack(x, node, &share);
		if (share >= least_share)
			continue;
		least_share = share;
		best = plan_strf(&x->out->plan, "Free %s on %s, or request that much less.", lack,
				 explainer_node(x, node));
	}
	return best;
}

static const char *tolerate(struct explainer *x)
{
	const struct node_verdict *v = first_refused_only_by(x, REFUSE_TAINT);

	return v ? plan_strf(&x->out->plan,
			     "Add a toleration of %s to the pod: there is room on %s.", v->detail,
			     v->node)
		 : NULL;
}

static const char *uncordon(struct explainer *x)
{
	const struct node_verdict *v = first_refused_only_by(x, REFUSE_UNSCHEDULABLE);

	return v ? plan_strf(&x->out->plan, "Uncordon %s: there is room.", v->node) : NULL;
}

static const char *drop_selector(struct explainer *x)
{
	const struct node_verdict *v = first_refused_only_by(x, REFUSE_SELECTOR);

	return v ? plan_strf(&x->out->plan, "Drop its node selector %s: there is room on %s.",
			     v->detail, v->node)
		 : NULL;
}

static const char *drop_affinity(struct explainer *x)
{
	const struct node_verdict *v = first_refused_only_by(x, REFUSE_AFFINITY);

	return v ? plan_strf(&x->out->plan, "Widen its node affinity: there is room on %s.",
			     v->node)
		 : NULL;
}

/* ---- Other pods ---- */

static bool all_yield(struct explainer *x, cell_id cell)
{
	const struct unit *u = explainer_unit(x);
	struct range run = x->of_cell[cell];

	for (uint32_t i = 0; i < run.n; i++) {
		const struct unit *holder = &x->p.trial.units.items[x->holders[run.at + i]];
		const char *why;

		if (holder->rank < u->rank && !explain_yields(x, holder, &why))
			return false;
	}
	return true;
}

/* Would it fit there if the less critical pods yielded, and can all of them yield? */
static bool fits_by_force(struct explainer *x, place_id place)
{
	const struct trial *t = &x->p.trial;
	const struct unit *u = explainer_unit(x);
	struct range cells = t->places.items[place].cells;
	bool is_free = trial_fits(t, u, place, u->rank);

	for (uint32_t i = 0; i < cells.n && is_free; i++)
		is_free = all_yield(x, t->place_cells.items[cells.at + i]);
	return is_free;
}

static place_id place_by_force(struct explainer *x, node_id node)
{
	candidates list = { 0 };
	place_id found = NONE;

	candidates_of(&x->p, explainer_unit(x), node, &list);
	for (size_t i = 0; i < list.n && found == NONE; i++)
		if (fits_by_force(x, list.items[i].place))
			found = list.items[i].place;
	array_done(&list);
	return found;
}

static place_id place_with_rank(struct explainer *x, unsigned rank)
{
	struct unit *u = explainer_unit(x);
	const struct unit saved = *u;
	struct budget b = x->out->budget;
	node_id nodes[MAX_PREEMPTION_NODES];
	place_id at = NONE;

	u->rank = b.criticality = (uint8_t)rank;
	for (int k = 0; k < LEVELS; k++)
		u->load[k] = budget_load(&b, (enum level)k);
	size_t n = index_yielding(&x->p, u, nodes, MAX_PREEMPTION_NODES);
	for (size_t i = 0; i < n && at == NONE; i++)
		at = place_by_force(x, nodes[i]);
	*u = saved;
	return at;
}

static const char *raise_criticality(struct explainer *x)
{
	for (unsigned rank = explainer_unit(x)->rank + 1u; rank < LEVELS; rank++) {
		place_id at = place_with_rank(x, rank);

		if (at != NONE)
			return plan_strf(&x->out->plan,
					 "Raise its criticality to %s in %s: less critical pods on "
					 "%s would yield.",
					 criticality_name((enum level)rank), x->out->asked_by,
					 explain_place_words(x, at));
	}
	return NULL;
}

/* ---- Settings ---- */

/* Only mode Low has a threshold below the node's capacity. */
static const char *raise_threshold(struct explainer *x)
{
	const struct core_verdict *best = NULL;
	const char *node = NULL;

	array_each(v, &x->out->nodes) {
		for (uint32_t i = 0; i < v->n_cores && v->refused == REFUSE_BUDGET; i++) {
			const struct core_verdict *core = &v->cores[i];
			bool is_enough = core->load[LEVEL_LOW] <= core->cap[LEVEL_HIGH] &&
					 core->load[LEVEL_MIDDLE] <= core->cap[LEVEL_MIDDLE] &&
					 core->load[LEVEL_HIGH] <= core->cap[LEVEL_HIGH];

			if (!is_enough || (best && core->load[LEVEL_LOW] >= best->load[LEVEL_LOW]))
				continue;
			best = core;
			node = v->node;
		}
	}
	if (!best || x->out->core_count > 1)
		return NULL;
	return plan_strf(
		&x->out->plan,
		"Set coreUtilizationThreshold to %s or more: there is room then on core %s of %s.",
		emit_ratio(&x->emit, best->load[LEVEL_LOW]), best->cores, node);
}

/* Where its namespace may not ask for that, nothing else would help. */
static void explain_allowance(struct explainer *x)
{
	AUTO(str_done) struct str text = STR_INIT;

	limits_advise(&x->p.trial, explainer_unit(x), &text);
	*array_add(&x->out->changes) = plan_str(&x->out->plan, text.s);
}

void explain_changes(struct explainer *x)
{
	static const char *(*const tries[])(struct explainer * x) = {
		drop_pins,     lower_guarantee,	  lower_budgets,   fewer_cores,
		free_requests, tolerate,	  uncordon,	   drop_selector,
		drop_affinity, raise_criticality, raise_threshold,
	};

	if (explainer_unit(x)->denial) {
		explain_allowance(x);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(tries) && x->out->changes.n < MAX_CHANGES; i++) {
		const char *change = tries[i](x);

		if (change)
			*array_add(&x->out->changes) = change;
	}
}
