/* SPDX-License-Identifier: Apache-2.0 */
#include "output/plan_text.h"

#include <string.h>

#include "base/auto.h"
#include "sample_plan.h"
#include "test/unit/test.h"

static const struct style plain = { 0 };
static const struct plan_view all = { .has_header = true };

TEST(table_shows_place_reason_and_cause)
{
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	plan_text(&p, &all, &plain, &out);
	assert_string_equal(
		out.s,
		"  Node edge-1\n"
		"    ~ move    default/logger  core 2 -> core 3, 350ms of 1s, Low, watch  #1\n"
		"        yields to default/brake\n"
		"        core 2 would be at 1.000 of 0.900; moving logger leaves 0.650\n"
		"\n"
		"    - evict   default/batch  from cores 2-3  #2\n"
		"        yields to default/brake\n"
		"        its replacement fits on edge-2 cores 0,4\n"
		"        no other core has room for 0.400\n"
		"\n"
		"    + bind    default/brake  to core 2, 250ms of 1s, High, watch  #3\n"
		"        core 2 is then at 0.900 of 0.900\n"
		"\n"
		"  Objects\n"
		"    - remove finalizer McKube lab/old  #4\n"
		"        nothing is left to clean up\n"
		"\n"
		"  Cannot be placed\n"
		"    ! default/video  NoRoom\n"
		"        0/3 nodes are available: 2 core budget, 1 taint\n"
		"\n"
		"  Warnings\n"
		"    ! McKube default/x  BadBudget\n"
		"        spec.rtSettings.runtime_hi: 1200000 is more than the period 1000000\n"
		"\n"
		"Plan: 1 to bind, 1 to move, 1 to evict, 1 finalizer to remove, 1 cannot be placed, "
		"1 warning.\n");
}

TEST(nothing_to_do_is_said)
{
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	plan_text(&p, &all, &plain, &out);
	assert_string_equal(out.s, "Plan: nothing to do.\n");
}

TEST(view_is_limited_but_totals_are_not)
{
	static const struct plan_view lab = { .ns = "lab" };
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	plan_text(&p, &lab, &plain, &out);
	assert_null(strstr(out.s, "brake"));
	assert_null(strstr(out.s, "video"));
	assert_non_null(strstr(out.s, "lab/old"));
	assert_non_null(strstr(out.s, "Plan: 1 to bind, 1 to move"));
}

TEST(wide_shows_what_the_table_leaves_out)
{
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	assert_int_equal(plan_wide(&p, &all, &plain, &out, NULL), 0);
	assert_non_null(strstr(out.s, "ID   ACTION      REASON             KIND     OBJECT"));
	assert_non_null(
		strstr(out.s, "\n3    Bind        Placed             Pod      default/brake"));
	assert_non_null(strstr(out.s, "edge-2 cores 0,4"));
	assert_non_null(strstr(out.s, "1,2"));
	assert_non_null(strstr(out.s, "u-1   812\n"));
	assert_non_null(strstr(out.s, "OBJECT              PROBLEM     MESSAGE\n"
				      "Pod default/video   NoRoom      0/3 nodes"));
}

TEST(names_stand_once)
{
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	*array_add(&p.actions) = p.actions.items[0];
	plan_names(&p, &all, &out);
	assert_string_equal(out.s, "pod/logger\npod/batch\npod/brake\nmckube/old\n");
}

TEST(no_escape_sequence_gets_through)
{
	static const struct style colored = { .has_color = true };
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	array_each(a, &p.actions) {
		a->on.name = "a\033]0;x\007\xc2\x9b"
			     "31m";
		a->message = "b\033[2Jc\r\nd\xff";
		a->on.uid = a->on.name;
	}
	p.unplaced.items[0].message = "\033[1A";
	p.warnings.items[0].object = "\xe2\x80\xae"
				     "abc";
	plan_text(&p, &all, &plain, &out);
	assert_int_equal(plan_wide(&p, &all, &plain, &out, NULL), 0);
	plan_names(&p, &all, &out);
	assert_null(strpbrk(out.s, "\033\007\r"));
	assert_null(strstr(out.s, "\xc2\x9b"));
	assert_null(strstr(out.s, "\xe2\x80\xae"));
	assert_null(strchr(out.s, '\xff'));

	str_clear(&out);
	plan_text(&p, &all, &colored, &out);
	assert_non_null(strstr(out.s, "\033[1mdefault/a?]0;x??31m\033[0m"));
}

TEST(results_are_told)
{
	AUTO(plan_done) struct plan p = sample_plan();
	AUTO(str_done) struct str out = STR_INIT;

	*array_add(&p.results) = (struct result){ .id = 1, .state = RESULT_DONE };
	*array_add(&p.results) =
		(struct result){ .id = 2, .state = RESULT_FAILED, .message = "is gone" };
	plan_results(&p, false, &plain, &out);
	assert_string_equal(
		out.s, "pod default/logger move: Done\npod default/batch evict: Failed: is gone\n"
		       "Applied 1 of 4 actions.\n");
}
