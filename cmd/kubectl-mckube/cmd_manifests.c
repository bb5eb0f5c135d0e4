/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/names.h"

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
	const char *image, *node_image, *migrate_image, *ns;
	bool is_cron, has_migration, has_checkpoints;
};

static const struct option manifests_options[] = {
	OPT_STRING(0, "image", struct manifests_args, image, "IMAGE", "the image of kubectl-mckube",
		   .preset = "mckube:v" MCKUBE_VERSION),
	OPT_STRING(0, "node-image", struct manifests_args, node_image, "IMAGE",
		   "the image of the node helper", .preset = "mckube-node:v" MCKUBE_VERSION),
	OPT_STRING(0, "migrate-image", struct manifests_args, migrate_image, "IMAGE",
		   "the image of mckube-migrate", .preset = "mckube-migrate:v" MCKUBE_VERSION),
	OPT_BOOL(0, "cron", struct manifests_args, is_cron,
		 "a CronJob instead of the Deployment of watch"),
	OPT_BOOL(0, "migration", struct manifests_args, has_migration,
		 "also the settings of moves to other nodes, which turn them on"),
	OPT_BOOL(0, "checkpoints", struct manifests_args, has_checkpoints,
		 "--migration, and what moves running containers with their memory between nodes "
		 "with the label " NODE_MIGRATE_LABEL "=true, where permission to create pods is "
		 "then permission to run any process: mckube-migrate(8)"),
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

static int check_names(struct cli *cli, const struct manifests_args *a, struct error *err)
{
	const struct {
		const char *option, *value, *what;
	} names[] = {
		{ "image", a->image, "image" },
		{ "node-image", a->node_image, "image" },
		{ "migrate-image", a->migrate_image, "image" },
		{ "install-namespace", a->ns, "namespace" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!is_plain(names[i].value))
			return usage_error(cli, err, "--%s %s: invalid %s name", names[i].option,
					   names[i].value, names[i].what);
	return 0;
}

static bool is_wanted(const struct manifests_args *a, const char *name)
{
	if (strcmp(name, "watch-deployment") == 0)
		return !a->is_cron;
	if (strcmp(name, "plan-cronjob") == 0)
		return a->is_cron;
	if (strcmp(name, "migration") == 0)
		return a->has_migration || a->has_checkpoints;
	return strcmp(name, "checkpoints") != 0 || a->has_checkpoints;
}

static int run_manifests(struct cli *cli, const void *args, struct error *err)
{
	const struct manifests_args *a = args;
	AUTO_FREE char *image = xasprintf("image: %s\n", a->image);
	AUTO_FREE char *node_image = xasprintf("image: %s\n", a->node_image);
	AUTO_FREE char *migrate_image = xasprintf("image: %s\n", a->migrate_image);
	const struct replacement replacements[] = {
		{ "image: mckube\n", image },
		{ "image: mckube-node\n", node_image },
		{ "image: mckube-migrate\n", migrate_image },
		{ "mckube-system", a->ns },
		{ 0 },
	};
	AUTO(str_done) struct str out = STR_INIT;

	if (check_names(cli, a, err) < 0)
		return err->code;
	for (const struct embedded *m = manifests; m->name; m++) {
		if (!is_wanted(a, m->name))
			continue;
		str_add(&out, out.n ? "---\n" : "");
		add_replaced(m, replacements, &out);
	}
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_manifests = {
	.name = "manifests",
	.synopsis = "[--image IMAGE] [--node-image IMAGE] [--cron] [--migration] [--checkpoints]",
	.summary = "print everything to install: roles, policies, programs",
	.description =
		"Print everything to install in a cluster: namespace, definitions of objects, "
		"roles,\nadmission policies, the DaemonSet of the node helper, and the Deployment of "
		"watch or a CronJob\nthat plans every minute.",
	.examples = "# install it\n"
		    "kubectl mckube manifests --image registry.example/mckube:v1 \\\n"
		    "    --node-image registry.example/mckube-node:v1 | kubectl apply -f -\n"
		    "\n"
		    "# with moves of running containers between these nodes\n"
		    "kubectl label node edge-1 edge-2 " NODE_MIGRATE_LABEL "=true\n"
		    "kubectl mckube manifests --checkpoints | kubectl apply -f -\n",
	.options = manifests_options,
	.args_size = sizeof(struct manifests_args),
	.run = run_manifests,
};
