/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/new_pod.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

#define ID "abcdefghijklmnopqrstuvwxyz012345"

static const char source_text[] =
	"{\"metadata\":{\"name\":\"app\",\"namespace\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"5\","
	"\"labels\":{\"app\":\"x\",\"mckube.io/migrating\":\"" ID "\"},\"annotations\":{"
	"\"keep\":\"me\",\"mckube.io/migrate-id\":\"" ID "\",\"mckube.io/migrate-to\":\"node-b\","
	"\"mckube.io/migrate-state\":\"Waiting\",\"mckube.io/rt-core\":\"1\","
	"\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\","
	"\"mckube.io/migrate-placement\":\"{\\\"since\\\":7,\\\"annotations\\\":{"
	"\\\"mckube.io/rt-core\\\":\\\"0\\\"}}\"}},"
	"\"spec\":{\"nodeName\":\"node-a\",\"containers\":[{\"name\":\"c\",\"image\":\"i\","
	"\"imagePullPolicy\":\"Always\",\"command\":[\"x\"]}]},"
	"\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"imageID\":\"base@sha256:1\"}]}}";

static void read_source(cJSON **json, struct move_pod *p)
{
	struct error err;

	assert_int_equal(json_parse(source_text, strlen(source_text), json, &err), 0);
	assert_int_equal(move_pod_read(*json, p, &err), 0);
}

TEST(a_new_pod_is_its_source_elsewhere)
{
	AUTO_JSON cJSON *json = NULL, *new = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	struct move_pod p;
	struct error err;

	read_source(&json, &p);
	new_pod_write(&p, &text);
	assert_int_equal(json_parse(text.s, text.n, &new, &err), 0);
	const cJSON *notes = json_path(new, "metadata.annotations");
	const cJSON *c = cJSON_GetArrayItem(json_path(new, "spec.containers"), 0);
	assert_string_equal(json_text(json_path(new, "metadata.name")), "app-mabcdef");
	assert_null(json_path(new, "metadata.uid"));
	assert_null(json_path(new, "metadata.resourceVersion"));
	assert_null(json_get(new, "status"));
	assert_string_equal(json_text(json_get(notes, "keep")), "me");
	assert_string_equal(json_text(json_get(notes, "mckube.io/rt-core")), "0");
	assert_string_equal(json_text(json_get(notes, "mckube.io/migrate-from")), "node-a/u");
	assert_string_equal(json_text(json_get(notes, "mckube.io/migrate-base")), "base@sha256:1");
	assert_null(json_get(notes, "mckube.io/migrate-to"));
	assert_null(json_get(notes, "mckube.io/migrate-state"));
	assert_null(json_get(notes, "kubectl.kubernetes.io/last-applied-configuration"));
	assert_string_equal(json_text(json_path(new, "spec.nodeName")), "node-b");
	assert_string_equal(json_text(json_get(c, "image")), "localhost:9809/mig/" ID "-0:v1");
	assert_string_equal(json_text(json_get(c, "imagePullPolicy")), "IfNotPresent");
	assert_int_equal(placement_since(&p), 7);
}

static const char *image_in(const cJSON *object, const char *list, int i)
{
	return json_text(json_get(cJSON_GetArrayItem(json_path(object, list), i), "image"));
}

TEST(sidecars_come_with_their_memory)
{
	static const char with_sidecar[] =
		"{\"metadata\":{\"name\":\"app\",\"namespace\":\"n\",\"uid\":\"u\",\"resourceVersion\":"
		"\"5\",\"annotations\":{\"mckube.io/migrate-id\":\"" ID
		"\",\"mckube.io/migrate-to\":"
		"\"b\"}},\"spec\":{\"initContainers\":[{\"name\":\"first\",\"image\":\"f\"},{\"name\":"
		"\"s\",\"image\":\"s\",\"restartPolicy\":\"Always\"}],\"containers\":[{\"name\":\"c\","
		"\"image\":\"c\"}]}}";
	AUTO_JSON cJSON *json = NULL, *new = NULL, *patch = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	struct move_pod p;
	struct error err;

	assert_int_equal(json_parse(with_sidecar, strlen(with_sidecar), &json, &err), 0);
	assert_int_equal(move_pod_read(json, &p, &err), 0);
	new_pod_write(&p, &text);
	assert_int_equal(json_parse(text.s, text.n, &new, &err), 0);
	assert_string_equal(image_in(new, "spec.initContainers", 0), "f");
	assert_string_equal(image_in(new, "spec.initContainers", 1),
			    "localhost:9809/mig/" ID "-0:v1");
	assert_string_equal(image_in(new, "spec.containers", 0), "localhost:9809/mig/" ID "-1:v1");
	str_clear(&text);
	new_pod_patch(&p, &p, &text);
	assert_int_equal(json_parse(text.s, text.n, &patch, &err), 0);
	assert_int_equal(cJSON_GetArraySize(json_path(patch, "spec.initContainers")), 1);
	assert_string_equal(image_in(patch, "spec.initContainers", 0),
			    "localhost:9809/mig/" ID "-0:v1");
	assert_string_equal(image_in(patch, "spec.containers", 0),
			    "localhost:9809/mig/" ID "-1:v1");
}

TEST(names_do_not_grow_from_move_to_move)
{
	AUTO_JSON cJSON *json = NULL;
	AUTO(str_done) struct str name = STR_INIT;
	struct move_pod p;

	read_source(&json, &p);
	p.name = "app-mzzzzzz";
	new_pod_name(&p, &name);
	assert_string_equal(name.s, "app-mabcdef");
	str_clear(&name);
	p.name = "app-manager";
	new_pod_name(&p, &name);
	assert_string_equal(name.s, "app-mabcdef");
}

TEST(an_owners_pod_is_patched)
{
	AUTO_JSON cJSON *json = NULL, *patch = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	struct move_pod p, new;
	struct error err;

	read_source(&json, &p);
	new = p;
	new.uid = "u2";
	new_pod_patch(&p, &new, &text);
	assert_int_equal(json_parse(text.s, text.n, &patch, &err), 0);
	assert_string_equal(json_text(json_path(patch, "metadata.uid")), "u2");
	str_clear(&text);
	json_free(&patch);
	new_pod_open_gate(&new, "node-b", &text);
	assert_int_equal(json_parse(text.s, text.n, &patch, &err), 0);
	assert_true(cJSON_IsNull(json_path(patch, "spec.schedulingGates")));
}

TEST(the_pod_of_a_stateful_set_is_patched_by_what_its_node_holds)
{
	AUTO_JSON cJSON *json = NULL, *patch = NULL, *notes = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	struct move_pod p;
	struct error err;

	read_source(&json, &p);
	assert_int_equal(json_parse("{\"x\":\"y\"}", 9, &notes, &err), 0);
	const struct arrival a = {
		.id = ID, .uid = "u0", .from = "node-a", .base = "b", .annotations = notes
	};
	new_pod_patch_arrived(&a, &p, &text);
	assert_int_equal(json_parse(text.s, text.n, &patch, &err), 0);
	const cJSON *its = json_path(patch, "metadata.annotations");
	assert_string_equal(json_text(json_get(its, "x")), "y");
	assert_string_equal(json_text(json_get(its, "mckube.io/migrate-from")), "node-a/u0");
	assert_string_equal(json_text(json_get(its, "mckube.io/migrate-base")), "b");
	assert_string_equal(json_text(json_path(patch, "metadata.resourceVersion")), "5");
	const cJSON *c = cJSON_GetArrayItem(json_path(patch, "spec.containers"), 0);
	assert_string_equal(json_text(json_get(c, "image")), "localhost:9809/mig/" ID "-0:v1");
}
