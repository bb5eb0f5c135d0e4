/* SPDX-License-Identifier: Apache-2.0 */
#include "output/table.h"

#include <locale.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static const struct column columns[] = {
	{ "NAME", "name", .is_name = true }, { "CPU", "cpu" },	   { "LOAD", "loadPpm" },
	{ "UID", "uid", .is_wide = true },   { "TIME", "timeUs" }, {},
};

static void fill(struct table *t)
{
	table_row(t, CELL_TEXT("edge-1"), CELL_INT(4), CELL_RATIO(350001), CELL_TEXT("u1"),
		  CELL_US(250000));
	table_row(t, CELL_TEXT("größer"), CELL_INT(16), CELL_RATIO(1000000), CELL_TEXT(""),
		  CELL_US(100));
}

static void render(enum format format, bool has_header, struct str *out)
{
	static const struct style plain = { 0 };
	AUTO(table_done) struct table t = { .columns = columns };

	fill(&t);
	assert_int_equal(table_rows(&t), 2);
	assert_int_equal(table_render(&t, format, &plain, has_header, out, NULL), 0);
}

TEST(table_looks_like_kubectls)
{
	AUTO(str_done) struct str out = STR_INIT;

	render(FORMAT_TABLE, true, &out);
	assert_string_equal(out.s, "NAME     CPU   LOAD    TIME\n"
				   "edge-1   4     0.351   250ms\n"
				   "größer   16    1.000   100us\n");
}

TEST(wide_has_more_columns_and_headers_may_go)
{
	AUTO(str_done) struct str out = STR_INIT;

	render(FORMAT_WIDE, false, &out);
	assert_string_equal(out.s, "edge-1   4    0.351   u1       250ms\n"
				   "größer   16   1.000   <none>   100us\n");
}

TEST(data_formats_have_every_column)
{
	AUTO(str_done) struct str out = STR_INIT;

	render(FORMAT_JSON, true, &out);
	assert_non_null(strstr(out.s, "\"loadPpm\": 350001"));
	assert_non_null(strstr(out.s, "\"uid\": \"u1\""));
	str_clear(&out);
	render(FORMAT_YAML, true, &out);
	assert_non_null(strstr(out.s, "timeUs: 250000\n"));
	str_clear(&out);
	render(FORMAT_NAME, true, &out);
	assert_string_equal(out.s, "edge-1\ngrößer\n");
}

TEST(empty_table_is_a_heading)
{
	static const struct style plain = { 0 };
	AUTO(table_done) struct table t = { .columns = columns };
	AUTO(str_done) struct str out = STR_INIT;

	assert_int_equal(table_render(&t, FORMAT_TABLE, &plain, true, &out, NULL), 0);
	assert_string_equal(out.s, "NAME   CPU   LOAD   TIME\n");
	str_clear(&out);
	assert_int_equal(table_render(&t, FORMAT_JSON, &plain, true, &out, NULL), 0);
	assert_string_equal(out.s, "[]\n");
}

TEST(width_counts_columns_not_bytes)
{
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("größer"), 6);
	assert_int_equal(text_width("日本"), 4);
	assert_int_equal(text_width("a\033\xff"), 3);
}

TEST(long_lines_are_broken_between_words)
{
	static const struct style narrow = { .width = 40 };
	static const struct style endless = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	style_wrap(&narrow, &out, COLOR_NONE, 4, "one two three four five six seven eight nine");
	assert_string_equal(out.s, "    one two three four five six seven\n"
				   "    eight nine\n");
	str_clear(&out);
	style_wrap(&endless, &out, COLOR_NONE, 2, "one two three four five six seven eight nine");
	assert_string_equal(out.s, "  one two three four five six seven eight nine\n");
}

static int use_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

GROUP(use_utf8, NULL)

TEST(decimals_are_exact_and_may_be_missing)
{
	static const struct column prices[] = { { "NAME", "name" }, { "$/H", "price" }, {} };
	AUTO(table_done) struct table t = { .columns = prices };
	AUTO(str_done) struct str out = STR_INIT;
	const struct style style = { 0 };

	table_row(&t, CELL_TEXT("a"), CELL_MICRO(39624));
	table_row(&t, CELL_TEXT("b"), CELL_MICRO_IF(false, 1));
	assert_int_equal(table_render(&t, FORMAT_TABLE, &style, false, &out, NULL), 0);
	assert_string_equal(out.s, "a   0.039624\nb   <none>\n");
	str_clear(&out);
	assert_int_equal(table_render(&t, FORMAT_YAML, &style, false, &out, NULL), 0);
	assert_string_equal(out.s, "- name: a\n  price: 0.039624\n- name: b\n  price: null\n");
}
