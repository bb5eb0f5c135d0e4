/* SPDX-License-Identifier: Apache-2.0 */
#include "output/table_window.h"

#include <locale.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static const struct column columns[] = {
	{ "NAMESPACE", "namespace", .rank = 2 },
	{ "NAME", "name" },
	{ "USED", "usedUs" },
	{ "AGE", "age", .rank = 1 },
	{ "UID", "uid", .is_wide = true },
	{},
};

static void fill(struct table *t)
{
	*t = (struct table){ .columns = columns };
	table_row(t, CELL_TEXT("vehicle"), CELL_TEXT("brake"), CELL_USED(1500), CELL_AGE(192),
		  CELL_TEXT("u1"));
	table_row(t, CELL_TEXT("vehicle"), CELL_TEXT("a-rather-long-name-of-a-pod"), CELL_USED(0),
		  CELL_AGE(20), CELL_TEXT("u2"));
	table_row(t, CELL_TEXT("robot"), CELL_TEXT("größer"), CELL_NULL, CELL_NULL,
		  CELL_TEXT("u3"));
}

static size_t draw(struct table_window w, bool has_utf8, size_t *ret_first, struct str *out)
{
	const struct style style = { .has_utf8 = has_utf8 };
	AUTO(table_done) struct table t;
	size_t first;

	fill(&t);
	str_clear(out);
	return table_window_draw(&t, &w, &style, ret_first ? ret_first : &first, out);
}

TEST(window_shows_what_has_room)
{
	AUTO(str_done) struct str out = STR_INIT;

	setlocale(LC_CTYPE, "C.UTF-8");
	assert_int_equal(draw((struct table_window){ 80, 5, .sorted = 2 }, true, NULL, &out), 3);
	assert_string_equal(out.s, "NAMESPACE   NAME                         USED*   AGE     \n"
				   "vehicle     brake                        1.5ms   3m12s   \n"
				   "vehicle     a-rather-long-name-of-a-pod  0us     20s     \n"
				   "robot       größer                       <none>  <none>  \n"
				   "\n");
}

TEST(narrow_window_leaves_out_columns_then_cuts)
{
	AUTO(str_done) struct str out = STR_INIT;

	setlocale(LC_CTYPE, "C.UTF-8");
	draw((struct table_window){ 50, 2, .sorted = 9 }, true, NULL, &out);
	assert_non_null(strstr(out.s, "NAME "));
	assert_null(strstr(out.s, "NAMESPACE"));
	assert_non_null(strstr(out.s, "AGE"));
	draw((struct table_window){ 20, 4, .sorted = 9 }, true, NULL, &out);
	assert_string_equal(out.s, "NAME          USED  \n"
				   "brake         1.5ms \n"
				   "a-rather-lo…  0us   \n"
				   "größer        <none>\n");
	draw((struct table_window){ 20, 4, .sorted = 9 }, false, NULL, &out);
	assert_non_null(strstr(out.s, "a-rather-lo~  0us"));
}

/* Whatever the size: so many lines, none too long. */
TEST(no_line_is_longer_than_the_window)
{
	AUTO(str_done) struct str out = STR_INIT;

	setlocale(LC_CTYPE, "C.UTF-8");
	for (unsigned width = 0; width < 90; width++)
		for (unsigned height = 0; height < 6; height++) {
			unsigned n = 0;

			draw((struct table_window){ width, height }, true, NULL, &out);
			for (char *line = out.s, *end; (end = strchr(line, '\n')); line = end + 1) {
				*end = '\0';
				assert_true(text_width(line) <= width);
				n++;
			}
			assert_int_equal(n, height);
		}
}

TEST(rows_are_filtered_and_scrolled)
{
	AUTO(str_done) struct str out = STR_INIT;
	size_t first;

	setlocale(LC_CTYPE, "C.UTF-8");
	assert_int_equal(draw((struct table_window){ 80, 9, .filter = "BRAKE" }, true, NULL, &out),
			 1);
	assert_null(strstr(out.s, "robot"));
	assert_int_equal(draw((struct table_window){ 80, 3, .first = 99 }, true, &first, &out), 3);
	assert_int_equal(first, 1);
	assert_null(strstr(out.s, "brake"));
	assert_non_null(strstr(out.s, "robot"));
	assert_int_equal(draw((struct table_window){ 80, 3, .filter = "?" }, true, &first, &out),
			 0);
	assert_int_equal(first, 0);
}

TEST(rows_are_sorted_by_any_column)
{
	AUTO(table_done) struct table t;
	struct error err;

	fill(&t);
	assert_int_equal(table_find_column(&t, "usedus", &err), 2);
	assert_int_equal(table_find_column(&t, "Used", &err), 2);
	assert_true(table_find_column(&t, "use", &err) < 0);
	assert_string_equal(err.msg,
			    "no column 'use': must be one of namespace, name, usedUs, age, "
			    "uid");
	table_sort(&t, 2, false);
	assert_string_equal(t.cells.items[4].text, "u3");
	assert_string_equal(t.cells.items[14].text, "u1");
	table_sort(&t, 2, true);
	assert_string_equal(t.cells.items[4].text, "u1");
	table_sort(&t, 0, false);
	assert_string_equal(t.cells.items[4].text, "u3");
	assert_string_equal(t.cells.items[9].text, "u1");
}
