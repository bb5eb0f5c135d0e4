/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/watch.h"

#include <malloc.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"
#include "kube/lease.h"
#include "reconcile/metrics_server.h"
#include "reconcile/schedule.h"
#include "reconcile/watch_metrics.h"
#include "remote/samples.h"
#include "remote/scale_targets.h"
#include "state/informer.h"

enum {
	MMAP_THRESHOLD = 256 << 10,
	POLL_LEAST_S = 5,
	FLUSH_MS = 2000,
	HELD_SECONDS = 15,
	SAMPLES_TURN_MS = 50,	 /* while answers are awaited */
	SAMPLES_FIRST_MS = 1000, /* the first pass waits so long for the first values */
};

/* Values of metrics, asked for beside everything else. */
struct sampling {
	struct samples *samples;
	int64_t due_ms;	  /* when they are asked for again */
	int64_t first_ms; /* when they were asked for first; 0: not yet */
	size_t n;	  /* that the store holds */
	bool is_running, is_answered;
};

/* What is scaled by its subresource, which cannot be watched: read again as often as metrics, and
 * after each pass, which may have scaled it. */
struct scale_reading {
	struct scale_targets *targets;
	int64_t due_ms;
	size_t n; /* that the store holds */
	bool is_running;
};

struct watch {
	const struct watch_options *o;
	struct informer *informer;
	struct kube_lease lease;
	char *lease_ns;
	char last_pass[DATE_TEXT]; /* told by the Lease */
	struct reconcile passes;
	struct signals *signals; /* NULL: a dry run */
	struct watch_metrics metrics;
	struct watch_serve *serve;
	struct schedule schedule;
	struct sampling sampling;
	struct scale_reading scales;
	uint64_t n_shown; /* passes that the published metrics tell of */
	bool is_leader, has_been_shown;
};

int lease_split(const char *lease, char **ret_ns, const char **ret_name, struct error *err)
{
	const char *slash = strchr(lease, '/');

	if (!slash || slash == lease || !slash[1])
		return error_set(err, -EINVAL, "--lease %s: must be NAMESPACE/NAME", lease);
	*ret_ns = xstrndup(lease, (size_t)(slash - lease));
	*ret_name = slash + 1;
	return 0;
}

/* Metrics. */

static void sum_savings(struct watch *w, const struct cluster *c)
{
	optimizer_metrics_sum(&w->passes.optimizers, c, w->o->settings, clock_ms(),
			      w->is_leader && !w->o->is_dry_run);
}

static void write_metrics(struct watch *w, const struct cluster *c, struct str *out)
{
	sum_savings(w, c);
	const struct watch_view view = {
		.passes = &w->passes.counts,
		.optimizers = &w->passes.optimizers,
		.informer = w->informer,
		.cluster = c,
		.settings = w->o->settings,
		.is_leader = w->is_leader,
		.has_changed = !w->has_been_shown,
		.version = w->o->version,
		.commit = w->o->commit,
	};

	watch_metrics_write(&w->metrics, &view, out);
	w->has_been_shown = true;
}

static int save_metrics(struct watch *w, const struct cluster *c, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!w->o->textfile)
		return 0;
	write_metrics(w, c, &text);
	if (file_write(w->o->textfile, (struct slice){ text.s, text.n }, err) < 0)
		return error_wrap(err, "--metrics-textfile");
	return 0;
}

/* NULL: it is ready. */
static const char *unready(const struct watch *w)
{
	if (!informer_is_current(w->informer))
		return "not all objects are listed yet";
	if (!w->o->is_dry_run && !kube_lease_is_answered(&w->lease))
		return "the API server does not answer";
	return NULL;
}

static void answer(struct watch *w)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!w->serve ||
	    !watch_serve_turn(w->serve, unready(w), w->n_shown != w->passes.counts.passes))
		return;
	w->n_shown = w->passes.counts.passes;
	write_metrics(w, store_cluster(informer_store(w->informer)), &text);
	watch_serve_publish(w->serve, &text);
}

/* The Lease. */

static void note_leadership(struct watch *w)
{
	bool is_leader = kube_lease_is_held(&w->lease);

	if (is_leader == w->is_leader)
		return;
	w->is_leader = is_leader;
	w->metrics.lease_acquired += is_leader;
	w->metrics.lease_lost += !is_leader;
	if (is_leader) {
		log_v(0, "leading: %s holds the Lease %s", w->lease.identity, w->o->lease);
		schedule_pass_now(&w->schedule);
	} else {
		log_warning("lease %s: lost leadership; standing by", w->o->lease);
	}
}

static int step_lease(struct watch *w, struct error *err)
{
	int wait = kube_lease_step(&w->lease);

	if (wait < 0)
		return error_set(err, wait, "lease %s: %s", w->o->lease, w->lease.err.msg);
	note_leadership(w);
	return wait;
}

/* Asked while a pass writes: everything else goes on meanwhile. */
static const char *stop_reason(void *arg)
{
	struct watch *w = arg;
	const char *interrupted = w->o->stop(w->o->arg);
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

static void commit(struct watch *w)
{
	bool has_changed = store_commit(informer_store(w->informer), time(NULL));

	schedule_committed(&w->schedule, has_changed);
	w->has_been_shown &= !has_changed;
	if (has_changed)
		sum_savings(w, store_cluster(informer_store(w->informer)));
}

static void pass(struct watch *w)
{
	const struct cluster *c = store_cluster(informer_store(w->informer));
	struct error err = ERROR_INIT;

	commit(w);
	if (reconcile_pass(&w->passes, c, &err) < 0)
		log_warning("no plan: %s", err.msg);
	if (w->passes.counts.last_success)
		w->lease.last_pass = date_format(w->passes.counts.last_success, w->last_pass);
	schedule_passed(&w->schedule, &w->passes.counts, clock_ms());
	w->scales.due_ms = 0;
	if (save_metrics(w, c, &err) < 0)
		log_warning("%s", err.msg);
}

/* Puts what was answered, and asks again when it is time. */
static void step_samples(struct watch *w)
{
	struct sampling *p = &w->sampling;
	int64_t now = clock_ms();
	struct error err = ERROR_INIT;
	size_t n = 0;

	if (p->is_running) {
		if (samples_run(p->samples, 0))
			return;
		const char *const *objects = samples_objects(p->samples, &n);

		if (informer_put(w->informer, &delta_of_metric_samples, objects, n, &err) < 0)
			log_warning("metrics: %s", err.msg);
		p->n = n;
		p->is_running = false;
		p->is_answered = true;
	}
	if (now < p->due_ms || !informer_is_current(w->informer))
		return;
	const struct cluster *c = store_cluster(informer_store(w->informer));
	p->due_ms =
		now + (c->taken_at ? w->o->settings->metrics.interval_seconds * INT64_C(1000) : 0);
	if (samples_are_wanted(c, &w->o->settings->metrics)) {
		p->first_ms = p->first_ms ? p->first_ms : now;
		samples_ask(p->samples, c, time(NULL));
		p->is_running = true;
	} else if (p->n) {
		informer_put(w->informer, &delta_of_metric_samples, NULL, 0, &err);
		p->n = 0;
	}
}

static void put_scales(struct watch *w, const char *const *objects, size_t n)
{
	struct error err = ERROR_INIT;

	if (informer_put(w->informer, &delta_of_scale_targets, objects, n, &err) < 0)
		log_warning("scale targets: %s", err.msg);
	w->scales.n = n;
}

static void step_scales(struct watch *w)
{
	struct scale_reading *p = &w->scales;
	size_t n = 0;

	if (p->is_running) {
		if (scale_targets_run(p->targets, 0))
			return;
		const char *const *objects = scale_targets_objects(p->targets, &n);

		put_scales(w, objects, n);
		p->is_running = false;
	}
	const struct cluster *c = store_cluster(informer_store(w->informer));
	if (clock_ms() < p->due_ms || !informer_is_current(w->informer) || !c->taken_at)
		return;
	p->due_ms = clock_ms() + w->o->settings->metrics.interval_seconds * INT64_C(1000);
	if (scale_targets_are_wanted(c)) {
		scale_targets_ask(p->targets, c);
		p->is_running = true;
	} else if (p->n) {
		put_scales(w, NULL, 0);
	}
}

static bool awaits_first_samples(const struct watch *w)
{
	const struct sampling *p = &w->sampling;

	return p->is_running && !p->is_answered && clock_ms() < p->first_ms + SAMPLES_FIRST_MS;
}

static bool may_pass(const struct watch *w)
{
	return informer_is_current(w->informer) && !awaits_first_samples(w) &&
	       !w->scales.is_running && store_cluster(informer_store(w->informer))->taken_at &&
	       (w->is_leader || w->o->is_dry_run);
}

/* One turn: works for at most as long as nothing is due. */
static int turn(struct watch *w, struct error *err)
{
	int streams = informer_step(w->informer, err);
	int lease = w->o->is_dry_run || streams < 0 ? TURN_MS : step_lease(w, err);

	int signals = w->signals && w->is_leader ? signals_step(w->signals) : TURN_MS;

	int wait = TIMER_MIN(streams, lease, schedule_wait(&w->schedule, clock_ms()));

	if (wait < 0)
		return err->code;
	wait = signals < wait ? signals : wait;
	if ((w->sampling.is_running || w->scales.is_running) && wait > SAMPLES_TURN_MS)
		wait = SAMPLES_TURN_MS;
	http_wait(w->o->kube->http, wait);
	struct store *store = informer_store(w->informer);
	if (informer_is_current(w->informer) &&
	    schedule_wants_commit(&w->schedule, store_is_dirty(store), clock_ms()))
		commit(w);
	step_samples(w);
	step_scales(w);
	answer(w);
	move_services_step(w->passes.services);
	if (may_pass(w) &&
	    schedule_wants_pass(&w->schedule, reconcile_shows(&w->passes, store_cluster(store)),
				clock_ms()))
		pass(w);
	return 0;
}

/* As often as a node is judged, but not all the time; where only costs are of it, as other metrics.
 */
static uint32_t poll_ms(const struct settings *s)
{
	uint32_t seconds = s->migration.check_seconds;

	if (!settings_need_usage(s))
		return 0;
	if (!s->migration.enabled)
		return s->metrics.interval_seconds * 1000;
	return (seconds < POLL_LEAST_S ? POLL_LEAST_S : seconds) * 1000;
}

static void set_up(struct watch *w, const char *(*stop)(void *), void (*before_writing)(void *),
		   void *arg)
{
	const struct watch_options *o = w->o;

	watch_metrics_init(&w->metrics);
	http_observe(o->kube->http, watch_metrics_observe, &w->metrics);
	if (!o->is_dry_run)
		w->signals = signals_new(o->kube);
	w->schedule.interval_ms = o->interval_ms;
	w->passes = (struct reconcile){
		.kube = o->kube,
		.settings = o->settings,
		.signals = w->signals,
		.ns = o->ns,
		.is_dry_run = o->is_dry_run,
		.api = {
			.parallel = o->parallel,
			.gone_seconds = o->gone_seconds,
			.stop = stop,
			.arg = arg,
		},
		.before_writing = before_writing,
	};
}

static int open_services(struct watch *w, struct error *err)
{
	const struct watch_options *o = w->o;

	if (!o->services || o->is_dry_run)
		return 0;
	return move_services_open(o->kube, o->services, &w->passes.services, err);
}

static int open_server(struct watch *w, struct error *err)
{
	const struct watch_options *o = w->o;
	const struct secure_options secure = {
		.address = o->secure_address,
		.tls = o->tls,
		.target = o->target,
		.user_agent = o->kube->manager,
	};

	if (strcmp(o->address, "0") == 0 && !o->secure_address)
		return 0;
	if (watch_serve_start(o->address, &secure, &w->serve, err) < 0)
		return err->code;
	answer(w); /* the first scrape finds a text */
	log_v(0, "metrics: %s/metrics", watch_serve_address(w->serve));
	return 0;
}

static int start(struct watch *w, struct error *err)
{
	const struct watch_options *o = w->o;

	if (lease_split(o->lease, &w->lease_ns, &w->lease.name, err) < 0)
		return err->code;
	w->lease.ns = w->lease_ns;
	set_up(w, stop_reason, refresh_lease, w);
	w->passes.held.seconds = HELD_SECONDS;
	if (open_services(w, err) < 0)
		return err->code;
	const struct informer_polls polls = {
		.all_ms = poll_ms(o->settings),
		.scaling_ms = o->settings->metrics.interval_seconds * 1000,
	};
	w->informer = informer_start(o->kube, o->server, o->chunk, &polls);
	w->sampling.samples = samples_new(&o->settings->metrics, o->kube);
	w->scales.targets = scale_targets_new(o->kube);
	if (open_server(w, err) < 0)
		return err->code;
	if (!o->is_dry_run)
		kube_lease_start(o->kube, &w->lease);
	return 0;
}

static void watch_done(struct watch *w)
{
	watch_serve_stop(w->serve);
	if (w->signals && w->is_leader)
		signals_flush(w->signals, FLUSH_MS);
	signals_free(w->signals);
	samples_free(w->sampling.samples);
	scale_targets_free(w->scales.targets);
	informer_free(w->informer);
	kube_lease_release(&w->lease);
	http_observe(w->o->kube->http, NULL, NULL);
	move_services_close(w->passes.services);
	reconcile_done(&w->passes);
	watch_metrics_done(&w->metrics);
	free(w->lease_ns);
}

int watch_run(const struct watch_options *o, struct error *err)
{
	AUTO(watch_done) struct watch w = { .o = o };
	const char *reason;

	/* Big arrays come and go: they shall not make holes between small pieces that stay. */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	if (start(&w, err) < 0)
		return err->code;
	while (!(reason = o->stop(o->arg)))
		if (turn(&w, err) < 0)
			return err->code;
	log_v(0, "%s", reason);
	return 0;
}

int watch_once(const struct watch_options *o, const struct cluster *c, bool *ret_has_failed,
	       struct error *err)
{
	AUTO(watch_done) struct watch w = { .o = o, .is_leader = !o->is_dry_run };

	set_up(&w, o->stop, o->before_writing, o->arg);
	if (open_services(&w, err) < 0)
		return err->code;
	int r = reconcile_pass(&w.passes, c, err);
	*ret_has_failed = w.passes.counts.has_failed;
	if (r < 0) {
		save_metrics(&w, c, NULL);
		return r;
	}
	return save_metrics(&w, c, err);
}
