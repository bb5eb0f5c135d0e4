/* SPDX-License-Identifier: Apache-2.0 */
#include "execute.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/dns_name.h"
#include "base/file.h"
#include "base/log.h"
#include "execute/to_api.h"
#include "reconcile/watch.h"
#include "signal/signals.h"

#include "command.h"
#include "progress.h"

const char dry_run_note[] = "Dry run: the server checked every write and stored nothing.\n";

const struct option write_options[] = {
	OPT_INT(0, "parallel", struct execute_args, parallel, 1, PARALLEL_MAX, "N",
		"number of writes that may run at the same time", .preset = "16"),
	OPT_STRING(0, "lease", struct execute_args, lease, "NAMESPACE/NAME",
		   "the Lease that keeps two passes from running at the same time (default "
		   "kube-system/mckube, or kube-system/$OPERATOR_NAME)"),
	OPT_DURATION(0, "lock-timeout", struct execute_args, lock_timeout,
		     "how long a single pass waits for the Lease while another process holds it",
		     .preset = "30s"),
	OPT_INT(0, "eviction-timeout", struct execute_args, gone_timeout_s, 1, 3600, "SECONDS",
		"how long to wait for an evicted pod to be deleted before its room is used",
		.preset = "60"),
	OPT_STRING(0, "policy-engine", struct execute_args, policy_engine, "URL",
		   "the policy engine that must allow moves to other nodes (default "
		   "$POLICY_ENGINE_URL)"),
	POLICY_SERVICE_FILES(struct execute_args, policy_ca, policy_token_file),
	OPT_STRING(
		0, "core-scheduler", struct execute_args, core_scheduler, "URL",
		"the core scheduler that must allow what a plan does for cost and power (default "
		"$CORE_SCHEDULER_URL)"),
	CORE_SERVICE_FILES(struct execute_args, core_ca, core_token_file),
	OPT_STRING(0, "influx-url", struct execute_args, influx_url, "URL",
		   "the InfluxDB that is told of moves to other nodes (default $INFLUX_URL)"),
	OPT_STRING(0, "influx-org", struct execute_args, influx_org, "NAME",
		   "its organization (default $INFLUX_ORG)"),
	OPT_STRING(0, "influx-bucket", struct execute_args, influx_bucket, "NAME",
		   "its bucket (default $INFLUX_BUCKET)"),
	OPT_STRING(0, "influx-token-file", struct execute_args, influx_token_file, "FILE",
		   "its token (default $INFLUX_TOKEN)", .complete = "file"),
	{},
};

/* Signals. */

static volatile sig_atomic_t caught;

static void on_signal(int signal_number)
{
	caught = signal_number;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

const char *interrupt_reason(void)
{
	if (!caught)
		return NULL;
	return caught == SIGINT ? "interrupted (SIGINT)" : "terminated (SIGTERM)";
}

/* Services. */

enum { TOKEN_MAX = 16 << 10 };

static const char *given(const char *option, const char *variable)
{
	const char *text = option ? option : getenv(variable);

	return text && *text ? text : NULL;
}

int write_environment(struct cli *cli, struct error *err)
{
	struct execute_args *a = &cli->write;
	const char *name = given(NULL, "OPERATOR_NAME");

	if (name && !is_dns_label(name, strlen(name)))
		return error_set(
			err, -EINVAL,
			"OPERATOR_NAME %s: must be at most 63 of a-z, 0-9 and -, the first "
			"and the last no -",
			name);
	a->operator_name = name;
	a->pod_name = given(NULL, "POD_NAME");
	if (!a->lease) {
		AUTO_FREE char *lease = xasprintf("kube-system/%s", name ? name : "mckube");

		a->lease = arena_strndup(&cli->arena, lease, strlen(lease));
	}
	return 0;
}

static int read_token(struct cli *cli, const char *path, const char *variable, const char **ret,
		      struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(TOKEN_MAX);

	*ret = given(NULL, variable);
	if (!path)
		return 0;
	if (file_read(path, &text, err) < 0)
		return err->code;
	*ret = arena_strndup(&cli->arena, text.s, strcspn(text.s, "\r\n"));
	return 0;
}

int services_options(struct cli *cli, struct move_services_options *ret, struct error *err)
{
	const struct execute_args *a = &cli->write;

	*ret = (struct move_services_options){
		.engine = { .name = "policy engine",
			    .url = given(a->policy_engine, "POLICY_ENGINE_URL"),
			    .ca_file = a->policy_ca },
		.core = { .name = "core scheduler",
			  .url = given(a->core_scheduler, "CORE_SCHEDULER_URL"),
			  .ca_file = a->core_ca },
		.influx = { .url = given(a->influx_url, "INFLUX_URL"),
			    .org = given(a->influx_org, "INFLUX_ORG"),
			    .bucket = given(a->influx_bucket, "INFLUX_BUCKET") },
	};
	if (read_token(cli, a->policy_token_file, "POLICY_ENGINE_TOKEN", &ret->engine.token, err) <
		    0 ||
	    read_token(cli, a->core_token_file, "CORE_SCHEDULER_TOKEN", &ret->core.token, err) <
		    0 ||
	    read_token(cli, a->influx_token_file, "INFLUX_TOKEN", &ret->influx.token, err) < 0)
		return err->code;
	if (given(NULL, "ANALYSIS_ENGINE_URL"))
		log_v(1, "ANALYSIS_ENGINE_URL: not used");
	return 0;
}

int ask_policy(struct cli *cli, const struct policy_args *a, const struct cluster *c,
	       struct plan *plan, struct error *err)
{
	struct move_services_options options;
	struct move_services *services = NULL;

	option_preset(write_options, &cli->write, &cli->arena);
	cli->write.policy_engine = *a->engine ? a->engine : NULL;
	cli->write.policy_ca = a->ca;
	cli->write.policy_token_file = a->token_file;
	cli->write.core_scheduler = a->core;
	cli->write.core_ca = a->core_ca;
	cli->write.core_token_file = a->core_token_file;
	if (services_options(cli, &options, err) < 0)
		return err->code;
	if (!options.engine.url && !options.core.url)
		return usage_error(
			cli, err,
			"--ask-policy: needs a URL, POLICY_ENGINE_URL or CORE_SCHEDULER_URL");
	options.influx.url = NULL;
	if (move_services_open(NULL, &options, &services, err) < 0)
		return err->code;
	move_services_ask(services, plan, c, NULL, NULL);
	move_services_warn(services, plan);
	move_services_close(services);
	return 0;
}

/* The lock. */

int pass_lock_take(const struct cli *cli, struct pass_lock *ret, struct error *err)
{
	const struct execute_args *a = &cli->write;

	*ret = (struct pass_lock){ 0 };
	if (lease_split(a->lease, &ret->ns, &ret->lease.name, err) < 0)
		return err->code;
	ret->lease.ns = ret->ns;
	if (live_open(cli, &ret->live, err) < 0)
		return err->code;
	const struct stage stage = stage_begin("lock", ret->live.kube.http);
	int r = kube_lease_acquire(&ret->live.kube, &ret->lease, a->lock_timeout / 1000000, err);
	stage_end(&stage);
	return r;
}

void pass_lock_release(struct pass_lock *l)
{
	kube_lease_release(&l->lease);
	live_close(&l->live);
	free(l->ns);
	l->ns = NULL;
}

const char *pass_lock_stop_reason(void *lock)
{
	struct pass_lock *l = lock;
	const char *interrupted = interrupt_reason();

	if (interrupted || !l->live.kube.http)
		return interrupted;
	kube_lease_step(&l->lease);
	http_run(l->live.kube.http, 0);
	return kube_lease_is_held(&l->lease) ? NULL : "the Lease was lost";
}

/* Progress. */

struct progress {
	struct pass_lock *lock;
	struct move_services *services;
	struct signals *signals; /* NULL: a dry run */
	const struct cluster *cluster;
	size_t total, done, not_done;
	int64_t shown_ms;
	bool is_shown; /* standard error is a terminal */
};

enum { SHOW_EVERY_MS = 100, SIGNALS_MS = 5000 };

static void on_result(const struct action *a, const struct result *r, void *arg)
{
	struct progress *p = arg;

	move_services_tell(p->services, p->cluster, a, r);
	const char *moved = move_services_reason(p->services, a, r);

	if (p->signals)
		signals_result(p->signals, p->cluster, a, r);
	const char *refusal = move_services_refusal(a, p->services);

	if (p->signals && refusal)
		signals_refused(p->signals, p->cluster, &a->on, refusal, time(NULL));
	if (p->signals && moved)
		signals_moved(p->signals, p->cluster, a, r, moved, time(NULL));
	p->done += r->state == RESULT_DONE;
	p->not_done += r->state != RESULT_DONE;
	log_v(2, "%s %s %s/%s: %s%s%s", action_kind_name(a->kind), a->on.kind, a->on.ns, a->on.name,
	      result_state_name(r->state), *r->message ? ": " : "", r->message);
	if (!p->is_shown || clock_ms() - p->shown_ms < SHOW_EVERY_MS)
		return;
	p->shown_ms = clock_ms();
	fprintf(stderr, "\r%zu of %zu done", p->done, p->total);
	if (p->not_done)
		fprintf(stderr, ", %zu not", p->not_done);
}

static const char *stop_reason(void *arg)
{
	const struct progress *p = arg;

	move_services_step(p->services);
	return pass_lock_stop_reason(p->lock);
}

static const char *denial(const struct action *a, void *arg)
{
	return move_services_denial(a, ((struct progress *)arg)->services);
}

int execute_plan(struct cli *cli, struct live *live, struct pass_lock *lock,
		 const struct cluster *c, struct plan *plan, struct error *err)
{
	struct progress p = {
		.lock = lock,
		.cluster = c,
		.total = plan->actions.n,
		.is_shown = isatty(STDERR_FILENO) && !cli->global.verbosity,
	};
	struct move_services_options services;
	const struct api_options options = {
		.parallel = (uint32_t)cli->write.parallel,
		.gone_seconds = (uint32_t)cli->write.gone_timeout_s,
		.keeps_bare = cli->write.keeps_bare,
		.stop = stop_reason,
		.on_result = on_result,
		.denial = denial,
		.denial_arg = &p,
		.arg = &p,
	};

	if (services_options(cli, &services, err) < 0)
		return err->code;
	if (!live->kube.is_dry_run &&
	    move_services_open(&live->kube, &services, &p.services, err) < 0)
		return err->code;

	const struct stage stage = stage_begin("write", live->kube.http);
	interrupt_catch();
	move_services_ask(p.services, plan, c, stop_reason, &p);
	if (lock->live.kube.http)
		kube_lease_refresh(&lock->lease);
	if (!live->kube.is_dry_run) {
		p.signals = signals_new(&live->kube);
		signals_plan(p.signals, c, plan, time(NULL));
	}
	int r = execute_on_api(&live->kube, plan, c, &options, err);
	move_services_close(p.services);
	stage_end(&stage);
	if (p.signals) {
		const struct stage told = stage_begin("signals", live->kube.http);

		signals_flush(p.signals, SIGNALS_MS);
		signals_free(p.signals);
		stage_end(&told);
	}
	if (p.is_shown && p.shown_ms)
		fputs("\r\033[K", stderr);
	return r < 0 ? r : live_check_warnings(live, err);
}
