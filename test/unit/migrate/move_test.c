/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/move.h"

#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

TEST(a_state_is_a_word_and_a_text)
{
	const char *text = NULL;

	assert_int_equal(move_state_of("Sent: 523", &text), MOVE_SENT);
	assert_string_equal(text, "523");
	assert_int_equal(move_state_of("Waiting", &text), MOVE_WAITING);
	assert_string_equal(text, "");
	assert_int_equal(move_state_of("Waitin", &text), MOVE_NONE);
	assert_int_equal(move_state_of("", NULL), MOVE_NONE);
	assert_int_equal(move_state_of(NULL, NULL), MOVE_NONE);
	for (enum move_state s = MOVE_REQUESTED; s <= MOVE_FAILED; s++)
		assert_int_equal(move_state_of(move_state_word(s), NULL), s);
}

static int read_pod(const char *text, cJSON **json, struct move_pod *p, struct error *err)
{
	assert_int_equal(json_parse(text, strlen(text), json, err), 0);
	return move_pod_read(*json, p, err);
}

TEST(containers_keep_the_order_of_the_spec)
{
	AUTO_JSON cJSON *json = NULL;
	struct move_pod p;
	struct error err;

	assert_int_equal(
		read_pod(
			"{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u\",\"annotations\":"
			"{\"mckube.io/migrate-id\":\"short\"}},\"spec\":{\"containers\":[{\"name\":\"x\"},"
			"{\"name\":\"y\"}]},\"status\":{\"containerStatuses\":[{\"name\":\"y\","
			"\"containerID\":\"containerd://2\",\"state\":{\"running\":{}}},{\"name\":\"x\","
			"\"state\":{\"terminated\":{\"message\":\"over\"}}}]}}",
			&json, &p, &err),
		0);
	assert_null(p.id);
	assert_string_equal(p.containers[0].name, "x");
	assert_true(p.containers[1].is_running);
	assert_false(move_pod_runs(&p));
	assert_string_equal(move_pod_failed(&p)->message, "over");
}

TEST(sidecars_come_first_and_other_init_containers_do_not)
{
	AUTO_JSON cJSON *json = NULL;
	struct move_pod p;
	struct error err;

	assert_int_equal(
		read_pod("{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u\"},"
			 "\"spec\":{\"containers\":[{\"name\":\"c\"}],\"initContainers\":["
			 "{\"name\":\"first\"},{\"name\":\"s\",\"restartPolicy\":\"Always\"}]},"
			 "\"status\":{\"initContainerStatuses\":[{\"name\":\"first\",\"state\":"
			 "{\"terminated\":{}}},{\"name\":\"s\",\"containerID\":\"containerd://1\","
			 "\"state\":{\"running\":{}}}],\"containerStatuses\":[{\"name\":\"c\","
			 "\"containerID\":\"containerd://2\",\"state\":{\"running\":{}}}]}}",
			 &json, &p, &err),
		0);
	assert_int_equal(p.n_containers, 2);
	assert_string_equal(p.containers[0].name, "s");
	assert_true(p.containers[0].is_sidecar);
	assert_string_equal(p.containers[1].id, "containerd://2");
	assert_false(p.containers[1].is_sidecar);
	assert_true(move_pod_runs(&p));
	assert_null(move_pod_failed(&p));
}

TEST(no_pod_is_refused)
{
	AUTO_JSON cJSON *json = NULL;
	struct move_pod p;
	struct error err;

	assert_int_equal(read_pod("{\"metadata\":{\"name\":\"a\"}}", &json, &p, &err), -EINVAL);
}

TEST(an_id_is_32_letters_and_digits)
{
	char id[MOVE_ID_SIZE], other[MOVE_ID_SIZE];
	struct error err;

	assert_int_equal(move_id_make(id, &err), 0);
	assert_int_equal(move_id_make(other, &err), 0);
	assert_true(move_id_is_valid(id));
	assert_string_not_equal(id, other);
	id[3] = '/';
	assert_false(move_id_is_valid(id));
	assert_false(move_id_is_valid(""));
	assert_false(move_id_is_valid("abcdefghijklmnopqrstuvwxyz0123456"));
}

TEST(a_checkpoint_is_known_by_its_name)
{
	static const char *const others[] = {
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-0:v1",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-0@sha256:2",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-0@sha256:12",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-0@sha256:",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-0",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-@sha256:1",
		"localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345",
		"localhost:9809/mig/ABCDEFGHIJKLMNOPQRSTUVWXYZ012345-0@sha256:1",
		"localhost:9809/mig/short-0@sha256:1",
		"example.org/mig/abcdefghijklmnopqrstuvwxyz012345-0@sha256:1",
		"",
	};
	const struct slice digest = slice_of("sha256:1");
	char id[MOVE_ID_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(move_image_is_checkpoint(slice_of(others[i]), digest, id));
	assert_true(move_image_is_checkpoint(
		slice_of("localhost:9809/mig/abcdefghijklmnopqrstuvwxyz012345-12@sha256:1"), digest,
		id));
	assert_string_equal(id, "abcdefghijklmnopqrstuvwxyz012345");
}
