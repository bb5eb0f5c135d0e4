/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_INPUTS_H
#define MCKUBE_CMD_INPUTS_H

#include <stdbool.h>

#include "base/array.h"
#include "base/error.h"
#include "base/option.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "state/reader.h"

/* Options of the commands that read a cluster. */
struct input_args {
	struct option_list snapshots, files, policies;
	const char *config;
	bool recurse, all_namespaces;
};

extern const struct option input_options[];

/* What a pass works on. */
struct inputs {
	struct cluster cluster;
	struct settings settings;
	ARRAY(struct source) sources; /* snapshots, then files that lie on top of them */
};

struct cli;

/* Reads the configuration and then the cluster. With `twice` what stands on standard input is kept,
 * so that the sources can be read again. Released with inputs_done(), also after an error. */
int inputs_load(struct cli *cli, bool twice, struct inputs *ret, struct error *err);
void inputs_done(struct inputs *in);

/* The namespace that listings are limited to; NULL: all. */
const char *inputs_namespace(const struct cli *cli);

#endif
