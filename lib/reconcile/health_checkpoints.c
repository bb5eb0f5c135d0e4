/* SPDX-License-Identifier: Apache-2.0 */

/* Can the nodes move running containers with their memory? */
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "model/checkpoint_facts.h"
#include "reconcile/health_internal.h"

#define CHECK "checkpoints"

static void check_options(struct health *h, const char *node, const char *facts)
{
	struct slice missing = checkpoint_fact(facts, "missing");
	AUTO(str_done) struct str names = STR_INIT;

	if (!missing.n)
		return;
	for (size_t i = 0; i < missing.n; i++)
		if (missing.s[i] == '+')
			str_add(&names, ", ");
		else
			str_addc(&names, missing.s[i]);
	health_add(h, CHECK, HEALTH_NOTE,
		   "%s: /etc/criu/runc.conf lacks %s: programs with open connections or file locks "
		   "cannot be moved, and other CPUs are not noticed",
		   node, names.s);
}

static void check_node(struct health *h, const char *node, const char *facts)
{
	struct slice criu = checkpoint_fact(facts, "criu");
	struct slice runtime = checkpoint_fact(facts, "containerd");
	const char *bar = checkpoint_bar(facts), *no_target = restore_bar(facts);

	if (bar) {
		health_add(h, CHECK, HEALTH_NOTE, "%s: nothing can be moved from or to it: %s",
			   node, bar);
		return;
	}
	if (no_target)
		health_add(h, CHECK, HEALTH_NOTE,
			   "%s: containers can be moved from it, but not to it: %s", node,
			   no_target);
	else
		health_add(h, CHECK, HEALTH_OK,
			   "%s: containers can be moved from it and to it (criu %.*s, containerd "
			   "%.*s)",
			   node, (int)criu.n, criu.s, (int)runtime.n, runtime.s);
	check_options(h, node, facts);
}

static void add_name(struct str *out, const char *name)
{
	str_addf(out, "%s%s", out->n ? ", " : "", name);
}

/* Nodes whose CPUs have the same flags, a group each. */
static void check_cpus(struct health *h, const struct cluster *c)
{
	AUTO(str_done) struct str groups = STR_INIT;
	size_t n = 0;

	array_each(first, &c->nodes) {
		AUTO(str_done) struct str names = STR_INIT;

		if (!*checkpoint_facts(c, first))
			continue;
		array_each(node, &c->nodes) {
			if (!*checkpoint_facts(c, node) ||
			    node->annotations.cpu_flags != first->annotations.cpu_flags)
				continue;
			if (node < first)
				break;
			add_name(&names, cluster_str(c, node->meta.name));
		}
		if (!names.n)
			continue;
		str_addf(&groups, "%s%s", n++ ? " | " : "", names.s);
	}
	if (n > 1)
		health_add(h, CHECK, HEALTH_NOTE,
			   "their CPUs differ, so nothing is moved between these groups: %s",
			   groups.s);
}

/* Nodes that were chosen, and on which nothing has reported. */
static void check_silent(struct health *h, const struct cluster *c)
{
	AUTO(str_done) struct str names = STR_INIT;
	str_id key = intern_find(&c->strings, NODE_MIGRATE_LABEL, strlen(NODE_MIGRATE_LABEL));

	array_each(node, &c->nodes)
		if (key != INTERN_NONE && !*checkpoint_facts(c, node) &&
		    cluster_label(c, node->labels, key) != INTERN_NONE)
			add_name(&names, cluster_str(c, node->meta.name));
	if (names.n)
		health_add(h, CHECK, HEALTH_MISSING,
			   "these nodes have the label " NODE_MIGRATE_LABEL
			   ", and mckube-migrate does not report there: %s",
			   names.s);
}

void health_checkpoints(struct health *h, const struct cluster *c)
{
	AUTO(str_done) struct str restoring = STR_INIT;
	size_t n = 0;

	array_each(node, &c->nodes) {
		const char *name = cluster_str(c, node->meta.name),
			   *facts = checkpoint_facts(c, node);

		if (!*facts)
			continue;
		n++;
		check_node(h, name, facts);
		if (!restore_bar(facts))
			add_name(&restoring, name);
	}
	check_silent(h, c);
	if (!n) {
		health_add(
			h, CHECK, HEALTH_OK,
			"off: moves restart containers; 'kubectl mckube manifests --checkpoints' "
			"has what moves them with their memory");
		return;
	}
	check_cpus(h, c);
	if (restoring.n)
		health_add(
			h, "trust", HEALTH_NOTE,
			"these nodes restore containers from images: permission to create pods there is "
			"permission to run any process, as root, whatever the pod's spec says, unless "
			"ConfigMap mckube-images permits trusted images alone: %s",
			restoring.s);
}

bool health_any_restores(const struct cluster *c)
{
	array_each(node, &c->nodes)
		if (!restore_bar(checkpoint_facts(c, node)))
			return true;
	return false;
}
