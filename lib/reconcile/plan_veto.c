/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/plan_veto.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "plan/file/plan_file.h"

static bool is_for_money(const struct action *a)
{
	return a->share.is_given || a->kind == ACTION_SCALE || a->kind == ACTION_ANNOTATE;
}

/* Does it say what others of the plan do for money? */
static bool tells_of_money(const struct action *a, int64_t taken_at)
{
	return a->status && (economy_status_kind(a->status) != STATUS_OPTIMIZER ||
			     (taken_at && a->status->optimized_at == taken_at));
}

static bool does_for_money(const struct plan *p)
{
	array_each(a, &p->actions)
		if (is_for_money(a))
			return true;
	return false;
}

void plan_veto_ask(struct plan_veto *v, const struct plan *p, const char *(*stop)(void *arg),
		   void *arg)
{
	AUTO(str_done) struct str json = STR_INIT;
	struct policy_engine service = v->service;
	struct policy_answer answer;

	v->taken_at = p->taken_at;
	*v->why = '\0';
	if (!service.url || !*service.url || !does_for_money(p))
		return;
	plan_write_json(p, &json);
	service.fail_open = p->settings.core_scheduler.fail_open;
	policy_ask_plan(&service, (struct slice){ json.s, json.n }, &answer, stop, arg);
	if (answer.is_allowed)
		return;
	if (answer.was_given)
		snprintf(v->why, sizeof(v->why), "denied by the %s%s%s", service.name,
			 *answer.reason ? ": " : "", answer.reason);
	else
		snprintf(v->why, sizeof(v->why), "denied: %s", answer.reason);
}

const char *plan_veto_denial(const struct plan_veto *v, const struct action *a)
{
	return *v->why && (is_for_money(a) || tells_of_money(a, v->taken_at)) ? v->why : NULL;
}
