/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/reconcile.h"

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

static void add_findings(const struct reconcile *r, const struct plan *p, struct str *out)
{
	array_each(u, &p->unplaced) {
		if (!is_shown(r, &u->on))
			continue;
		str_add(out, "no place for ");
		add_object(&u->on, out);
		str_addf(out, ": %s: %s\n", reason_name(u->reason), u->message);
	}
	array_each(w, &p->warnings)
		str_addf(out, "%s: %s: %s\n", w->object, w->reason, w->message);
	for (size_t i = 0; r->is_dry_run && i < p->actions.n; i++) {
		if (!is_shown(r, &p->actions.items[i].on))
			continue;
		str_add(out, "would ");
		add_action(&p->actions.items[i], out);
		str_addc(out, '\n');
	}
}

static void log_lines(const char *text)
{
	unsigned n = 0;

	for (const char *line = text; *line; n++) {
		size_t length = strcspn(line, "\n");

		if (n < LINES_MAX)
			log_v(0, "%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	if (n > LINES_MAX)
		log_v(0, "... and %u more; 'plan' shows them all", n - LINES_MAX);
}

/* Findings stay the same from pass to pass: they are logged when they change. */
static void log_findings(struct reconcile *r, const struct plan *p)
{
	struct str text = STR_INIT;

	add_findings(r, p, &text);
	bool is_new = !r->findings.s || strcmp(text.s, r->findings.s) != 0;
	if (is_new)
		log_lines(text.s);
	str_done(&r->findings);
	r->findings = text;
}

/* Execution. */

static void on_result(const struct action *a, const struct result *result, void *arg)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct reconcile *r = arg;

	r->counts.actions[a->kind][result->state]++;
	move_services_tell(r->services, a, result);
	if (r->signals)
		signals_result(r->signals, r->cluster, a, result);
	if (!is_shown(r, &a->on))
		return;
	add_action(a, &text);
	if (result->state == RESULT_DONE)
		log_v(0, "%s", text.s);
	else
		log_warning("%s: %s: %s", text.s, result_state_name(result->state),
			    result->message);
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

	if (plan_make_cached(c, policies, r->settings, &r->memory, &plan, err) < 0)
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
	str_done(&r->findings);
	plan_done(&r->written);
	request_cache_done(&r->memory);
}
