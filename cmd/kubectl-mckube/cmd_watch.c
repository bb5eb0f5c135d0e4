/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "reconcile/watch.h"
#include "serve/secure.h"

#include "build.h"
#include "command.h"

struct watch_args {
	int64_t interval; /* ns */
	const char *address, *secure_address, *cert_file, *key_file, *textfile;
	bool is_once, is_dry_run;
	int32_t log_format;
};

static const char *const log_formats[] = { "klog", "json", NULL };

static const struct option options[] = {
	OPT_BOOL(0, "once", struct watch_args, is_once,
		 "execute one planning round and exit, for cron; the exit code is that of apply"),
	OPT_BOOL(0, "dry-run", struct watch_args, is_dry_run,
		 "only log what would be done; acquires no Lease"),
	OPT_DURATION(0, "interval", struct watch_args, interval,
		     "longest time between two planning rounds, with or without changes",
		     .preset = "1m"),
	OPT_STRING(0, "metrics-bind-address", struct watch_args, address, "ADDRESS",
		   "address of /metrics, /healthz and /readyz: PORT on 127.0.0.1, HOST:PORT, :PORT "
		   "for all addresses or unix:/PATH; 0 disables them",
		   .preset = "127.0.0.1:9870"),
	OPT_STRING(
		0, "secure-metrics-bind-address", struct watch_args, secure_address, "ADDRESS",
		"address of /metrics over TLS, for accounts that may get this URL, and then only "
		"there"),
	OPT_STRING(0, "tls-cert-file", struct watch_args, cert_file, "FILE",
		   "certificate for that, PEM; read again when it changes", .complete = "file"),
	OPT_STRING(0, "tls-private-key-file", struct watch_args, key_file, "FILE",
		   "its private key, PEM", .complete = "file"),
	OPT_STRING(0, "metrics-textfile", struct watch_args, textfile, "FILE",
		   "write the metrics to this file after each round, for node_exporter's textfile "
		   "collector",
		   .complete = "file"),
	OPT_ENUM(0, "log-format", struct watch_args, log_format, log_formats, "FORMAT",
		 "format of log lines", .preset = "klog"),
	{},
};

static const char *stop_reason(void *arg)
{
	(void)arg;
	return interrupt_reason();
}

static void refresh_lock(void *arg)
{
	struct pass_lock *lock = arg;

	if (lock->live.kube.http)
		kube_lease_refresh(&lock->lease);
}

static struct watch_options options_of(const struct cli *cli, const struct watch_args *a,
				       struct live *live, const struct settings *settings,
				       const struct move_services_options *services)
{
	return (struct watch_options){
		.kube = &live->kube,
		.server = live->target.cluster.server,
		.version = MCKUBE_VERSION,
		.commit = MCKUBE_GIT_COMMIT,
		.settings = settings,
		.services = services,
		.ns = inputs_namespace(cli),
		.lease = cli->write.lease,
		.address = a->address,
		.secure_address = a->secure_address,
		.tls = { .cert_file = a->cert_file, .key_file = a->key_file },
		.target = &live->target,
		.textfile = a->textfile,
		.interval_ms = a->interval / 1000000,
		.parallel = (uint32_t)cli->write.parallel,
		.gone_seconds = (uint32_t)cli->write.gone_timeout_s,
		.chunk = (uint32_t)cli->live.chunk,
		.is_dry_run = a->is_dry_run,
		.stop = stop_reason,
	};
}

static int run_daemon(struct cli *cli, const struct watch_args *a, struct error *err)
{
	AUTO(live_close) struct live live = { 0 };
	struct settings settings;
	struct move_services_options services;

	if (services_options(cli, &services, err) < 0 || inputs_settings(cli, &settings, err) < 0 ||
	    live_open(cli, &live, err) < 0)
		return err->code;
	const struct watch_options o = options_of(cli, a, &live, &settings, &services);
	return watch_run(&o, err) < 0 ? err->code : EXIT_DONE;
}

static int run_once(struct cli *cli, const struct watch_args *a, struct error *err)
{
	AUTO(pass_lock_release) struct pass_lock lock = { 0 };
	AUTO(inputs_done) struct inputs in = { 0 };
	bool has_failed;
	struct move_services_options services;

	if (services_options(cli, &services, err) < 0)
		return err->code;
	if (!a->is_dry_run && pass_lock_take(cli, &lock, err) < 0)
		return err->code;
	if (inputs_load(cli, false, &in, err) < 0)
		return err->code;
	struct watch_options o = options_of(cli, a, &in.live, &in.settings, &services);
	o.stop = pass_lock_stop_reason;
	o.before_writing = refresh_lock;
	o.arg = &lock;
	if (watch_once(&o, &in.cluster, &has_failed, err) < 0)
		return err->code;
	return has_failed ? EXIT_PARTIAL : EXIT_DONE;
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct watch_args *a = args;

	if (cli->input.snapshots.n || cli->input.files.n)
		return usage_error(cli, err,
				   "--snapshot and --filename cannot be used with watch, which "
				   "follows an API server");
	if (a->interval < 1000000000)
		return usage_error(cli, err, "--interval: must be at least 1s");
	const struct serve_tls tls = { .cert_file = a->cert_file, .key_file = a->key_file };
	if (secure_check(a->secure_address, &tls, err) < 0)
		return usage_error(cli, err, "%s", err->msg);
	log_set_format((enum log_format)a->log_format);
	interrupt_catch();
	return a->is_once ? run_once(cli, a, err) : run_daemon(cli, a, err);
}

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[--once] [--dry-run] [options]",
	.summary = "run as a controller: plan and execute on every change",
	.description =
		"Watch the cluster; plan and execute whenever an object that a plan reads has "
		"changed, and every\n--interval. Actions are logged to standard error, and problems as "
		"warnings, when they are new. A record\nin JSON has the members pod, node, mckube, "
		"action, reason and result as far as they apply.\n"
		"\n"
		"Of several instances the holder of the Lease acts and the others wait. A holder "
		"that cannot renew\nthe Lease stops acting after 10 seconds, 5 before another "
		"instance may acquire it. SIGTERM and\nSIGINT let the running writes end and "
		"release the Lease.\n"
		"\n"
		"Pods move for money once plans have wanted that for 15 seconds; a single "
		"round does not wait.\n"
		"\n"
		"--once executes one round, for cron. --namespace limits what is logged, not what "
		"is done: a plan\nalways covers the whole cluster. The metrics are listed by "
		"'kubectl mckube help metrics'.",
	.examples = "# watch the cluster of the current context\n"
		    "kubectl mckube watch\n"
		    "\n"
		    "# log what it would do\n"
		    "kubectl mckube watch --dry-run\n"
		    "\n"
		    "# from cron, with metrics for node_exporter\n"
		    "kubectl mckube watch --once --metrics-textfile "
		    "/var/lib/prometheus/node-exporter/mckube.prom\n",
	.options = options,
	.args_size = sizeof(struct watch_args),
	.needs = NEEDS_INPUT | WRITES,
	.run = run,
};
