/* SPDX-License-Identifier: Apache-2.0 */
#include "model/what_if.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/names.h"
#include "model/pdb.h"

static void note(struct cluster *c, const char *kind, const struct meta *m, const char *text)
{
	AUTO_FREE char *object =
		m->ns ? xasprintf("%s %s/%s", kind, cluster_str(c, m->ns), cluster_str(c, m->name))
		      : xasprintf("%s %s", kind, cluster_str(c, m->name));

	cluster_problem(c, object, "WhatIf", "%s", text);
}

static bool is_kind(const struct cluster *c, str_id kind, const char *name)
{
	return strcmp(cluster_str(c, kind), name) == 0;
}

/* ---- Pods that come again ---- */

/* Does the assignment hold the members that may also be a request? */
static bool was_written_by_us(const struct cluster *c, const struct pod_annotations *a)
{
	return a->source != NONE && !is_kind(c, a->source, "annotations");
}

static annotations_id without_assignment(struct cluster *c, annotations_id id)
{
	if (id == NONE)
		return NONE;

	struct pod_annotations a = c->annotations.items[id];
	bool is_ours = was_written_by_us(c, &a);
	for (size_t i = 0; i < POD_ANNOTATIONS_N; i++) {
		const struct member_row *row = &pod_annotation_rows[i];

		if (row->part == PART_ASSIGNMENT || (row->part == PART_BOTH && is_ours))
			*(str_id *)((char *)&a + row->offset) = NONE;
	}
	*array_add(&c->annotations) = a;
	return (annotations_id)c->annotations.n - 1;
}

/* The pod that its controller makes in its place. */
static void renew(struct cluster *c, struct pod *pod)
{
	pod->node_name = pod->nominated_name = 0;
	pod->node = pod->nominated = NONE;
	pod->annotations = without_assignment(c, pod->annotations);
	pod->phase = POD_PENDING;
	pod->is_not_started = true;
	pod->is_ready = pod->is_terminating = false;
}

static void drop_pods(struct cluster *c, const bool *is_gone)
{
	size_t n = 0;

	for (size_t i = 0; i < c->pods.n; i++)
		if (!is_gone[i])
			c->pods.items[n++] = c->pods.items[i];
	c->pods.n = n;
}

/* ---- Drain ---- */

static bool stays_on_drain(const struct cluster *c, const struct pod *pod)
{
	return pod->is_mirror || is_kind(c, pod->owner_kind, "DaemonSet") ||
	       is_kind(c, pod->owner_kind, "Node");
}

/* True when the pod is gone for this plan. */
static bool drain_pod(struct cluster *c, struct pod *pod)
{
	if (!pod->owner_kind) {
		note(c, "Pod", &pod->meta, "no controller makes it again: it is gone");
		return true;
	}
	if (!pod->is_ours) {
		note(c, "Pod", &pod->meta, "another scheduler places it: it is left out");
		return true;
	}
	renew(c, pod);
	return false;
}

/* Budgets that forbid to evict all of the node's pods at once. */
static void note_budgets(struct cluster *c, node_id node)
{
	AUTO_FREE struct pdb_cover *covers = pdbs_read(c, NULL);
	AUTO_FREE int32_t *wanted = xcalloc(c->pdbs.n, sizeof(*wanted));

	for (pod_id id = 0; id < c->pods.n; id++)
		if (c->pods.items[id].node == node && covers[id].pdb != NONE &&
		    !stays_on_drain(c, &c->pods.items[id]))
			wanted[covers[id].pdb]++;
	for (pdb_id id = 0; id < c->pdbs.n; id++) {
		int32_t left = pdb_left(&c->pdbs.items[id]);

		if (wanted[id] <= left)
			continue;
		AUTO_FREE char *text = xasprintf("it allows %d of %d evictions now: a drain waits",
						 left, wanted[id]);
		note(c, "PodDisruptionBudget", &c->pdbs.items[id].meta, text);
	}
}

int what_if_drain(struct cluster *c, const char *name, struct error *err)
{
	node_id node = cluster_node(c, name);

	if (node == NONE)
		return error_set(err, -ENOENT, "node \"%s\" not found", name);

	AUTO_FREE bool *is_gone = xcalloc(c->pods.n, sizeof(*is_gone));
	c->nodes.items[node].is_unschedulable = true;
	note(c, "Node", &c->nodes.items[node].meta, "as if it were drained");
	note_budgets(c, node);
	for (pod_id id = 0; id < c->pods.n; id++) {
		struct pod *pod = &c->pods.items[id];

		if (pod->node == node && !stays_on_drain(c, pod))
			is_gone[id] = drain_pod(c, pod);
	}
	drop_pods(c, is_gone);
	cluster_finish(c);
	return 0;
}

void what_if_without(struct cluster *c, pod_id pod)
{
	AUTO_FREE bool *is_gone = xcalloc(c->pods.n, sizeof(*is_gone));

	note(c, "Pod", &c->pods.items[pod].meta, "as if it were not there");
	is_gone[pod] = true;
	drop_pods(c, is_gone);
	cluster_finish(c);
}

/* ---- Nodes ---- */

static node_id largest(const struct cluster *c)
{
	node_id best = NONE;

	for (node_id id = 0; id < c->nodes.n; id++)
		if (!c->nodes.items[id].is_unread &&
		    (best == NONE || c->nodes.items[id].cpu_milli > c->nodes.items[best].cpu_milli))
			best = id;
	return best;
}

/* The same labels, but for the node's own name. */
static struct range relabel(struct cluster *c, struct range labels, str_id from, str_id to)
{
	struct range made = { (uint32_t)c->labels.n, labels.n };

	for (uint32_t i = 0; i < labels.n; i++) {
		struct label label = c->labels.items[labels.at + i];

		if (label.value == from)
			label.value = to;
		*array_add(&c->labels) = label;
	}
	return made;
}

static str_id free_name(struct cluster *c, const char *base, unsigned *number,
			bool (*is_taken)(const struct cluster *c, const char *ns, const char *name),
			const char *ns)
{
	for (;;) {
		AUTO_FREE char *name = xasprintf("%s-%u", base, ++*number);

		if (!is_taken(c, ns, name))
			return intern_cstr(&c->strings, name);
	}
}

static bool is_node(const struct cluster *c, const char *ns, const char *name)
{
	(void)ns;
	array_each(node, &c->nodes)
		if (is_kind(c, node->meta.name, name))
			return true;
	return false;
}

static void add_heartbeat(struct cluster *c, const struct node *of, str_id name)
{
	struct helper_lease lease = { .renewed = of->heartbeat, .seconds = of->heartbeat_seconds };

	if (!of->heartbeat)
		return;
	AUTO_FREE char *text = xasprintf(HELPER_LEASE_PREFIX "%s", cluster_str(c, name));
	lease.node = name;
	lease.meta.name = intern_cstr(&c->strings, text);
	*array_add(&c->helper_leases) = lease;
}

int what_if_add_nodes(struct cluster *c, unsigned n, struct error *err)
{
	node_id like = largest(c);
	unsigned number = 0;

	if (like == NONE)
		return error_set(err, -ENOENT, "there is no node to copy");

	const struct node of = c->nodes.items[like];
	AUTO_FREE char *base = xasprintf("%s-copy", cluster_str(c, of.meta.name));
	for (unsigned i = 0; i < n; i++) {
		struct node made = of;

		made.meta = (struct meta){ .name = free_name(c, base, &number, is_node, NULL) };
		made.labels = relabel(c, of.labels, of.meta.name, made.meta.name);
		made.is_unschedulable = false;
		made.annotations.overruns = made.annotations.rt_retained = NONE;
		made.annotations.rt_pressure = made.annotations.busy_seconds = NONE;
		made.annotations.cpu_usage = made.annotations.is_busy = NONE;
		add_heartbeat(c, &of, made.meta.name);
		*array_add(&c->nodes) = made;
		AUTO_FREE char *text =
			xasprintf("as if there were one like %s", cluster_str(c, of.meta.name));
		note(c, "Node", &made.meta, text);
	}
	cluster_finish(c);
	return 0;
}

/* ---- Scale ---- */

/* A Deployment's ReplicaSets are named after it and the hash of their template. */
static bool is_of_deployment(const char *set, const char *name)
{
	size_t n = strlen(name);

	return strncmp(set, name, n) == 0 && set[n] == '-' && set[n + 1] &&
	       !strchr(set + n + 1, '-');
}

static bool is_owned(const struct cluster *c, const struct pod *pod, const char *kind,
		     const char *name)
{
	const char *owner = cluster_str(c, pod->owner_name);

	if (strcmp(kind, "Deployment") == 0)
		return is_kind(c, pod->owner_kind, "ReplicaSet") && is_of_deployment(owner, name);
	return is_kind(c, pod->owner_kind, kind) && strcmp(owner, name) == 0;
}

static unsigned ordinal_of(const struct cluster *c, const struct pod *pod)
{
	const char *dash = strrchr(cluster_str(c, pod->meta.name), '-');

	return dash ? (unsigned)strtoull(dash + 1, NULL, 10) : 0;
}

struct scaled {
	const struct cluster *c;
	bool has_ordinals;
};

/* The one that is kept longer first. */
static int by_worth(const void *a, const void *b, void *arg)
{
	const struct scaled *s = arg;
	const struct pod *x = &s->c->pods.items[*(const pod_id *)a];
	const struct pod *y = &s->c->pods.items[*(const pod_id *)b];

	if (s->has_ordinals)
		return ordinal_of(s->c, x) < ordinal_of(s->c, y) ? -1 : 1;
	if ((x->node == NONE) != (y->node == NONE))
		return x->node == NONE ? 1 : -1;
	if (x->meta.created != y->meta.created)
		return x->meta.created < y->meta.created ? -1 : 1;
	return *(const pod_id *)a < *(const pod_id *)b ? -1 : 1;
}

static bool is_pod(const struct cluster *c, const char *ns, const char *name)
{
	array_each(pod, &c->pods)
		if (is_kind(c, pod->meta.name, name) && is_kind(c, pod->meta.ns, ns))
			return true;
	return false;
}

static void add_copies(struct cluster *c, pod_id like, const char *base, bool has_ordinals,
		       unsigned n)
{
	unsigned number = has_ordinals ? ordinal_of(c, &c->pods.items[like]) : 0;

	for (unsigned i = 0; i < n; i++) {
		struct pod made = c->pods.items[like];

		made.meta.name = free_name(c, base, &number, is_pod, cluster_str(c, made.meta.ns));
		made.meta.uid = made.meta.version = 0;
		renew(c, &made);
		note(c, "Pod", &made.meta, "as if there were one more");
		*array_add(&c->pods) = made;
	}
}

int what_if_scale(struct cluster *c, const char *kind, const char *ns, const char *name, unsigned n,
		  struct error *err)
{
	struct scaled s = { c, strcmp(kind, "StatefulSet") == 0 };
	ARRAY(pod_id) pods = { 0 };

	for (pod_id id = 0; id < c->pods.n; id++)
		if (!c->pods.items[id].is_terminating &&
		    is_kind(c, c->pods.items[id].meta.ns, ns) &&
		    is_owned(c, &c->pods.items[id], kind, name))
			*array_add(&pods) = id;
	if (pods.n == 0)
		return error_set(err, -ENOENT, "%s \"%s\" has no pod in namespace \"%s\" to copy",
				 kind, name, ns);

	AUTO_FREE bool *is_gone = xcalloc(c->pods.n + n, sizeof(*is_gone));
	qsort_r(pods.items, pods.n, sizeof(*pods.items), by_worth, &s);
	for (size_t i = n; i < pods.n; i++) {
		is_gone[pods.items[i]] = true;
		note(c, "Pod", &c->pods.items[pods.items[i]].meta, "as if it were scaled away");
	}
	AUTO_FREE char *base = s.has_ordinals ? xasprintf("%s", name) : xasprintf("%s-copy", name);
	if (n > pods.n)
		add_copies(c, pods.items[pods.n - 1], base, s.has_ordinals, n - (unsigned)pods.n);
	drop_pods(c, is_gone);
	array_done(&pods);
	cluster_finish(c);
	return 0;
}
