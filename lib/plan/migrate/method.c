/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/method.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"

enum said { SAYS_NOTHING, SAYS_NEVER, SAYS_RESTART, SAYS_CHECKPOINT };

/* The outage of a checkpoint of a few megabytes, in seconds, rounded up. */
enum { OUTAGE_SECONDS = 2 };

static const char *const texts[STAYS] = {
	[STAY_NOT] = "",
	[STAY_SYSTEM] = "it is part of the system",
	[STAY_DAEMON_SET] = "it belongs to a DaemonSet",
	[STAY_STATIC] = "it is a static pod",
	[STAY_TERMINATING] = "it is terminating",
	[STAY_NOT_RUNNING] = "it is not running",
	[STAY_UNREAD] = "it could not be read in full",
	[STAY_NEVER] = "its migration is Never",
	[STAY_KEPT] = "its annotation do-not-evict forbids it",
	[STAY_LIMIT] = "the plan evicts as many pods as its settings allow",
	[STAY_BUDGET] = "its PodDisruptionBudget allows no eviction now",
	[STAY_CRITICAL] = "it would be restarted, and does not say migration Restart",
	[STAY_BARE] = "no controller recreates it, and it does not say migration Restart",
	[STAY_JOB] = "it belongs to a Job, and does not say migration Restart",
	[STAY_NAMED] = "its McKube names this pod, and a new one has another name",
	[STAY_NOT_OURS] = "it has a real-time budget, and another scheduler places its replacement",
	[STAY_NO_CORES] = "it asks for real time and has no cores of its own now",
	[STAY_CHECKPOINT] = "its migration is Checkpoint, which is not possible",
	[STAY_COOLDOWN] = "it, or a pod of its workload, was moved or started a short time ago",
};

const char *stay_text(enum stay s)
{
	return texts[s];
}

void movers_init(struct movers *m, const struct trial *t, bool is_demanded)
{
	*m = (struct movers){
		.t = t,
		.covers = pdbs_read(t->c, NULL),
		.job = intern_find(&t->c->strings, "Job", 3),
		.replica_set = intern_find(&t->c->strings, "ReplicaSet", 10),
		.kube_system = intern_find(&t->c->strings, "kube-system", 11),
		.is_demanded = is_demanded,
	};
}

void movers_done(struct movers *m)
{
	free(m->covers);
}

static enum said read_word(const char *word)
{
	if (strcasecmp(word, "Restart") == 0)
		return SAYS_RESTART;
	return strcasecmp(word, "Checkpoint") == 0 ? SAYS_CHECKPOINT : SAYS_NEVER;
}

static enum said said_of(const struct trial *t, pod_id id)
{
	const struct cluster *c = t->c;
	const struct pod *pod = &c->pods.items[id];
	str_id word =
		pod->annotations == NONE ? NONE : c->annotations.items[pod->annotations].migration;
	uint32_t request = t->req.of_pod[id];
	mckube_id mckube = request == NONE ? NONE : t->req.list.items[request].mckube;

	if (word != NONE)
		return read_word(cluster_str(c, word));
	if (mckube == NONE || c->mckubes.items[mckube].migration.kind == RAW_ABSENT)
		return SAYS_NOTHING;
	const struct raw *raw = &c->mckubes.items[mckube].migration;
	return raw->kind == RAW_STRING ? read_word(cluster_str(c, raw->text)) : SAYS_NEVER;
}

/* What is never moved, whatever it says. */
static enum stay ask_kind(const struct movers *m, const struct pod *pod)
{
	const struct trial *t = m->t;

	if (pod->is_unread)
		return STAY_UNREAD;
	if (pod->is_mirror || pod->owner_kind == t->owner.node)
		return STAY_STATIC;
	if (pod->owner_kind && pod->owner_kind == t->owner.daemon_set)
		return STAY_DAEMON_SET;
	if (pod->meta.ns == m->kube_system || trial_is_untouchable(t, pod))
		return pod->is_terminating ? STAY_TERMINATING : STAY_SYSTEM;
	return pod->node == NONE || pod->is_not_started ? STAY_NOT_RUNNING : STAY_NOT;
}

/* A real-time pod has to have cores that this plan leaves to it. */
static enum stay ask_unit(const struct movers *m, pod_id id)
{
	const struct trial *t = m->t;
	unit_id unit = t->unit_of_pod[id];
	const struct unit *u = unit == NONE ? NULL : &t->units.items[unit];

	if (t->req.of_pod[id] == NONE)
		return STAY_NOT;
	if (!u || u->kind != UNIT_RUNNING || u->at == NONE || u->at != u->origin ||
	    u->is_misplaced || u->is_evicted || u->keeps_grant)
		return STAY_NO_CORES;
	return STAY_NOT;
}

static bool is_budget_spent(const struct movers *m, pod_id id)
{
	struct pdb_cover cover = m->covers[id];

	return !pdb_allows(m->t->c, cover) ||
	       (cover.pdb != NONE && m->t->evictions.of_pdb[cover.pdb] <= 0);
}

/* Would a new pod, with another name unless a StatefulSet makes it, have the same request, and come
 * to us? */
static enum stay ask_replacement(const struct movers *m, pod_id id)
{
	const struct trial *t = m->t;
	const struct pod *pod = &t->c->pods.items[id];
	uint32_t request = t->req.of_pod[id];

	if (request == NONE)
		return STAY_NOT;
	mckube_id mckube = t->req.list.items[request].mckube;
	if (mckube != NONE && t->c->mckubes.items[mckube].podname &&
	    pod->owner_kind != t->owner.stateful_set)
		return STAY_NAMED;
	return pod->is_ours || pod_is_bare(pod) ? STAY_NOT : STAY_NOT_OURS;
}

static enum stay ask_restart(const struct movers *m, pod_id id, enum said said)
{
	const struct trial *t = m->t;
	const struct pod *pod = &t->c->pods.items[id];
	unit_id unit = t->unit_of_pod[id];
	bool is_said = said == SAYS_RESTART;

	if (said == SAYS_CHECKPOINT)
		return STAY_CHECKPOINT;
	if (pod->owner_kind && pod->owner_kind == m->job && !is_said)
		return STAY_JOB;
	if (pod_is_bare(pod) && !is_said && !m->is_demanded)
		return STAY_BARE;
	if (unit != NONE && t->units.items[unit].rank > LEVEL_LOW && !is_said && !m->is_demanded)
		return STAY_CRITICAL;
	return ask_replacement(m, id);
}

enum stay movers_ask(const struct movers *m, pod_id id, enum migration_method *ret_method)
{
	enum said said = said_of(m->t, id);
	enum stay s = ask_kind(m, &m->t->c->pods.items[id]);

	if (s == STAY_NOT)
		s = ask_unit(m, id);
	if (s == STAY_NOT && said == SAYS_NEVER)
		s = STAY_NEVER;
	if (s == STAY_NOT && trial_is_kept(m->t, &m->t->c->pods.items[id]))
		s = STAY_KEPT;
	if (s != STAY_NOT)
		return s;
	*ret_method = MIGRATE_CHECKPOINT;
	if (said == SAYS_RESTART || movers_checkpoint_bar(m, id, NONE)) {
		*ret_method = MIGRATE_RESTART;
		s = ask_restart(m, id, said);
	}
	if (s == STAY_NOT && is_budget_spent(m, id))
		return STAY_BUDGET;
	return s == STAY_NOT && evictions_reached(&m->t->evictions, id) ? STAY_LIMIT : s;
}

bool movers_may_restart(const struct movers *m, pod_id id, enum migration_method method)
{
	return method == MIGRATE_CHECKPOINT && ask_restart(m, id, said_of(m->t, id)) == STAY_NOT;
}

static const char *bar_of_spec(const struct pod *pod)
{
	static const struct {
		uint16_t bar;
		const char *text;
	} rows[] = {
		{ BAR_HOST_PID, "hostPID: its process ids may be taken on the other node" },
		{ BAR_USER_NAMESPACE, "hostUsers: false is not supported" },
		{ BAR_RUNTIME_CLASS, "runtimeClassName: only the node's own runtime can do it" },
		{ BAR_EMPTY_DIR, "the content of its emptyDir volumes would be lost" },
		{ BAR_HOST_PATH, "its hostPath volumes stay on the node" },
		{ BAR_SIDECAR, "its sidecar containers would start again" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (pod->bars & rows[i].bar)
			return rows[i].text;
	if (pod->extended.n)
		return "devices cannot be moved";
	if (pod->patience_seconds && pod->patience_seconds <= OUTAGE_SECONDS)
		return "its liveness probe would kill it while it is paused";
	return NULL;
}

static const char *note_of(const struct cluster *c, str_id note)
{
	return note == NONE ? "" : cluster_str(c, note);
}

static const char *bar_of_nodes(const struct cluster *c, const struct node *from,
				const struct node *to)
{
	const char *source = note_of(c, from->annotations.checkpoint);
	const char *target = to ? note_of(c, to->annotations.checkpoint) : "";

	if (!*source || strncmp(source, "no", 2) == 0)
		return "its node cannot checkpoint containers";
	if (!to)
		return NULL;
	if (!strstr(target, "restore=true"))
		return "the target cannot restore containers";
	if (from->annotations.cpu_flags != to->annotations.cpu_flags)
		return "the CPUs of the two nodes differ";
	return NULL;
}

const char *movers_checkpoint_bar(const struct movers *m, pod_id id, node_id to)
{
	const struct cluster *c = m->t->c;
	const struct pod *pod = &c->pods.items[id];
	const char *bar = bar_of_spec(pod);

	if (!m->t->settings->migration.checkpoint)
		return "checkpoints are switched off (migration.checkpoint)";
	if (bar || pod->node == NONE)
		return bar;
	bool has_owner_for_it =
		pod->owner_kind == m->replica_set || pod->owner_kind == m->t->owner.stateful_set;
	if (!pod_is_bare(pod) && (!has_owner_for_it || !pod->is_ours))
		return "only bare pods can be, and those of ReplicaSets and StatefulSets that this "
		       "scheduler places";
	if (c->rules.items[pod->rules].devices.n)
		return "devices cannot be moved";
	return bar_of_nodes(c, &c->nodes.items[pod->node], to == NONE ? NULL : &c->nodes.items[to]);
}
