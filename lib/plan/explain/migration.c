/* SPDX-License-Identifier: Apache-2.0 */

/* How the pod would be moved to another node, and why not with its memory. Said where moves are
 * switched on, where the pod itself says something of them, and on nodes that can checkpoint. */
#include <string.h>

#include "base/auto.h"
#include "model/checkpoint_facts.h"
#include "plan/explain/explainer.h"
#include "plan/migrate/method.h"

static bool is_asked(const struct explainer *x, const struct pod *pod)
{
	const struct cluster *c = x->p.trial.c;
	annotations_id id = pod->annotations;

	if (pod->node == NONE || pod->is_not_started)
		return false;
	return x->p.trial.settings->migration.enabled ||
	       c->nodes.items[pod->node].annotations.checkpoint != NONE ||
	       (id != NONE && c->annotations.items[id].migration != NONE);
}

static const char *last_try(struct explainer *x)
{
	const struct trial *t = &x->p.trial;
	uint32_t request = t->req.of_pod[x->pod];
	mckube_id id = request == NONE ? NONE : t->req.list.items[request].mckube;

	if (id == NONE)
		return "";
	const struct mckube_said *said = &t->c->mckubes.items[id].said[MCKUBE_CONDITION_MIGRATED];
	const char *reason = strchr(cluster_str(t->c, said->text), '\n');
	const char *message = reason ? strchr(reason + 1, '\n') : NULL;
	if (!message)
		return "";
	return plan_strf(&x->out->plan, "%.*s: %s", (int)(message - reason - 1), reason + 1,
			 message + 1);
}

/* By this method, or not at all; `bar` keeps its memory from being moved. */
static void tell(struct explainer *x, enum stay stay, enum migration_method method,
		 const struct str *bar)
{
	AUTO(str_done) struct str why = STR_INIT;

	if (stay != STAY_NOT)
		stay_write(stay, bar->s, &why);
	else if (method == MIGRATE_RESTART)
		str_add(&why, bar->s);
	x->out->migration = stay == STAY_NOT ? migration_method_name(method) : "None";
	x->out->migration_why = plan_str(&x->out->plan, why.s);
}

/* What the planner cannot see of it: mckube-migrate finds out when the move begins. */
static void tell_risks(struct explainer *x)
{
	static const struct {
		const char *option, *text;
	} rows[] = {
		{ "tcp-close", "open TCP connections" },
		{ "file-locks", "locked files" },
	};
	const struct cluster *c = x->p.trial.c;
	const struct node *node = &c->nodes.items[c->pods.items[x->pod].node];
	AUTO(str_done) struct str things = STR_INIT, options = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!checkpoint_lacks(checkpoint_facts(c, node), rows[i].option))
			continue;
		str_addf(&things, "%s%s", things.n ? " or " : "", rows[i].text);
		str_addf(&options, "%s%s", options.n ? ", " : "", rows[i].option);
	}
	if (things.n)
		x->out->migration_why =
			plan_strf(&x->out->plan,
				  "not while it has %s: /etc/criu/runc.conf of node %s lacks %s",
				  things.s, cluster_str(c, node->meta.name), options.s);
}

static void explain_method(struct explainer *x, const struct movers *movers)
{
	AUTO(str_done) struct str bar = STR_INIT;
	enum migration_method method = MIGRATE_RESTART;
	enum stay stay = movers_ask(movers, x->pod, &method);
	bool has_memory = stay == STAY_NOT && method == MIGRATE_CHECKPOINT;

	if (!has_memory) {
		movers_bar_checkpoint(movers, x->pod, NONE, &bar);
	} else if (movers_bar_everywhere(movers, x->pod, &bar)) {
		stay = movers_ask_restart(movers, x->pod);
		method = MIGRATE_RESTART;
	}
	tell(x, stay, method, &bar);
	if (stay == STAY_NOT && method == MIGRATE_CHECKPOINT)
		tell_risks(x);
}

void explain_migration(struct explainer *x)
{
	const struct pod *pod = &x->p.trial.c->pods.items[x->pod];
	struct movers movers;

	x->out->migration = x->out->migration_why = "";
	x->out->migration_last = last_try(x);
	if (!is_asked(x, pod))
		return;
	movers_init(&movers, &x->p.trial, false);
	explain_method(x, &movers);
	movers_done(&movers);
}
