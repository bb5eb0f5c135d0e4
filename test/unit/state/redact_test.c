/* SPDX-License-Identifier: Apache-2.0 */
#include "state/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"
#include "base/json.h"
#include "test/unit/test.h"

static char *redact(const char *list, const char *key)
{
	char path[] = "/tmp/mckube-redact-XXXXXX", *text = NULL;
	const struct source source = { .path = path };
	struct error err = ERROR_INIT;
	size_t n;

	AUTO_CLOSE int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, list, strlen(list)), strlen(list));
	FILE *out = open_memstream(&text, &n);
	assert_int_equal(redact_files(&source, 1, key, 0, LIST_JSON, out, &err), 0);
	fclose(out);
	unlink(path);
	return text;
}

static const char talkative[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{"
	"\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"secret-pod\","
	"\"annotations\":{\"secret-note\":\"s1\",\"mckube.io/rt-core\":\"2\"},"
	"\"labels\":{\"secret-key\":\"secret-value\",\"sdv.com\":\"7\"},"
	"\"managedFields\":[{\"manager\":\"secret\"}]},"
	"\"spec\":{\"containers\":[{\"name\":\"secret-c\",\"image\":\"secret/i\","
	"\"env\":[{\"name\":\"E\",\"value\":\"secret-env\"}],\"command\":[\"secret-cmd\"],"
	"\"resources\":{\"requests\":{\"cpu\":\"1\",\"secret.com/dev\":\"2\"}}}],"
	"\"nodeName\":\"secret-node\",\"volumes\":[{\"name\":\"v\",\"secret\":"
	"{\"secretName\":\"secret-s\"}},{\"name\":\"w\",\"ephemeral\":{}}]},"
	"\"status\":{\"phase\":\"Running\",\"hostIP\":\"192.0.2.1\"}},"
	"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"secret-x\"},"
	"\"data\":{\"a\":\"c2VjcmV0\"}}]}";

TEST(what_a_plan_does_not_read_is_left_out)
{
	AUTO_FREE char *text = redact(talkative, "k");

	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "c2VjcmV0"));
	assert_null(strstr(text, "192.0.2.1"));
	assert_null(strstr(text, "managedFields"));
	assert_non_null(strstr(text, "\"mckube.io/rt-core\": \"2\""));
	assert_non_null(strstr(text, "\"sdv.com\": \"7\""));
	assert_non_null(strstr(text, "\"cpu\": \"1\""));
	assert_non_null(strstr(text, "\"phase\": \"Running\""));
	assert_non_null(strstr(text, "\"claimName\": \"x"));
}

TEST(pseudonyms_follow_from_the_key)
{
	AUTO_FREE char *one = redact(talkative, "k");
	AUTO_FREE char *same = redact(talkative, "k");
	AUTO_FREE char *other = redact(talkative, "l");

	assert_string_equal(one, same);
	assert_string_not_equal(one, other);
}

/* Three nodes and a namespace that is nowhere written. */
TEST(names_sort_as_before)
{
	AUTO_FREE char *text =
		redact("{\"kind\":\"List\",\"items\":["
		       "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"b\"}},"
		       "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"c\"}},"
		       "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"A_\"}}]}",
		       "k");

	assert_non_null(strstr(text, "\"name\": \"x2-"));
	assert_non_null(strstr(text, "\"name\": \"x3-"));
	assert_non_null(strstr(text, "\"name\": \"x1_"));
	assert_non_null(strstr(text, "\"namespace\": \"x4-"));
}

static void assert_pseudonym(const cJSON *name, const char *is)
{
	assert_true(cJSON_IsString(name));
	assert_string_equal(name->valuestring, is);
	assert_string_not_equal(is, "low");
	assert_string_not_equal(is, "7");
}

/* The words and numbers that stay in other labels. */
TEST(pods_keep_their_optimizer_whatever_it_is_called)
{
	static const char *const names[] = { "low", "spot", "7", "true" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *list = xasprintf(
			"{\"kind\":\"List\",\"items\":[{\"apiVersion\":\"kcloud.io/v1alpha1\","
			"\"kind\":\"WorkloadOptimizer\",\"metadata\":{\"name\":\"%s\"}},"
			"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"labels\":"
			"{\"workload-optimizer\":\"%s\",\"cost-per-hour\":\"low\"}},\"spec\":{\"affinity\":"
			"{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
			"\"labelSelector\":{\"matchExpressions\":[{\"key\":\"workload-optimizer\","
			"\"operator\":\"In\",\"values\":[\"%s\"]}]}}]}}}}]}",
			names[i], names[i], names[i]);
		AUTO_FREE char *text = redact(list, "k");
		AUTO_JSON cJSON *root = cJSON_Parse(text);
		const cJSON *items = json_get(root, "items");
		const cJSON *pod = cJSON_GetArrayItem(items, 1);
		const char *name =
			json_text(json_path(cJSON_GetArrayItem(items, 0), "metadata.name"));
		const cJSON *labels = json_path(pod, "metadata.labels");
		const cJSON *terms =
			json_path(pod, "spec.affinity.podAntiAffinity."
				       "requiredDuringSchedulingIgnoredDuringExecution");
		const cJSON *expressions =
			json_path(cJSON_GetArrayItem(terms, 0), "labelSelector.matchExpressions");
		const cJSON *values = json_get(cJSON_GetArrayItem(expressions, 0), "values");

		assert_non_null(name);
		assert_pseudonym(json_get(labels, "workload-optimizer"), name);
		assert_pseudonym(cJSON_GetArrayItem(values, 0), name);
		assert_string_equal(json_text(json_get(labels, "cost-per-hour")), "low");
	}
}

/* What decides about a node's cost: without it the plan would be another one. */
TEST(what_money_goes_by_stays)
{
	static const char node[] =
		"{\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
		"\"name\":\"n\",\"labels\":{\"lifecycle\":\"Ec2Spot\"}},\"spec\":{\"taints\":["
		"{\"key\":\"ToBeDeletedByClusterAutoscaler\",\"effect\":\"NoSchedule\"},"
		"{\"key\":\"DeletionCandidateOfClusterAutoscaler\",\"effect\":\"PreferNoSchedule\"}]},"
		"\"status\":{\"capacity\":{\"cpu\":\"4\",\"nvidia.com/mig-1g.5gb\":\"7\","
		"\"habana.ai/gaudi\":\"8\",\"secret.com/dev\":\"9\"}}}]}";
	static const char *const kept[] = { "\"lifecycle\": \"Ec2Spot\"",
					    "\"ToBeDeletedByClusterAutoscaler\"",
					    "\"DeletionCandidateOfClusterAutoscaler\"",
					    "\"nvidia.com/mig-1g.5gb\": \"7\"",
					    "\"habana.ai/gaudi\": \"8\"" };
	AUTO_FREE char *text = redact(node, "k");

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (!strstr(text, kept[i]))
			fail_msg("%s is not in %s", kept[i], text);
	assert_null(strstr(text, "secret"));
}
