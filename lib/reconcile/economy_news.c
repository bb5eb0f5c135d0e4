/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/economy_news.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

typedef void (*tell_fn)(const char *reason, const char *note, bool is_warning, void *arg);

/* ---- Policies ---- */

static struct range noted_alerts(const struct meta *m, enum economy_status_kind kind)
{
	if (!m)
		return (struct range){ 0 };
	return kind == STATUS_COST_POLICY ? ((const struct cost_policy *)m)->note.alerts
					  : ((const struct power_policy *)m)->note.alerts;
}

static bool is_noted(const struct cluster *c, struct range notes, const struct plan_alert *alert)
{
	for (uint32_t i = 0; i < notes.n; i++) {
		const struct alert_note *n = &c->alert_notes.items[notes.at + i];

		if (n->type != UINT8_MAX && n->action != UINT8_MAX && n->value == alert->value &&
		    strcmp(alert_type_words[n->type], alert->type) == 0 &&
		    strcmp(alert_action_words[n->action], alert->action) == 0)
			return true;
	}
	return false;
}

static void tell_alerts(const struct cluster *c, const struct action *a, const struct meta *m,
			tell_fn tell, void *arg)
{
	struct range notes = noted_alerts(m, economy_status_kind(a->status));

	for (uint32_t i = 0; i < a->status->n_alerts; i++) {
		const struct plan_alert *alert = &a->status->alerts[i];
		AUTO_FREE char *note = NULL;

		if (is_noted(c, notes, alert))
			continue;
		note = xasprintf("alert %s, action %s: %s", alert->type, alert->action, a->message);
		tell("ThresholdReached", note, true, arg);
	}
}

/* ---- WorkloadOptimizers ---- */

static bool was_so(const struct cluster *c, const struct optimizer *o, const char *type,
		   const char *reason)
{
	for (uint32_t i = 0; o && i < o->conditions.n; i++) {
		const struct condition_note *n = &c->conditions.items[o->conditions.at + i];

		if (strcmp(cluster_str(c, n->type), type) == 0)
			return strcmp(cluster_str(c, n->reason), reason) == 0;
	}
	return false;
}

static bool is_so(const struct economy_status *s, const char *type, const char *reason)
{
	for (uint32_t i = 0; i < s->n_conditions; i++)
		if (strcmp(s->conditions[i].type, type) == 0)
			return strcmp(s->conditions[i].reason, reason) == 0;
	return false;
}

/* Has a node, where a moved pod did not become ready, been added? */
static bool has_new_avoid(const struct cluster *c, const struct optimizer *o,
			  const struct economy_status *s)
{
	for (uint32_t i = 0; i < s->n_avoid; i++) {
		bool is_new = true;

		for (uint32_t k = 0; o && k < o->avoid.n && is_new; k++) {
			const struct avoid *was = &c->avoids.items[o->avoid.at + k];

			is_new = was->until != s->avoid[i].until ||
				 strcmp(cluster_str(c, was->node), s->avoid[i].node) != 0;
		}
		if (is_new)
			return true;
	}
	return false;
}

static void tell_optimizer(const struct cluster *c, const struct action *a,
			   const struct optimizer *o, tell_fn tell, void *arg)
{
	static const char money[] = "CostOptimized";
	static const char *const told[][2] = { { "BudgetExhausted", "BudgetExhausted" },
					       { "OverHourlyLimit", "BudgetExceeded" } };
	const struct economy_status *now = a->status;

	if (now->optimized_at && (!o || now->optimized_at != o->optimized_at))
		tell("WorkloadOptimized", a->message, false, arg);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (is_so(now, money, told[i][0]) && !was_so(c, o, money, told[i][0]))
			tell(told[i][1], a->message, true, arg);
	if (has_new_avoid(c, o, now))
		tell("MoveRolledBack", a->message, true, arg);
}

void economy_news(const struct cluster *c, const struct action *a, tell_fn tell, void *arg)
{
	const struct meta *m = cluster_object(c, a->on.kind, a->on.ns, a->on.name);

	if (economy_status_kind(a->status) == STATUS_OPTIMIZER)
		tell_optimizer(c, a, (const struct optimizer *)m, tell, arg);
	else
		tell_alerts(c, a, m, tell, arg);
}
