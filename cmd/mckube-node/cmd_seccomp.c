/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node seccomp: the helper's seccomp profile in the format of container runtimes. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/file.h"
#include "command.h"
#include "seccomp_text.h"

struct seccomp_args {
	const char *install;
};

static const struct option seccomp_options[] = {
	OPT_STRING(
		0, "install", struct seccomp_args, install, "DIR",
		"write the profile to DIR/mckube-node.json, for localhostProfile: mckube-node.json",
		.complete = "directory"),
	{},
};

static int install(const char *folder, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/mckube-node.json", folder);

	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", folder);
	return file_write(path, (struct slice){ seccomp_text, sizeof(seccomp_text) }, err);
}

static int seccomp_run(const struct context *ctx, void *values, struct error *err)
{
	const struct seccomp_args *args = values;

	if (args->install)
		return install(args->install, err);
	fwrite(seccomp_text, 1, sizeof(seccomp_text), ctx->out);
	return 0;
}

const struct command command_seccomp = {
	.name = "seccomp",
	.summary = "Print the seccomp profile that `run` needs, or install it",
	.options = seccomp_options,
	.size = sizeof(struct seccomp_args),
	.run = seccomp_run,
};
