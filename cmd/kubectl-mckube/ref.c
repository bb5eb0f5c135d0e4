/* SPDX-License-Identifier: Apache-2.0 */
#include "ref.h"

#include <string.h>

#include "base/auto.h"
#include "base/nearest.h"

enum ref_kind { REF_NODE, REF_POD };

static const struct {
	const char *word;
	enum ref_kind kind;
} words[] = {
	{ "node", REF_NODE }, { "nodes", REF_NODE }, { "no", REF_NODE },
	{ "pod", REF_POD },   { "pods", REF_POD },   { "po", REF_POD },
};

static bool parse_kind(const char *word, size_t n, enum ref_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0) {
			*ret = words[i].kind;
			return true;
		}
	return false;
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

int ref_find(struct cli *cli, const struct inputs *in, const char *word, bool pods_only,
	     struct ref *ret, struct error *err)
{
	const struct cluster *c = &in->cluster;
	const char *ns = inputs_default_namespace(cli, in);
	const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : "";
	struct ref ref = { .node = NONE, .pod = NONE };
	enum ref_kind kind;

	if (!*name || !parse_kind(word, (size_t)(slash - word), &kind) ||
	    (pods_only && kind == REF_NODE))
		return usage_error(cli, err, "\"%s\": must be %s", word,
				   pods_only ? "pod/NAME" : "node/NAME or pod/NAME");
	if (kind == REF_NODE)
		ref.node = cluster_node(c, name);
	else
		ref.pod = cluster_pod(c, ns, name);
	if (ref.node == NONE && ref.pod == NONE)
		return kind == REF_NODE ? no_node(c, name, err) : no_pod(c, ns, name, err);
	*ret = ref;
	return 0;
}
