/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "test/unit/test.h"

static void make(const char *path, const char *files)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"set -e; d=$(mktemp -d); mkdir $d/checkpoint; printf '%s' > $d/checkpoint/files.img; "
		"tar -C $d -cf %s checkpoint; rm -r $d",
		files, path);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the test's own */
}

TEST(an_archive_becomes_an_image_that_is_restored)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	AUTO_JSON cJSON *manifest = NULL, *config = NULL;
	char path[] = "/tmp/archive_test.XXXXXX", layer[80];
	struct error err = ERROR_INIT;
	int mended = -1;

	close(mkstemp(path));
	make(path, "MAGICNUM");
	assert_int_equal(archive_open(path, "app", &a, &mended, &err), 0);
	unlink(path);
	assert_int_equal(mended, 0);
	assert_int_equal(json_parse(a.manifest_text.s, a.manifest_text.n, &manifest, &err), 0);
	assert_int_equal(json_parse(a.config_text.s, a.config_text.n, &config, &err), 0);
	const cJSON *first = cJSON_GetArrayItem(json_get(manifest, "layers"), 0);
	snprintf(layer, sizeof(layer), "sha256:%s", a.layer);
	assert_string_equal(json_text(json_get(first, "digest")), layer);
	assert_string_equal(json_text(cJSON_GetArrayItem(json_path(config, "rootfs.diff_ids"), 0)),
			    layer);
	assert_string_equal(json_text(json_get(json_get(manifest, "annotations"),
					       "org.criu.checkpoint.container.name")),
			    "app");
}

TEST(an_archive_without_open_files_is_none)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	char path[] = "/tmp/archive_test.XXXXXX";
	struct error err = ERROR_INIT;
	int mended;

	AUTO_CLOSE int fd = mkstemp(path);
	assert_int_equal(archive_open(path, "app", &a, &mended, &err), -ENOENT);
	assert_int_equal(write(fd, "no tar", 6), 6);
	assert_int_equal(archive_open(path, "app", &a, &mended, &err), -EBADMSG);
	make(path, "MAGICNUMxx");
	assert_int_equal(archive_open(path, "app", &a, &mended, &err), -EBADMSG);
	unlink(path);
	assert_int_equal(a.fd, -1);
}
