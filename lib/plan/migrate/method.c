/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/method.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/checkpoint_facts.h"

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
	[STAY_WINDOW] = "evictions.windows is closed",
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
	if (said == SAYS_RESTART || movers_bar_checkpoint(m, id, NONE, NULL)) {
		*ret_method = MIGRATE_RESTART;
		s = ask_restart(m, id, said);
	}
	if (s == STAY_NOT &&
	    (evictions_are_closed(&m->t->evictions) || (!m->is_demanded && m->t->evictions.closed)))
		return STAY_WINDOW;
	if (s == STAY_NOT && is_budget_spent(m, id))
		return STAY_BUDGET;
	return s == STAY_NOT && evictions_reached(&m->t->evictions, id) ? STAY_LIMIT : s;
}

enum stay movers_ask_restart(const struct movers *m, pod_id id)
{
	return ask_restart(m, id, said_of(m->t, id));
}

bool movers_may_restart(const struct movers *m, pod_id id, enum migration_method method)
{
	return method == MIGRATE_CHECKPOINT && movers_ask_restart(m, id) == STAY_NOT;
}

/* It would be moved with its memory, if that could be. */
static bool is_without_memory(enum stay s)
{
	return s == STAY_CRITICAL || s == STAY_BARE || s == STAY_JOB || s == STAY_NAMED ||
	       s == STAY_NOT_OURS;
}

void stay_write(enum stay s, const char *bar, struct str *out)
{
	str_add(out, stay_text(s));
	if (*bar && s == STAY_CHECKPOINT)
		str_addf(out, ": %s", bar);
	else if (*bar && is_without_memory(s))
		str_addf(out, "; not with its memory: %s", bar);
}

/* ---- With their memory ---- */

/* True: there is a bar; and why, where that is asked for. */
static bool bar(struct str *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool bar(struct str *why, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return true;
	va_start(ap, fmt);
	str_vaddf(why, fmt, ap);
	va_end(ap);
	return true;
}

static bool bar_of_names(const struct cluster *c, const struct pod *pod, enum bar_kind kind,
			 const char *what, const char *bars, struct str *why)
{
	struct slice names = cluster_bar_names(c, pod, kind);

	return bar(why, "%s %.*s: %s", what, (int)names.n, names.s, bars);
}

static bool bar_of_spec(const struct cluster *c, const struct pod *pod, struct str *why)
{
	static const struct {
		uint16_t bar;
		const char *text;
	} words[] = {
		{ BAR_HOST_PID, "hostPID: its process ids may be taken on the other node" },
		{ BAR_HOST_NETWORK, "hostNetwork: its sockets have addresses of the node" },
		{ BAR_USER_NAMESPACE, "hostUsers: false is not supported" },
		{ BAR_RUNTIME_CLASS, "runtimeClassName: only the node's own runtime can do it" },
	};
	static const struct {
		uint16_t bar;
		uint8_t kind; /* enum bar_kind */
		const char *what, *text;
	} named[] = {
		{ BAR_EMPTY_DIR, BAR_OF_EMPTY_DIRS, "emptyDir", "its content would be lost" },
		{ BAR_HOST_PATH, BAR_OF_HOST_PATHS, "hostPath", "it stays on the node" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (pod->bars & words[i].bar)
			return bar(why, "%s", words[i].text);
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (pod->bars & named[i].bar)
			return bar_of_names(c, pod, (enum bar_kind)named[i].kind, named[i].what,
					    named[i].text, why);
	if (pod->patience_seconds && pod->patience_seconds <= OUTAGE_SECONDS)
		return bar_of_names(c, pod, BAR_OF_PROBE, "livenessProbe of container",
				    "it would end the container while it is paused", why);
	return false;
}

static bool bar_of_devices(const struct cluster *c, const struct pod *pod, struct str *why)
{
	struct range claims = c->rules.items[pod->rules].devices;

	if (pod->extended.n)
		return bar(why, "%s: devices stay on the node",
			   cluster_str(c, c->amounts.items[pod->extended.at].name));
	return claims.n && bar(why, "resourceClaims: devices stay on the node");
}

static bool bar_of_owner(const struct movers *m, const struct pod *pod, struct str *why)
{
	if (pod_is_bare(pod))
		return false;
	if (pod->owner_kind != m->replica_set && pod->owner_kind != m->t->owner.stateful_set)
		return bar(why,
			   "its owner is a %s: only bare pods can be, and those of ReplicaSets and "
			   "StatefulSets",
			   cluster_str(m->t->c, pod->owner_kind));
	return !pod->is_ours && bar(why, "schedulerName: another scheduler places the new pod");
}

static bool bar_of_source(const struct cluster *c, const struct node *node, struct str *why)
{
	const char *text = checkpoint_bar(checkpoint_facts(c, node));

	return text && bar(why, "node %s: %s", cluster_str(c, node->meta.name), text);
}

static bool bar_of_target(const struct cluster *c, const struct node *from, const struct node *to,
			  struct str *why)
{
	const char *name = cluster_str(c, to->meta.name);
	const char *text = restore_bar(checkpoint_facts(c, to));

	if (text)
		return bar(why, "node %s: %s", name, text);
	return from->annotations.cpu_flags != to->annotations.cpu_flags &&
	       bar(why, "node %s: its CPUs differ from those of %s", name,
		   cluster_str(c, from->meta.name));
}

bool movers_bar_checkpoint(const struct movers *m, pod_id id, node_id to, struct str *why)
{
	const struct cluster *c = m->t->c;
	const struct pod *pod = &c->pods.items[id];
	const struct node *from = pod->node == NONE ? NULL : &c->nodes.items[pod->node];

	if (!m->t->settings->migration.checkpoint)
		return bar(why, "checkpoints are switched off (migration.checkpoint)");
	if (bar_of_spec(c, pod, why) || bar_of_devices(c, pod, why) || bar_of_owner(m, pod, why))
		return true;
	if (!from)
		return false;
	return bar_of_source(c, from, why) ||
	       (to != NONE && bar_of_target(c, from, &c->nodes.items[to], why));
}

bool movers_keep_memory(const struct movers *m, pod_id id, node_id to, struct str *why)
{
	enum said said = said_of(m->t, id);

	if (said == SAYS_NEVER || said == SAYS_RESTART)
		return !bar(why, "its migration is %s", said == SAYS_NEVER ? "Never" : "Restart");
	return !movers_bar_checkpoint(m, id, to, why);
}

bool movers_bar_everywhere(const struct movers *m, pod_id id, struct str *why)
{
	enum { NODES_NAMED = 3 };
	const struct cluster *c = m->t->c;
	node_id n_others = 0, from = c->pods.items[id].node;

	for (node_id to = 0; to < c->nodes.n; to++)
		if (to != from && !movers_bar_checkpoint(m, id, to, NULL))
			return false;
	if (c->nodes.n < 2)
		return bar(why, "there is no other node");
	for (node_id to = 0; to < c->nodes.n; to++) {
		if (to == from || ++n_others > NODES_NAMED)
			continue;
		str_add(why, n_others > 1 ? "; " : "");
		movers_bar_checkpoint(m, id, to, why);
	}
	if (n_others > NODES_NAMED)
		str_addf(why, "; and %u more", (unsigned)(n_others - NODES_NAMED));
	return true;
}
