/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node set-rt: the budget of one container. */
#include "node/set_rt.h"

#include <errno.h>
#include <string.h>

#include "command.h"

struct set_rt_args {
	const char *container, *core;
	int64_t period_us, runtime_us, capacity_us;
	bool is_runtime_only;
};

static const struct option set_rt_options[] = {
	OPT_STRING(0, "container", struct set_rt_args, container, "ID",
		   "the container, with or without containerd://"),
	OPT_INT(0, "period", struct set_rt_args, period_us, 0, PERIOD_MAX_US, "US",
		"period in microseconds", .preset = "1000000"),
	OPT_INT(0, "runtime", struct set_rt_args, runtime_us, 0, PERIOD_MAX_US, "US",
		"budget in each period", .preset = "0"),
	OPT_STRING(0, "core", struct set_rt_args, core, "CPUS",
		   "pin the container to these CPUs, too"),
	OPT_BOOL(0, "only-runtime", struct set_rt_args, is_runtime_only, "keep the period"),
	OPT_INT(0, "capacity", struct set_rt_args, capacity_us, 0, 1000000, "US",
		"upper limit for kubepods' CPU bandwidth, us of a second; 0: the kernel's",
		.preset = "0"),
	{},
};

static int set_rt_run(const struct context *ctx, void *values, struct error *err)
{
	const struct set_rt_args *args = values;
	struct set_rt s = {
		.period_us = args->period_us,
		.runtime_us = args->runtime_us,
		.is_runtime_only = args->is_runtime_only,
		.has_cores = args->core,
	};
	const struct backend *b;
	struct kernel k;

	if (!args->container)
		return error_set(err, -EINVAL, "--container: is missing");
	if (container_id(args->container, s.container, err) < 0 || set_rt_check(&s, err) < 0)
		return err->code;
	if (args->core && cpuset_parse(args->core, strlen(args->core), &s.cores, err) < 0)
		return error_wrap(err, "--core");
	if (context_probe(ctx, &k, &b, err) < 0)
		return err->code;
	return set_rt_apply(&s, &k, b, args->capacity_us, err);
}

const struct command command_set_rt = {
	.name = "set-rt",
	.summary = "Set the budget of one container once",
	.options = set_rt_options,
	.size = sizeof(struct set_rt_args),
	.run = set_rt_run,
};
