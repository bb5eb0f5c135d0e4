/* SPDX-License-Identifier: Apache-2.0 */
#include "output/top_screen.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

/* True: it ends. */
static bool type(struct top_screen *s, const char *text)
{
	size_t used;
	bool is_end = top_screen_type(s, text, strlen(text), true, &used);

	assert_true(is_end || used == strlen(text));
	return is_end;
}

TEST(keys_choose_what_is_listed_and_how)
{
	struct top_screen s;

	top_screen_init(&s, TOP_PODS);
	assert_false(type(&s, "2"));
	assert_int_equal(s.view, TOP_NODES);
	assert_false(type(&s, "\t\t"));
	assert_int_equal(s.view, TOP_PODS);
	size_t sorted = s.sorted[TOP_PODS];
	assert_true(s.is_reversed[TOP_PODS]);
	assert_false(type(&s, "sr"));
	assert_int_equal(s.sorted[TOP_PODS], sorted + 1);
	assert_false(s.is_reversed[TOP_PODS]);
	assert_false(type(&s, "SS"));
	assert_int_equal(s.sorted[TOP_PODS], sorted - 1);
	assert_true(type(&s, "q"));
	assert_true(type(&s, "\003"));
}

/* UID is only for -o wide. */
TEST(only_columns_that_are_shown_are_sorted_by)
{
	struct table t;
	struct top_screen s;

	top_screen_init(&s, TOP_PODS);
	top_columns(TOP_PODS, &t);
	for (size_t i = 0; i < 2 * table_columns(&t); i++) {
		assert_false(type(&s, i < table_columns(&t) ? "s" : "S"));
		assert_false(t.columns[s.sorted[TOP_PODS]].is_wide);
	}
}

TEST(filter_is_typed_and_cleared)
{
	struct top_screen s;

	top_screen_init(&s, TOP_PODS);
	assert_false(type(&s, "/gr\303\266q"));
	assert_true(s.is_typing);
	assert_string_equal(s.filter, "gr\303\266q");
	assert_false(type(&s, "\177\177"));
	assert_string_equal(s.filter, "gr");
	assert_false(type(&s, "\r"));
	assert_false(s.is_typing);
	assert_string_equal(s.filter, "gr");
	assert_false(type(&s, "\033"));
	assert_string_equal(s.filter, "");
	assert_false(type(&s, "/"));
	assert_true(type(&s, "\003"));
	for (int i = 0; i < 3 * TOP_FILTER_MAX; i++)
		type(&s, "x");
	assert_int_equal(strlen(s.filter), TOP_FILTER_MAX - 1);
	assert_false(type(&s, "\177"));
}

TEST(sequences_scroll_and_may_come_in_pieces)
{
	struct top_screen s;
	size_t used;

	top_screen_init(&s, TOP_PODS);
	s.page = 10;
	assert_false(type(&s, "\033[B\033OBj \033[6~"));
	assert_int_equal(s.first, 23);
	assert_false(type(&s, "\033[A\033[5~bk"));
	assert_int_equal(s.first, 1);
	assert_false(type(&s, "b"));
	assert_int_equal(s.first, 0);
	assert_false(top_screen_type(&s, "j\033[", 3, false, &used));
	assert_int_equal(used, 1);
	assert_int_equal(s.first, 1);
	assert_false(type(&s, "\033[F"));
	assert_true(s.first > 1000000);
	assert_false(type(&s, "\033[H\033[99999\033[Z"));
	assert_int_equal(s.first, 0);
}

/* Of any size, also of an empty cluster. */
TEST(frame_has_the_size_of_the_screen)
{
	static const struct style plain = { 0 };
	static const struct settings settings = SETTINGS_DEFAULT;
	struct cluster c = { 0 };
	struct node_uses uses = { 0 };
	const struct top_input in = { &c, &settings, &uses, NULL, NONE, 0 };
	struct top_screen s;

	top_screen_init(&s, TOP_PODS);
	for (unsigned width = 0; width < 100; width += 3)
		for (unsigned height = 0; height < 30; height++) {
			AUTO(str_done) struct str out = STR_INIT;
			unsigned n = 0;

			s.view = (enum top_view)(height % TOP_VIEWS);
			top_screen_draw(&s, &in, "now", width, height, &plain, &out);
			for (char *line = out.s, *end; (end = strchr(line, '\n')); line = end + 1) {
				*end = '\0';
				assert_true(text_width(line) <= width);
				n++;
			}
			assert_int_equal(n, height);
		}
	cluster_done(&c);
}
