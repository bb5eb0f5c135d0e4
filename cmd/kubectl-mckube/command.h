/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_COMMAND_H
#define MCKUBE_CMD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/option.h"
#include "base/str.h"
#include "output/style.h"

#include "execute.h"
#include "inputs.h"
#include "live.h"

/* What the program tells its caller. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_CHANGES = 2,  /* with --detailed-exitcode: the plan changes something */
	EXIT_UNPLACED = 3, /* with --detailed-exitcode: some pod cannot be placed; beats 2 */
	EXIT_PARTIAL = 4,  /* some actions were executed and some were not */
};

enum { EXIT_SIGNAL = 128 }; /* plus the number of the signal */

/* Options of every command. */
struct global_args {
	bool is_help;
	const char *ns;
	int32_t verbosity;
	int32_t color; /* enum color */
};

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

extern const struct option global_options[];

/* What a command is given: everything that was on the command line, parsed. */
struct cli {
	const struct command *command;
	struct option_set *sets;  /* the command's own, input options if it needs them, global */
	struct option_list words; /* what is no option */
	struct global_args global;
	struct input_args input;
	struct live_args live;
	struct execute_args write;
	struct style style; /* of standard output */
	struct arena arena;
	bool needs_metrics;  /* the command plans moves by what is used, whatever is configured */
	bool is_usage_error; /* the error is about how the program was called */
};

enum {
	NEEDS_INPUT = 1,   /* reads a cluster: has the input options, and those of a server */
	TAKES_RAW = 2,	   /* its words are not options of ours */
	IS_HIDDEN = 4,	   /* is not listed */
	NEEDS_SERVER = 8,  /* talks to an API server: has the options of a connection */
	WRITES = 16,	   /* executes plans: has the options of writing */
	NAMES_OBJECT = 32, /* its argument is KIND/NAME, or the two words */
};

/* A command: one file with one of these, and one row in cli.c. Help, man page and completion
 * come from it. */
struct command {
	const char *name;
	const char *synopsis;	 /* arguments and options: "[PLAN] [options]" */
	const char *summary;	 /* one line, no capital, no full stop */
	const char *description; /* paragraphs, separated by "\n\n" */
	const char *examples;	 /* "# what\ncommand\n"; every command is run by the tests */
	const struct option *options;
	size_t args_size; /* of the struct that they fill */
	unsigned needs;
	unsigned min_words, max_words;
	const char *const *word_kinds; /* what its arguments are, for completion; NULL-terminated */
	int (*run)(struct cli *cli, const void *args, struct error *err); /* exit code or -errno */
};

extern const struct command *const commands[]; /* NULL-terminated */

/* NULL when there is none. */
const struct command *command_find(const char *name);

/* The sets of options that a command takes, their structs inside the cli and a new one for its own;
 * allocated in the cli's arena and ended by a zeroed set. */
struct option_set *command_sets(struct cli *cli, const struct command *command);

/* The first word that is no option and no option's value: the command. argc if there is none. */
int command_index(int argc, char **argv);

/* An error about how the program was called: "See ... --help" follows it. */
int usage_error(struct cli *cli, struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The style of a file descriptor: coloured only on a terminal, unless NO_COLOR is set and not empty
 * (no-color.org) or TERM is "dumb"; `color` overrides all that. Lines are broken only on a
 * terminal. Needs setlocale(LC_CTYPE, "") before. */
struct style terminal_style(int fd, enum color color);

/* Writes to standard output and returns the exit code given, or an error if it did not arrive. */
int print_text(const struct str *text, int code, struct error *err);

extern const char program_name[]; /* "kubectl mckube" */

extern const struct command command_apply, command_complete, command_completion, command_crd,
	command_doctor, command_drain, command_migrate, command_manifests, command_explain,
	command_help, command_man, command_plan, command_policies, command_replay, command_snapshot,
	command_status, command_top, command_uninstall, command_version, command_watch;

#endif
