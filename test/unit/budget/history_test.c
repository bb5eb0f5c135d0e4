/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/history.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static const char node[] =
	"{\"kind\":\"node\",\"atUs\":5,\"node\":\"front\",\"sinceUs\":3,\"scope\":\"node\","
	"\"capPpm\":950000,\"dwellMs\":1000,\"dwellMaxMs\":60000,\"calmPeriods\":10,"
	"\"headroomUs\":500}\n";

static int add(struct history *h, const char *text, struct error *err)
{
	*err = ERROR_INIT;
	return history_add(h, slice_of(text), err);
}

static void check_refused(const char *line, const char *why)
{
	AUTO(history_done) struct history h = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	struct error err;

	str_addf(&text, "%s%s\n", node, line);
	assert_int_equal(add(&h, text.s, &err), -EINVAL);
	assert_string_equal(err.msg, why);
}

TEST(what_is_written_is_read)
{
	static const struct history_use uses[] = { { 20479, 590 }, { 26623, 10 } };
	struct history_line pod = {
		.kind = HISTORY_POD,
		.at_us = 6,
		.uid = "u1",
		.ns = "vehicle",
		.name = "brake",
		.budget = { 100000, 25000, 40000, 30000, 1250, LEVEL_HIGH },
		.priority = -7,
		.enforcement = ENFORCE_WATCH,
		.recovery = { RECOVERY_NODE_CPU, 10, RECOVERY_NOT_GIVEN },
		.level = LEVEL_MIDDLE,
	};
	const struct history_line use = {
		.kind = HISTORY_USE,
		.at_us = 7,
		.uid = "u1",
		.container = "a\"b",
		.share = 500000,
		.span_us = 60000000,
		.runtime_us = 40000,
		.uses = uses,
		.n_uses = 2,
	};
	AUTO(history_done) struct history h = { 0 };
	AUTO(str_done) struct str text = STR_INIT, again = STR_INIT;
	struct error err;

	cpuset_add(&pod.cores, 2);
	str_add(&text, node);
	history_write(&pod, &text);
	history_write(&(struct history_line){ HISTORY_OVERRUN, 7, .uid = "u1", .count = 2,
					      .used_us = 25001 },
		      &text);
	history_write(&(struct history_line){ HISTORY_LEVEL, 7, .uid = "u1", .is_cut = true },
		      &text);
	history_write(&use, &text);
	history_write(&(struct history_line){ HISTORY_GONE, 8, .uid = "u1" }, &text);
	history_write(&(struct history_line){ HISTORY_LOST, 8, .count = 3 }, &text);
	assert_int_equal(add(&h, text.s, &err), 0);
	assert_int_equal(h.lines.n, 7);
	array_each(line, &h.lines)
		history_write(line, &again);
	assert_string_equal(again.s, text.s);
	assert_true(budget_eq(&h.lines.items[1].budget, &pod.budget));
	assert_int_equal(h.lines.items[1].recovery.delay_seconds, 10);
	assert_string_equal(h.lines.items[4].container, "a\"b");
	assert_int_equal(h.lines.items[4].uses[1].periods, 10);
	assert_true(h.lines.items[3].uid == h.lines.items[1].uid);
}

TEST(a_member_that_is_not_of_the_kind_or_missing_is_refused)
{
	check_refused("{\"kind\":\"gone\",\"atUs\":6}", "line 2: uid: is missing");
	check_refused("{\"kind\":\"gone\",\"atUs\":6,\"uid\":\"u\",\"count\":1}",
		      "line 2: count: is no member of kind gone");
	check_refused("{\"kind\":\"gone\",\"atUs\":6,\"uid\":\"u\",\"new\":1}",
		      "line 2: new: is not part of a history");
	check_refused("{\"kind\":\"gone\",\"atUs\":6,\"uid\":\"u\",\"uid\":\"u\"}",
		      "line 2: uid: is there twice");
	check_refused("{\"atUs\":6,\"uid\":\"u\"}", "line 2: kind: is missing");
	check_refused("{\"kind\":\"lost\",\"atUs\":6,\"count\":0}",
		      "line 2: count: must be from 1 to 1099511627776");
	check_refused("{\"kind\":\"lost\",\"atUs\":4,\"count\":1}",
		      "line 2: atUs: is before the line above");
}

TEST(budgets_and_uses_must_rise)
{
	check_refused(
		"{\"kind\":\"pod\",\"atUs\":6,\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\","
		"\"criticality\":\"Low\",\"priority\":1,\"periodUs\":1000,\"lowUs\":300,"
		"\"hiUs\":200,\"floorUs\":10,\"cores\":\"1\",\"enforcement\":\"\","
		"\"level\":\"low\",\"isCut\":false}",
		"line 2: lowUs: budgets must be floorUs <= lowUs <= mediumUs <= hiUs <= "
		"periodUs");
#define USE(uses)                                                         \
	"{\"kind\":\"use\",\"atUs\":6,\"uid\":\"u\",\"container\":\"c\"," \
	"\"sharePpm\":1000000,\"spanUs\":1000,\"runtimeUs\":100,\"uses\":" uses "}"
	check_refused(USE("[[2,1],[2,1]]"),
		      "line 2: uses[1]: must be up to 160 pairs of us and periods, rising");
	check_refused(USE("[[2]]"),
		      "line 2: uses[0]: must be up to 160 pairs of us and periods, rising");
	check_refused(USE("[[2,1,3]]"), "line 2: uses[0][2]: must be the second and last number");
}

TEST(files_come_in_order_and_of_one_node)
{
	AUTO(history_done) struct history h = { 0 };
	AUTO(str_done) struct str other = STR_INIT;
	struct error err;

	assert_int_equal(add(&h, "", &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: there is no whole line");
	assert_int_equal(add(&h, "{\"kind\":\"lost\",\"atUs\":6,\"count\":1}\n", &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: kind: must be node at the beginning");
	str_addf(&other, "%s{\"kind\":\"lost\",\"atUs\":9,\"count\":1}\n{\"kind\":\"lo", node);
	assert_int_equal(add(&h, other.s, &err), 0); /* the last line was not finished */
	assert_int_equal(h.lines.n, 2);
	assert_int_equal(add(&h, node, &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: atUs: is before the line above; is the older file "
				     "the first?");
	/* After a restart a clock may stand before. */
	str_clear(&other);
	str_add(&other, node);
	memcpy(strstr(other.s, "\"sinceUs\":3"), "\"sinceUs\":4", 11);
	assert_int_equal(add(&h, other.s, &err), 0);
	memcpy(strstr(other.s, "front"), "third", 5);
	assert_int_equal(add(&h, other.s, &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: node: is third, the lines before are of front");
}
