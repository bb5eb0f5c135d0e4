/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/policy_metrics.h"

#include "base/auto.h"
#include "base/decimal.h"
#include "model/spending.h"
#include "serve/metrics.h"

/* What is written, and what was too much; `out` NULL: it is only counted. */
struct writing {
	const struct cluster *c;
	const struct settings *settings;
	struct str *out;
	uint64_t n_budgets, n_alerts;
};

static bool is_told(const struct writing *w, const struct meta *m)
{
	return settings_optimise_in(w->settings, cluster_str(w->c, m->ns));
}

/* ---- Budgets ---- */

static const char budget_name[] = "kcloud_costpolicy_budget_utilization";

static void add_budget(struct writing *w, const struct cost_policy *p)
{
	enum { PERCENT = 100 };

	if (p->is_unread || (p->monthly <= 0 && p->budget <= 0) || !is_told(w, &p->meta))
		return;
	if (w->n_budgets++ >= METRIC_POLICIES || !w->out)
		return;
	metric_add_millionths(w->out, budget_name,
			      METRIC_LABELS("namespace", cluster_str(w->c, p->meta.ns), "name",
					    cluster_str(w->c, p->meta.name)),
			      (uint64_t)spending_part(p, w->c->taken_at) * PERCENT);
}

static void add_budgets(struct writing *w)
{
	if (w->out)
		metric_head(w->out, budget_name, "gauge",
			    "Per cent of a CostPolicy's budget that is spent, of two of the one "
			    "that has less left.");
	array_each(p, &w->c->cost_policies)
		add_budget(w, p);
}

/* ---- Alerts ---- */

static const char alert_name[] = "kcloud_policy_alert";

static void add_alert(struct writing *w, const char *kind, const struct meta *m,
		      const struct alert_note *n)
{
	AUTO(str_done) struct str value = STR_INIT;

	if (w->n_alerts++ >= METRIC_ALERTS || !w->out)
		return;
	decimal_add(&value, n->value, 0);
	metric_add(w->out, alert_name,
		   METRIC_LABELS("kind", kind, "namespace", cluster_str(w->c, m->ns), "name",
				 cluster_str(w->c, m->name), "type", alert_type_words[n->type],
				 "action", alert_action_words[n->action], "threshold", value.s),
		   1);
}

/* Is it what an earlier one of the list is? A series may be there once. */
static bool is_repeated(const struct alert_note *notes, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (notes[k].type == notes[i].type && notes[k].action == notes[i].action &&
		    notes[k].value == notes[i].value)
			return true;
	return false;
}

static void add_alerts_of(struct writing *w, const char *kind, const struct meta *m,
			  struct range alerts)
{
	const struct alert_note *notes = w->c->alert_notes.items + alerts.at;

	if (!is_told(w, m))
		return;
	for (uint32_t i = 0; i < alerts.n; i++)
		if (notes[i].type != UINT8_MAX && notes[i].action != UINT8_MAX &&
		    !is_repeated(notes, i))
			add_alert(w, kind, m, &notes[i]);
}

static void add_alerts(struct writing *w)
{
	if (w->out)
		metric_head(w->out, alert_name, "gauge",
			    "1 while an alert of a CostPolicy or PowerPolicy is on, also one that "
			    "only notifies.");
	array_each(p, &w->c->cost_policies)
		add_alerts_of(w, "CostPolicy", &p->meta, p->note.alerts);
	array_each(p, &w->c->power_policies)
		add_alerts_of(w, "PowerPolicy", &p->meta, p->note.alerts);
}

void policy_metrics_write(const struct cluster *c, const struct settings *settings, struct str *out)
{
	struct writing w = { .c = c, .settings = settings, .out = out };

	add_budgets(&w);
	add_alerts(&w);
}

struct policy_metrics_rest policy_metrics_left_out(const struct cluster *c,
						   const struct settings *settings)
{
	struct writing w = { .c = c, .settings = settings };

	add_budgets(&w);
	add_alerts(&w);
	return (struct policy_metrics_rest){
		.budgets = w.n_budgets > METRIC_POLICIES ? w.n_budgets - METRIC_POLICIES : 0,
		.alerts = w.n_alerts > METRIC_ALERTS ? w.n_alerts - METRIC_ALERTS : 0,
	};
}
