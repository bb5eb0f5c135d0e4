/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

TEST(a_metric_has_head_labels_and_value)
{
	AUTO(str_done) struct str out = STR_INIT;

	metric_head(&out, "a_total", "counter", "What it is.");
	metric_add(&out, "a_total", METRIC_LABELS("x", "1", "y", "2"), 7);
	metric_add(&out, "a_total", METRIC_NO_LABELS, 8);
	assert_string_equal(out.s, "# HELP a_total What it is.\n# TYPE a_total counter\n"
				   "a_total{x=\"1\",y=\"2\"} 7\na_total 8\n");
}

TEST(labels_take_any_text)
{
	AUTO(str_done) struct str out = STR_INIT;

	metric_add(&out, "a", METRIC_LABELS("x", "b\\c\"d\ne"), 1);
	assert_string_equal(out.s, "a{x=\"b\\\\c\\\"d\\ne\"} 1\n");
}

TEST(millionths_have_six_digits)
{
	AUTO(str_done) struct str out = STR_INIT;

	metric_add_millionths(&out, "a", METRIC_NO_LABELS, 2000030);
	assert_string_equal(out.s, "a 2.000030\n");
}

static bool has_line(const struct str *out, const char *line)
{
	const char *at = strstr(out->s, line);

	return at && (at == out->s || at[-1] == '\n') && at[strlen(line)] == '\n';
}

TEST(durations_are_counted_up_to_each_bound)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct metric_durations d = { 0 };

	metric_observe(&d, 0);
	metric_observe(&d, 1000);
	metric_observe(&d, 1001);
	metric_observe(&d, 500000000);
	metric_add_durations(&out, "d", METRIC_LABELS("x", "1"), &d);
	assert_true(has_line(&out, "d_bucket{x=\"1\",le=\"0.001\"} 2"));
	assert_true(has_line(&out, "d_bucket{x=\"1\",le=\"0.002\"} 3"));
	assert_true(has_line(&out, "d_bucket{x=\"1\",le=\"65.536\"} 3"));
	assert_true(has_line(&out, "d_bucket{x=\"1\",le=\"+Inf\"} 4"));
	assert_true(has_line(&out, "d_sum{x=\"1\"} 500.002001"));
	assert_true(has_line(&out, "d_count{x=\"1\"} 4"));
}
