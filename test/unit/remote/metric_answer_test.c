/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/metric_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

#define VECTOR(elements) \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" elements "]}}"
#define ELEMENT(value) "{\"metric\":{\"pod\":\"a\"},\"value\":[1795987164.934," value "]}"

static struct metric_value prometheus(const char *body)
{
	struct metric_value v;

	memset(&v, 0x55, sizeof(v));
	metric_answer_prometheus(slice_of(body), &v);
	return v;
}

static void is_missing(const char *body, enum no_value reason)
{
	struct metric_value v = prometheus(body);

	if (v.has_value || v.reason != reason || !v.why[0])
		fail_msg("%s: %s", body, v.has_value ? "a value" : v.why);
}

TEST(a_vector_of_one_element_is_a_value)
{
	struct metric_value v = prometheus(VECTOR(ELEMENT("\"12.5\"")));

	assert_true(v.has_value);
	assert_int_equal(v.value, 12500000);
	assert_int_equal(v.at, 1795987164);
	v = prometheus(VECTOR(ELEMENT("\"1.5e+06\"")));
	assert_int_equal(v.value, INT64_C(1500000000000));
	v = prometheus(
		"{\"status\":\"success\",\"warnings\":[\"w\"],\"data\":{\"result\":[7,\"0\"],"
		"\"resultType\":\"scalar\"}}");
	assert_true(v.has_value && v.value == 0 && v.at == 7);
}

#define OF_NODE(labels, value) "{\"metric\":{" labels "},\"value\":[1795987164.934," value "]}"

static void add_node(const struct metric_of_node *m, void *arg)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 200 - n, "%s=%lld ", m->node,
		 m->value.has_value ? (long long)m->value.value : -(long long)m->value.reason);
}

TEST(each_element_is_of_a_node)
{
	struct metric_value v;
	char text[200] = "";

	metric_answer_nodes(
		slice_of(VECTOR(OF_NODE("\"node\":\"a\",\"zone\":\"z\"", "\"0.2\"") "," OF_NODE(
			"\"node_name\":\"b\"",
			"\"7\"") "," OF_NODE("\"node\":\"c\",\"node_name\":\"d\"",
					     "\"NaN\"") "," OF_NODE("\"node_name\":\"e\",\"node\":\"f\"",
								    "\"1\"") "," OF_NODE("\"pod\":\"p\"",
											 "\"1\""))),
		add_node, text, &v);
	assert_true(v.has_value);
	assert_string_equal(text, "a=200000 b=7000000 c=-2 f=1000000 =1000000 ");
}

TEST(an_answer_about_nodes_that_is_none_is_missing)
{
	static const struct {
		const char *body;
		enum no_value reason;
	} bad[] = {
		{ VECTOR(""), NO_VALUE_NO_DATA },
		{ VECTOR("{\"metric\":{\"node\":\"a\"}}"), NO_VALUE_BAD_ANSWER },
		{ VECTOR(OF_NODE("\"node\":7", "\"1\"")), NO_VALUE_BAD_ANSWER },
		{ VECTOR(OF_NODE("\"node\":\"a\"", "1")), NO_VALUE_BAD_ANSWER },
		{ "{\"status\":\"success\",\"data\":{\"result\":[7,\"0\"],\"resultType\":\"scalar\"}}",
		  NO_VALUE_BAD_ANSWER },
		{ "{\"status\":\"error\"}", NO_VALUE_BAD_ANSWER },
		{ "", NO_VALUE_BAD_ANSWER },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct metric_value v;
		char text[200] = "";

		metric_answer_nodes(slice_of(bad[i].body), add_node, text, &v);
		if (v.has_value || v.reason != bad[i].reason || !v.why[0])
			fail_msg("%s: %s", bad[i].body, v.has_value ? "a value" : v.why);
	}
}

TEST(what_is_no_single_number_is_missing)
{
	is_missing(VECTOR(""), NO_VALUE_NO_DATA);
	is_missing(VECTOR(ELEMENT("\"1\"") "," ELEMENT("\"2\"")), NO_VALUE_SEVERAL);
	is_missing(VECTOR(ELEMENT("\"NaN\"")), NO_VALUE_NOT_A_NUMBER);
	is_missing(VECTOR(ELEMENT("\"+Inf\"")), NO_VALUE_NOT_A_NUMBER);
	is_missing(VECTOR(ELEMENT("\"-Inf\"")), NO_VALUE_NOT_A_NUMBER);
	is_missing(VECTOR(ELEMENT("\"-0.5\"")), NO_VALUE_NEGATIVE);
	is_missing(VECTOR(ELEMENT("\"1e15\"")), NO_VALUE_TOO_LARGE);
	is_missing(VECTOR(ELEMENT("\"1e+300\"")), NO_VALUE_TOO_LARGE);
}

TEST(an_answer_that_is_none_is_missing)
{
	static const char *const bad[] = {
		"",
		"no",
		"[]",
		"{}",
		"null",
		"{\"status\":\"success\"}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}",
		"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"late\"}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[1,\"a\"]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"other\",\"result\":[]}}",
		"{\"status\":\"success\",\"data\":{\"result\":[]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":{}}}",
		VECTOR("{\"metric\":{}}"),
		VECTOR("{\"metric\":{},\"histogram\":[1,{}]}"),
		VECTOR("{\"value\":[1]}"),
		VECTOR("{\"value\":[1,\"2\",\"3\"]}"),
		VECTOR("{\"value\":[\"x\",\"2\"]}"),
		VECTOR(ELEMENT("2")),
		VECTOR(ELEMENT("null")),
		VECTOR(ELEMENT("\"\"")),
		VECTOR(ELEMENT("\"many\"")),
		VECTOR("1"),
		(VECTOR(ELEMENT("\"1\"")) "x"),
		("{\"status\":\"success\",\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
		 "\"result\":[]}}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		is_missing(bad[i], NO_VALUE_BAD_ANSWER);
}

TEST(what_prometheus_says_of_an_error_is_one_line)
{
	char why[METRIC_WHY_MAX] = "";

	assert_true(metric_answer_problem(
		slice_of("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"at\\nchar "
			 "\\u001b[2J5\"}"),
		why));
	assert_string_equal(why, "bad_data: at char ?[2J5");
	assert_false(metric_answer_problem(slice_of("<html>"), why));
	assert_false(metric_answer_problem(slice_of("{}"), why));
}

#define LIST(kind, items) "{\"kind\":\"" kind "\",\"items\":[" items "]}"
#define ITEM(time, value) "{\"timestamp\":\"2026-11-30T14:00:" time "Z\",\"value\":\"" value "\"}"

static struct metric_value list(const char *body, enum metric_fold fold)
{
	struct metric_value v;

	memset(&v, 0x55, sizeof(v));
	metric_answer_list(slice_of(body), fold, &v);
	return v;
}

TEST(values_of_pods_count_as_their_mean_and_series_as_their_sum)
{
	static const char body[] = LIST(
		"MetricValueList", ITEM("05", "12500m") "," ITEM("03", "2") "," ITEM("04", "0"));
	struct metric_value v = list(body, METRIC_MEAN);

	assert_true(v.has_value);
	assert_int_equal(v.value, 4833333);
	assert_int_equal(v.at % 60, 3);
	v = list(LIST("ExternalMetricValueList", ITEM("05", "1k") "," ITEM("06", "500m")),
		 METRIC_SUM);
	assert_true(v.has_value && v.value == INT64_C(1000500000) && v.at % 60 == 5);
}

TEST(a_list_without_a_usable_value_is_missing)
{
	static const struct {
		const char *body;
		enum no_value reason;
	} bad[] = {
		{ LIST("MetricValueList", ""), NO_VALUE_NO_DATA },
		{ "{\"kind\":\"MetricValueList\"}", NO_VALUE_NO_DATA },
		{ LIST("MetricValueList", ITEM("05", "-1")), NO_VALUE_NEGATIVE },
		{ LIST("MetricValueList", ITEM("05", "9E")), NO_VALUE_TOO_LARGE },
		{ LIST("MetricValueList", ITEM("05", "NaN")), NO_VALUE_BAD_ANSWER },
		{ LIST("MetricValueList", ITEM("05", "")), NO_VALUE_BAD_ANSWER },
		{ LIST("MetricValueList", "{\"value\":\"1\"}"), NO_VALUE_BAD_ANSWER },
		{ LIST("MetricValueList", "{\"timestamp\":\"2026-11-30T14:00:00Z\"}"),
		  NO_VALUE_BAD_ANSWER },
		{ LIST("MetricValueList", "{\"timestamp\":\"now\",\"value\":\"1\"}"),
		  NO_VALUE_BAD_ANSWER },
		{ LIST("MetricValueList", "{\"timestamp\":\"2026-11-30T14:00:00Z\",\"value\":{}}"),
		  NO_VALUE_BAD_ANSWER },
		{ LIST("PodMetricsList", ""), NO_VALUE_BAD_ANSWER },
		{ "{\"items\":[]}", NO_VALUE_BAD_ANSWER },
		{ "{}", NO_VALUE_BAD_ANSWER },
		{ "", NO_VALUE_BAD_ANSWER },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct metric_value v = list(bad[i].body, METRIC_MEAN);

		if (v.has_value || v.reason != bad[i].reason || !v.why[0])
			fail_msg("%s: %s", bad[i].body, v.has_value ? "a value" : v.why);
	}
}
