/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/condition.h"

#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/json_out.h"
#include "base/names.h"

static const char *const types[MCKUBE_CONDITION_TYPES] = {
	[MCKUBE_CONDITION_ACCEPTED] = "Accepted",
	[MCKUBE_CONDITION_PLACED] = "Placed",
	[MCKUBE_CONDITION_READY] = "Ready",
	[MCKUBE_CONDITION_MIGRATED] = "Migrated",
};

const char *condition_pod_reason(enum reason why)
{
	return why == REASON_NO_ROOM || why == REASON_NO_NODE ? "Unschedulable" : "SchedulerError";
}

bool condition_pod_says(const struct cluster *c, const struct pod *pod, const char *reason,
			const char *message)
{
	AUTO_FREE char *text = xasprintf("%s\n%s", reason, message);

	return strcmp(cluster_str(c, pod->unscheduled), text) == 0;
}

void condition_pod_json(const char *reason, const char *message, bool is_first, int64_t now,
			struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	char date[DATE_TEXT];

	json_out_bare_object(&o);
	json_out_key(&o, "status");
	json_out_object(&o);
	json_out_key(&o, "conditions");
	json_out_array(&o);
	json_out_object(&o);
	json_out_member(&o, "type", "PodScheduled");
	json_out_member(&o, "status", "False");
	json_out_member(&o, "reason", reason);
	json_out_member(&o, "message", message);
	if (is_first)
		json_out_member(&o, "lastTransitionTime", date_format(now, date));
	for (int i = 0; i < 4; i++)
		json_out_end(&o);
}

bool condition_mckube_says(const struct cluster *c, const struct mckube *m,
			   enum mckube_condition_type type, const struct condition *wanted)
{
	AUTO_FREE char *text = xasprintf("%s\n%s\n%s", wanted->is_true ? "True" : "False",
					 wanted->reason, wanted->message);

	return strcmp(cluster_str(c, m->said[type].text), text) == 0;
}

/* A time that stays as long as the status does. */
static const char *since(const struct cluster *c, const struct mckube_said *said, bool is_true,
			 const char *now)
{
	const char *word = is_true ? "True\n" : "False\n";
	const char *before = cluster_str(c, said->since);

	if (*before && strncmp(cluster_str(c, said->text), word, strlen(word)) == 0)
		return before;
	return now;
}

static void add_condition(const struct cluster *c, const struct mckube *m, int type,
			  const struct condition *wanted, const char *now, struct json_out *o)
{
	json_out_object(o);
	json_out_member(o, "type", types[type]);
	json_out_member(o, "status", wanted->is_true ? "True" : "False");
	json_out_member(o, "reason", wanted->reason);
	json_out_member(o, "message", wanted->message);
	json_out_member(o, "lastTransitionTime", since(c, &m->said[type], wanted->is_true, now));
	json_out_end(o);
}

/* What is not known is left out. */
static void add_move(const struct mckube_move *move, const char *now, struct json_out *o)
{
	json_out_key(o, "lastMigration");
	json_out_object(o);
	json_out_member(o, "pod", move->pod);
	json_out_given(o, "from", move->from);
	json_out_member(o, "to", move->to);
	json_out_member(o, "method", move->method);
	json_out_member(o, "result", move->result);
	json_out_member(o, "time", now);
	if (move->downtime_ms) {
		json_out_member_int(o, "downtimeMs", move->downtime_ms);
	}
	if (move->downtime_ms && move->period_us) {
		json_out_member_int(o, "missedPeriods",
				    (int64_t)move->downtime_ms * 1000 / move->period_us);
	}
	json_out_end(o);
}

void condition_mckube_json(const struct cluster *c, const struct mckube *m,
			   const struct mckube_report *w, int64_t now, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	char date[DATE_TEXT];

	date_format(now, date);
	json_out_object(&o);
	json_out_member(&o, "apiVersion", cluster_str(c, m->api_version));
	json_out_member(&o, "kind", cluster_str(c, m->kind));
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", cluster_str(c, m->meta.name));
	json_out_member(&o, "namespace", cluster_str(c, m->meta.ns));
	json_out_given(&o, "uid", cluster_str(c, m->meta.uid));
	json_out_end(&o);
	json_out_key(&o, "status");
	json_out_object(&o);
	json_out_given(&o, "pods", w->pods);
	json_out_given(&o, "currentRuntime", w->level);
	json_out_given(&o, "lastOverrunTime", w->overrun);
	if (w->move)
		add_move(w->move, date, &o);
	json_out_key(&o, "conditions");
	json_out_array(&o);
	for (int i = 0; i < MCKUBE_CONDITION_TYPES; i++)
		if (w->conditions[i].reason)
			add_condition(c, m, i, &w->conditions[i], date, &o);
	for (int i = 0; i < 3; i++)
		json_out_end(&o);
}

static const char progressing[] = "Progressing", plan_refused[] = "PlanRefused";

bool condition_optimizer_is_refused(const struct cluster *c, const struct target *on)
{
	const struct meta *meta = cluster_object(c, "WorkloadOptimizer", on->ns, on->name);
	/* Its first member. */
	const struct optimizer *o = (const void *)meta;

	for (uint32_t i = 0; o && i < o->conditions.n; i++) {
		const struct condition_note *n = &c->conditions.items[o->conditions.at + i];

		if (strcmp(cluster_str(c, n->type), progressing) == 0)
			return strcmp(cluster_str(c, n->reason), plan_refused) == 0;
	}
	return false;
}

void condition_optimizer_json(const struct target *on, const char *why, int64_t now,
			      struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	char date[DATE_TEXT];

	json_out_object(&o);
	json_out_member(&o, "apiVersion", KCLOUD_API_VERSION);
	json_out_member(&o, "kind", on->kind);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", on->name);
	json_out_member(&o, "namespace", on->ns);
	json_out_given(&o, "uid", on->uid);
	json_out_end(&o);
	json_out_key(&o, "status");
	json_out_object(&o);
	json_out_key(&o, "conditions");
	json_out_array(&o);
	json_out_object(&o);
	json_out_member(&o, "type", progressing);
	json_out_member(&o, "status", "False");
	json_out_member(&o, "lastTransitionTime", date_format(now, date));
	json_out_member(&o, "reason", plan_refused);
	json_out_member(&o, "message", why);
	for (int i = 0; i < 4; i++)
		json_out_end(&o);
}
