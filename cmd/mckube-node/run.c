/* SPDX-License-Identifier: Apache-2.0 */

/* The running helper: its parts, pods and processes. */
#include "run.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "node/bundle.h"
#include "node/container.h"
#include "node/privilege.h"
#include "node/realtime.h"

static void found_created(const struct cgroup_created *created, void *arg)
{
	run_place(arg, created->path);
}

static void found_folder(const char *path, void *arg)
{
	run_place(arg, path);
}

/* Budgets in software are offered by what the kernel has; whether their programs can be loaded is
 * known only now. Where they were not asked for the next best backend serves. */
static int replace_soft(struct run *r, struct error *err)
{
	if (r->is_backend_named)
		return error_set(err, -ENOTSUP, "backend 'soft': %s",
				 r->why_polling.code ? r->why_polling.msg : "needs BPF");
	r->why_not_soft = r->why_polling;
	overruns_close(&r->overruns);
	r->kernel.has[FEATURE_BPF_TIMER] = false;
	if (backend_choose(&r->kernel, NULL, &r->backend, err) < 0)
		return err->code;
	return overruns_open(&r->overruns, &r->kernel, r->backend,
			     r->args->is_polling ? &overrun_poll : NULL, &r->why_polling, err);
}

static int open_overruns(struct run *r, struct error *err)
{
	if (overruns_open(&r->overruns, &r->kernel, r->backend,
			  r->args->is_polling ? &overrun_poll : NULL, &r->why_polling, err) < 0)
		return err->code;
	if (r->backend == &backend_soft && r->overruns.source != &overrun_bpf)
		return replace_soft(r, err);
	return 0;
}

static int open_soft(struct run *r, struct error *err)
{
	if (r->backend != &backend_soft)
		return 0;
	AUTO_FREE char *path = xasprintf("%s.soft", r->args->state_file);
	int policy = r->args->demotion == DEMOTION_IDLE ? SCHED_IDLE : SCHED_OTHER;
	if (!privilege_may_continue())
		log_warning("no CAP_KILL: nothing is stopped where an agent is late");
	return soft_open(&r->soft, &r->overruns, path, policy, err);
}

static int start_soft(struct run *r, struct error *err)
{
	if (r->backend != &backend_soft)
		return 0;
	int code = soft_start(&r->soft, &r->why_not_realtime, err);
	if (code == 0 && r->soft.n_unmanaged)
		log_warning("%u CPUs have no agent: the helper may not run there",
			    r->soft.n_unmanaged);
	return code;
}

static int open_sources(struct run *r, struct error *err)
{
	if (open_overruns(r, err) < 0)
		return err->code;
	r->overruns.on_created = found_created;
	r->overruns.created_arg = r;
	r->cgroup_watch.fd = -1;
	if (r->overruns.created_fd >= 0)
		return 0;
	return cgroup_watch_open(&r->cgroup_watch, &r->kernel, found_folder, r, err);
}

static void thread_entered(uint64_t cgroup, pid_t tid, uint64_t start, bool is_process, void *arg)
{
	struct run *r = arg;

	engine_thread_entered(&r->engine, cgroup, tid, start, is_process);
}

/* Without BPF the engine looks for new threads itself. */
static void open_thread_watch(struct run *r)
{
	struct error err;

	r->thread_watch.fd = -1;
	if (r->args->is_polling)
		return;
	if (thread_watch_open(&r->thread_watch, &r->kernel, &err) < 0) {
		log_warning("%s; new threads get their policy a second late", err.msg);
		return;
	}
	r->thread_watch.on_entered = thread_entered;
	r->thread_watch.arg = r;
	r->engine.threads = &r->thread_watch;
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
	r->engine.max_priority = (uint8_t)r->args->max_priority;
}

static bool misses_bpf(void *arg)
{
	return !overruns_work(arg);
}

/* A file that is no state is set aside: the budgets of pods matter more. */
static int load_state(struct run *r, struct error *err)
{
	const char *path = r->args->state_file;
	AUTO_FREE char *aside = xasprintf("%s.damaged", path);
	int code = state_file_load(path, &r->saved, err);

	if (code != -EINVAL)
		return code;
	log_warning("%s; set aside as %s, levels and previous budgets are unknown", err->msg,
		    aside);
	saved_state_done(&r->saved);
	r->saved = (struct saved_state){ 0 };
	*err = ERROR_INIT;
	return rename(path, aside) < 0 ? error_errno(err, "rename %s", path) : 0;
}

static void begin_history(struct run *r)
{
	enum { MIB = 1 << 20 };
	struct timespec now;

	if (!r->args->history_file)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	history_file_begin(&r->history, r->args->history_file, (int64_t)r->args->history_mib * MIB,
			   r->args->node_name, clock_ns(),
			   (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US);
}

int run_open(struct run *r, struct error *err)
{
	struct error ignored;

	r->loop_ms = clock_ms();
	if (load_state(r, err) < 0 || open_sources(r, err) < 0 || open_soft(r, err) < 0 ||
	    engine_init(&r->engine, &r->kernel, r->backend, &r->overruns, err) < 0)
		return err->code;
	r->engine.cgroups.soft = r->backend == &backend_soft ? &r->soft : NULL;
	set_rules(r);
	open_thread_watch(r);
	if (realtime_lock_memory(&ignored) < 0)
		log_warning("%s", ignored.msg);
	if (privilege_seal(err) < 0 ||
	    privilege_drop(r->backend == &backend_soft, misses_bpf, &r->overruns, err) < 0 ||
	    start_soft(r, err) < 0)
		return err->code;
	if (overrun_threads_start(&r->overrun_threads, &r->engine, &r->why_not_realtime, err) < 0)
		return err->code;
	r->has_overrun_threads = true;
	begin_history(r);
	/* Loading BPF took apart the kernel's type information: some megabytes of free heap. */
	realtime_release_memory();
	return 0;
}

void run_log_start(const struct run *r)
{
	log_v(0, "backend %s: %s", r->backend->name, r->backend->guarantee);
	log_v(0, "overruns from %s: %s", r->overruns.source->name, r->overruns.source->what);
	if (!r->kernel.has[FEATURE_HOST_PIDS])
		log_warning("containers get no policy: needs %s",
			    feature_texts[FEATURE_HOST_PIDS].how);
	if (r->why_not_soft.code)
		log_warning("backend soft is not offered: %s", r->why_not_soft.msg);
	if (r->why_polling.code)
		log_warning("%s", r->why_polling.msg);
	if (r->why_not_realtime.code)
		log_warning("%s; budgets may be written late", r->why_not_realtime.msg);
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

static void finish_history(struct run *r)
{
	struct error err;

	if (history_file_finish(&r->history, &r->engine, clock_ns(), &err) < 0)
		log_warning("history: %s", err.msg);
}

void run_close(struct run *r)
{
	if (r->has_overrun_threads) {
		overrun_threads_stop(&r->overrun_threads);
		finish_history(r);
		leave(r);
		engine_done(&r->engine);
	}
	history_file_end(&r->history);
	thread_watch_close(&r->thread_watch);
	soft_close(&r->soft);
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

	if (bundle_name(r->args->host_root, r->args->bundle_dir, parsed->id, name, &err) < 0) {
		log_v(4, "%s", err.msg);
		return;
	}
	int code = engine_place(&r->engine, parsed->pod_uid, name, path, &err);
	if (code < 0 && code != -ESRCH)
		log_warning("%s", err.msg);
}

/* A container that was just created replaces one of its name: that has ended, though its cgroup may
 * still be there. */
void run_place(struct run *r, const char *path)
{
	struct container_path parsed;

	while (*path == '/')
		path++;
	engine_cgroup_created(&r->engine, path);
	if (container_parse(path, &parsed) && parsed.container_len == strlen(path) &&
	    engine_has(&r->engine, parsed.pod_uid))
		place(r, path, &parsed);
}

static void place_found(const char *path, const struct container_path *parsed, void *arg)
{
	struct run *r = arg;

	if (engine_awaits(&r->engine, parsed->pod_uid))
		place(r, path, parsed);
}

void run_find_missing(struct run *r)
{
	if (engine_awaits_any(&r->engine))
		container_each(&r->kernel, NULL, place_found, r);
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
		container_each(&r->kernel, pod_want_cgroup_uid(&w->want), place_found, r);
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

enum { STALLED_MS = 10000 };

const char *run_stalled(const struct run *r, int64_t *ret_late_ms)
{
	const struct {
		const char *thread;
		int64_t late_ms;
	} rows[] = {
		{ "main", clock_ms() - r->loop_ms },
		{ "overrun", overrun_threads_late_ms(&r->overrun_threads) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].late_ms < STALLED_MS)
			continue;
		if (ret_late_ms)
			*ret_late_ms = rows[i].late_ms;
		return rows[i].thread;
	}
	return NULL;
}
