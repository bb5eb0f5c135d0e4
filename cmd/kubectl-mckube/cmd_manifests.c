/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/file.h"
#include "base/names.h"
#include "manifest/manifests.h"
#include "manifest/values.h"

#include "build.h"
#include "command.h"

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
	manifest_replace(manifest_find("crd")->text, replacements, &out);
	str_add(&out, "---\n");
	manifest_replace(manifest_find("kcloud-crd")->text, replacements, &out);
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
	const char *image, *node_image, *migrate_image, *ns, *runtime;
	struct option_list files, assignments;
	bool is_cron, has_migration, has_checkpoints, shows_values;
};

static const char *const runtimes[] = { "containerd", "kubeadm",  "kind",  "k3s",    "rke2",
					"k0s",	      "microk8s", "cri-o", "docker", NULL };

static const struct option manifests_options[] = {
	OPT_STRINGS(0, "values", struct manifests_args, files, "FILE",
		    "values as of the Helm chart, YAML or JSON; may be repeated",
		    .complete = "file"),
	OPT_STRINGS(0, "set", struct manifests_args, assignments, "NAME=VALUE",
		    "one value, such as watch.replicas=1; may be repeated"),
	OPT_BOOL(0, "show-values", struct manifests_args, shows_values,
		 "print all values with their defaults instead"),
	OPT_STRING(0, "image", struct manifests_args, image, "IMAGE",
		   "the image of kubectl-mckube (default mckube:v" MCKUBE_VERSION ")"),
	OPT_STRING(0, "node-image", struct manifests_args, node_image, "IMAGE",
		   "the image of the node helper (default mckube-node:v" MCKUBE_VERSION ")"),
	OPT_STRING(0, "migrate-image", struct manifests_args, migrate_image, "IMAGE",
		   "the image of mckube-migrate (default mckube-migrate:v" MCKUBE_VERSION ")"),
	OPT_STRING(0, "runtime", struct manifests_args, runtime, "NAME",
		   "the runtime or distribution whose folders are mounted (default containerd)",
		   .choices = runtimes),
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

/* Files first, then --set, then the options that stand for values. */
static int read_values(const struct manifests_args *a, cJSON *values, struct error *err)
{
	AUTO_FREE char *runtime = a->runtime ? xasprintf("runtime=%s", a->runtime) : NULL;

	for (size_t i = 0; i < a->files.n; i++) {
		AUTO(str_done) struct str text = STR_INIT;

		if (file_read(a->files.items[i], &text, err) < 0)
			return err->code;
		if (values_merge_yaml(values, text.s, text.n, err) < 0)
			return error_wrap(err, "%s", a->files.items[i]);
	}
	for (size_t i = 0; i < a->assignments.n; i++)
		if (values_set(values, a->assignments.items[i], err) < 0)
			return error_wrap(err, "--set");
	if ((runtime && values_set(values, runtime, err) < 0) ||
	    (a->is_cron && values_set(values, "cron=true", err) < 0) ||
	    (a->has_migration && values_set(values, "migration.enabled=true", err) < 0) ||
	    (a->has_checkpoints && values_set(values, "checkpoints.enabled=true", err) < 0))
		return err->code;
	return 0;
}

static int run_manifests(struct cli *cli, const void *args, struct error *err)
{
	const struct manifests_args *a = args;
	const struct manifest_options o = {
		.ns = a->ns,
		.version = MCKUBE_VERSION,
		.image = a->image,
		.node_image = a->node_image,
		.migrate_image = a->migrate_image,
	};
	const struct slice defaults = manifest_find("values")->text;
	AUTO_JSON cJSON *values = values_new();
	AUTO(str_done) struct str out = STR_INIT;

	if (a->shows_values) {
		str_addn(&out, defaults.s, defaults.n);
		return print_text(&out, EXIT_DONE, err);
	}
	if (read_values(a, values, err) < 0 || manifests_render(values, &o, &out, err) < 0)
		return usage_error(cli, err, "%s", err->msg);
	return print_text(&out, EXIT_DONE, err);
}

const struct command command_manifests = {
	.name = "manifests",
	.synopsis = "[--values FILE] [--set NAME=VALUE] [options]",
	.summary = "print everything to install: roles, policies, programs",
	.description =
		"Print everything to install in a cluster: namespace, definitions of objects, "
		"roles,\nadmission policies, the DaemonSet of the node helper, and the Deployment of "
		"watch or a CronJob\nthat plans every minute.\n"
		"\n"
		"The folder manifests/ is a Helm chart, too; with the same values it has the same "
		"objects.",
	.examples = "# install it\n"
		    "kubectl mckube manifests --image registry.example/mckube:v1 \\\n"
		    "    --node-image registry.example/mckube-node:v1 | kubectl apply -f -\n"
		    "\n"
		    "# with moves of running containers between these nodes\n"
		    "kubectl label node edge-1 edge-2 " NODE_MIGRATE_LABEL "=true\n"
		    "kubectl mckube manifests --checkpoints | kubectl apply -f -\n"
		    "\n"
		    "# on nodes of k3s that have a label\n"
		    "kubectl mckube manifests --runtime k3s \\\n"
		    "    --set node.nodeSelector.example\\\\.com/realtime=yes\n"
		    "\n"
		    "# which values there are\n"
		    "kubectl mckube manifests --show-values\n",
	.options = manifests_options,
	.args_size = sizeof(struct manifests_args),
	.run = run_manifests,
};
