/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/nearest.h"
#include "objects/config.h"
#include "plan/file/plan_file.h"
#include "plugins/policies.h"
#include "state/load.h"

#include "command.h"
#include "progress.h"

const struct option input_options[] = {
	OPT_STRINGS(0, "snapshot", struct input_args, snapshots, "FILE",
		    "read the cluster from this file or folder (- is standard input) instead of an "
		    "API server; may be repeated",
		    .complete = "file"),
	OPT_STRINGS('f', "filename", struct input_args, files, "FILE",
		    "objects to overlay on the cluster, as if they had been created; may be "
		    "repeated",
		    .complete = "file"),
	OPT_BOOL('R', "recursive", struct input_args, recurse,
		 "read the folders below a folder too"),
	OPT_BOOL('A', "all-namespaces", struct input_args, all_namespaces,
		 "show every namespace; overrides --namespace"),
	OPT_STRING(0, "config", struct input_args, config, "FILE",
		   "the configuration (default $MCKUBE_CONFIG); see 'kubectl mckube help config'",
		   .complete = "file"),
	OPT_STRING(0, "prometheus-url", struct input_args, prometheus_url, "URL",
		   "the Prometheus that is asked for metrics of WorkloadOptimizers, where an API "
		   "server is read (default: key metrics.prometheus.url)"),
	OPT_STRING(0, "prometheus-ca-file", struct input_args, prometheus_ca, "FILE",
		   "its certificate authority, instead of the system's", .complete = "file"),
	OPT_STRING(0, "prometheus-token-file", struct input_args, prometheus_token_file, "FILE",
		   "the bearer token for it", .complete = "file"),
	OPT_STRING(0, "prometheus-timeout", struct input_args, prometheus_timeout, "SECONDS",
		   "how long its answers, and those of metrics APIs, are waited for (default: 5)"),
	OPT_STRINGS(0, "policy", struct input_args, policies, "NAME[=WEIGHT]",
		    "rank cores by this policy instead of the configured ones; may be repeated",
		    .complete = "policy"),
	{},
};

enum { CONFIG_MAX_BYTES = 1 << 20 };

static int read_config(const char *path, struct settings *settings, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(CONFIG_MAX_BYTES);

	if (input_read(path, &text, err) < 0)
		return err->code;
	if (config_read(text.s, text.n, settings, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}

static const char *lookup_environment(const char *name)
{
	return getenv(name);
}

/* A variable that nothing reads is told, and no error: in a pod there are those of Services
 * (NAME_SERVICE_HOST, NAME_PORT_9870_TCP). */
static void warn_of_variable(const char *name)
{
	static const char own[] = "MCKUBE_CONFIG";
	AUTO(arena_done) struct arena arena = { 0 };
	struct nearest n = NEAREST_OF(name);

	if (strncmp(name, "MCKUBE_", strlen("MCKUBE_")) != 0 || strcmp(name, own) == 0 ||
	    strstr(name, "_SERVICE_") || strstr(name, "_PORT") ||
	    config_has_variable(name, &arena, &n))
		return;
	nearest_offer(&n, own);
	if (n.best)
		log_warning("environment variable %s: not known, did you mean %s?", name, n.best);
	else
		log_warning("environment variable %s: not known", name);
}

static void warn_of_variables(void)
{
	static bool is_done;

	for (char **at = environ; *at && !is_done; at++) {
		AUTO_FREE char *name = xstrndup(*at, strcspn(*at, "="));

		warn_of_variable(name);
	}
	is_done = true;
}

static int read_flags(const struct input_args *a, struct settings *settings, struct error *err)
{
	const struct {
		const char *flag, *key, *value;
	} rows[] = {
		{ "url", "url", a->prometheus_url },
		{ "ca-file", "caFile", a->prometheus_ca },
		{ "token-file", "tokenFile", a->prometheus_token_file },
		{ "timeout", "timeoutSeconds", a->prometheus_timeout },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *key = xasprintf("metrics.prometheus.%s", rows[i].key);

		if (rows[i].value && config_set(settings, key, rows[i].value, err) < 0)
			return error_wrap(err, "--prometheus-%s", rows[i].flag);
	}
	return 0;
}

int inputs_settings(const struct cli *cli, struct settings *ret, struct error *err)
{
	const struct option_list *policies_given = &cli->input.policies;
	const char *path = cli->input.config ? cli->input.config : getenv("MCKUBE_CONFIG");

	config_preset(ret);
	if (path && *path && read_config(path, ret, err) < 0)
		return err->code;
	if (config_read_environment(lookup_environment, ret, err) < 0)
		return err->code;
	warn_of_variables();
	if (read_flags(&cli->input, ret, err) < 0)
		return err->code;
	if (policies_given->n &&
	    config_set_policies(ret, policies_given->items, policies_given->n, err) < 0)
		return error_wrap(err, "--policy");
	return 0;
}

/* Copies standard input to a file without a name and gives the path that opens it again; the file
 * stays open until the program ends. */
static int keep_stdin(struct arena *arena, const char **ret, struct error *err)
{
	int fd = memfd_create("stdin", MFD_CLOEXEC);
	char buf[65536], path[32];
	ssize_t n;

	if (fd < 0)
		return error_errno(err, "keep standard input");
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return error_errno(err, "keep standard input");
	if (n < 0)
		return error_errno(err, "read standard input");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret = arena_strndup(arena, path, strlen(path));
	return 0;
}

static int add_sources(struct cli *cli, const struct option_list *paths, const char *ns, bool twice,
		       struct inputs *in, struct error *err)
{
	array_each(path, paths) {
		struct source source = { .path = *path, .recurse = cli->input.recurse, .ns = ns };

		if (strcmp(*path, "-") == 0 && twice &&
		    keep_stdin(&cli->arena, &source.path, err) < 0)
			return err->code;
		*array_add(&in->sources) = source;
	}
	return 0;
}

static size_t count_stdin(const struct option_list *paths)
{
	size_t n = 0;

	array_each(path, paths)
		n += strcmp(*path, "-") == 0;
	return n;
}

/* The number of arguments that name standard input, the configuration and a plan included. */
static size_t stdin_uses(const struct cli *cli)
{
	return count_stdin(&cli->input.snapshots) + count_stdin(&cli->input.files) +
	       count_stdin(&cli->words) +
	       (cli->input.config && strcmp(cli->input.config, "-") == 0);
}

/* Values of metrics that the optimizers read so far scale by; with `twice`, also as a source. */
static int load_samples(struct cli *cli, bool twice, struct inputs *in, struct loader *loader,
			struct error *err)
{
	struct source source = { 0 };
	int r = live_samples(&in->live, &in->settings.metrics, loader, twice ? &cli->arena : NULL,
			     &source.path, err);

	if (r == 0 && source.path)
		*array_add(&in->sources) = source;
	return r;
}

/* What the optimizers read so far name to be scaled; with `twice`, also as a source. */
static int load_scale_targets(struct cli *cli, bool twice, struct inputs *in, struct loader *loader,
			      struct error *err)
{
	struct source source = { 0 };
	int r = live_scale_targets(&in->live, loader, twice ? &cli->arena : NULL, &source.path,
				   err);

	if (r == 0 && source.path)
		*array_add(&in->sources) = source;
	return r;
}

static int load_files(struct cli *cli, bool twice, struct inputs *in, struct loader *loader,
		      struct error *err)
{
	const struct stage stage = stage_begin("model", NULL);
	int r = loader_files(loader, in->sources.items, in->sources.n, err);

	if (r == 0 && in->is_live)
		r = load_samples(cli, twice, in, loader, err);
	if (r == 0 && in->is_live)
		r = load_scale_targets(cli, twice, in, loader, err);
	if (r == 0)
		loader_finish(loader, &in->cluster);
	loader_free(loader);
	stage_end(&stage);
	return r;
}

/* The server's objects: into a new loader, or with `twice` into a file that is the first source. */
static int load_server(struct cli *cli, bool twice, struct inputs *in, struct loader **ret,
		       struct error *err)
{
	struct source source = { 0 };

	in->is_live = true;
	if (live_open(cli, &in->live, err) < 0)
		return err->code;
	if (!twice)
		return live_load(cli, &in->live, settings_need_usage(&in->settings), ret, err);
	if (live_save(cli, &in->live, settings_need_usage(&in->settings), &cli->arena, &source.path,
		      err) < 0)
		return err->code;
	*array_add(&in->sources) = source;
	*ret = loader_new();
	return 0;
}

int inputs_load(struct cli *cli, bool twice, struct inputs *ret, struct error *err)
{
	const struct input_args *args = &cli->input;
	struct loader *loader = NULL;

	*ret = (struct inputs){ 0 };
	if (stdin_uses(cli) > 1)
		return usage_error(cli, err, "-: standard input can be read only once");
	if (inputs_settings(cli, &ret->settings, err) < 0)
		return err->code;
	ret->settings.migration.enabled |= cli->needs_metrics;
	if (!args->snapshots.n && load_server(cli, twice, ret, &loader, err) < 0)
		return err->code;
	if (!loader)
		loader = loader_new();
	if (add_sources(cli, &args->snapshots, NULL, twice, ret, err) < 0 ||
	    add_sources(cli, &args->files, inputs_default_namespace(cli, ret), twice, ret, err) <
		    0) {
		loader_free(loader);
		return err->code;
	}
	if (load_files(cli, twice, ret, loader, err) < 0)
		return err->code;
	log_v(1, "read %zu nodes, %zu pods, %zu McKubes; skipped %llu other objects",
	      ret->cluster.nodes.n, ret->cluster.pods.n, ret->cluster.mckubes.n,
	      (unsigned long long)ret->cluster.n_skipped);
	return 0;
}

int inputs_plan(const struct inputs *in, struct plan *ret, struct error *err)
{
	const struct stage stage = stage_begin("plan", NULL);
	int r = plan_make(&in->cluster, policies, &in->settings, ret, err);

	stage_end(&stage);
	if (r == 0)
		log_v(1, "plan %s: %zu actions after %llu search steps%s", ret->name,
		      ret->actions.n, (unsigned long long)ret->search.steps,
		      ret->search.is_exact ? "" : ", the limit");
	return r;
}

void inputs_done(struct inputs *in)
{
	live_close(&in->live);
	cluster_done(&in->cluster);
	array_done(&in->sources);
}

const char *inputs_default_namespace(const struct cli *cli, const struct inputs *in)
{
	if (in->is_live)
		return in->live.target.ns;
	return cli->global.ns ? cli->global.ns : "default";
}

const char *inputs_namespace(const struct cli *cli)
{
	return cli->input.all_namespaces ? NULL : cli->global.ns;
}

/* Files. */

int input_read(const char *path, struct str *out, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", out, err);
	return file_read(path, out, err);
}

int input_read_plan(const char *path, struct plan *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(PLAN_MAX_BYTES);

	if (input_read(path, &text, err) < 0)
		return err->code;
	if (plan_read_json(text.s, text.n, ret, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}
