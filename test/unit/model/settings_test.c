/* SPDX-License-Identifier: Apache-2.0 */
#include "model/settings.h"

#include <stdio.h>

#include "test/unit/test.h"

static bool is_in(const char *namespaces, const char *ns)
{
	struct settings s = SETTINGS_DEFAULT;

	snprintf(s.optimise.namespaces, sizeof(s.optimise.namespaces), "%s", namespaces);
	return settings_optimise_in(&s, ns);
}

TEST(without_a_list_all_namespaces_are_optimised)
{
	assert_true(is_in("", "a"));
	assert_true(is_in("", ""));
	assert_true(is_in(" , ", "a"));
}

TEST(a_list_has_whole_names)
{
	assert_true(is_in("shop", "shop"));
	assert_true(is_in("lab,shop", "shop"));
	assert_true(is_in(" lab , shop ,", "lab"));
	assert_false(is_in("shop", "sho"));
	assert_false(is_in("shop", "shopping"));
	assert_false(is_in("shop,lab", "p,l"));
	assert_false(is_in("shop", ""));
}
