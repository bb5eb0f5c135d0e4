/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "base/nearest.h"
#include "objects/config.h"
#include "reconcile/watch_metrics.h"

enum { HELP_WIDTH = 90 };

static void add_options(struct str *out)
{
	str_add(out, "The following options can be passed to any command:\n\n");
	option_help(global_options, HELP_WIDTH, out);
	str_add(out, "\nThese select the API server and the credentials. They are "
		     "kubectl's:\n\n");
	option_help(kube_global_options, HELP_WIDTH, out);
	str_add(out, "\nThese limit the rate of requests:\n\n");
	option_help(live_options, HELP_WIDTH, out);
}

/* A Deployment of the SDI migration service, or of the KCloud operator, sets these. */
static void add_aliases(struct str *out)
{
	enum { COLUMN = 29 };
	static const struct {
		const char *variable, *text;
	} services[] = {
		{ "POLICY_ENGINE_URL", "--policy-engine; its token is POLICY_ENGINE_TOKEN" },
		{ "INFLUX_URL", "--influx-url" },
		{ "INFLUX_ORG", "--influx-org" },
		{ "INFLUX_BUCKET", "--influx-bucket" },
		{ "INFLUX_TOKEN", "what --influx-token-file holds" },
		{ "ANALYSIS_ENGINE_URL", "nothing: that service never called it either" },
		{ "CORE_SCHEDULER_URL", "--core-scheduler; its token is CORE_SCHEDULER_TOKEN" },
	};

	str_add(out,
		"\nVariables of the SDI migration service and of the KCloud operator stand for keys "
		"and flags that are\nnot set themselves. None of them switches moves on: "
		"migration.enabled does.\n\n");
	for (const struct config_alias *a = config_aliases; a->variable; a++)
		str_addf(out, "  %-*s %s%s\n", COLUMN, a->variable, a->key,
			 *a->unit ? ", in per cent" : "");
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		str_addf(out, "  %-*s %s\n", COLUMN, services[i].variable, services[i].text);
}

static void add_config(struct str *out)
{
	const struct style style = { .width = HELP_WIDTH };

	str_add(out,
		"The configuration is a YAML or JSON file, named by --config or "
		"MCKUBE_CONFIG:\n\n"
		"  apiVersion: " MCKUBE_API_VERSION "\n"
		"  kind: Configuration\n"
		"  coreUtilizationThreshold: 0.85\n"
		"  policies:\n"
		"  - { name: spread }\n"
		"  - { name: topology, weight: 3 }\n"
		"  search: { steps: 1000000 }\n\n"
		"All keys are optional. Flags override environment variables, which override the "
		"file.\n"
		"An unknown key is an error. The keys, and their environment variables:\n");
	for (const struct option *key = config_keys; key->name; key++) {
		AUTO(str_done) struct str domain = STR_INIT;

		option_domain(key, &domain);
		str_addf(out, "\n  %s", key->name);
		if (domain.n || *key->preset)
			str_addf(out, " (%s%s%s%s)", domain.n ? domain.s : "",
				 domain.n && *key->preset ? ", " : "",
				 *key->preset ? "default " : "", key->preset);
		str_add(out, "\n      ");
		config_variable(key->name, out);
		str_addc(out, '\n');
		style_wrap(&style, out, COLOR_NONE, 6, key->help);
	}
	add_aliases(out);
}

static void add_metrics(struct str *out)
{
	str_add(out,
		"Metrics of watch, in the text format of Prometheus. Those to alert on are "
		"mckube_run_status,\nmckube_last_success_timestamp_seconds and "
		"mckube_unplaced_pods. kcloud_policy_alert has\nthe alerts of policies that are on, "
		"those that only notify included. The series of cores, pods,\n"
		"WorkloadOptimizers, and budgets and alerts of policies are limited in "
		"number;\nmckube_series_left_out counts the others. Overruns and changes of levels are those seen in the API; "
		"mckube-node counts all of them.\n\n"
		"--metrics-bind-address serves them to all that reach it. "
		"--secure-metrics-bind-address\nserves them over TLS to accounts that may get "
		"the URL /metrics: the API server is asked whose\ntoken a request has, and what "
		"that account may. Then the first has health alone. In a cluster:\n\n"
		"  kubectl mckube manifests --set monitoring.secure.enabled=true\n\n"
		"with the certificate in the Secret mckube-metrics-tls, and the ClusterRole "
		"mckube-metrics-reader\nfor the account that reads.\n\n");
	watch_metrics_describe(out);
}

static void add_kernels(struct str *out)
{
	str_add(out,
		"The node helper takes the first of these backends that its kernel offers, or the one "
		"of\n--backend. \"mckube-node check\" on a node shows which, and what the others "
		"lack.\n\n"
		"  hcbs-*      A budget per container from a deadline server of the kernel. Needs "
		"the HCBS\n"
		"              patches, which no distribution has; tested on emulated trees "
		"only.\n"
		"  cgroup-v1   The kernel's own budget per container. Needs CONFIG_RT_GROUP_SCHED=y, "
		"the cpu\n"
		"              controller on cgroup v1, and from 6.16 on rt_group_sched=1.\n"
		"  soft        A budget per container and CPU in software: BPF accounts, the helper "
		"demotes.\n"
		"              Statistical: kept to 100 us in 99 % of periods. Needs Linux 6.1 or "
		"later with\n"
		"              BTF, cgroup v2 or v1, hostPID: true.\n"
		"  deadline    SCHED_DEADLINE for each thread. Only by name: the kernel refuses it "
		"to threads\n"
		"              that may not run on every CPU, as those of a planned pod.\n"
		"  cap-v2,     An upper limit for SCHED_OTHER alone. FIFO and RR threads are not "
		"limited.\n"
		"  cap-v1\n"
		"  noop        Nothing.\n\n"
		"As shipped (T: tried by test/vm or the other tests; the others by their version and "
		"settings):\n\n"
		"  distribution                       kernel       cgroup   backend\n"
		"  Debian 12                          6.1          v2       soft T\n"
		"  Debian 12 backports, Debian 13     6.12         v2       soft T\n"
		"  Ubuntu 22.04                       5.15         v2       cap-v2; soft with HWE 6.8\n"
		"  Ubuntu 24.04                       6.8          v2       soft\n"
		"  RHEL 9 and its rebuilds            5.14         v2       cap-v2\n"
		"  RHEL 10 and its rebuilds           6.12         v2       soft\n"
		"  Fedora, Arch                       newest       v2       soft\n"
		"  Amazon Linux 2023, Bottlerocket    6.1, 6.12    v2       soft\n"
		"  Container-Optimized OS, Flatcar    6.1 to 6.12  v2       soft\n"
		"  Talos                              6.12 to 6.18 v2       soft\n"
		"  own build with RT groups           any          v1       cgroup-v1 T (6.18)\n\n"
		"To get a better one:\n"
		"  from cap to soft       a kernel from 6.1 on with CONFIG_DEBUG_INFO_BTF=y, and "
		"hostPID: true\n"
		"  from soft to cgroup-v1 build with CONFIG_RT_GROUP_SCHED=y; boot with\n"
		"                         systemd.unified_cgroup_hierarchy=0 "
		"SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1\n"
		"                         (systemd 258 has no cgroup v1 any more) or a v1 mount of "
		"cpu alone\n\n"
		"What Kubernetes says: cgroup v1 is in maintenance since 1.31, and a kubelet from 1.35 "
		"on does not\nstart on it unless its configuration has failCgroupV1: false; containerd "
		"2.2 calls it deprecated.\nKubelet and runtime need the same cgroup driver, systemd or "
		"cgroupfs; the helper serves both. A\nnode is drained before its driver or its cgroup "
		"version changes: the names of all cgroups do.\n\n"
		"On every kernel: kernel.sched_rt_runtime_us (950000) limits the real-time threads of "
		"a CPU\ntogether, so a node's capacity is at most that. isolcpus= and nohz_full= keep "
		"timers and other\ntasks off the cores of " MCKUBE_DOMAIN
		"/rt-cores. \"mckube-node check\" "
		"warns where something is set\nagainst a backend.\n");
}

static void add_versions(struct str *out)
{
	str_add(out,
		"Kubernetes: 1.30 and later. The tests run on 1.36 and 1.34. Before 1.36 there is no\n"
		"MutatingAdmissionPolicy in v1: \"manifests --set "
		"admission.mutating.enabled=false\", and pods\nname the scheduler themselves; or "
		"admission.mutating.version=v1beta1 (1.34, 1.35) or v1alpha1\n(1.32, 1.33) where the "
		"server serves it.\n\n"
		"Programs of two versions work together when no minor version lies between them, so "
		"a cluster is\nupgraded one minor version at a time, without a stop:\n\n"
		"  definitions     as new as the newest program, or newer: upgraded first, taken "
		"back last;\n"
		"                  older ones do not check what they do not know\n"
		"  roles, chart    of the version of watch and mckube-node; newer ones grant what "
		"older ones did\n"
		"  mckube-node     one minor version older or newer than watch; nodes may have "
		"different versions\n"
		"  watch           one minor version older or newer than mckube-node; of several the "
		"holder of the\n"
		"                  Lease acts\n"
		"  kubectl mckube  one minor version older or newer than watch\n\n"
		"Within that, objects, annotations, statuses, Leases and the helper's state file keep "
		"their meaning.\nA patch version changes none of it. The tests run the release before "
		"beside this one, in every\npairing, and replace each by the other during an overrun "
		"(test/run --full skew).\n\n"
		"To upgrade: the definitions (\"kubectl mckube crd | kubectl apply -f -\"; helm leaves "
		"them alone),\nthen the rest by \"kubectl mckube manifests\" or helm. Helpers are "
		"replaced node by node and keep\nthe budgets in the kernel meanwhile (--keep-while). "
		"\"kubectl mckube doctor --wait\" says when all\nis done. To go back, apply the former "
		"version's manifests; the definitions may stay.\n\n"
		"A saved plan is executed by the version that made it, or by one that reads its "
		"apiVersion; unknown\nmembers are errors. The changes of each version are in "
		"manifests/CHANGELOG.md.\n");
}

static void add_exit_codes(struct str *out)
{
	str_add(out, "   0  done\n"
		     "   1  error: one line on standard error names object and field\n"
		     "   2  plan --detailed-exitcode: the plan changes something\n"
		     "   3  plan --detailed-exitcode: some pod cannot be placed (3 beats 2)\n"
		     "   4  apply: some actions were executed and some were not\n"
		     " 130  interrupted (SIGINT)\n"
		     " 141  standard output was closed by its reader (SIGPIPE)\n"
		     " 143  terminated (SIGTERM)\n");
}

const struct help_topic help_topics[] = {
	{ "options", "the options of every command", add_options },
	{ "config", "the configuration file and its environment variables", add_config },
	{ "metrics", "the metrics of watch", add_metrics },
	{ "kernels", "which kernel and distribution gives which guarantee", add_kernels },
	{ "versions", "versions of Kubernetes, upgrades, and what works together", add_versions },
	{ "exit-codes", "what the exit codes mean", add_exit_codes },
	{},
};

static void add_list(const char *title, struct str *out)
{
	str_addf(out, "%s\n", title);
	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			str_addf(out, "  %-12s %s\n", (*c)->name, (*c)->summary);
}

static void add_overview(struct str *out)
{
	str_add(out,
		"Places mixed-criticality real-time pods on the cores of a cluster, and explains "
		"every decision.\n\n"
		"A cluster is read into a snapshot, a plan is made from it, and the plan is shown,\n"
		"saved or executed.\n\n");
	add_list("Commands:", out);
	str_add(out, "\nOther help topics:\n");
	for (const struct help_topic *t = help_topics; t->name; t++)
		str_addf(out, "  %-12s %s\n", t->name, t->summary);
	str_addf(out,
		 "\nUsage:\n  %s COMMAND [options]\n\n"
		 "Use \"%s help COMMAND\" for more about a command.\n",
		 program_name, program_name);
}

/* Every line with two blanks before it. */
static void add_indented(const char *text, struct str *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		str_addf(out, n ? "  %.*s\n" : "\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void help_command(const struct command *command, struct str *out)
{
	if (command == &command_help) {
		add_overview(out);
		return;
	}
	str_addf(out, "%s\n", command->description);
	if (command->examples) {
		str_add(out, "\nExamples:\n");
		add_indented(command->examples, out);
	}
	if (command->options) {
		str_add(out, "\nOptions:\n");
		option_help(command->options, HELP_WIDTH, out);
	}
	if (command->needs & NEEDS_INPUT) {
		str_add(out, "\nInput options:\n");
		option_help(input_options, HELP_WIDTH, out);
	}
	if (command->needs & WRITES) {
		str_add(out, "\nWrite options:\n");
		option_help(write_options, HELP_WIDTH, out);
	}
	str_addf(out,
		 "\nUsage:\n  %s %s%s%s\n\n"
		 "Use \"%s help options\" for the options of every command.\n",
		 program_name, command->name, *command->synopsis ? " " : "", command->synopsis,
		 program_name);
}

static int unknown_topic(struct cli *cli, const char *name, struct error *err)
{
	struct nearest nearest = NEAREST_OF(name);

	for (const struct command *const *c = commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			nearest_offer(&nearest, (*c)->name);
	for (const struct help_topic *t = help_topics; t->name; t++)
		nearest_offer(&nearest, t->name);
	if (nearest.best)
		return usage_error(cli, err, "unknown help topic \"%s\" (did you mean %s?)", name,
				   nearest.best);
	return usage_error(cli, err, "unknown help topic \"%s\"", name);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	const char *name = cli->words.n ? cli->words.items[0] : command_help.name;
	const struct command *command = command_find(name);
	const struct help_topic *topic = help_topics;

	(void)args;
	while (topic->name && strcmp(topic->name, name) != 0)
		topic++;
	if (command)
		help_command(command, &out);
	else if (topic->name)
		topic->add(&out);
	else
		return unknown_topic(cli, name, err);
	return print_text(&out, EXIT_DONE, err);
}

static const char *const word_kinds[] = { "topic", NULL };

const struct command command_help = {
	.name = "help",
	.synopsis = "[COMMAND|TOPIC]",
	.summary = "show how a command is used, or a help topic",
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
