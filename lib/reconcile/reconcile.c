/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/reconcile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/log.h"
#include "output/plan_text.h"
#include "plugins/policies.h"

enum { LINES_MAX = 100 }; /* of one pass in the log, but for what it does */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The log. */

static bool is_shown(const struct reconcile *r, const struct target *on)
{
	const struct plan_view view = { .ns = r->ns };

	return plan_view_shows(&view, on);
}

static void add_object(const struct target *on, struct str *out)
{
	str_addf(out, "%s %s%s%s", on->kind, on->ns ? on->ns : "", on->ns && *on->ns ? "/" : "",
		 on->name);
}

static void add_action(const struct action *a, struct str *out)
{
	str_addf(out, "%s ", action_kind_name(a->kind));
	add_object(&a->on, out);
	str_addf(out, ": %s: %s", reason_name(a->reason), a->message);
}

/* Members of a record about an object; `text` holds its name. */
static struct log_facts facts_of(const struct target *on, struct str *text)
{
	struct log_facts f = { 0 };

	str_clear(text);
	str_addf(text, "%s%s%s", on->ns ? on->ns : "", on->ns && *on->ns ? "/" : "", on->name);
	if (strcmp(on->kind, "Pod") == 0)
		f.pod = text->s;
	else if (strcmp(on->kind, "Node") == 0)
		f.node = text->s;
	else
		f.mckube = text->s;
	return f;
}

static struct log_facts facts_of_action(const struct action *a, struct str *text)
{
	struct log_facts f = facts_of(&a->on, text);

	f.node = f.node ? f.node : a->to.node ? a->to.node : a->from.node;
	f.action = action_kind_name(a->kind);
	f.reason = reason_name(a->reason);
	return f;
}

/* ---- Findings: what stays from pass to pass is logged once ---- */

struct findings {
	struct reconcile *r;
	ARRAY(char *) texts; /* of this pass */
	unsigned n_new;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes the text. */
static void add_finding(struct findings *f, char severity, const struct log_facts *facts,
			char *text)
{
	bool is_known = f->r->findings.n && bsearch(&text, f->r->findings.items, f->r->findings.n,
						    sizeof(char *), compare_texts);

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	*array_add(&f->texts) = text;
	if (is_known || f->n_new++ >= LINES_MAX)
		return;
	if (severity == 'W')
		log_warning_about(facts, "%s", text);
	else
		log_v_about(0, facts, "%s", text);
}

static void find_unplaced(struct findings *f, const struct unplaced *u)
{
	AUTO(str_done) struct str text = STR_INIT, name = STR_INIT;
	struct log_facts facts = facts_of(&u->on, &name);

	facts.reason = reason_name(u->reason);
	str_add(&text, "no place for ");
	add_object(&u->on, &text);
	str_addf(&text, ": %s: %s", reason_name(u->reason), u->message);
	add_finding(f, 'W', &facts, xstrndup(text.s, text.n));
}

/* Its object is "KIND NAMESPACE/NAME". */
static void find_warning(struct findings *f, const struct warning *w)
{
	struct log_facts facts = { .reason = w->reason };
	const char *space = strchr(w->object, ' ');

	if (space && strncmp(w->object, "Pod ", 4) == 0)
		facts.pod = space + 1;
	else if (space && strncmp(w->object, "Node ", 5) == 0)
		facts.node = space + 1;
	else if (space && strncasecmp(w->object, "McKube ", 7) == 0)
		facts.mckube = space + 1;
	add_finding(f, 'W', &facts, xasprintf("%s: %s: %s", w->object, w->reason, w->message));
}

static void find_action(struct findings *f, const struct action *a)
{
	AUTO(str_done) struct str text = STR_INIT, name = STR_INIT;
	const struct log_facts facts = facts_of_action(a, &name);

	str_add(&text, "would ");
	add_action(a, &text);
	add_finding(f, 'I', &facts, xstrndup(text.s, text.n));
}

static void free_findings(struct reconcile *r)
{
	array_each(text, &r->findings)
		free(*text);
	array_done(&r->findings);
}

static void log_findings(struct reconcile *r, const struct plan *p)
{
	struct findings f = { .r = r };

	array_each(u, &p->unplaced)
		if (is_shown(r, &u->on))
			find_unplaced(&f, u);
	array_each(w, &p->warnings)
		find_warning(&f, w);
	for (size_t i = 0; r->is_dry_run && i < p->actions.n; i++)
		if (is_shown(r, &p->actions.items[i].on))
			find_action(&f, &p->actions.items[i]);
	if (f.n_new > LINES_MAX)
		log_warning("... and %u more; 'plan' shows them all", f.n_new - LINES_MAX);
	free_findings(r);
	if (f.texts.n)
		qsort(f.texts.items, f.texts.n, sizeof(char *), compare_texts);
	r->findings.items = f.texts.items;
	r->findings.n = f.texts.n;
	r->findings.cap = f.texts.cap;
}

/* Execution. */

static void count_move(struct reconcile *r, const struct action *a, const struct result *result)
{
	enum moved moved = result->state == RESULT_DONE		  ? MOVED_DONE
			   : move_services_denial(a, r->services) ? MOVED_DENIED
								  : MOVED_FAILED;

	if (a->kind != ACTION_MIGRATE || result->state == RESULT_SKIPPED)
		return;
	r->counts.moves[a->method][moved]++;
	if (result->downtime_ms)
		metric_observe(&r->counts.downtimes, result->downtime_ms * UINT64_C(1000));
}

static void on_result(const struct action *a, const struct result *result, void *arg)
{
	AUTO(str_done) struct str text = STR_INIT, name = STR_INIT;
	struct reconcile *r = arg;

	r->counts.actions[a->kind][result->state]++;
	count_move(r, a, result);
	move_services_tell(r->services, r->cluster, a, result);
	const char *moved = move_services_reason(r->services, a, result);

	if (r->signals)
		signals_result(r->signals, r->cluster, a, result);
	const char *refusal = move_services_refusal(a, r->services);

	if (r->signals && refusal)
		signals_refused(r->signals, r->cluster, &a->on, refusal, time(NULL));
	if (r->signals && moved)
		signals_moved(r->signals, r->cluster, a, result, moved, time(NULL));
	if (!is_shown(r, &a->on))
		return;
	struct log_facts facts = facts_of_action(a, &name);
	facts.result = result_state_name(result->state);
	add_action(a, &text);
	if (result->state == RESULT_DONE)
		log_v_about(0, &facts, "%s", text.s);
	else
		log_warning_about(&facts, "%s: %s: %s", text.s, facts.result, result->message);
}

static const char *ask_to_stop(void *arg)
{
	struct reconcile *r = arg;

	move_services_step(r->services);
	return r->api.stop ? r->api.stop(r->api.arg) : NULL;
}

static int execute(struct reconcile *r, const struct cluster *c, struct plan *p, struct error *err)
{
	struct api_options options = r->api;

	options.stop = ask_to_stop;
	options.on_result = on_result;
	options.arg = r;
	options.denial = move_services_denial;
	options.denial_arg = r->services;
	move_services_ask(r->services, p, c, ask_to_stop, r);
	r->before_writing(r->api.arg);
	if (execute_on_api(r->kube, p, c, &options, err) < 0)
		return err->code;
	array_each(result, &p->results)
		r->counts.has_failed |= result->state != RESULT_DONE;
	optimizer_metrics_count(&r->optimizers, c, p);
	return 0;
}

static void count_plan(struct pass_counts *n, const struct plan *p)
{
	memset(n->watched_kinds, 0, sizeof(n->watched_kinds));
	memset(n->unplaced, 0, sizeof(n->unplaced));
	array_each(a, &p->actions)
		n->watched_kinds[a->kind]++;
	array_each(u, &p->unplaced)
		n->unplaced[u->reason]++;
	n->warnings = p->warnings.n;
	n->requeue_after = p->requeue_after;
}

static int plan_and_act(struct reconcile *r, const struct cluster *c, struct error *err)
{
	struct plan plan = { 0 };
	int64_t began = now_us();

	const struct plan_memory memory = { &r->memory, r->held.seconds ? &r->held : NULL };

	if (plan_make_again(c, policies, r->settings, &memory, &plan, err) < 0)
		return err->code;
	r->counts.last_plan_us = now_us() - began;
	metric_observe(&r->counts.plan, (uint64_t)r->counts.last_plan_us);
	count_plan(&r->counts, &plan);
	log_v(2, "plan %s: %zu actions, %zu pods without a place, %zu warnings, %lld us", plan.name,
	      plan.actions.n, plan.unplaced.n, plan.warnings.n, (long long)r->counts.last_plan_us);
	log_findings(r, &plan);
	r->cluster = c;
	if (r->signals)
		signals_plan(r->signals, c, &plan, time(NULL));
	plan_done(&r->written);
	r->written = plan;
	if (r->is_dry_run || !plan_has_actions(&r->written))
		return 0;
	return execute(r, c, &r->written, err);
}

int reconcile_pass(struct reconcile *r, const struct cluster *c, struct error *err)
{
	struct pass_counts *n = &r->counts;
	int64_t began = now_us();

	n->has_failed = false;
	int result = plan_and_act(r, c, err);
	n->has_failed |= result < 0;
	n->last_us = now_us() - began;
	metric_observe(&n->whole, (uint64_t)n->last_us);
	n->passes++;
	n->failures += n->has_failed;
	if (!n->has_failed)
		n->last_success = time(NULL);
	return result;
}

/* The version that the snapshot has of an object; NULL: none, it is gone or is a node, which has
 * none in a plan. */
static const char *version_in(const struct cluster *c, const struct target *on)
{
	const struct meta *meta =
		*on->version ? cluster_object(c, on->kind, on->ns, on->name) : NULL;

	return meta ? cluster_str(c, meta->version) : NULL;
}

bool reconcile_shows(const struct reconcile *r, const struct cluster *c)
{
	const struct plan *p = &r->written;

	array_each(result, &p->results) {
		const struct target *on = &p->actions.items[result->id - 1].on;
		const char *version = version_in(c, on);

		if (result->state == RESULT_DONE && version && strcmp(version, on->version) == 0)
			return false;
	}
	return true;
}

void reconcile_done(struct reconcile *r)
{
	free_findings(r);
	optimizer_metrics_done(&r->optimizers);
	plan_done(&r->written);
	request_cache_done(&r->memory);
	held_done(&r->held);
}
