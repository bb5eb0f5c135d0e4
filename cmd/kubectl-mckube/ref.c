/* SPDX-License-Identifier: Apache-2.0 */
#include "ref.h"

#include <string.h>

#include "base/auto.h"
#include "base/nearest.h"

static const struct {
	const char *word;
	unsigned kind;
} words[] = {
	{ "node", REF_NODES },
	{ "nodes", REF_NODES },
	{ "no", REF_NODES },
	{ "pod", REF_PODS },
	{ "pods", REF_PODS },
	{ "po", REF_PODS },
	{ "namespace", REF_NAMESPACES },
	{ "namespaces", REF_NAMESPACES },
	{ "ns", REF_NAMESPACES },
	{ "wo", REF_OPTIMIZERS },
	{ "wopt", REF_OPTIMIZERS },
	{ "workloadoptimizer", REF_OPTIMIZERS },
	{ "workloadoptimizers", REF_OPTIMIZERS },
};

/* 0: none of them. */
static unsigned parse_kind(const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0)
			return words[i].kind;
	return 0;
}

static int no_node(const struct cluster *c, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	array_each(node, &c->nodes)
		nearest_offer(&nearest, cluster_str(c, node->meta.name));
	if (nearest.best)
		return error_set(err, -ENOENT, "node \"%s\" not found (did you mean %s?)", name,
				 nearest.best);
	return error_set(err, -ENOENT, "node \"%s\" not found", name);
}

/* Perhaps it is in another namespace, or the name is nearly right. */
static int no_pod(const struct cluster *c, const char *ns, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	array_each(pod, &c->pods) {
		const char *other = cluster_str(c, pod->meta.ns);

		if (strcmp(cluster_str(c, pod->meta.name), name) == 0)
			return error_set(err, -ENOENT,
					 "pod \"%s\" not found in namespace \"%s\" (there is one "
					 "in \"%s\": -n %s)",
					 name, ns, other, other);
		if (strcmp(other, ns) == 0)
			nearest_offer(&nearest, cluster_str(c, pod->meta.name));
	}
	if (nearest.best)
		return error_set(err, -ENOENT,
				 "pod \"%s\" not found in namespace \"%s\" (did you mean %s?)",
				 name, ns, nearest.best);
	return error_set(err, -ENOENT, "pod \"%s\" not found in namespace \"%s\"", name, ns);
}

static int find_optimizer(const struct cluster *c, const char *ns, const char *name,
			  struct ref *ret, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	for (uint32_t i = 0; i < c->optimizers.n; i++) {
		const struct meta *m = &c->optimizers.items[i].meta;

		if (strcmp(cluster_str(c, m->ns), ns) != 0)
			continue;
		nearest_offer(&nearest, cluster_str(c, m->name));
		if (strcmp(cluster_str(c, m->name), name) == 0) {
			ret->optimizer = i;
			return 0;
		}
	}
	if (nearest.best)
		return error_set(err, -ENOENT,
				 "workloadoptimizer \"%s\" not found in namespace \"%s\" (did you "
				 "mean %s?)",
				 name, ns, nearest.best);
	return error_set(err, -ENOENT, "workloadoptimizer \"%s\" not found in namespace \"%s\"",
			 name, ns);
}

/* By what a command takes: REF_PODS and others. */
static const char *const choices[] = {
	[REF_PODS] = "pod/NAME",
	[REF_PODS | REF_OPTIMIZERS] = "pod/NAME or wo/NAME",
	[REF_PODS | REF_NODES | REF_OPTIMIZERS | REF_ALL_OPTIMIZERS | REF_NAMESPACES] =
		"node/NAME, pod/NAME, ns/NAME, ns, wo/NAME or wo",
};

int ref_find(struct cli *cli, const struct inputs *in, const char *word, unsigned kinds,
	     struct ref *ret, struct error *err)
{
	const struct cluster *c = &in->cluster;
	const char *ns = inputs_default_namespace(cli, in);
	const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : "";
	unsigned kind = parse_kind(word, slash ? (size_t)(slash - word) : strlen(word)) & kinds;

	*ret = (struct ref)REF_NOTHING;
	ret->is_all_optimizers = !slash && kind == REF_OPTIMIZERS && (kinds & REF_ALL_OPTIMIZERS);
	ret->is_all_namespaces = !slash && kind == REF_NAMESPACES;
	if (ret->is_all_optimizers || ret->is_all_namespaces)
		return 0;
	if (!*name || !kind)
		return usage_error(cli, err, "\"%s\": must be %s", word, choices[kinds]);
	switch (kind) {
	case REF_NODES:
		ret->node = cluster_node(c, name);
		return ret->node == NONE ? no_node(c, name, err) : 0;
	case REF_NAMESPACES:
		ret->ns = name;
		return 0;
	case REF_PODS:
		ret->pod = cluster_pod(c, ns, name);
		return ret->pod == NONE ? no_pod(c, ns, name, err) : 0;
	default:
		return find_optimizer(c, ns, name, ret, err);
	}
}
