/* SPDX-License-Identifier: Apache-2.0 */

/* Can the nodes move running containers with their memory? What mckube-migrate has written on each
 * of them (NODE_CHECKPOINT): "criu=V,containerd=V,restore=WORD,missing=OPTION+OPTION", or "no:
 * why". */
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "reconcile/health_internal.h"

#define CHECK "checkpoints"

static struct slice fact(const char *facts, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = facts; *at; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return (struct slice){ at + n + 1, strcspn(at + n + 1, ",") };
	return (struct slice){ "", 0 };
}

static bool fact_is(const char *facts, const char *name, const char *value)
{
	struct slice s = fact(facts, name);

	return s.n == strlen(value) && memcmp(s.s, value, s.n) == 0;
}

/* What keeps the node from being moved to; NULL: nothing. */
static const char *restore_bar(const char *facts)
{
	static const struct {
		const char *word, *text;
	} rows[] = {
		{ "off", "containerd does not restore: set enable_experimental_restore_via_create "
			 "= true below [plugins.'io.containerd.cri.v1.runtime'] and restart it" },
		{ "unsupported", "this containerd cannot restore, or not safely: it needs 2.2.7 to "
				 "2.2.x or 2.3.4 to 2.3.x" },
		{ "unknown", "containerd does not tell whether it restores" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (fact_is(facts, "restore", rows[i].word))
			return rows[i].text;
	return NULL;
}

static void check_options(struct health *h, const char *node, const char *facts)
{
	struct slice missing = fact(facts, "missing");
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
	struct slice criu = fact(facts, "criu"), runtime = fact(facts, "containerd");
	const char *bar = restore_bar(facts);

	if (strncmp(facts, "no", 2) == 0) {
		health_add(h, CHECK, HEALTH_NOTE, "%s: nothing can be moved from or to it: %s",
			   node,
			   strncmp(facts, "no: ", 4) == 0 ? facts + 4 : "mckube-migrate says no");
		return;
	}
	if (bar)
		health_add(h, CHECK, HEALTH_NOTE,
			   "%s: containers can be moved from it, but not to it: %s", node, bar);
	else
		health_add(h, CHECK, HEALTH_OK,
			   "%s: containers can be moved from it and to it (criu %.*s, containerd "
			   "%.*s)",
			   node, (int)criu.n, criu.s, (int)runtime.n, runtime.s);
	check_options(h, node, facts);
}

static const char *facts_of(const struct cluster *c, const struct node *node)
{
	return node->annotations.checkpoint == NONE ? ""
						    : cluster_str(c, node->annotations.checkpoint);
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

		if (!*facts_of(c, first))
			continue;
		array_each(node, &c->nodes) {
			if (!*facts_of(c, node) ||
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
		if (key != INTERN_NONE && !*facts_of(c, node) &&
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
		const char *name = cluster_str(c, node->meta.name), *facts = facts_of(c, node);

		if (!*facts)
			continue;
		n++;
		check_node(h, name, facts);
		if (fact_is(facts, "restore", "true"))
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
		if (fact_is(facts_of(c, node), "restore", "true"))
			return true;
	return false;
}
