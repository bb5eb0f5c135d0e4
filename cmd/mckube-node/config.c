/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "node/rt_operator.h"
#include "node/sysfs.h"

enum { FILE_MAX = 1 << 20 };

static void take(const struct rt_operator *c, struct run_args *args, struct common_args *common)
{
	if (c->log_level != RT_OPERATOR_SILENT && !common->verbosity)
		log_set_level(c->log_level);
	if (c->cgroup_handler && strcmp(common->backend, "auto") == 0)
		common->backend = c->cgroup_handler;
	if (!args->kubeconfig)
		args->kubeconfig = c->kube_path;
	if (!args->node_name)
		args->node_name = c->node_name;
	if (!args->capacity_us)
		args->capacity_us = c->cgroup_v1_capacity;
}

int config_read(const char *path, struct run_args *args, struct common_args *common,
		struct arena *arena, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	struct rt_operator config;

	if (file_read(path, &text, err) < 0)
		return err->code;
	if (rt_operator_parse(text.s, text.n, arena, &config, err) < 0)
		return error_wrap(err, "%s", path);
	take(&config, args, common);
	return 0;
}
