/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/watch_metrics.h"

#include <string.h>
#include <sys/resource.h>

#include "base/auto.h"
#include "base/rss.h"

void watch_metrics_init(struct watch_metrics *m)
{
	*m = (struct watch_metrics){ .snapshot.text = STR_INIT };
}

void watch_metrics_done(struct watch_metrics *m)
{
	snapshot_metrics_done(&m->snapshot);
}

/* Requests. */

static const char *const verbs[API_VERBS] = { "GET", "POST", "PUT", "PATCH", "DELETE", "WATCH" };
static const char *const classes[API_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

static unsigned verb_of(const struct http_call *call)
{
	unsigned i = 0;

	if (call->is_stream)
		return API_VERBS - 1;
	while (i < API_VERBS - 1 && strcmp(verbs[i], call->method) != 0)
		i++;
	return i;
}

/* How long a stream lasts says nothing. */
void watch_metrics_observe(const struct http_call *call, int64_t ms, void *arg)
{
	struct watch_metrics *m = arg;
	unsigned verb = verb_of(call), class = (unsigned)call->code / 100;

	m->api[verb].replies[class < API_CLASSES ? class : 0]++;
	if (!call->is_stream)
		metric_observe(&m->api[verb].durations, (uint64_t)ms * 1000);
}

static void add_requests(const struct watch_metrics *m, struct str *out)
{
	static const char count[] = "mckube_api_requests_total";
	static const char duration[] = "mckube_api_request_duration_seconds";

	metric_head(out, count, "counter", "Requests to the API server, by what came back.");
	for (unsigned i = 0; i < API_VERBS; i++)
		for (unsigned k = 0; k < API_CLASSES; k++)
			if (m->api[i].replies[k])
				metric_add(out, count,
					   METRIC_LABELS("verb", verbs[i], "status", classes[k]),
					   m->api[i].replies[k]);
	metric_head(out, duration, "histogram", "How long requests took, streams left out.");
	for (unsigned i = 0; i < API_VERBS - 1; i++)
		metric_add_durations(out, duration, METRIC_LABELS("verb", verbs[i]),
				     &m->api[i].durations);
}

/* Passes. */

static void add_last_pass(const struct pass_counts *n, struct str *out)
{
	metric_one(out, "mckube_run_status", "gauge", "1 if the last pass did all it wanted.",
		   n->passes && !n->has_failed);
	metric_head(out, "mckube_run_duration_seconds", "gauge", "How long the last pass took.");
	metric_add_millionths(out, "mckube_run_duration_seconds", METRIC_NO_LABELS,
			      (uint64_t)n->last_us);
	metric_one(out, "mckube_last_success_timestamp_seconds", "gauge",
		   "When a pass last did all it wanted.", (uint64_t)n->last_success);
	metric_head(out, "mckube_plan_changes", "gauge", "Actions of the last plan.");
	for (unsigned i = 0; i < ACTION_KINDS; i++)
		metric_add(out, "mckube_plan_changes", METRIC_LABELS("action", action_kind_name(i)),
			   n->watched_kinds[i]);
	metric_head(out, "mckube_unplaced_pods", "gauge",
		    "Pods that the last plan found no place for.");
	for (unsigned i = REASON_NO_REQUEST; i < REASONS; i++)
		metric_add(out, "mckube_unplaced_pods", METRIC_LABELS("reason", reason_name(i)),
			   n->unplaced[i]);
	metric_one(out, "mckube_plan_warnings", "gauge", "Warnings of the last plan.", n->warnings);
}

static void add_actions(const struct pass_counts *n, struct str *out)
{
	static const char name[] = "mckube_actions_total";

	metric_head(out, name, "counter", "Actions that were begun, by what became of them.");
	for (unsigned i = 0; i < ACTION_KINDS; i++)
		for (unsigned k = RESULT_DONE; k <= RESULT_SKIPPED; k++)
			if (n->actions[i][k])
				metric_add(out, name,
					   METRIC_LABELS("action", action_kind_name(i), "result",
							 result_state_name(k)),
					   n->actions[i][k]);
}

static void add_moves(const struct pass_counts *n, struct str *out)
{
	static const char name[] = "mckube_migrations_total";
	static const char downtime[] = "mckube_migration_downtime_seconds";
	static const char *const results[MOVED] = { "Done", "Failed", "Denied" };

	metric_head(out, name, "counter",
		    "Pods that were to move to another node, by what became of it.");
	for (unsigned i = 0; i < MIGRATION_METHODS; i++)
		for (unsigned k = 0; k < MOVED; k++)
			if (n->moves[i][k])
				metric_add(out, name,
					   METRIC_LABELS(
						   "method",
						   migration_method_name((enum migration_method)i),
						   "result", results[k]),
					   n->moves[i][k]);
	metric_head(out, downtime, "histogram",
		    "How long programs stood still that were moved with their memory.");
	metric_add_durations(out, downtime, METRIC_NO_LABELS, &n->downtimes);
}

static void add_passes(const struct pass_counts *n, struct str *out)
{
	metric_one(out, "mckube_passes_total", "counter", "Passes.", n->passes);
	metric_one(out, "mckube_pass_failures_total", "counter",
		   "Passes that could not do all they wanted.", n->failures);
	metric_head(out, "mckube_plan_duration_seconds", "histogram", "Time to make a plan.");
	metric_add_durations(out, "mckube_plan_duration_seconds", METRIC_NO_LABELS, &n->plan);
	metric_head(out, "mckube_pass_duration_seconds", "histogram",
		    "Time of a whole pass, with its writes.");
	metric_add_durations(out, "mckube_pass_duration_seconds", METRIC_NO_LABELS, &n->whole);
	add_actions(n, out);
	add_moves(n, out);
	add_last_pass(n, out);
}

/* Streams; without an informer only the heads. */

static void add_streams(const struct informer *f, struct str *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{ "mckube_watch_lists_total", "Full lists.", offsetof(struct kube_watch, n_lists) },
		{ "mckube_watch_streams_total", "Streams; all but the first are restarts.",
		  offsetof(struct kube_watch, n_streams) },
		{ "mckube_watch_events_total", "Events that came.",
		  offsetof(struct kube_watch, n_events) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		metric_head(out, rows[i].name, "counter", rows[i].help);
		for (unsigned k = 0; f && k < N_WATCHED_KINDS; k++) {
			const char *w = (const char *)informer_watch(f, k);

			if (watched_kinds[k].is_ours)
				continue;
			metric_add(out, rows[i].name,
				   METRIC_LABELS("resource", watched_kinds[k].resource->plural),
				   *(const uint64_t *)(const void *)(w + rows[i].offset));
		}
	}
	metric_head(out, "mckube_watch_current", "gauge", "1 while no list is under way.");
	if (f)
		metric_add(out, "mckube_watch_current", METRIC_NO_LABELS, informer_is_current(f));
}

/* This process. */

static void add_process(struct str *out)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	metric_head(out, "process_cpu_seconds_total", "counter", "CPU time of this process.");
	metric_add_millionths(out, "process_cpu_seconds_total", METRIC_NO_LABELS,
			      (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
				      (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
	metric_one(out, "process_resident_memory_bytes", "gauge", "Memory of this process.",
		   rss_now());
}

void watch_metrics_write(struct watch_metrics *m, const struct watch_view *v, struct str *out)
{
	if (v->has_changed || !m->snapshot.text.n)
		snapshot_metrics_renew(&m->snapshot, v->cluster, v->settings);
	metric_build_info(out, "mckube_build_info", v->version, v->commit);
	add_passes(v->passes, out);
	metric_one(out, "mckube_leader", "gauge", "1 while this process holds the Lease.",
		   v->is_leader);
	metric_one(out, "mckube_lease_acquired_total", "counter", "Times the Lease was got.",
		   m->lease_acquired);
	metric_one(out, "mckube_lease_lost_total", "counter", "Times the Lease was lost.",
		   m->lease_lost);
	add_streams(v->informer, out);
	add_requests(m, out);
	snapshot_metrics_write(&m->snapshot, out);
	optimizer_metrics_write(v->optimizers, v->cluster, v->settings, out);
	add_process(out);
}

/* From "# HELP NAME TEXT" and "# TYPE NAME KIND", which follow each other. */
void watch_metrics_describe(struct str *out)
{
	static const struct pass_counts passes = { 0 };
	static const struct optimizer_metrics optimizers = { 0 };
	static const struct cluster cluster = { 0 };
	static const struct settings settings = { 0 };
	const struct watch_view view = { &passes, &optimizers, NULL, &cluster, &settings,
					 false,	  true,	       "",   "" };
	AUTO(watch_metrics_done) struct watch_metrics m;
	AUTO(str_done) struct str text = STR_INIT;

	watch_metrics_init(&m);
	watch_metrics_write(&m, &view, &text);
	for (const char *at = text.s; (at = strstr(at, "# HELP "));) {
		const char *name = at + strlen("# HELP "), *help = strchr(name, ' ') + 1;
		const char *type = strchr(help, '\n') + 1;
		int n = (int)(help - name) - 1, n_help = (int)(type - help) - 1;
		const char *kind = type + strlen("# TYPE ") + n + 1;

		str_addf(out, "  %.*s (%.*s)\n      %.*s\n", n, name, (int)strcspn(kind, "\n"),
			 kind, n_help, help);
		at = kind;
	}
}
