/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/arrival.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

#define ID "abcdefghijklmnopqrstuvwxyz012345"

static const char source_text[] =
	"{\"metadata\":{\"name\":\"db-0\",\"namespace\":\"n\",\"uid\":\"u\",\"labels\":{"
	"\"controller-revision-hash\":\"db-1\"},\"annotations\":{"
	"\"mckube.io/migrate-id\":\"" ID "\",\"mckube.io/migrate-to\":\"node-b\","
	"\"mckube.io/migrate-state\":\"Sent: 420\",\"mckube.io/rt-core\":\"1\","
	"\"mckube.io/migrate-placement\":\"{\\\"since\\\":7,\\\"annotations\\\":{"
	"\\\"mckube.io/rt-core\\\":\\\"0\\\",\\\"x\\\":\\\"y\\\"}}\"}},"
	"\"spec\":{\"nodeName\":\"node-a\",\"containers\":[{\"name\":\"c\"}]},"
	"\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"imageID\":\"base@sha256:1\"}]}}";

static cJSON *arrivals_of(const char *text)
{
	AUTO_JSON cJSON *node = cJSON_CreateObject();
	cJSON *notes =
		cJSON_AddObjectToObject(cJSON_AddObjectToObject(node, "metadata"), "annotations");

	if (text)
		cJSON_AddStringToObject(notes, "mckube.io/migrate-arrivals", text);
	return arrivals_read(node);
}

TEST(an_arrival_is_what_the_source_said)
{
	AUTO_JSON cJSON *json = NULL, *arrivals = arrivals_of(NULL);
	struct move_pod p;
	struct arrival a;
	struct error err;

	assert_int_equal(json_parse(source_text, strlen(source_text), &json, &err), 0);
	assert_int_equal(move_pod_read(json, &p, &err), 0);
	assert_false(arrival_find(arrivals, "n", "db-0", &a));
	arrival_add(arrivals, &p, 99);
	assert_true(arrival_find(arrivals, "n", "db-0", &a));
	assert_string_equal(a.id, ID);
	assert_string_equal(a.uid, "u");
	assert_string_equal(a.from, "node-a");
	assert_string_equal(a.base, "base@sha256:1");
	assert_string_equal(a.revision, "db-1");
	assert_null(a.failed);
	assert_int_equal(a.since, 99);
	assert_int_equal(a.sent_ms, 420);
	assert_string_equal(json_text(json_get(a.annotations, "mckube.io/rt-core")), "0");
	assert_string_equal(json_text(json_get(a.back, "mckube.io/rt-core")), "1");
	assert_null(json_get(a.back, "x"));
	arrival_fail(arrivals, "n", "db-0", "why");
	assert_true(arrival_find(arrivals, "n", "db-0", &a));
	assert_string_equal(a.failed, "why");
	arrival_remove(arrivals, "n", "db-0");
	assert_false(arrival_find(arrivals, "n", "db-0", &a));
}

TEST(what_is_no_arrival_is_none)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{",
		"{\"n/p\":1}",
		"{\"n/p\":{\"id\":\"short\",\"uid\":\"u\",\"from\":\"a\"}}",
		"{\"n/p\":{\"id\":\"" ID "\",\"uid\":\"u\"}}"
	};
	struct arrival a;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO_JSON cJSON *arrivals = arrivals_of(texts[i]);

		assert_true(cJSON_IsObject(arrivals));
		assert_false(arrival_find(arrivals, "n", "p", &a));
		arrival_fail(arrivals, "n", "other", "why");
	}
}
