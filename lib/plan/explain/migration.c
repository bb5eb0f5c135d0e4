/* SPDX-License-Identifier: Apache-2.0 */

/* How the pod would be moved to another node, and why not with its memory. Said where moves are
 * switched on, where the pod itself says something of them, and on nodes that can checkpoint. */
#include <string.h>

#include "base/names.h"
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

/* It would be moved with its memory, if that could be. */
static bool is_without_memory(enum stay stay)
{
	return stay == STAY_CRITICAL || stay == STAY_BARE || stay == STAY_JOB ||
	       stay == STAY_NAMED || stay == STAY_NOT_OURS;
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

void explain_migration(struct explainer *x)
{
	const struct pod *pod = &x->p.trial.c->pods.items[x->pod];
	enum migration_method method = MIGRATE_RESTART;
	struct movers movers;

	x->out->migration = x->out->migration_why = "";
	x->out->migration_last = last_try(x);
	if (!is_asked(x, pod))
		return;
	movers_init(&movers, &x->p.trial, false);
	enum stay stay = movers_ask(&movers, x->pod, &method);
	const char *bar = movers_checkpoint_bar(&movers, x->pod, NONE);
	movers_done(&movers);
	if (stay == STAY_NOT) {
		x->out->migration = migration_method_name(method);
		x->out->migration_why = method == MIGRATE_CHECKPOINT || !bar ? "" : bar;
		return;
	}
	x->out->migration = "None";
	x->out->migration_why = stay_text(stay);
	if (stay == STAY_CHECKPOINT && bar)
		x->out->migration_why = plan_strf(&x->out->plan, "%s: %s", stay_text(stay), bar);
	else if (is_without_memory(stay) && bar)
		x->out->migration_why = plan_strf(&x->out->plan, "%s; not with its memory: %s",
						  stay_text(stay), bar);
}
