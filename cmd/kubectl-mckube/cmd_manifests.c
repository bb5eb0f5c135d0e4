/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"

#include "build.h"
#include "command.h"
#include "embedded.h"

struct replacement {
	const char *from, *to;
};

/* Adds the text with every occurrence of each `from` replaced; the earlier row wins. */
static void add_replaced(const struct embedded *m, const struct replacement *r, struct str *out)
{
	for (size_t at = 0; at < m->n;) {
		const struct replacement *hit = r;

		while (hit->from && (m->n - at < strlen(hit->from) ||
				     memcmp(m->text + at, hit->from, strlen(hit->from)) != 0))
			hit++;
		if (hit->from) {
			str_add(out, hit->to);
			at += strlen(hit->from);
		} else {
			str_addc(out, m->text[at++]);
		}
	}
}

/* crd */

struct crd_args {
	int32_t kind; /* index of kinds */
};

static const char *const kinds[] = { "McKube", "MCKube", NULL };

static const struct option crd_options[] = {
	OPT_ENUM(0, "kind", struct crd_args, kind, kinds, "KIND",
		 "the spelling of the installed definition, which cannot be changed",
		 .preset = "McKube"),
	{},
};

static int run_crd(struct cli *cli, const void *args, struct error *err)
{
	const struct crd_args *a = args;
	AUTO_FREE char *kind = xasprintf("kind: %s\n", kinds[a->kind]);
	AUTO_FREE char *list_kind = xasprintf("listKind: %sList\n", kinds[a->kind]);
	const struct replacement replacements[] = {
		{ "kind: McKube\n", kind },
		{ "listKind: McKubeList\n", list_kind },
		{ 0 },
	};
	AUTO(str_done) struct str out = STR_INIT;

	(void)cli;
	for (const struct embedded *m = manifests; m->name; m++) {
		if (strcmp(m->name, "crd") != 0 && strcmp(m->name, "kcloud-crd") != 0)
			continue;
		str_add(&out, out.n ? "---\n" : "");
		add_replaced(m, replacements, &out);
	}
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_crd = {
	.name = "crd",
	.synopsis = "[--kind KIND]",
	.summary = "print the definitions of McKube, WorkloadOptimizer and policy objects",
	.description =
		"Print the CustomResourceDefinitions of McKube objects and of WorkloadOptimizers, "
		"CostPolicies and\nPowerPolicies, for kubectl apply. Objects of older "
		"operators, in all spellings of their fields,\nare accepted and kept "
		"unchanged.",
	.examples = "# install it\n"
		    "kubectl mckube crd | kubectl apply -f -\n"
		    "\n"
		    "# see what would change first\n"
		    "kubectl mckube crd | kubectl diff -f -\n",
	.options = crd_options,
	.args_size = sizeof(struct crd_args),
	.run = run_crd,
};

/* manifests */

struct manifests_args {
	const char *image, *node_image, *ns;
	bool is_cron, has_migration;
};

static const struct option manifests_options[] = {
	OPT_STRING(0, "image", struct manifests_args, image, "IMAGE", "the image of kubectl-mckube",
		   .preset = "mckube:v" MCKUBE_VERSION),
	OPT_STRING(0, "node-image", struct manifests_args, node_image, "IMAGE",
		   "the image of the node helper", .preset = "mckube-node:v" MCKUBE_VERSION),
	OPT_BOOL(0, "cron", struct manifests_args, is_cron,
		 "a CronJob instead of the Deployment of watch"),
	OPT_BOOL(0, "migration", struct manifests_args, has_migration,
		 "also the settings of moves to other nodes, which turn them on"),
	OPT_STRING(0, "install-namespace", struct manifests_args, ns, "NAME",
		   "namespace to install into", .preset = "mckube-system"),
	{},
};

/* A name as it may stand in YAML without quotes, and in an image. */
static bool is_plain(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._/:@";

	return *s && s[strspn(s, plain)] == '\0';
}

static int run_manifests(struct cli *cli, const void *args, struct error *err)
{
	const struct manifests_args *a = args;
	AUTO_FREE char *image = xasprintf("image: %s\n", a->image);
	AUTO_FREE char *node_image = xasprintf("image: %s\n", a->node_image);
	const struct replacement replacements[] = {
		{ "image: mckube\n", image },
		{ "image: mckube-node\n", node_image },
		{ "mckube-system", a->ns },
		{ 0 },
	};
	AUTO(str_done) struct str out = STR_INIT;

	if (!is_plain(a->image))
		return usage_error(cli, err, "--image %s: invalid image name", a->image);
	if (!is_plain(a->node_image))
		return usage_error(cli, err, "--node-image %s: invalid image name", a->node_image);
	if (!is_plain(a->ns))
		return usage_error(cli, err, "--install-namespace %s: invalid namespace name",
				   a->ns);
	for (const struct embedded *m = manifests; m->name; m++) {
		if (strcmp(m->name, a->is_cron ? "watch-deployment" : "plan-cronjob") == 0 ||
		    (!a->has_migration && strcmp(m->name, "migration") == 0))
			continue;
		str_add(&out, out.n ? "---\n" : "");
		add_replaced(m, replacements, &out);
	}
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_manifests = {
	.name = "manifests",
	.synopsis = "[--image IMAGE] [--node-image IMAGE] [--cron] [--migration]",
	.summary = "print everything to install: roles, policies, programs",
	.description =
		"Print everything to install in a cluster: namespace, definitions of objects, "
		"roles,\nadmission policies, the DaemonSet of the node helper, and the Deployment of "
		"watch or a CronJob\nthat plans every minute.",
	.examples = "# install it\n"
		    "kubectl mckube manifests --image registry.example/mckube:v1 \\\n"
		    "    --node-image registry.example/mckube-node:v1 | kubectl apply -f -\n",
	.options = manifests_options,
	.args_size = sizeof(struct manifests_args),
	.run = run_manifests,
};
