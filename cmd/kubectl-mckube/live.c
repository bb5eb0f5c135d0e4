/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "output/style.h"
#include "remote/samples.h"
#include "remote/scale_targets.h"
#include "state/load_live.h"

#include "build.h"
#include "command.h"
#include "progress.h"

enum { TURN_MS = 50 };

const struct option live_options[] = {
	OPT_INT(0, "qps", struct live_args, qps, 0, 100000, "N",
		"average limit of requests per second; 0 is no limit", .preset = "50"),
	OPT_INT(0, "burst", struct live_args, burst, 1, 100000, "N",
		"number of requests that may be sent before --qps limits them", .preset = "300"),
	OPT_INT(0, "chunk-size", struct live_args, chunk, 1, 100000, "N",
		"number of objects per page of a list", .preset = "2000"),
	{},
};

static void print_warning(const char *text, void *arg)
{
	AUTO(str_done) struct str out = STR_INIT;

	(void)arg;
	text_add(&out, text);
	fprintf(stderr, "Warning: %s\n", out.s);
}

int live_open(const struct cli *cli, struct live *ret, struct error *err)
{
	const struct kube_environment env = kube_environment();
	struct kube_overrides flags = cli->live.kube;
	const struct http_options options = {
		.user_agent = "kubectl-mckube/v" MCKUBE_VERSION " (" MCKUBE_PLATFORM ")",
		.qps = (uint32_t)cli->live.qps,
		.burst = (uint32_t)cli->live.burst,
		.max_connections = PARALLEL_MAX,
		.on_warning = print_warning,
	};

	*ret = (struct live){ .kube.manager = "kubectl-mckube",
			      .kube.controller = cli->write.operator_name };
	flags.ns = cli->global.ns;
	ret->warnings_are_errors = flags.warnings_are_errors;
	int r = kube_target_load(&flags, &env, &ret->target, err);
	if (r < 0)
		return r;
	if (cli->write.pod_name) {
		snprintf(ret->holder, sizeof(ret->holder), "%s/%s",
			 env.pod_namespace ? env.pod_namespace : ret->target.ns,
			 cli->write.pod_name);
		ret->kube.holder = ret->holder;
	}
	return http_open(&ret->target, &options, &ret->kube.http, err);
}

void live_close(struct live *l)
{
	http_close(l->kube.http);
	kube_target_done(&l->target);
	l->kube.http = NULL;
}

int live_check_warnings(const struct live *l, struct error *err)
{
	size_t n = l->kube.http ? http_warnings(l->kube.http) : 0;

	if (!l->warnings_are_errors || !n)
		return 0;
	return error_set(err, -EPROTO, "%zu warning%s received", n, n == 1 ? "" : "s");
}

int live_load(const struct cli *cli, struct live *l, bool with_metrics, struct loader **ret,
	      struct error *err)
{
	const struct stage stage = stage_begin("read", l->kube.http);
	int r = load_live(&l->kube, l->target.cluster.server, (uint32_t)cli->live.chunk,
			  with_metrics, ret, err);

	stage_end(&stage);
	return r;
}

/* The path that opens an open file again. */
static const char *path_of(struct arena *arena, FILE *f)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(f));
	return arena_strndup(arena, path, strlen(path));
}

int live_save(const struct cli *cli, struct live *l, bool with_metrics, struct arena *arena,
	      const char **ret_path, struct error *err)
{
	const struct stage stage = stage_begin("read", l->kube.http);
	FILE *f = tmpfile();

	if (!f)
		return error_errno(err, "temporary file");
	int r = save_live(&l->kube, l->target.cluster.server, (uint32_t)cli->live.chunk,
			  with_metrics, f, err);
	if (r == 0 && (fflush(f) != 0 || ferror(f)))
		r = error_errno(err, "temporary file");
	stage_end(&stage);
	if (r < 0) {
		fclose(f);
		return r;
	}
	*ret_path = path_of(arena, f);
	return 0;
}

static int save_objects(const char *const *objects, size_t n, struct arena *arena,
			const char **ret_path, struct error *err)
{
	FILE *f = tmpfile();

	if (!f)
		return error_errno(err, "temporary file");
	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? ",\n" : "\n", objects[i]);
	fputs("\n]}\n", f);
	if (fflush(f) != 0 || ferror(f)) {
		int r = error_errno(err, "temporary file");

		fclose(f);
		return r;
	}
	*ret_path = path_of(arena, f);
	return 0;
}

/* Into the loader, and with an arena into a file that *ret_path opens. */
static int keep_objects(const char *const *objects, size_t n, const char *what,
			struct loader *loader, struct arena *arena, const char **ret_path,
			struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = loader_object(loader, slice_of(objects[i]), what, err);
	if (r == 0 && arena)
		r = save_objects(objects, n, arena, ret_path, err);
	return r;
}

int live_scale_targets(struct live *l, struct loader *loader, struct arena *arena,
		       const char **ret_path, struct error *err)
{
	const struct cluster *c = loader_cluster(loader);
	size_t n;

	if (!scale_targets_are_wanted(c))
		return 0;
	const struct stage stage = stage_begin("scale targets", l->kube.http);
	struct scale_targets *t = scale_targets_new(&l->kube);

	scale_targets_ask(t, c);
	while (scale_targets_run(t, TURN_MS))
		;
	const char *const *objects = scale_targets_objects(t, &n);
	int r = keep_objects(objects, n, "scale targets", loader, arena, ret_path, err);
	scale_targets_free(t);
	stage_end(&stage);
	return r;
}

int live_samples(struct live *l, const struct metrics_settings *settings, struct loader *loader,
		 struct arena *arena, const char **ret_path, struct error *err)
{
	const struct cluster *c = loader_cluster(loader);
	size_t n;

	if (!samples_are_wanted(c, settings))
		return 0;
	const struct stage stage = stage_begin("metrics", l->kube.http);
	struct samples *s = samples_new(settings, &l->kube);

	samples_ask(s, c, time(NULL));
	while (samples_run(s, TURN_MS))
		;
	const char *const *objects = samples_objects(s, &n);
	int r = keep_objects(objects, n, "metrics", loader, arena, ret_path, err);
	samples_free(s);
	stage_end(&stage);
	return r;
}
