/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node run: the helper itself. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/auto.h"
#include "base/log.h"
#include "node/reserved.h"

#include "config.h"
#include "listen.h"
#include "loop.h"
#include "static_pods.h"

static const char *const demotions[] = { "other", "idle", NULL };

static const struct option run_options[] = {
	OPT_STRING(0, "static", struct run_args, static_file, "FILE",
		   "read the pods from a file instead of the API server", .complete = "file"),
	OPT_STRING(0, "node-name", struct run_args, node_name, "NAME",
		   "this node's name in Kubernetes (default $NODE_NAME, else the host's)"),
	OPT_STRING(0, "kubeconfig", struct run_args, kubeconfig, "FILE",
		   "how to reach the API server (default: as kubectl, or the service account)",
		   .complete = "file"),
	OPT_STRING(0, "config", struct run_args, config_file, "FILE",
		   "read rt-operator's rt-operator.yaml; options take precedence",
		   .complete = "file"),
	OPT_STRING(0, "listen", struct run_args, listen, "ADDRESS",
		   "serve /metrics, /healthz, /cgroup, /set-rt and /renice: unix:/PATH, PORT on "
		   "127.0.0.1, or HOST:PORT"),
	OPT_STRING(
		0, "token-file", struct run_args, token_file, "FILE",
		"bearer token for POST requests (default $MCKUBE_SHARED_TOKEN, /etc/mckube/token)",
		.complete = "file"),
	OPT_STRING(
		0, "secure-metrics-bind-address", struct run_args, secure_address, "ADDRESS",
		"serve /metrics over TLS, for accounts that may get this URL, and then only there"),
	OPT_STRING(0, "tls-cert-file", struct run_args, cert_file, "FILE",
		   "certificate for that, PEM; read again when it changes", .complete = "file"),
	OPT_STRING(0, "tls-private-key-file", struct run_args, key_file, "FILE",
		   "its private key, PEM", .complete = "file"),
	OPT_STRING(0, "state-file", struct run_args, state_file, "FILE",
		   "state kept across restarts of the helper",
		   .preset = "/run/mckube-node/state.json", .complete = "file"),
	OPT_STRING(
		0, "history-file", struct run_args, history_file, "FILE",
		"record overruns, levels and use, for `kubectl mckube replay`; the file before it is "
		"FILE.1",
		.complete = "file"),
	OPT_INT(0, "history-size", struct run_args, history_mib, 1, 1024, "MIB",
		"largest size of each of the two", .preset = "8"),
	OPT_BOOL(0, "keep", struct run_args, is_kept, "keep the budgets when the helper ends"),
	OPT_STRING(
		0, "keep-while", struct run_args, keep_while, "NAMESPACE/NAME",
		"keep the budgets when the helper ends while this DaemonSet exists (an upgrade)"),
	OPT_STRING(0, "bundle-dir", struct run_args, bundle_dir, "DIR",
		   "a further folder with a runtime's bundles", .complete = "directory"),
	OPT_STRING(0, "host-root", struct run_args, host_root, "DIR",
		   "where the host's root is mounted", .preset = "", .complete = "directory"),
	OPT_BOOL(0, "direct", struct run_args, is_direct,
		 "also set the budgets of pods with rt-operator's annotations that no planner has "
		 "assigned; any creator of a pod can write them"),
	OPT_BOOL(0, "poll", struct run_args, is_polling, "do not use BPF, poll CPU time instead"),
	OPT_INT(0, "max-priority", struct run_args, max_priority, THREAD_PRIORITY_MIN,
		THREAD_PRIORITY_MAX, "N",
		"highest real-time priority that threads of containers are given; the admission "
		"policy mckube-priority has the same",
		.preset = "80"),
	OPT_ENUM(0, "demote", struct run_args, demotion, demotions, "POLICY",
		 "what real-time threads without budget become with the backend soft: idle leaves "
		 "more to others",
		 .preset = "other"),
	OPT_DURATION(0, "dwell", struct run_args, dwell_ns, "shortest time on a higher level",
		     .preset = "1s"),
	OPT_DURATION(0, "dwell-max", struct run_args, dwell_max_ns,
		     "longest time on a higher level, after repeated overruns", .preset = "60s"),
	OPT_INT(0, "calm-periods", struct run_args, calm_periods, 1, 100000, "N",
		"periods below runtime_low after which a level is left", .preset = "10"),
	OPT_DURATION(0, "calm-time", struct run_args, calm_ns,
		     "how long CPU use must stay low for nodeCpu recovery", .preset = "5s"),
	OPT_RATIO(0, "busy-above", struct run_args, busy_above, 0, 1000000,
		  "the node is busy above this share of CPU time", .preset = "0.9"),
	OPT_INT(0, "headroom", struct run_args, headroom_us, 0, 100000, "US",
		"budget above its level for a pod at raise where there is room, so that "
		"it is not throttled before it is raised",
		.preset = "500"),
	OPT_STRING(0, "reserved-cpus", struct run_args, reserved_cpus, "CPUS",
		   "CPUs that real-time pods do not get (default: reservedSystemCPUs of the "
		   "kubelet's configuration, where it is readable)"),
	OPT_STRING(0, "kubelet-config", struct run_args, kubelet_config, "FILE",
		   "the kubelet's configuration, below --host-root",
		   .preset = "/var/lib/kubelet/config.yaml", .complete = "file"),
	OPT_INT(0, "capacity", struct run_args, capacity_us, 0, 1000000, "US",
		"upper limit for kubepods' CPU bandwidth, us of a second; 0: the kernel's",
		.preset = "0"),
	{},
};

static int make_state_folder(const struct run_args *args, struct error *err)
{
	AUTO_FREE char *folder = xstrdup(args->state_file);
	char *slash = strrchr(folder, '/');

	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", folder);
	return 0;
}

/* Signals are read from a descriptor: blocked before any thread starts. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static const char *own_name(struct arena *arena)
{
	struct utsname name;

	if (uname(&name) < 0)
		return "localhost";
	return arena_strndup(arena, name.nodename, strlen(name.nodename));
}

static int set_assignment(void *arg, struct assignment *w, struct error *err)
{
	return run_set(arg, w, err);
}

static bool is_healthy(void *arg)
{
	return !run_stalled(arg, NULL);
}

static int start_agent(struct run *r, struct error *err)
{
	const struct agent_options options = {
		.kubeconfig = r->args->kubeconfig,
		.node_name = r->args->node_name,
		.trust = r->args->is_direct ? TRUST_DIRECT : TRUST_ASSIGNED,
		.capacity_us = r->args->capacity_us,
		.reserved = &r->reserved,
		.kernel = &r->kernel,
		.roots = &r->roots,
		.backend = r->backend,
		.overruns = &r->overruns,
		.usage = &r->usage,
		.pressure = &r->pressure,
		.engine = &r->engine,
		.set = set_assignment,
		.is_healthy = is_healthy,
		.arg = r,
	};

	return agent_start(&options, &r->kube, err);
}

static int start_interfaces(struct run *r, struct error *err)
{
	const struct run_args *args = r->args;
	int code = args->static_file ? static_pods_apply(r, args->static_file, err)
				     : start_agent(r, err);

	if (code == 0 && (args->listen || args->secure_address))
		code = listen_start(r, &r->listen, err);
	return code;
}

static int read_reserved(struct run *r, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s%s", r->args->host_root, r->args->kubelet_config);

	return reserved_cpus(r->args->reserved_cpus, path, &r->reserved, err);
}

static int serve(struct run *r, struct error *err)
{
	const struct run_args *args = r->args;
	int code = run_open(r, err);

	if (code == 0) {
		run_log_start(r);
		code = start_interfaces(r, err);
	}
	if (code == 0)
		code = run_loop(r, err);
	listen_stop(r->listen);
	agent_stop(r->kube);
	r->is_kept = args->is_kept || (args->keep_while && r->kube &&
				       agent_daemonset_exists(r->kube, args->keep_while));
	agent_free(r->kube);
	run_close(r);
	return code;
}

static int run_run(const struct context *ctx, void *values, struct error *err)
{
	struct run_args *args = values;
	struct common_args common = *ctx->common;
	struct context own = *ctx;
	AUTO_FREE struct run *r = xcalloc(1, sizeof(*r));

	own.common = &common;
	*r = (struct run){
		.args = args,
		.roots = { common.cgroup_root, common.proc_root, common.sys_root },
		.cgroup_watch.fd = -1,
	};
	if (args->config_file && config_read(args->config_file, args, &common, ctx->arena, err) < 0)
		return err->code;
	if (args->keep_while && !strchr(args->keep_while, '/'))
		return error_set(err, -EINVAL, "--keep-while: '%.80s' is not NAMESPACE/NAME",
				 args->keep_while);
	if (listen_check(args, err) < 0)
		return err->code;
	if (!args->node_name && !(args->node_name = getenv("NODE_NAME")))
		args->node_name = own_name(ctx->arena);
	/* One heap: threads that allocate do so rarely, and each arena keeps what it had. */
	mallopt(M_ARENA_MAX, 1);
	block_signals();
	r->is_backend_named = common.backend && strcmp(common.backend, "auto") != 0;
	if (context_probe(&own, &r->kernel, &r->backend, err) < 0 || read_reserved(r, err) < 0 ||
	    make_state_folder(args, err) < 0)
		return err->code;
	return serve(r, err);
}

const struct command command_run = {
	.name = "run",
	.summary = "Keep budgets, watch for overruns and react to them",
	.options = run_options,
	.size = sizeof(struct run_args),
	.run = run_run,
};
