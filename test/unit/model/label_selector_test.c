/* SPDX-License-Identifier: Apache-2.0 */
#include "model/label_selector.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

static bool matches(const char *text)
{
	struct cluster c =
		snapshot_of("{apiVersion: v1, kind: Node, metadata: {name: node1, labels: "
			    "{app: brake, tier: hi, empty: ''}}}");
	AUTO(arena_done) struct arena arena = { 0 };
	struct label_selector s;
	struct error err;

	assert_int_equal(label_selector_parse(text, &arena, &s, &err), 0);
	bool is_matching = label_selector_matches(&c, &s, c.nodes.items[0].labels);
	label_selector_done(&s);
	cluster_done(&c);
	return is_matching;
}

TEST(requirements_are_kubectls)
{
	static const struct {
		const char *text;
		bool is_matching;
	} cases[] = {
		{ "", true },
		{ " ", true },
		{ "app=brake", true },
		{ "app==brake", true },
		{ " app = brake , tier=hi ", true },
		{ "app=radio", false },
		{ "app=brake,tier=low", false },
		{ "app!=radio", true },
		{ "app!=brake", false },
		{ "other!=brake", true },
		{ "app", true },
		{ "other", false },
		{ "!other", true },
		{ "!app", false },
		{ "app in (radio, brake)", true },
		{ "app in (radio)", false },
		{ "other in (brake)", false },
		{ "app notin (radio)", true },
		{ "app notin (brake,radio)", false },
		{ "other notin (brake)", true },
		{ "empty=", true },
		{ "app=", false },
		{ "inner", false },
		{ "app in (radio,brake),!other,tier", true },
		{ "app=brake,", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (matches(cases[i].text) != cases[i].is_matching)
			fail_msg("%s", cases[i].text);
}

TEST(text_that_is_no_selector_is_named)
{
	static const char *const bad[] = { "=a", "app=a b", "app in brake", "app in (a",  "!",
					   ",",	 "app!",    "(a)",	    "app in (a))" };
	AUTO(arena_done) struct arena arena = { 0 };
	struct label_selector s;
	struct error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (label_selector_parse(bad[i], &arena, &s, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_int_equal(label_selector_parse("app in brake", &arena, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "'app in brake': '(' expected at 'brake'");
}
