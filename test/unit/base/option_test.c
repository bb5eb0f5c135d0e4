/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static const char *const colors[] = { "auto", "always", "never", NULL };
static const char *const modes[] = { "none", "client", "server", NULL };
static const char *const outputs[] = { "table", "json", NULL };

struct args {
	bool all, recurse;
	const char *ns, *config;
	struct option_list files, groups;
	int32_t color, output, dry_run, moves, verbosity;
	int64_t timeout;
	uint32_t ratio;
	uint8_t small;
};

static const struct option options[] = {
	OPT_BOOL('A', "all-namespaces", struct args, all, "every namespace"),
	OPT_BOOL('R', "recursive", struct args, recurse, "folders below too"),
	OPT_STRING('n', "namespace", struct args, ns, "NAME", "only this namespace"),
	OPT_STRING(0, "config", struct args, config, "FILE", "settings"),
	OPT_STRINGS('f', "filename", struct args, files, "FILE", "objects"),
	OPT_LIST(0, "groups", struct args, groups, "NAMES", "some names"),
	OPT_ENUM('o', "output", struct args, output, outputs, "FORMAT", "output format"),
	OPT_ENUM(0, "dry-run", struct args, dry_run, modes, "MODE", "write nothing",
		 .bare = "client", .preset = "none"),
	OPT_INT(0, "max-moves", struct args, moves, 0, 10000, "N", "stop after N moves",
		.preset = "50"),
	OPT_INT('v', "v", struct args, verbosity, 0, 10, "LEVEL", "say more"),
	OPT_DURATION(0, "timeout", struct args, timeout, "give up after this time"),
	OPT_RATIO(0, "ratio", struct args, ratio, 10000, 1000000, "a share", .preset = "0.9"),
	OPT_INT(0, "small", struct args, small, 0, 255, "N", "one byte", .is_hidden = true),
	{},
};

static const struct option common[] = {
	OPT_ENUM(0, "color", struct args, color, colors, "WHEN", "colour", .preset = "auto"),
	{},
};

/* A parsed command line, and the error of one that was refused. */
struct run {
	struct args args, shared;
	struct option_set sets[3];
	struct option_list rest;
	struct arena arena;
	struct error err;
	int code;
};

static void run_done(struct run *r)
{
	option_done(r->sets);
	array_done(&r->rest);
	arena_done(&r->arena);
}

static void parse(struct run *r, const char *const *words)
{
	int n = 0;

	*r = (struct run){ .sets = { { "Options", options, &r->args },
				     { "Common", common, &r->shared } } };
	while (words[n])
		n++;
	r->code = option_parse(r->sets, n, (char **)words, &r->arena, &r->rest, &r->err);
}

#define PARSE(r, ...)  \
	AUTO(run_done) \
	struct run r;  \
	parse(&r, (const char *const[]){ __VA_ARGS__, NULL })

static void refused(const char *message, const char *const *words)
{
	AUTO(run_done) struct run r;

	parse(&r, words);
	assert_int_equal(r.code, -EINVAL);
	assert_string_equal(r.err.msg, message);
}

#define REFUSED(message, ...) refused(message, (const char *const[]){ __VA_ARGS__, NULL })

TEST(presets_hold_without_options)
{
	PARSE(r, "one");
	assert_int_equal(r.code, 0);
	assert_int_equal(r.args.moves, 50);
	assert_int_equal(r.args.ratio, 900000);
	assert_int_equal(r.args.dry_run, 0);
	assert_null(r.args.ns);
	assert_int_equal(r.rest.n, 1);
}

TEST(value_may_stand_anywhere)
{
	static const char *const spellings[][4] = {
		{ "--namespace=x" }, { "--namespace", "x" }, { "-nx" },	  { "-n=x" }, { "-n", "x" },
		{ "-Anx" },	     { "-An", "x" },	     { "-An=x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		AUTO(run_done) struct run r;

		parse(&r, spellings[i]);
		assert_int_equal(r.code, 0);
		assert_string_equal(r.args.ns, "x");
		assert_int_equal(r.rest.n, 0);
	}
}

TEST(options_and_arguments_mix)
{
	PARSE(r, "a", "-A", "b", "--color", "never", "-", "--", "-R", "--x");
	assert_int_equal(r.code, 0);
	assert_true(r.args.all);
	assert_false(r.args.recurse);
	assert_int_equal(r.shared.color, 2);
	assert_int_equal(r.rest.n, 5);
	assert_string_equal(r.rest.items[2], "-");
	assert_string_equal(r.rest.items[3], "-R");
	assert_string_equal(r.rest.items[4], "--x");
}

TEST(bools_group_and_take_values_by_sign_only)
{
	PARSE(r, "-AR", "--all-namespaces=false", "true");
	assert_int_equal(r.code, 0);
	assert_false(r.args.all);
	assert_true(r.args.recurse);
	assert_int_equal(r.rest.n, 1);

	PARSE(s, "-A=F", "-R=T");
	assert_false(s.args.all);
	assert_true(s.args.recurse);
}

TEST(a_value_may_look_like_an_option)
{
	PARSE(r, "-n", "-A", "--config", "--", "--ratio=1");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.args.ns, "-A");
	assert_string_equal(r.args.config, "--");
	assert_false(r.args.all);
	assert_int_equal(r.args.ratio, 1000000);
}

TEST(short_option_with_an_empty_value_is_pflags)
{
	PARSE(r, "-n=");
	assert_string_equal(r.args.ns, "=");
	PARSE(s, "--namespace=");
	assert_string_equal(s.args.ns, "");
}

TEST(optional_value_needs_its_sign)
{
	PARSE(r, "--dry-run", "server");
	assert_int_equal(r.args.dry_run, 1);
	assert_int_equal(r.rest.n, 1);
	PARSE(s, "--dry-run=server");
	assert_int_equal(s.args.dry_run, 2);
}

TEST(lists_grow)
{
	PARSE(r, "-f", "a,b", "--filename=c", "--groups=x,y", "--groups", "\"p,\"\"q\",z");
	assert_int_equal(r.code, 0);
	assert_int_equal(r.args.files.n, 2);
	assert_string_equal(r.args.files.items[0], "a,b");
	assert_int_equal(r.args.groups.n, 4);
	assert_string_equal(r.args.groups.items[2], "p,\"q");
	assert_string_equal(r.args.groups.items[3], "z");
}

TEST(a_share_may_be_given_in_per_cent)
{
	static const struct {
		const char *flag;
		uint32_t ppm;
	} rows[] = { { "--ratio=85%", 850000 },
		     { "--ratio=72.5%", 725000 },
		     { "--ratio=1%", 10000 },
		     { "--ratio=100%", 1000000 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		PARSE(r, rows[i].flag);
		assert_int_equal(r.args.ratio, rows[i].ppm);
	}
	REFUSED("invalid argument \"0.85%\" for \"--ratio\" flag: must be a number from 0.01 to 1",
		"--ratio=0.85%");
	REFUSED("invalid argument \"85%%\" for \"--ratio\" flag: must be a number from 0.01 to 1",
		"--ratio=85%%");
}

TEST(durations_are_gos)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "--timeout=0", 0 },
		{ "--timeout=5", 5000000000 },
		{ "--timeout=1s", 1000000000 },
		{ "--timeout=2m", 120000000000 },
		{ "--timeout=1h2m3.5s", 3723500000000 },
		{ "--timeout=250ms", 250000000 },
		{ "--timeout=.5m", 30000000000 },
		{ "--timeout=7us", 7000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		PARSE(r, cases[i].text);
		assert_int_equal(r.code, 0);
		assert_int_equal(r.args.timeout, cases[i].ns);
	}
}

TEST(mistakes_are_named)
{
	REFUSED("unknown flag: --foo", "--foo");
	REFUSED("unknown flag: --namespac (did you mean --namespace?)", "--namespac=x");
	REFUSED("unknown flag: --name (did you mean --namespace?)", "--name", "x");
	REFUSED("unknown shorthand flag: 'z' in -z", "-z");
	REFUSED("unknown shorthand flag: 'z' in -zq", "-Azq");
	REFUSED("bad flag syntax: ---x", "---x");
	REFUSED("bad flag syntax: --=x", "--=x");
	REFUSED("flag needs an argument: --namespace", "a", "--namespace");
	REFUSED("flag needs an argument: 'n' in -n", "-An");
	REFUSED("invalid argument \"2\" for \"-A, --all-namespaces\" flag: must be true or false",
		"-A=2");
	REFUSED("invalid argument \"xml\" for \"-o, --output\" flag: must be one of table|json",
		"-oxml");
	REFUSED("invalid argument \"10001\" for \"--max-moves\" flag: "
		"must be a whole number from 0 to 10000",
		"--max-moves=10001");
	REFUSED("invalid argument \" 1\" for \"--max-moves\" flag: "
		"must be a whole number from 0 to 10000",
		"--max-moves", " 1");
	REFUSED("invalid argument \"99999999999999999999\" for \"-v, --v\" flag: "
		"must be a whole number from 0 to 10",
		"-v99999999999999999999");
	REFUSED("invalid argument \"1x\" for \"--timeout\" flag: "
		"must be a time such as 500ms, 10s or 1m30s",
		"--timeout=1x");
	REFUSED("invalid argument \"-1s\" for \"--timeout\" flag: "
		"must be a time such as 500ms, 10s or 1m30s",
		"--timeout=-1s");
	REFUSED("invalid argument \"9999999999h\" for \"--timeout\" flag: "
		"must be a time such as 500ms, 10s or 1m30s",
		"--timeout=9999999999h");
	REFUSED("invalid argument \"1.1\" for \"--ratio\" flag: must be a number from 0.01 to 1",
		"--ratio=1.1");
	REFUSED("invalid argument \"\"a\" for \"--groups\" flag: has an open or misplaced quote",
		"--groups=\"a");
}

TEST(text_of_an_error_is_harmless)
{
	REFUSED("unknown flag: --?[31mx", "--\033[31mx");
}

TEST(help_shows_what_a_value_may_be)
{
	AUTO(str_done) struct str out = STR_INIT;

	option_help(options, 60, &out);
	assert_non_null(strstr(out.s, "  -A, --all-namespaces        every namespace\n"));
	assert_non_null(strstr(out.s, "      --dry-run[=MODE]        write nothing:\n"
				      "                              none|client|server (default\n"
				      "                              none)\n"));
	assert_non_null(strstr(out.s, "0.01 to 1 (default"));
	assert_null(strstr(out.s, "small"));
}

TEST(man_page_escapes_dashes)
{
	AUTO(str_done) struct str out = STR_INIT;

	option_man(common, &out);
	assert_string_equal(out.s, ".TP\n.B \\-\\-color WHEN\n"
				   "colour: auto|always|never (default auto)\n");
}

static const struct option *awaiting(const char *const *words, const char **ret_value)
{
	struct option_set sets[] = { { "Options", options, NULL }, {} };
	bool is_argument;
	int n = 0;

	while (words[n])
		n++;
	return option_awaiting(sets, n, (char **)words, ret_value, &is_argument);
}

TEST(last_word_may_be_a_value)
{
	static const char *const values[][5] = {
		{ "plan", "--output", "js" }, { "--output=js" }, { "-ojs" },
		{ "-A", "-o", "js" },	      { "-o=js" },	 { "--unknown", "-Ao", "js" },
	};
	static const char *const others[][4] = {
		{ "js" },	{ "--output", "js", "" }, { "-A", "js" }, { "--dry-run", "js" },
		{ "--output" }, { "--", "-o", "js" },
	};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_ptr_equal(awaiting(values[i], &value), &options[6]);
		assert_string_equal(value, "js");
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_null(awaiting(others[i], &value));
}

TEST(words_are_completed)
{
	struct option_set sets[] = { { "Options", options, NULL }, { "Common", common, NULL }, {} };
	AUTO(str_done) struct str out = STR_INIT;

	option_complete(sets, "--co", &out);
	assert_string_equal(out.s, "--config\tsettings\n--color\tcolour\n");
	str_clear(&out);
	option_complete_value(&options[6], "t", &out);
	assert_string_equal(out.s, "table\n");
	str_clear(&out);
	option_complete_value(&options[0], "", &out);
	assert_string_equal(out.s, "true\nfalse\n");
}
