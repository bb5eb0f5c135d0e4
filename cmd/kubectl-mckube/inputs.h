/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_INPUTS_H
#define MCKUBE_CMD_INPUTS_H

#include <stdbool.h>

#include "base/array.h"
#include "base/error.h"
#include "base/option.h"
#include "base/str.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "plan/plan.h"
#include "state/reader.h"

#include "live.h"

/* Options of the commands that read a cluster. */
struct input_args {
	struct option_list snapshots, files, policies;
	const char *config;
	const char *prometheus_url, *prometheus_ca, *prometheus_token_file, *prometheus_timeout;
	bool recurse, all_namespaces;
};

extern const struct option input_options[];

/* What a pass works on. */
struct inputs {
	struct cluster cluster;
	struct settings settings;
	ARRAY(struct source) sources; /* snapshots, then files that overlay them */
	struct live live;	      /* where there is no snapshot: the API server */
	bool is_live;
};

struct cli;

/* The configuration alone: flags win over environment over file over defaults. */
int inputs_settings(const struct cli *cli, struct settings *ret, struct error *err);

/* Reads the configuration and then the cluster: the snapshots, or where there are none an API
 * server, with the files on top. With `twice` the sources can be read again afterwards: what stands
 * on standard input, or comes from a server, is kept. Released with inputs_done(), also after an
 * error. */
int inputs_load(struct cli *cli, bool twice, struct inputs *ret, struct error *err);
void inputs_done(struct inputs *in);

/* The plan of one pass over it. */
int inputs_plan(const struct inputs *in, struct plan *ret, struct error *err);

/* The namespace of what is named without one: of the flag, the context, "default". */
const char *inputs_default_namespace(const struct cli *cli, const struct inputs *in);

/* The namespace that listings are limited to; NULL: all. */
const char *inputs_namespace(const struct cli *cli);

/* As file_read(); "-" is standard input. */
int input_read(const char *path, struct str *out, struct error *err);

int input_read_plan(const char *path, struct plan *ret, struct error *err);

#endif
