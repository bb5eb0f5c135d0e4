/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_COMMAND_H
#define MCKUBE_NODE_CMD_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/option.h"
#include "node/backend/backend.h"
#include "node/kernel.h"

/* Options that all commands share. */
struct common_args {
	const char *cgroup_root, *proc_root, *sys_root;
	const char *backend;
	int verbosity;
	bool is_help;
};

/* What a command gets besides its own options. */
struct context {
	const struct common_args *common;
	const struct option_list *args; /* arguments that are not options */
	struct arena *arena;
	FILE *out;
	/* For the commands that are about all commands. */
	const struct command *const *commands; /* NULL at the end */
	const struct option *common_options;
	struct words {
		int n;
		char **items;
	} words; /* of a command with takes_words */
};

/* A command's options fill its struct; it prints to ctx->out and returns an error. Returns 0 or a
 * negative errno. */
struct command {
	const char *name, *summary;
	const char *usage; /* arguments, as the help shows them */
	const struct option *options;
	size_t size;		 /* of the struct that the options fill */
	bool takes_words;	 /* its arguments are not options */
	const char *description; /* for the manual page; NULL: the summary */
	int (*run)(const struct context *ctx, void *values, struct error *err);
};

extern const struct command command_check, command_complete, command_man, command_run,
	command_seccomp, command_set_rt, command_status, command_version;

/* Neither listed nor completed: used by scripts and the build. */
static inline bool command_is_hidden(const struct command *c)
{
	return c->name[0] == '_';
}

/* Probes the kernel at the roots of the options and chooses the backend. */
int context_probe(const struct context *ctx, struct kernel *ret_kernel,
		  const struct backend **ret_backend, struct error *err);

#endif
