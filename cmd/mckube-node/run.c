/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node run: the helper itself. */
#include "run.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/bundle.h"
#include "node/container.h"
#include "node/privilege.h"
#include "node/realtime.h"

#include "agent/agent.h"
#include "config.h"
#include "listen.h"

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
	OPT_STRING(0, "state-file", struct run_args, state_file, "FILE",
		   "state kept across restarts of the helper",
		   .preset = "/run/mckube-node/state.json", .complete = "file"),
	OPT_BOOL(0, "keep", struct run_args, is_kept, "keep the budgets when the helper ends"),
	OPT_STRING(
		0, "keep-while", struct run_args, keep_while, "NAMESPACE/NAME",
		"keep the budgets when the helper ends while this DaemonSet exists (an upgrade)"),
	OPT_STRING(0, "bundle-dir", struct run_args, bundle_dir, "DIR",
		   "a further folder with a runtime's bundles", .complete = "directory"),
	OPT_STRING(0, "host-root", struct run_args, host_root, "DIR",
		   "where the host's root is mounted", .preset = "", .complete = "directory"),
	OPT_BOOL(0, "poll", struct run_args, is_polling, "do not use BPF, poll CPU time instead"),
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
	OPT_INT(0, "capacity", struct run_args, capacity_us, 0, 1000000, "US",
		"upper limit for kubepods' CPU bandwidth, us of a second; 0: the kernel's",
		.preset = "0"),
	{},
};

static void found_created(const struct cgroup_created *created, void *arg)
{
	run_place(arg, created->path);
}

static void found_folder(const char *path, void *arg)
{
	run_place(arg, path);
}

static int open_sources(struct run *r, struct error *err)
{
	if (overruns_open(&r->overruns, &r->kernel, r->backend,
			  r->args->is_polling ? &overrun_poll : NULL, &r->why_polling, err) < 0)
		return err->code;
	r->overruns.on_created = found_created;
	r->overruns.created_arg = r;
	r->cgroup_watch.fd = -1;
	if (r->overruns.created_fd >= 0)
		return 0;
	return cgroup_watch_open(&r->cgroup_watch, &r->kernel, found_folder, r, err);
}

static void set_rules(struct run *r)
{
	struct escalation_rules *rules = &r->engine.escalation.rules;

	rules->dwell_ns = r->args->dwell_ns;
	rules->dwell_max_ns = r->args->dwell_max_ns;
	rules->calm_periods = r->args->calm_periods;
	rules->calm_ns = r->args->calm_ns;
	rules->busy_above = r->args->busy_above;
	rules->headroom_us = r->args->headroom_us;
	r->usage.busy_above = r->args->busy_above;
	r->usage.calm_ns = r->args->calm_ns;
	r->engine.cgroups.capacity_us = r->args->capacity_us;
	r->engine.saved = &r->saved;
}

static bool misses_bpf(void *arg)
{
	return !overruns_work(arg);
}

int run_open(struct run *r, struct error *err)
{
	struct error ignored;

	r->loop_ms = clock_ms();
	if (state_file_load(r->args->state_file, &r->saved, err) < 0 || open_sources(r, err) < 0 ||
	    engine_init(&r->engine, &r->kernel, r->backend, &r->overruns, err) < 0)
		return err->code;
	set_rules(r);
	if (realtime_lock_memory(&ignored) < 0)
		log_warning("%s", ignored.msg);
	if (privilege_seal(err) < 0 || privilege_drop(misses_bpf, &r->overruns, err) < 0)
		return err->code;
	if (overrun_threads_start(&r->overrun_threads, &r->engine, &r->why_not_realtime, err) < 0)
		return err->code;
	r->has_overrun_threads = true;
	/* Loading BPF took apart the kernel's type information: some megabytes of free heap. */
	realtime_release_memory();
	return 0;
}

void run_save(struct run *r)
{
	AUTO(saved_state_done) struct saved_state m = { 0 };
	struct error err;

	if (engine_save_state(&r->engine, &m) && state_file_save(r->args->state_file, &m, &err) < 0)
		log_warning("%s", err.msg);
}

static void leave(struct run *r)
{
	if (r->is_kept) {
		run_save(r);
		return;
	}
	size_t n_kept = engine_restore(&r->engine);
	if (n_kept == 0) {
		unlink(r->args->state_file);
		return;
	}
	/* The file stays: the next helper must not take our budgets for what it found. */
	log_warning("%zu containers keep their budgets: they have real-time tasks", n_kept);
}

void run_close(struct run *r)
{
	if (r->has_overrun_threads) {
		overrun_threads_stop(&r->overrun_threads);
		leave(r);
		engine_done(&r->engine);
	}
	overruns_close(&r->overruns);
	cgroup_watch_close(&r->cgroup_watch);
	saved_state_done(&r->saved);
	array_each(p, &r->processes)
		free(p->uid);
	array_done(&r->processes);
}

static void place(struct run *r, const char *path, const struct container_path *parsed)
{
	char name[BUNDLE_NAME_MAX];
	struct error err;

	if (!engine_awaits(&r->engine, parsed->pod_uid))
		return;
	if (bundle_name(r->args->host_root, r->args->bundle_dir, parsed->id, name, &err) < 0) {
		log_v(4, "%s", err.msg);
		return;
	}
	int code = engine_place(&r->engine, parsed->pod_uid, name, path, &err);
	if (code < 0 && code != -ESRCH)
		log_warning("%s", err.msg);
}

void run_place(struct run *r, const char *path)
{
	struct container_path parsed;

	while (*path == '/')
		path++;
	engine_cgroup_created(&r->engine, path);
	if (container_parse(path, &parsed) && parsed.container_len == strlen(path))
		place(r, path, &parsed);
}

static void place_found(const char *path, const struct container_path *parsed, void *arg)
{
	place(arg, path, parsed);
}

static int refuse_process(const struct assignment *w, pid_t pid, struct error *err)
{
	return error_set(err, -ESRCH, "pod %s/%s: pid %d was reused", w->want.ns, w->want.name,
			 pid);
}

static struct run_process *find_process(struct run *r, const char *uid, pid_t pid)
{
	array_each(p, &r->processes)
		if (p->pid == pid && strcmp(p->uid, uid) == 0)
			return p;
	return NULL;
}

/* Containers that are named by a process: where it is now. */
static int find_by_pid(struct run *r, struct assignment *w, size_t i, struct error *err)
{
	const char *uid = w->want.uid;
	char path[PATH_MAX];
	pid_t pid = w->pids[i];
	uint64_t start;

	if (container_of_pid(&r->roots, &r->kernel, pid, path, &start, err) < 0)
		return err->code;
	struct run_process *known = find_process(r, uid, pid);
	if (known && known->start != start)
		return refuse_process(w, pid, err);
	if (!known)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
		*array_add(&r->processes) = (struct run_process){ xstrdup(uid), pid, start };
	w->containers[i].path = arena_strndup(&w->arena, path, strlen(path));
	return 0;
}

int run_set(struct run *r, struct assignment *w, struct error *err)
{
	for (size_t i = 0; i < w->want.n_containers; i++)
		if (w->pids[i] && find_by_pid(r, w, i, err) < 0)
			return err->code;
	if (engine_set_pod(&r->engine, &w->want, err) < 0)
		return err->code;
	for (size_t i = 0; i < w->want.n_containers; i++) {
		const struct run_process *p = find_process(r, w->want.uid, w->pids[i]);

		if (!p || pid_is_same(&r->roots, p->pid, p->start))
			continue;
		run_forget(r, w->want.uid);
		return refuse_process(w, w->pids[i], err);
	}
	if (engine_awaits(&r->engine, w->want.uid))
		container_each(&r->kernel, w->want.uid, place_found, r);
	return 0;
}

void run_forget(struct run *r, const char *uid)
{
	engine_remove_pod(&r->engine, uid);
	for (size_t i = r->processes.n; i-- > 0;) {
		if (strcmp(r->processes.items[i].uid, uid) != 0)
			continue;
		free(r->processes.items[i].uid);
		r->processes.items[i] = r->processes.items[--r->processes.n];
	}
}

static void log_start(const struct run *r)
{
	log_v(0, "backend %s: %s", r->backend->name, r->backend->guarantee);
	log_v(0, "overruns from %s: %s", r->overruns.source->name, r->overruns.source->what);
	if (r->why_polling.code)
		log_warning("%s", r->why_polling.msg);
	if (r->why_not_realtime.code)
		log_warning("%s; budgets may be written late", r->why_not_realtime.msg);
}

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

static int start_agent(struct run *r, struct error *err)
{
	const struct agent_options options = {
		.kubeconfig = r->args->kubeconfig,
		.node_name = r->args->node_name,
		.capacity_us = r->args->capacity_us,
		.kernel = &r->kernel,
		.roots = &r->roots,
		.backend = r->backend,
		.overruns = &r->overruns,
		.usage = &r->usage,
		.engine = &r->engine,
		.set = set_assignment,
		.arg = r,
	};

	return agent_start(&options, &r->kube, err);
}

static int start_interfaces(struct run *r, struct error *err)
{
	const struct run_args *args = r->args;
	int code =
		args->static_file ? static_apply(r, args->static_file, err) : start_agent(r, err);

	if (code == 0 && args->listen)
		code = listen_start(r, args->listen, args->token_file, &r->listen, err);
	return code;
}

static int serve(struct run *r, struct error *err)
{
	const struct run_args *args = r->args;
	int code = run_open(r, err);

	if (code == 0) {
		log_start(r);
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
	if (!args->node_name && !(args->node_name = getenv("NODE_NAME")))
		args->node_name = own_name(ctx->arena);
	/* One heap: threads that allocate do so rarely, and each arena keeps what it had. */
	mallopt(M_ARENA_MAX, 1);
	block_signals();
	if (context_probe(&own, &r->kernel, &r->backend, err) < 0 ||
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
