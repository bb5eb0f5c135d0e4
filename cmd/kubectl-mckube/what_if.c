/* SPDX-License-Identifier: Apache-2.0 */
#include "what_if.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "model/what_if.h"

#include "command.h"
#include "ref.h"

static const struct {
	const char *word, *kind;
} kinds[] = {
	{ "deploy", "Deployment" },	  { "deployment", "Deployment" },
	{ "deployments", "Deployment" },  { "sts", "StatefulSet" },
	{ "statefulset", "StatefulSet" }, { "statefulsets", "StatefulSet" },
	{ "rs", "ReplicaSet" },		  { "replicaset", "ReplicaSet" },
	{ "replicasets", "ReplicaSet" },
};

bool what_if_is_given(const struct what_if_args *a)
{
	return a->drains.n + a->nodes.n + a->scales.n + a->withouts.n > 0;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

void what_if_sources(struct cli *cli, const struct what_if_args *a)
{
	array_each(text, &a->nodes)
		if (!is_number(*text))
			*array_add(&cli->input.files) = *text;
}

static const char *kind_of(const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].word) == n && memcmp(kinds[i].word, word, n) == 0)
			return kinds[i].kind;
	return NULL;
}

static int count_of(struct cli *cli, const char *option, const char *text, unsigned max,
		    unsigned *ret, struct error *err)
{
	unsigned long n = is_number(text) ? strtoul(text, NULL, 10) : (unsigned long)max + 1;

	if (n > max)
		return usage_error(cli, err, "--%s: \"%s\" is not a number from 0 to %u", option,
				   text, max);
	*ret = (unsigned)n;
	return 0;
}

static int scale(struct cli *cli, const char *text, struct inputs *in, struct error *err)
{
	const char *slash = strchr(text, '/'), *equals = strchr(text, '=');
	const char *kind = slash ? kind_of(text, (size_t)(slash - text)) : NULL;
	unsigned n = 0;

	if (!kind || !equals || equals < slash + 2)
		return usage_error(cli, err, "--scale: \"%s\" must be like deploy/NAME=5", text);
	if (count_of(cli, "scale", equals + 1, WHAT_IF_MAX_PODS, &n, err) < 0)
		return err->code;
	AUTO_FREE char *name = xstrndup(slash + 1, (size_t)(equals - slash - 1));
	return what_if_scale(&in->cluster, kind, inputs_default_namespace(cli, in), name, n, err);
}

static int leave_out(struct cli *cli, const char *word, struct inputs *in, struct error *err)
{
	struct ref ref = REF_NOTHING;

	if (ref_find(cli, in, word, REF_PODS, &ref, err) < 0)
		return err->code;
	what_if_without(&in->cluster, ref.pod);
	return 0;
}

static int add_nodes(struct cli *cli, const char *text, struct inputs *in, struct error *err)
{
	unsigned n = 0;

	if (!is_number(text))
		return 0;
	if (count_of(cli, "add-node", text, WHAT_IF_MAX_NODES, &n, err) < 0)
		return err->code;
	return what_if_add_nodes(&in->cluster, n, err);
}

int what_if_apply(struct cli *cli, const struct what_if_args *a, struct inputs *in,
		  struct error *err)
{
	array_each(text, &a->nodes)
		if (add_nodes(cli, *text, in, err) < 0)
			return err->code;
	array_each(word, &a->withouts)
		if (leave_out(cli, *word, in, err) < 0)
			return err->code;
	array_each(text, &a->scales)
		if (scale(cli, *text, in, err) < 0)
			return err->code;
	array_each(node, &a->drains)
		if (what_if_drain(&in->cluster, *node, err) < 0)
			return err->code;
	return 0;
}
