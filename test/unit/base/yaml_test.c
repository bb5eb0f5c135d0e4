/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

static void reads_as(const char *yaml, const char *json)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct error err = ERROR_INIT;

	if (yaml_to_json(yaml, strlen(yaml), NULL, &out, &err) < 0)
		fail_msg("%s: %s", yaml, err.msg);
	assert_string_equal(out.s, json);
}

/* Expectations are what kubectl 1.32 prints for these (label --local -o json). */
TEST(scalars_have_kubectls_types)
{
	reads_as(
		"[y, n, Y, yes, on, off, Off, 'yes', ~, null, Null, '', true, yEs]",
		"[true,false,true,true,true,false,false,\"yes\",null,null,null,\"\",true,\"yEs\"]");
	reads_as("[010, 0o10, 0x1F, 0b11, 1_000, +1, -0, 08, 0X1F, 0O17, 0B1, -010, 0_1, 1_]",
		 "[8,8,31,3,1000,1,0,8,31,15,1,-8,1,1]");
	reads_as("[1e3, 1.0, 1., .5, -.5, 0.1, 1e21, 1e20, 1e-7, 123456789.123, 09.5, 1.e5]",
		 "[1000,1,1,0.5,-0.5,0.1,1e+21,100000000000000000000,1e-7,123456789.123,9.5,"
		 "100000]");
	reads_as("[9223372036854775807, 18446744073709551615, -9223372036854775808]",
		 "[9223372036854775807,18446744073709551615,-9223372036854775808]");
	reads_as("[99999999999999999999, -9223372036854775809]",
		 "[100000000000000000000,-9223372036854776000]");
	reads_as("[2001-01-01, 190:20:30, 0x, 0b2, 1e, 1e400, _1, .e5, =, +, -, .inf_]",
		 "[\"2001-01-01\",\"190:20:30\",\"0x\",\"0b2\",\"1e\",\"1e400\",\"_1\",\".e5\","
		 "\"=\",\"+\",\"-\",\".inf_\"]");
	reads_as("[!!str 12, !!int '12', !!float 1, !!binary aGk=, !own x, !!null '']",
		 "[\"12\",12,1,\"aGk=\",\"x\",null]");
}

TEST(keys_become_strings)
{
	reads_as("{1: a, 1.5: b, true: c, 0x10: d}",
		 "{\"1\":\"a\",\"1.5\":\"b\",\"true\":\"c\",\"16\":\"d\"}");
	reads_as("&k foo: {*k : 1}", "{\"foo\":{\"foo\":1}}");
}

TEST(the_last_of_equal_keys_wins)
{
	reads_as("a: 1\nb: 2\na: 3\n", "{\"b\":2,\"a\":3}");
	reads_as("0x1: a\n1: b\n", "{\"1\":\"b\"}");
	reads_as("{a: {x: 1, x: 2}, a: {z: 1}}", "{\"a\":{\"z\":1}}");
}

/* A merge stands for its members at its place: kubectl lets it win over keys before it. */
TEST(anchors_and_merges_are_resolved)
{
	reads_as("a: &x {p: [1, 2]}\nb: *x\n", "{\"a\":{\"p\":[1,2]},\"b\":{\"p\":[1,2]}}");
	reads_as("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  p: 9\n",
		 "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":2,\"p\":9}}");
	reads_as("{p: 9, <<: {p: 1, q: 2}}", "{\"p\":1,\"q\":2}");
	reads_as("a: &a {p: 1}\nb: &b {p: 2, t: 3}\nc: {<<: [*a, *b]}\n",
		 "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"t\":3},\"c\":{\"t\":3,\"p\":1}}");
	reads_as("{'<<': 1}", "{\"<<\":1}");
	reads_as("[<<]", "[\"<<\"]");
	reads_as("[&a 1, &a 2, *a]", "[1,2,2]");
}

TEST(block_text_keeps_its_lines)
{
	reads_as("a: |\n  x\n   y\nb: >-\n  c\n  d\n", "{\"a\":\"x\\n y\\n\",\"b\":\"c d\"}");
}

static int collect(struct slice json, uint32_t document, uint32_t line, void *arg,
		   struct error *err)
{
	(void)err;
	str_addf(arg, "%u@%u %.*s;", document, line, (int)json.n, json.s);
	return 0;
}

TEST(documents_are_counted_and_empty_ones_passed_over)
{
	static const char text[] = "---\n---\na: 1\n---\n# nothing\n--- null\n---\n- b\n...\n";
	AUTO(str_done) struct str seen = STR_INIT;

	assert_int_equal(yaml_each(text, sizeof(text) - 1, NULL, collect, &seen, NULL), 0);
	assert_string_equal(seen.s, "2@3 {\"a\":1};5@8 [\"b\"];");
	reads_as("a: 1\n---\n}{\n", "{\"a\":1}");
	reads_as("", "null");
	reads_as("# only a comment\n", "null");
}

TEST(bad_yaml_names_the_line)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "a: 1\nb: [*x]\n", "line 2: an alias of an anchor that is not there" },
		{ "a: &x [*x]", "line 1: an alias stands inside what it names" },
		{ "a: 1\nb: {c\n", "line " },
		{ "a:\n\t- b\n", "line 2: " },
		{ "? [a]\n: b\n", "line 1: a key that is neither text nor a number" },
		{ "~: 1\n", "line 1: a key that is neither" },
		{ "a: 1\nb: .inf\n", "line 2: .inf is not a number in JSON" },
		{ "a: !!int foo\n", "line 1: 'foo' is not what its tag" },
		{ "a: 1\n<<: 3\n", "line 2: the value of << is not a mapping" },
		{ "a: \"x\\0y\"\n", "line 1: a NUL character" },
		{ "a: \x01\n", "byte 3: control characters are not allowed" },
		{ "a: \xff\n", "byte 3: " },
		{ "%YAML 3.0\n---\na\n", "line 1: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(str_done) struct str out = STR_INIT;
		struct error err = ERROR_INIT;

		assert_true(yaml_to_json(bad[i].text, strlen(bad[i].text), NULL, &out, &err) < 0);
		if (strncmp(err.msg, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %s, not %s", bad[i].text, err.msg, bad[i].why);
		assert_int_equal(out.n, 0);
	}
}

static void refused(const struct str *text, const struct yaml_limits *limits, const char *why)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct error err = ERROR_INIT;

	assert_true(yaml_to_json(text->s, text->n, limits, &out, &err) < 0);
	if (!strstr(err.msg, why))
		fail_msg("%s, not %s", err.msg, why);
}

TEST(nesting_is_limited)
{
	AUTO(str_done) struct str flow = STR_INIT, block = STR_INIT, list = STR_INIT;

	for (int i = 0; i < 100000; i++)
		str_addc(&flow, '[');
	for (int i = 0; i < 300; i++)
		str_addf(&block, "%*sk:\n", i, "");
	for (int i = 0; i < 50000; i++)
		str_add(&list, "- ");
	refused(&flow, NULL, "nested too deep");
	refused(&block, NULL, "nested too deep");
	refused(&list, NULL, "nested too deep");
}

/* Ten names, each nine times the one before: a billion laughs. */
TEST(alias_bombs_are_refused)
{
	AUTO(str_done) struct str bomb = STR_INIT, fat = STR_INIT, deep = STR_INIT;
	const struct yaml_limits small = { .max_bytes = 100000 };

	str_add(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++)
		str_addf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	refused(&bomb, NULL, "aliases expand to too many nodes");

	str_addf(&fat, "a: &a \"%5000d\"\nb: [", 1);
	for (int i = 0; i < 100; i++)
		str_add(&fat, "*a, ");
	str_add(&fat, "x]\n");
	refused(&fat, &small, "aliases make this file too large");

	str_add(&deep, "a0: &a0 [[[[[[[[[[[[x]]]]]]]]]]]]\n");
	for (int i = 1; i < 10; i++)
		str_addf(&deep, "a%d: &a%d [[[[[[[[[[[[*a%d]]]]]]]]]]]]\n", i, i, i - 1);
	refused(&deep, NULL, "nested too deep");
}

TEST(size_is_limited)
{
	const struct yaml_limits small = { .max_bytes = 1 << 20 };
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "a: '%*d'", 1 << 20, 1);
	refused(&text, &small, "larger than 1 MiB");
}

static void writes(const char *json, const char *yaml)
{
	AUTO(str_done) struct str out = STR_INIT, back = STR_INIT;
	struct error err = ERROR_INIT;

	if (yaml_from_json(json, strlen(json), &out, &err) < 0)
		fail_msg("%s: %s", json, err.msg);
	assert_string_equal(out.s, yaml);
	assert_int_equal(yaml_to_json(out.s, out.n, NULL, &back, &err), 0);
}

TEST(json_is_written_as_block_yaml)
{
	writes("{\"a\":{\"b\":[1,{\"c\":2,\"d\":[]},[3,4]],\"e\":{}},\"f\":null}",
	       "a:\n  b:\n  - 1\n  - c: 2\n    d: []\n  - - 3\n    - 4\n  e: {}\nf: null\n");
	writes("[]", "[]\n");
	writes("{}", "{}\n");
	writes("3", "3\n");
	writes("[1e3,1E-7,1.5e+9]", "- 1.0e+3\n- 1.0e-7\n- 1.5e+9\n");
}

static void text_is_written(const char *text, const char *yaml)
{
	AUTO(str_done) struct str json = STR_INIT, line = STR_INIT;

	str_add_json(&json, text);
	str_addf(&line, "%s\n", yaml);
	writes(json.s, line.s);
	reads_as(line.s, json.s);
}

/* As kubectl 1.33 prints them, but for "0o7", "=" and "<<". */
TEST(text_is_quoted_as_kubectl_does)
{
	static const char *const plain[] = {
		"a",
		"default",
		"mckube.io/rt-core",
		"core 2 would be at 1.000",
		"a-b.c/d",
		"nginx:1.2",
		"/healthz",
		"High",
		"v1",
		"edge-1",
		"a (b), c",
		"_x",
		"0-3",
		"1.2.3",
		"a\\b",
		"it's",
	};
	static const char *const doubly[] = {
		"",	"yes", "y",	"null", "~",	 "1",	 "1.5",		"0x1f",
		"1e3",	"<<",  "12:30", ".5",	"1_000", ".inf", "2001-01-01",	"+1",
		"0777", "on",  "off",	"True", "0o7",	 "=",	 "190:20:30.5",
	};
	static const char *const singly[] = {
		"a: b", "a:",  "- a", "#x",  "a #b", " a", "a ", "&a", "*b", "!c", "?",
		"{a}",	"[b]", "...", "---", "@a",   "`b", "|",	 ">",  "%d", "-",
	};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		text_is_written(plain[i], plain[i]);
	for (size_t i = 0; i < ARRAY_LEN(doubly); i++) {
		AUTO_FREE char *quoted = xasprintf("\"%s\"", doubly[i]);

		text_is_written(doubly[i], quoted);
	}
	for (size_t i = 0; i < ARRAY_LEN(singly); i++) {
		AUTO_FREE char *quoted = xasprintf("'%s'", singly[i]);

		text_is_written(singly[i], quoted);
	}
	text_is_written("'q'", "'''q'''");
}

TEST(lines_are_written_as_a_block)
{
	writes("{\"a\":\"b\\nc\"}", "a: |-\n  b\n  c\n");
	writes("{\"a\":\"b\\nc\\n\"}", "a: |\n  b\n  c\n");
	writes("{\"a\":\"b\\n \"}", "a: \"b\\n \"\n");
	writes("{\"a\\nb\":1}", "? |-\n  a\n  b\n: 1\n");
}

TEST(what_is_not_printed_is_escaped)
{
	text_is_written("a\nb\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\a\xf0\x9f\x98\x80\xc3\xa9",
			"\"a\\nb\\N\\L\\uFEFF\\a\\U0001F600\xc3\xa9\"");
	text_is_written("a\rb", "\"a\\rb\"");
	text_is_written("a\tb", "\"a\\tb\"");
}

TEST(bad_json_is_not_written)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct error err;

	assert_int_equal(yaml_from_json("{\"a\":\n1,}", 9, &out, &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: a string was expected");
	assert_int_equal(out.n, 0);
}
