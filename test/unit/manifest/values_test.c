/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/values.h"

#include <string.h>

#include "base/str.h"
#include "test/unit/test.h"

static void refused(int r, const struct error *err, const char *text)
{
	assert_true(r < 0);
	assert_string_equal(err->msg, text);
}

TEST(values_are_merged_by_key)
{
	AUTO_JSON cJSON *v = values_new();
	static const char yaml[] = "watch: { replicas: 3, extraArgs: [-v=2] }\n"
				   "node: { nodeSelector: { a: b } }\n";
	struct error err = ERROR_INIT;
	int64_t n;

	assert_int_equal(values_merge_yaml(v, yaml, strlen(yaml), &err), 0);
	assert_true(json_int(values_get(v, "watch.replicas"), &n));
	assert_int_equal(n, 3);
	assert_string_equal(values_text(v, "image.repository"), "mckube");
	assert_int_equal(values_set(v, "node.nodeSelector.x\\.y/z=yes", &err), 0);
	const cJSON *both = values_get(v, "node.nodeSelector");
	assert_string_equal(json_text(json_get(both, "a")), "b");
	assert_string_equal(json_text(json_get(both, "x.y/z")), "yes");
}

TEST(assignments_are_typed)
{
	AUTO_JSON cJSON *v = values_new();
	struct error err = ERROR_INIT;

	assert_int_equal(values_set(v, "cron=true", &err), 0);
	assert_true(values_is_true(v, "cron"));
	assert_int_equal(values_set(v, "image.tag=1", &err), 0);
	assert_string_equal(values_text(v, "image.tag"), "1");
	assert_int_equal(values_set(v, "config.search.steps=1000", &err), 0);
	assert_true(cJSON_IsNumber(values_get(v, "config.search.steps")));
	assert_int_equal(values_set(v, "node.extraArgs=[\"--poll\"]", &err), 0);
	assert_int_equal(cJSON_GetArraySize(values_get(v, "node.extraArgs")), 1);
	assert_int_equal(values_set(v, "watch.replicas=null", &err), 0);
	assert_true(cJSON_IsNumber(values_get(v, "watch.replicas")));
}

TEST(unknown_and_mistyped_values_are_refused)
{
	AUTO_JSON cJSON *v = values_new();
	struct error err = ERROR_INIT;

	refused(values_set(v, "watch.replica=1", &err), &err,
		"watch.replica: unknown value (did you mean replicas?)");
	refused(values_set(v, "watch.replicas=-1", &err), &err,
		"watch.replicas: must be a whole number");
	refused(values_set(v, "watch.replicas=1.5", &err), &err,
		"watch.replicas: must be a whole number");
	refused(values_set(v, "cron=yes", &err), &err, "cron: must be true or false");
	refused(values_set(v, "image=x", &err), &err, "image: must be an object");
	refused(values_set(v, "node.tolerations=x", &err), &err,
		"node.tolerations: must be a list");
	refused(values_set(v, "x", &err), &err, "x: must be NAME=VALUE");
	refused(values_set(v, "=x", &err), &err, "=x: must be NAME=VALUE");
	refused(values_merge_yaml(v, "[1]", 3, &err), &err, "values: must be an object");
	assert_int_equal(values_merge_yaml(v, "", 0, &err), 0);
}
