/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_OPTION_H
#define MCKUBE_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/str.h"

/* Command-line options as a table: a row names an option and the field of a struct that it fills.
 * Parsing, help text, man page and completion come from the same rows, and so do the keys of the
 * configuration file (objects/config.h).
 *
 *	static const struct option plan_options[] = {
 *		OPT_STRING('n', "namespace", struct plan_args, ns, "NAME", "only this namespace"),
 *		OPT_INT(0, "limit", struct plan_args, limit, 0, 100, "N", "stop after N",
 *			.preset = "10"),
 *		{},
 *	};
 *	struct plan_args args = { 0 };
 *	struct option_set sets[] = { { "Options", plan_options, &args }, {} };
 *	option_parse(sets, argc, argv, &arena, &rest, &err);
 *
 * The syntax is that of kubectl, which is github.com/spf13/pflag's: `--name=v`, `--name v`, `-nv`,
 * `-n=v`, `-n v`, letters without values in a group (`-AR`); options and arguments in any order;
 * `--` ends the options; names are never abbreviated; a bool takes no separate value (`--b=false`,
 * never `--b false`). */

enum option_kind {
	OPTION_BOOL,	/* bool; 1 t T TRUE true True 0 f F FALSE false False */
	OPTION_STRING,	/* const char *; NULL when not given */
	OPTION_STRINGS, /* struct option_list; each use adds one value */
	OPTION_LIST, /* struct option_list; each use adds values separated by commas, "a,b" quoted
		      */
	OPTION_INT,  /* integer between min and max */
	OPTION_DURATION, /* int64_t, nanoseconds; "1m30s", "250ms", or whole seconds */
	OPTION_RATIO,	 /* integer, parts per million between min and max; "0.95", "1", "95%" */
	OPTION_ENUM,	 /* integer, index into choices */
	OPTION_CHARS,	 /* char[size], a NUL included; "" when not given */
};

/* Values are the strings of argv or of the arena; only the array itself is freed (array_done). */
struct option_list {
	const char **items;
	size_t n, cap;
};

struct option {
	const char *name; /* without dashes; NULL ends a table */
	char letter;	  /* 0: none */
	uint8_t kind;	  /* enum option_kind */
	bool is_hidden;	  /* works, but is neither shown nor completed */
	size_t offset;	  /* of the field */
	size_t size;	  /* of the field: integers may have 1, 4 or 8 bytes */
	int64_t min, max;
	const char *const *choices; /* NULL-terminated; for a string only what completes it */
	const char *preset;	    /* the value without the option, as text; NULL: all zeros */
	const char *bare;	    /* makes the value optional: `--name` alone means this */
	const char *arg;	    /* what the help calls the value */
	const char *complete;	    /* a word for completion: "file", "namespace" */
	const char *help;
};

#define OPTION_ROW(kind_, letter_, name_, type, field, help_, ...)                   \
	{                                                                            \
		.name = (name_), .letter = (letter_), .kind = (kind_),               \
		.offset = offsetof(type, field), .size = sizeof(((type *)0)->field), \
		.help = (help_), __VA_ARGS__                                         \
	}

/* Further members may be set behind the help text: OPT_STRING(..., "help", .preset = "x"). */
#define OPT_BOOL(letter, name, type, field, help, ...) \
	OPTION_ROW(OPTION_BOOL, letter, name, type, field, help, .bare = "true", ##__VA_ARGS__)
#define OPT_STRING(letter, name, type, field, arg_, help, ...) \
	OPTION_ROW(OPTION_STRING, letter, name, type, field, help, .arg = (arg_), ##__VA_ARGS__)
#define OPT_STRINGS(letter, name, type, field, arg_, help, ...) \
	OPTION_ROW(OPTION_STRINGS, letter, name, type, field, help, .arg = (arg_), ##__VA_ARGS__)
#define OPT_LIST(letter, name, type, field, arg_, help, ...) \
	OPTION_ROW(OPTION_LIST, letter, name, type, field, help, .arg = (arg_), ##__VA_ARGS__)
#define OPT_INT(letter, name, type, field, min_, max_, arg_, help, ...)                       \
	OPTION_ROW(OPTION_INT, letter, name, type, field, help, .min = (min_), .max = (max_), \
		   .arg = (arg_), ##__VA_ARGS__)
#define OPT_DURATION(letter, name, type, field, help, ...) \
	OPTION_ROW(OPTION_DURATION, letter, name, type, field, help, .arg = "TIME", ##__VA_ARGS__)
#define OPT_RATIO(letter, name, type, field, min_, max_, help, ...)                             \
	OPTION_ROW(OPTION_RATIO, letter, name, type, field, help, .min = (min_), .max = (max_), \
		   .arg = "RATIO", ##__VA_ARGS__)
#define OPT_ENUM(letter, name, type, field, choices_, arg_, help, ...)          \
	OPTION_ROW(OPTION_ENUM, letter, name, type, field, help, .arg = (arg_), \
		   .choices = (choices_), ##__VA_ARGS__)

#define OPT_CHARS(letter, name, type, field, arg_, help, ...) \
	OPTION_ROW(OPTION_CHARS, letter, name, type, field, help, .arg = (arg_), ##__VA_ARGS__)

/* Some options, and the struct that they fill. A program has several sets: a command's own and
 * those that all commands share. An array of sets ends with a zeroed one. */
struct option_set {
	const char *title; /* heads them in the help */
	const struct option *options;
	void *values;
};

/* Fills the structs, which come zeroed: presets first, then what argv says (argv[0] is a word like
 * the others). What is no option is added to ret_args. Lists that were filled are released with
 * option_done(), also after an error. Errors are worded as kubectl words them:
 * "unknown flag: --foo". */
int option_parse(struct option_set *sets, int argc, char **argv, struct arena *arena,
		 struct option_list *ret_args, struct error *err);
void option_done(struct option_set *sets);

/* The option of which the last of argc words, still being typed, is the value: "--output", "js" or
 * "--output=js" or "-ojs". *ret_value is that part of the word. NULL: it is no value.
 * *ret_is_argument turns true when the word comes after "--". */
const struct option *option_awaiting(const struct option_set *sets, int argc, char **argv,
				     const char **ret_value, bool *ret_is_argument);

/* One value (base/option_value.c). The error says only what the value must be, "must be a number
 * from 1 to 5": the caller puts before it where the value stands. Text is kept by address, except
 * that a list's values are copied to the arena. */
int option_set_value(const struct option *o, void *values, const char *text, struct arena *arena,
		     struct error *err);
void option_preset(const struct option *options, void *values, struct arena *arena);

/* Text (base/option_help.c). */

/* "  -o, --output FORMAT   help ..." per option, in lines of at most `width` columns. */
void option_help(const struct option *options, unsigned width, struct str *out);
/* The same as man-page source. */
void option_man(const struct option *options, struct str *out);
/* "-o, --output", as errors name an option. */
void option_label(const struct option *o, struct str *out);
/* What the value may be: "auto|always|never", "0 to 10"; nothing for free text. */
void option_domain(const struct option *o, struct str *out);
/* Words that complete `word`, one a line, with a tab and the help text behind: options when it
 * begins with '-'. */
void option_complete(const struct option_set *sets, const char *word, struct str *out);
/* The same for the value of o: its choices. */
void option_complete_value(const struct option *o, const char *value, struct str *out);

#endif
