/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"

#include "command.h"
#include "execute.h"
#include "interrupt.h"
#include "reconcile/metrics_server.h"
#include "reconcile/watch_metrics.h"

enum {
	TURN_MS = 250,	   /* the main loop looks around at least so often */
	DEBOUNCE_MS = 200, /* changes that come so close together are one */
	AWAIT_MS = 5000,   /* for what was written to show */
	RETRY_FIRST_MS = 2000,
	REST = 3, /* times as long as a plan took nothing is planned after it */
	MMAP_THRESHOLD = 256 << 10,
};

struct watch_args {
	struct execute_args live;
	int64_t interval; /* ns */
	const char *address, *textfile;
	bool is_once, is_dry_run;
	int32_t log_format;
};

static const char *const log_formats[] = { "klog", "json", NULL };

static const struct option options[] = {
	OPT_BOOL(0, "once", struct watch_args, is_once,
		 "make one pass and end, as from cron; the exit code is that of 'apply'"),
	OPT_BOOL(0, "dry-run", struct watch_args, is_dry_run,
		 "only say what would be done; takes no Lease"),
	OPT_DURATION(0, "interval", struct watch_args, interval,
		     "make a pass at least so often, though nothing has changed", .preset = "1m"),
	OPT_STRING(0, "metrics-bind-address", struct watch_args, address, "ADDRESS",
		   "serve /metrics, /healthz and /readyz here: PORT on 127.0.0.1, HOST:PORT, :PORT "
		   "on all addresses or unix:/PATH; 0 turns it off",
		   .preset = "127.0.0.1:9870"),
	OPT_STRING(0, "metrics-textfile", struct watch_args, textfile, "FILE",
		   "write the metrics to this file after each pass, for node_exporter's textfile "
		   "collector",
		   .complete = "file"),
	OPT_ENUM(0, "log-format", struct watch_args, log_format, log_formats, "FORMAT",
		 "how standard error is written", .preset = "klog"),
	OPT_INT(0, "parallel", struct watch_args, live.parallel, 1, PARALLEL_MAX, "N",
		"run so many writes at a time, where their order allows it", .preset = "16"),
	OPT_STRING(0, "lease", struct watch_args, live.lease, "NAMESPACE/NAME",
		   "the Lease that keeps two passes from running at once",
		   .preset = "kube-system/mckube"),
	OPT_DURATION(0, "lock-timeout", struct watch_args, live.lock_timeout,
		     "with --once, wait so long for the Lease while another pass has it",
		     .preset = "30s"),
	OPT_INT(0, "eviction-timeout", struct watch_args, live.gone_timeout_s, 1, 3600, "SECONDS",
		"wait so long for an evicted pod to be gone before its room is given away",
		.preset = "60"),
	{},
};

struct watch {
	const struct cli *cli;
	const struct watch_args *a;
	struct settings settings;
	struct live live;
	struct informer *informer;
	struct kube_lease lease;
	char *lease_ns;
	struct reconcile passes;
	struct watch_metrics metrics;
	struct watch_serve *serve;
	bool is_leader, has_changed, has_been_shown;
	int64_t settle_ms; /* when the news are to be settled; 0: there are none */
	int64_t pass_ms;   /* the next one, at the latest */
	int64_t rest_ms;   /* ... and at the earliest */
	int64_t written_ms;
	unsigned n_failed; /* passes in a row */
};

/* Metrics. */

static void write_metrics(struct watch *w, const struct cluster *c, struct str *out)
{
	const struct watch_view view = {
		.passes = &w->passes.counts,
		.informer = w->informer,
		.cluster = c,
		.settings = &w->settings,
		.is_leader = w->is_leader,
		.has_changed = !w->has_been_shown,
	};

	watch_metrics_write(&w->metrics, &view, out);
	w->has_been_shown = true;
}

static void save_metrics(struct watch *w, const struct cluster *c)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	if (!w->a->textfile)
		return;
	write_metrics(w, c, &text);
	if (file_write(w->a->textfile, (struct slice){ text.s, text.n }, &err) < 0)
		log_warning("--metrics-textfile: %s", err.msg);
}

static void answer(struct watch *w)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!w->serve || !watch_serve_turn(w->serve, informer_is_current(w->informer)))
		return;
	write_metrics(w, store_cluster(informer_store(w->informer)), &text);
	watch_serve_publish(w->serve, &text);
}

/* The Lease. */

static void look_at_lease(struct watch *w)
{
	bool is_leader = kube_lease_is_held(&w->lease);

	if (is_leader == w->is_leader)
		return;
	w->is_leader = is_leader;
	w->metrics.lease_acquired += is_leader;
	w->metrics.lease_lost += !is_leader;
	if (is_leader) {
		log_v(0, "leading: %s holds the Lease %s", w->lease.identity, w->a->live.lease);
		w->pass_ms = 0;
	} else {
		log_warning("the Lease %s was lost: nothing is done until it is back",
			    w->a->live.lease);
	}
}

static int step_lease(struct watch *w, struct error *err)
{
	int wait = kube_lease_step(&w->lease);

	if (wait < 0)
		return error_set(err, wait, "lease %s: %s", w->a->live.lease, w->lease.err.msg);
	look_at_lease(w);
	return wait;
}

/* Asked while a pass writes: everything else goes on meanwhile. */
static const char *stop_reason(void *arg)
{
	struct watch *w = arg;
	const char *interrupted = interrupt_reason();
	struct error err;

	if (interrupted)
		return interrupted;
	informer_step(w->informer, &err);
	answer(w);
	step_lease(w, &err);
	return w->is_leader ? NULL : "the Lease was lost";
}

static void refresh_lease(void *arg)
{
	struct watch *w = arg;

	kube_lease_refresh(&w->lease);
}

/* The loop. */

/* A pass that failed is tried again, later each time; one that waits for a time to be over, then;
 * none later than --interval. */
static void set_next_pass(struct watch *w, const struct pass_counts *last)
{
	int64_t next = w->a->interval / 1000000;

	w->n_failed = last->has_failed ? w->n_failed + 1 : 0;
	if (last->has_failed)
		next = backoff_ms(RETRY_FIRST_MS, next, w->n_failed);
	if (last->requeue_after && last->requeue_after * 1000ll < next)
		next = last->requeue_after * 1000ll;
	w->pass_ms = clock_ms() + next;
	w->rest_ms = clock_ms() + REST * last->last_plan_us / 1000;
}

/* Takes in what has come, and what time it is. */
static void take_in(struct watch *w)
{
	w->settle_ms = 0;
	w->has_changed |= store_commit(informer_store(w->informer), time(NULL));
	w->has_been_shown &= !w->has_changed;
}

static void pass(struct watch *w)
{
	const struct cluster *c = store_cluster(informer_store(w->informer));
	struct error err = ERROR_INIT;

	take_in(w);
	w->has_changed = false;
	if (reconcile_pass(&w->passes, c, &err) < 0)
		log_warning("no plan: %s", err.msg);
	w->written_ms = clock_ms();
	set_next_pass(w, &w->passes.counts);
	save_metrics(w, c);
}

/* A moment after the first of something came. */
static void settle(struct watch *w)
{
	int64_t now = clock_ms();

	if (!informer_is_current(w->informer) || !store_is_dirty(informer_store(w->informer)))
		return;
	if (!w->settle_ms)
		w->settle_ms = now + DEBOUNCE_MS;
	if (now >= w->settle_ms)
		take_in(w);
}

/* A pass needs all lists, the Lease, a rest after the one before, and what that wrote to be seen.
 */
static bool may_pass(const struct watch *w)
{
	const struct cluster *c = store_cluster(informer_store(w->informer));

	if (!informer_is_current(w->informer) || !c->taken_at)
		return false;
	if ((!w->is_leader && !w->a->is_dry_run) || clock_ms() < w->rest_ms)
		return false;
	return clock_ms() - w->written_ms >= AWAIT_MS || reconcile_shows(&w->passes, c);
}

static int until_due(const struct watch *w)
{
	int64_t now = clock_ms();
	int settle = w->settle_ms ? timer_left(w->settle_ms, now, TURN_MS) : TURN_MS;
	int rest =
		w->has_changed && w->rest_ms > now ? timer_left(w->rest_ms, now, TURN_MS) : TURN_MS;

	return TIMER_MIN(settle, rest);
}

/* One turn: works for at most as long as nothing is due. */
static int turn(struct watch *w, struct error *err)
{
	int streams = informer_step(w->informer, err);
	int lease = w->a->is_dry_run || streams < 0 ? TURN_MS : step_lease(w, err);
	int wait = TIMER_MIN(streams, lease, until_due(w));

	if (wait < 0)
		return err->code;
	http_wait(w->live.kube.http, wait);
	settle(w);
	answer(w);
	if ((w->has_changed || clock_ms() >= w->pass_ms) && may_pass(w))
		pass(w);
	return 0;
}

static int loop(struct watch *w, struct error *err)
{
	while (!interrupt_reason())
		if (turn(w, err) < 0)
			return err->code;
	log_v(0, "%s", interrupt_reason());
	return EXIT_DONE;
}

static int split_lease(struct watch *w, struct error *err)
{
	const char *slash = strchr(w->a->live.lease, '/');

	if (!slash || slash == w->a->live.lease || !slash[1])
		return error_set(err, -EINVAL, "--lease %s: must be NAMESPACE/NAME",
				 w->a->live.lease);
	w->lease_ns = xstrndup(w->a->live.lease, (size_t)(slash - w->a->live.lease));
	w->lease.ns = w->lease_ns;
	w->lease.name = slash + 1;
	return 0;
}

static void set_up_passes(struct watch *w, struct live *live)
{
	watch_metrics_init(&w->metrics);
	http_observe(live->kube.http, watch_metrics_observe, &w->metrics);
	w->passes = (struct reconcile){
		.kube = &live->kube,
		.settings = &w->settings,
		.ns = inputs_namespace(w->cli),
		.is_dry_run = w->a->is_dry_run,
		.api = {
			.parallel = (uint32_t)w->a->live.parallel,
			.gone_seconds = (uint32_t)w->a->live.gone_timeout_s,
			.stop = stop_reason,
			.arg = w,
		},
		.before_writing = refresh_lease,
	};
}

static int open_all(struct watch *w, struct error *err)
{
	if (split_lease(w, err) < 0 || inputs_settings(w->cli, &w->settings, err) < 0 ||
	    live_open(w->cli, &w->live, err) < 0)
		return err->code;
	set_up_passes(w, &w->live);
	if (strcmp(w->a->address, "0") != 0) {
		if (watch_serve_start(w->a->address, &w->serve, err) < 0)
			return error_wrap(err, "--metrics-bind-address");
		log_v(0, "metrics: %s/metrics", watch_serve_address(w->serve));
	}
	w->informer = informer_start(&w->live.kube, w->live.target.cluster.server,
				     (uint32_t)w->cli->live.chunk);
	if (!w->a->is_dry_run)
		kube_lease_start(&w->live.kube, &w->lease);
	return 0;
}

static void watch_done(struct watch *w)
{
	watch_serve_stop(w->serve);
	informer_free(w->informer);
	kube_lease_release(&w->lease);
	live_close(&w->live);
	reconcile_done(&w->passes);
	watch_metrics_done(&w->metrics);
	free(w->lease_ns);
}

static int run_daemon(const struct cli *cli, const struct watch_args *a, struct error *err)
{
	AUTO(watch_done) struct watch w = { .cli = cli, .a = a };

	/* Big arrays come and go: they shall not make holes between small pieces that stay. */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	return open_all(&w, err) < 0 ? err->code : loop(&w, err);
}

/* One pass. */

static const char *stop_once(void *arg)
{
	struct pass_lock *lock = arg;
	const char *interrupted = interrupt_reason();

	if (interrupted || !lock->live.kube.http)
		return interrupted;
	kube_lease_step(&lock->lease);
	http_run(lock->live.kube.http, 0);
	return kube_lease_is_held(&lock->lease) ? NULL : "the Lease was lost";
}

static void refresh_lock(void *arg)
{
	struct pass_lock *lock = arg;

	if (lock->live.kube.http)
		kube_lease_refresh(&lock->lease);
}

static int exit_code(const struct pass_counts *n)
{
	return n->has_failed ? EXIT_PARTIAL : EXIT_DONE;
}

static int run_locked(struct cli *cli, const struct watch_args *a, struct pass_lock *lock,
		      struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(watch_done) struct watch w = { .cli = cli, .a = a, .is_leader = !a->is_dry_run };

	if (inputs_load(cli, false, &in, err) < 0)
		return err->code;
	w.settings = in.settings;
	set_up_passes(&w, &in.live);
	w.passes.api.stop = stop_once;
	w.passes.api.arg = lock;
	w.passes.before_writing = refresh_lock;
	int r = reconcile_pass(&w.passes, &in.cluster, err);
	save_metrics(&w, &in.cluster);
	return r < 0 ? r : exit_code(&w.passes.counts);
}

static int run_once(struct cli *cli, const struct watch_args *a, struct error *err)
{
	AUTO(pass_lock_release) struct pass_lock lock = { 0 };

	if (!a->is_dry_run && pass_lock_take(cli, &a->live, &lock, err) < 0)
		return err->code;
	return run_locked(cli, a, &lock, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct watch_args *a = args;

	if (cli->input.snapshots.n || cli->input.files.n)
		return usage_error(cli, err,
				   "--snapshot and --filename go with 'plan' and 'apply': 'watch' "
				   "follows an API server");
	if (a->interval < 1000000000)
		return usage_error(cli, err, "--interval: must be at least 1s");
	log_set_format((enum log_format)a->log_format);
	interrupt_catch();
	return a->is_once ? run_once(cli, a, err) : run_daemon(cli, a, err);
}

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[--once] [--dry-run] [options]",
	.summary = "keep the cluster as the plan wants it",
	.description =
		"Follow the cluster and make a pass whenever something changes that a plan reads, "
		"and every\n--interval. What is done, and what cannot be, goes to standard error; "
		"what is the same as in\nthe pass before is not said again.\n"
		"\n"
		"Of several that run, the one that holds the Lease acts and the others wait. One "
		"that cannot\nrenew the Lease stops acting after 10 seconds, 5 before another may "
		"take it. SIGTERM and\nSIGINT let the running writes end and give the Lease back.\n"
		"\n"
		"--once makes one pass, for cron. --namespace limits what is said, not what is "
		"done: a pass is\nalways made over the whole cluster.",
	.examples = "# watch the cluster of the current context\n"
		    "kubectl mckube watch\n"
		    "\n"
		    "# what would it do?\n"
		    "kubectl mckube watch --dry-run\n"
		    "\n"
		    "# from cron, with numbers for node_exporter\n"
		    "kubectl mckube watch --once --metrics-textfile "
		    "/var/lib/prometheus/node-exporter/mckube.prom\n",
	.options = options,
	.args_size = sizeof(struct watch_args),
	.needs = NEEDS_INPUT,
	.run = run,
};
