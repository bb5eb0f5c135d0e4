/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/policy_engine.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static void is_no_answer(const char *body)
{
	struct policy_answer answer;
	struct error err = ERROR_INIT;

	assert_int_equal(policy_parse(slice_of(body), &answer, &err), -EBADMSG);
	assert_true(err.msg[0] != '\0');
}

TEST(an_answer_says_whether_and_why)
{
	struct policy_answer answer;
	struct error err = ERROR_INIT;

	assert_int_equal(
		policy_parse(slice_of("{\"allowed\":true,\"reason\":\"low\"}"), &answer, &err), 0);
	assert_true(answer.is_allowed && answer.was_given);
	assert_string_equal(answer.reason, "low");
	assert_int_equal(policy_parse(slice_of("{\"allowed\":false}"), &answer, &err), 0);
	assert_false(answer.is_allowed);
	assert_string_equal(answer.reason, "");
}

TEST(a_reason_is_one_line_without_commands)
{
	struct policy_answer answer;
	struct error err = ERROR_INIT;

	assert_int_equal(
		policy_parse(slice_of("{\"allowed\":false,\"reason\":\"a\\n\\u001b[2Jb\"}"),
			     &answer, &err),
		0);
	assert_string_equal(answer.reason, "a ?[2Jb");
}

TEST(anything_else_is_no_answer)
{
	is_no_answer("");
	is_no_answer("yes");
	is_no_answer("[]");
	is_no_answer("{}");
	is_no_answer("{\"allowed\":\"true\"}");
	is_no_answer("{\"allowed\":1}");
	is_no_answer("{\"allowed\":null}");
	is_no_answer("{\"Allowed\":true}");
	is_no_answer("{\"allowed\":true");
	is_no_answer("{\"allowed\":true} and more");
}

TEST(a_question_is_of_four_members)
{
	static const struct policy_pair labels[] = { { "app", "web" } };
	AUTO(str_done) struct str out = STR_INIT;

	policy_write(&(struct policy_question){ "default", "web-1", "a", "b", labels, 1 }, &out);
	assert_string_equal(out.s, "{\"pod\":{\"name\":\"web-1\",\"namespace\":\"default\","
				   "\"node_name\":\"a\",\"labels\":{\"app\":\"web\"}},"
				   "\"source_node\":\"a\",\"target_node\":\"b\"}");
}

TEST(an_engine_that_cannot_be_asked_forbids)
{
	struct policy_question q = { "default", "web-1", "a", "b", NULL, 0 };
	struct policy_engine engine = { .name = "policy engine", .url = "ftp://nowhere" };
	struct policy_answer answer;

	policy_ask(&engine, &q, 1, &answer, NULL, NULL);
	assert_false(answer.is_allowed || answer.was_given);
	assert_non_null(strstr(answer.reason, "the policy engine gave no valid answer: ftp://"));
	policy_ask_plan(&engine, SLICE("{}"), &answer, NULL, NULL);
	assert_false(answer.is_allowed || answer.was_given);
	engine.fail_open = true;
	policy_ask(&engine, &q, 1, &answer, NULL, NULL);
	assert_true(answer.is_allowed);
	assert_false(answer.was_given);
}
