/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "model/pdb.h"
#include "plan/economy/replicas.h"
#include "plan/economy/scaling.h"

enum { STALE_SECONDS = SAMPLE_STALE_SECONDS, REPLICAS_MAX = 1000, PERCENT = 100 };

/* ---- The pods of a target ---- */

typedef ARRAY(struct replica_pod) replica_pods;

static struct replica_pod replica_of(const struct economy *e, const struct pod *pod,
				     enum metric_type type)
{
	const struct metrics *m = cluster_pod_metrics(e->c, pod->meta.ns, pod->meta.name);
	bool is_cpu = type == METRIC_CPU;
	int64_t memory = pod->asked_memory < 0 ? NO_LIMIT : pod->asked_memory * 1000;
	struct replica_pod r = {
		.requested = is_cpu ? pod->asked_cpu_milli : memory,
		.started = pod->started,
		.ready_since = pod->ready_since,
		.is_ending = pod->is_terminating,
		.is_pending = pod->is_not_started,
		.has_condition = pod->has_ready_condition,
		.is_ready = pod->is_ready,
		.is_unready = pod->is_unready,
	};

	/* A sample that is too old is none: what the pod uses now is not known. */
	if (!m || m->is_unread || !(is_cpu ? m->has_cpu : m->has_memory) ||
	    m->measured + STALE_SECONDS < e->c->taken_at)
		return r;
	r.used = is_cpu ? m->cpu_milli : m->memory * 1000;
	r.sampled = m->measured;
	r.window = m->window;
	r.is_sampled = true;
	return r;
}

static void list_pods(const struct economy *e, const struct scalable *target, enum metric_type type,
		      replica_pods *ret)
{
	array_clear(ret);
	array_each(pod, &e->c->pods)
		if (pod->meta.ns == target->meta.ns &&
		    selector_matches(e->c, target->pods, pod->labels))
			*array_add(ret) = replica_of(e, pod, type);
}

/* ---- What metrics ask for ---- */

/* A sample without a query is for the one metric that it names. */
static bool is_sample_of(const struct metric_sample *s, const struct optimizer *o,
			 const struct scaling_metric *m)
{
	return !s->node_metric && s->meta.ns == o->meta.ns &&
	       s->query == (m->query ? m->query : m->metric_name) &&
	       (!s->optimizer || s->optimizer == o->meta.name) &&
	       (s->metric == m->type || (s->metric == METRIC_TYPES && s->query));
}

/* The latest value that was read for the metric; NULL: there is none. */
static const struct metric_sample *find_sample(const struct economy *e, const struct optimizer *o,
					       const struct scaling_metric *m,
					       enum no_value *ret_reason)
{
	const struct metric_sample *found = NULL;

	*ret_reason = NO_VALUE_UNKNOWN;
	array_each(s, &e->c->metric_samples) {
		if (!is_sample_of(s, o, m))
			continue;
		if (!s->has_value)
			*ret_reason = (enum no_value)s->reason;
		else if (s->at + STALE_SECONDS < e->c->taken_at)
			*ret_reason = NO_VALUE_STALE;
		else if (!found || s->at > found->at)
			found = s;
	}
	return found;
}

int32_t economy_accelerator_use(const struct economy *e, optimizer_id id)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	enum no_value unused;

	for (uint32_t i = 0; i < o->metrics.n; i++) {
		const struct scaling_metric *m = &e->c->scaling_metrics.items[o->metrics.at + i];
		const struct metric_sample *s =
			m->type == METRIC_GPU ? find_sample(e, o, m, &unused) : NULL;

		if (s)
			return (int32_t)(s->value < PERCENT * (int64_t)PPM ? s->value / PERCENT
									   : PPM);
	}
	return accelerator_use_of((enum workload_type)o->type);
}

/* A metric of demand, and the number that it proposes. */
struct demand {
	const struct economy *e;
	const struct optimizer *o;
	const struct scalable *target;
	replica_pods pods;
	int32_t wanted; /* the largest proposal */
	const char *by; /* which metric's */
	uint32_t n, n_missing;
	const char *missing;
	enum no_value reason; /* that it is missing */
};

static bool propose_by_use(struct demand *d, enum metric_type type, int64_t threshold, int32_t *ret)
{
	int64_t target = threshold / PPM;

	list_pods(d->e, d->target, type, &d->pods);
	const struct replica_state s = { d->pods.items, d->pods.n, d->target->replicas,
					 d->e->c->taken_at };
	return target > 0 && target <= INT32_MAX &&
	       replicas_by_use(&s, (int32_t)target, type == METRIC_CPU, ret);
}

static bool propose_by_value(struct demand *d, const struct scaling_metric *m, int32_t *ret,
			     enum no_value *ret_reason)
{
	const struct metric_sample *sample = find_sample(d->e, d->o, m, ret_reason);

	if (!sample)
		return false;
	list_pods(d->e, d->target, METRIC_CPU, &d->pods);
	const struct replica_state s = { d->pods.items, d->pods.n, d->target->replicas,
					 d->e->c->taken_at };
	return replicas_by_value(&s, sample->value, m->threshold, ret);
}

static void take_metric(struct demand *d, const struct scaling_metric *m)
{
	enum metric_type type = (enum metric_type)m->type;
	enum no_value reason = NO_VALUE_UNKNOWN;
	int32_t n = 0;
	bool is_known;

	if (type == METRIC_COST || type == METRIC_POWER)
		return;
	d->n++;
	if (type == METRIC_CPU || type == METRIC_MEMORY)
		is_known = propose_by_use(d, type, m->threshold, &n);
	else
		is_known = propose_by_value(d, m, &n, &reason);
	if (!is_known) {
		d->n_missing++;
		d->missing = metric_type_words[type];
		d->reason = reason;
	} else if (!d->by || n > d->wanted) {
		d->wanted = n;
		d->by = metric_type_words[type];
	}
}

/* Metrics, and dialect B's two targets. */
static void ask_metrics(struct demand *d)
{
	const struct optimizer *o = d->o;

	for (uint32_t i = 0; i < o->metrics.n; i++)
		take_metric(d, &d->e->c->scaling_metrics.items[o->metrics.at + i]);
	if (o->target_cpu > 0)
		take_metric(d,
			    &(struct scaling_metric){ .type = METRIC_CPU,
						      .threshold = (int64_t)o->target_cpu * PPM });
	if (o->target_memory > 0)
		take_metric(d, &(struct scaling_metric){ .type = METRIC_MEMORY,
							 .threshold =
								 (int64_t)o->target_memory * PPM });
}

/* ---- Proposals of the last while ---- */

/* TIME:REPLICAS. */
static bool parse_proposal(const char *text, struct proposal *ret)
{
	char *end;

	errno = 0;
	ret->at = strtoll(text, &end, 10);
	if (end == text || *end != ':' || errno)
		return false;
	const char *number = end + 1;
	long n = strtol(number, &end, 10);

	ret->n = (int32_t)n;
	return end != number && !*end && !errno && n == ret->n;
}

static void read_history(const struct economy *e, const struct optimizer *o, struct scaling *s)
{
	for (uint32_t i = 0; i < o->history.n && s->n_history < PROPOSALS_MAX; i++) {
		const char *text = cluster_str(e->c, e->c->names.items[o->history.at + i]);
		struct proposal one;

		if (parse_proposal(text, &one) && one.at > e->c->taken_at - STABLE_SECONDS &&
		    one.at <= e->c->taken_at)
			s->history[s->n_history++] = one;
	}
}

static void drop_up_to(struct scaling *s, int32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->n_history; i++)
		if (s->history[i].n > n)
			s->history[kept++] = s->history[i];
	s->n_history = kept;
}

static void add_proposal(struct scaling *s, int64_t at, int32_t n)
{
	if (s->n_history == PROPOSALS_MAX) { /* those that are higher count longer */
		s->history[PROPOSALS_MAX - 1] = (struct proposal){ at, n };
		return;
	}
	s->history[s->n_history++] = (struct proposal){ at, n };
}

/* Down goes only to the highest proposal of the last STABLE_SECONDS. Kept are those that are above
 * all later ones; while nothing is below the present number, none. */
static int32_t stabilise(struct scaling *s, int32_t wanted, int64_t now)
{
	int32_t highest = wanted;

	if (wanted >= s->from) {
		drop_up_to(s, wanted);
		return wanted;
	}
	if (!s->n_history)
		add_proposal(s, now, s->from);
	const struct proposal *last = &s->history[s->n_history - 1];
	if (last->n != wanted || last->at + RATE_SECONDS <= now) {
		drop_up_to(s, wanted);
		add_proposal(s, now, wanted);
	}
	for (uint32_t i = 0; i < s->n_history; i++)
		highest = s->history[i].n > highest ? s->history[i].n : highest;
	return highest < s->from ? highest : s->from;
}

const char *economy_text(struct economy *e, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	return arena_strndup(&e->p->trial.arena, text.s, text.n);
}

/* ---- The number ---- */

static void limit(struct scaling *s, const char *reason, const char *message)
{
	s->limited = reason;
	s->limited_message = message;
}

static int32_t minimum_of(const struct optimizer *o)
{
	return o->min_replicas > 0 ? o->min_replicas : 1;
}

static int32_t maximum_of(const struct optimizer *o)
{
	int32_t most = o->max_replicas > 0 ? o->max_replicas : REPLICAS_MAX;

	return most < minimum_of(o) ? minimum_of(o) : most;
}

/* What evictions would leave, a scale-down leaves too. */
static int32_t wanted_by_budgets(const struct economy *e, const struct scalable *target)
{
	int32_t least = 0;

	for (pod_id id = 0; id < e->c->pods.n; id++) {
		const struct pod *pod = &e->c->pods.items[id];
		pdb_id pdb = e->covers[id].pdb;

		if (pdb != NONE && pod->meta.ns == target->meta.ns &&
		    selector_matches(e->c, target->pods, pod->labels) &&
		    e->c->pdbs.items[pdb].desired_healthy > least)
			least = e->c->pdbs.items[pdb].desired_healthy;
	}
	return least;
}

static void set(struct scaling *s, int32_t n, enum reason reason, const char *message)
{
	s->to = n;
	s->reason = reason;
	s->message = message;
}

/* Ceilings, bounds and policies, of which the later ones win. A ceiling limits what is asked for;
 * where nothing asks, the number that it leads to is the one that is wanted from then on. */
static void apply_ceilings(struct economy *e, optimizer_id id, struct scaling *s, bool is_asked)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const char *reason = NULL, *message = NULL;
	int32_t least = minimum_of(o), most = maximum_of(o);
	int32_t ceiling = economy_ceiling(e, id, &reason, &message);

	if (s->to > ceiling) {
		set(s, ceiling, REASON_CEILING, message);
		if (is_asked)
			limit(s, reason, message);
	}
	if (s->to > most) {
		set(s, most, s->from > most ? REASON_BOUNDS : s->reason,
		    economy_text(e, "maxReplicas is %" PRId32, most));
		if (s->from <= most)
			limit(s, "TooManyReplicas", "the number wanted is above maxReplicas");
	} else if (s->to < least) {
		set(s, least, s->from < least ? REASON_BOUNDS : s->reason,
		    economy_text(e, "minReplicas is %" PRId32, least));
		if (s->from >= least)
			limit(s, "TooFewReplicas", "the number wanted is below minReplicas");
	}
	const struct account *a = &e->accounts[id];
	if (a->least_why) {
		if (s->to > least)
			set(s, least, REASON_POLICY, a->least_why);
		limit(s, a->is_least_for_power ? "PowerCeiling" : "CostCeiling", a->least_why);
	}
}

/* Up goes no faster than an autoscaler does, and no further than what hard limits pay for; down,
 * not below what disruption budgets want. */
static void apply_hard_limits(struct economy *e, optimizer_id id, struct scaling *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	bool is_recent = o->scaled_at && e->c->taken_at < o->scaled_at + RATE_SECONDS;
	int32_t rate = replicas_rate_limit(is_recent ? o->scaled_from : s->from, s->from);
	const char *reason, *message;

	if (s->to > rate && s->reason != REASON_BOUNDS) {
		s->to = rate;
		limit(s, "ScaleUpLimit", "the number wanted is more than is added at a time");
	}
	if (s->to > s->from) {
		int32_t n_bound = (int32_t)e->accounts[id].n_bound, wanted = s->to - n_bound;
		int32_t room = n_bound + economy_room(e, id, wanted, &reason, &message);

		if (s->to > room) {
			s->to = room > s->from ? room : s->from;
			limit(s, reason, message);
		}
	} else if (s->to < s->from) {
		int32_t least = wanted_by_budgets(e, s->target);

		least = least < s->from ? least : s->from;
		s->to = s->to > least ? s->to : least;
	}
}

/* What is wanted before ceilings and bounds. False: nothing asks for a number. */
static bool apply_demand(struct economy *e, optimizer_id id, struct scaling *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct demand d = { .e = e, .o = o, .target = s->target };

	ask_metrics(&d);
	array_done(&d.pods);
	bool is_missing = d.n_missing && (d.n_missing == d.n || d.wanted < s->from);
	if (is_missing) {
		s->inactive = "MetricsMissing";
		s->active_message = economy_text(e, "metric %s has no value%s%s", d.missing,
						 d.reason ? ": " : "",
						 d.reason ? no_value_words[d.reason] : "");
	} else if (d.n) {
		int32_t n = stabilise(s, d.wanted, e->c->taken_at);

		set(s, n, REASON_DEMAND,
		    economy_text(e, "metric %s asks for %" PRId32, d.by, d.wanted));
	} else if (o->fills) {
		set(s, maximum_of(o), REASON_DEMAND, "autoScaling.fill: as many as are paid for");
	}
	return d.n || o->fills;
}

/* ---- Numbers that another client sets back ---- */

static bool is_lately(const struct economy *e, const struct optimizer *o)
{
	return o->scaled_at && e->c->taken_at < o->scaled_at + UNDONE_SECONDS;
}

/* Does the target have another number than the one that it was given? A snapshot may be older than
 * what the last pass did. */
static bool is_undone(const struct economy *e, const struct optimizer *o, int32_t now)
{
	return (o->scaled_to || o->scaled_from) && now != o->scaled_to && is_lately(e, o) &&
	       e->c->taken_at >= o->scaled_at + RATE_SECONDS;
}

static const char *target_kind(const struct cluster *c, const struct scaling *s)
{
	return cluster_str(c, s->target->kind);
}

/* True: it is left alone. */
static bool give_up(struct economy *e, const struct optimizer *o, struct scaling *s)
{
	const struct cluster *c = e->c;

	if (!is_lately(e, o) || o->undone < UNDONE_MAX || s->to == s->from)
		return false;
	s->to = s->from;
	s->inactive = "ConflictingManager";
	s->active_message = "its number of replicas is set back each time";
	warning_add(&e->p->trial.warnings, target_kind(c, s), cluster_str(c, s->target->meta.ns),
		    cluster_str(c, s->target->name), "ReplicasSetBack",
		    "spec.replicas: was changed %" PRId32 " times after WorkloadOptimizer %s set "
		    "it; it is left alone for an hour",
		    o->undone, cluster_str(c, o->meta.name));
	return true;
}

/* It will set back each number that it did not apply itself. */
static void warn_of_manager(struct economy *e, const struct optimizer *o, const struct scaling *s)
{
	const struct cluster *c = e->c;

	if (s->target->applied_by)
		warning_add(&e->p->trial.warnings, target_kind(c, s),
			    cluster_str(c, s->target->meta.ns), cluster_str(c, s->target->name),
			    "ReplicasApplied",
			    "spec.replicas: field manager %s applies it, and will set back what "
			    "WorkloadOptimizer %s sets",
			    cluster_str(c, s->target->applied_by), cluster_str(c, o->meta.name));
}

static bool is_within_bounds(const struct optimizer *o, int32_t n)
{
	return n >= minimum_of(o) && n <= maximum_of(o);
}

/* Noted as any other scaling, so that a number that is set again is not fought. */
static void note_scaling(struct economy *e, const struct optimizer *o, struct scaling *s)
{
	if (s->to == s->from || give_up(e, o, s))
		return;
	s->undone = !is_lately(e, o) ? 0 : o->undone + is_undone(e, o, s->from);
	s->scaled_to = s->to;
	if (!o->scaled_at || e->c->taken_at >= o->scaled_at + RATE_SECONDS) {
		s->scaled_at = e->c->taken_at;
		s->scaled_from = s->from;
	}
}

static void end_replicas(struct economy *e, const struct optimizer *o, const struct account *a,
			 struct scaling *s)
{
	int32_t least = wanted_by_budgets(e, s->target);

	set(s, least < s->from ? least : s->from, REASON_POLICY, a->end_why);
	limit(s, a->is_least_for_power ? "PowerCeiling" : "CostCeiling", a->end_why);
	note_scaling(e, o, s);
}

static void scale_one(struct economy *e, optimizer_id id, struct scaling *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];

	s->from = s->to = s->target->replicas;
	s->reason = REASON_DEMAND;
	s->scaled_at = o->scaled_at;
	s->scaled_from = o->scaled_from;
	s->scaled_to = o->scaled_to;
	s->undone = o->undone;
	s->active_message = "";
	if (s->from <= 0) {
		s->inactive = "ScalingDisabled";
		s->active_message = "its target has no replicas";
		return;
	}
	warn_of_manager(e, o, s);
	if (e->accounts[id].end_why) {
		end_replicas(e, o, &e->accounts[id], s);
		return;
	}
	read_history(e, o, s);
	bool is_asked = is_within_bounds(o, s->from) && apply_demand(e, id, s);
	apply_ceilings(e, id, s, is_asked);
	apply_hard_limits(e, id, s);
	note_scaling(e, o, s);
}

/* ---- All of them ---- */

static void refuse_shared(struct economy *e)
{
	static const char why[] = "another WorkloadOptimizer scales the same target";

	for (optimizer_id a = 0; a < e->c->optimizers.n; a++) {
		const struct scalable *target = e->scalings[a].target;
		bool is_shared = false;

		for (optimizer_id b = a + 1; target && b < e->c->optimizers.n; b++) {
			if (e->scalings[b].target != target)
				continue;
			is_shared = true;
			e->scalings[b] = (struct scaling){ .inactive = "AmbiguousTarget",
							   .active_message = why };
		}
		if (is_shared)
			e->scalings[a] = (struct scaling){ .inactive = "AmbiguousTarget",
							   .active_message = why };
	}
}

void economy_scale(struct economy *e)
{
	const struct cluster *c = e->c;

	for (optimizer_id id = 0; id < c->optimizers.n; id++) {
		const struct optimizer *o = &c->optimizers.items[id];
		bool is_ended = e->accounts[id].end_why;

		if ((!o->has_scaling && !is_ended) || o->is_unread || o->is_deleting ||
		    e->accounts[id].is_elsewhere)
			continue;
		if ((o->is_scaling_off && !is_ended) || o->is_disabled)
			e->scalings[id] = (struct scaling){
				.inactive = "ScalingDisabled",
				.active_message = o->is_disabled ? e->accounts[id].why
								 : "autoScaling.enabled is false",
			};
		else
			economy_find_target(e, id, &e->scalings[id]);
	}
	refuse_shared(e);
	array_each(m, &c->scaling_metrics)
		if (m->type == METRIC_POWER)
			economy_sum_power(e);
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		if (e->scalings[id].target)
			scale_one(e, id, &e->scalings[id]);
}
