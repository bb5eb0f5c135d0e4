/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "checkpoint/tar.h"
#include "test/unit/test.h"

/* NOLINTBEGIN(cert-env33-c): the test's own commands */

/* A folder of a checkpoint with these open files. */
static void make(const char *folder, const char *files)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "set -e; cd %s; mkdir -p checkpoint; printf '%s' > checkpoint/files.img; "
		 "head -c 3000000 /dev/urandom > checkpoint/pages-1.img; : > empty; "
		 "printf spec > spec.dump",
		 folder, files);
	assert_int_equal(system(command), 0);
}

static void take_away(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static int add(void *arg, const void *bytes, size_t n)
{
	str_addn(arg, bytes, n);
	return 0;
}

TEST(an_archive_becomes_an_image_that_is_restored)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	AUTO_JSON cJSON *manifest = NULL, *config = NULL;
	char folder[] = "/tmp/archive_test.XXXXXX", layer[80];
	struct error err = ERROR_INIT;
	int mended = -1;

	assert_non_null(mkdtemp(folder));
	make(folder, "MAGICNUM");
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), 0);
	take_away(folder);
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
	assert_non_null(json_text(json_path(manifest, "config.data")));
	assert_null(json_get(first, "data"));
}

/* By tar(1) and sha256sum(1). */
TEST(its_layer_is_an_archive_of_the_folder)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	AUTO(str_done) struct str text = STR_INIT;
	char folder[] = "/tmp/archive_test.XXXXXX", command[512];
	struct error err = ERROR_INIT;
	int mended;

	assert_non_null(mkdtemp(folder));
	make(folder, "MAGICNUM");
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), 0);
	assert_int_equal(archive_read(&a, 0, a.size, add, &text), 0);
	assert_int_equal(text.n, a.size);
	snprintf(command, sizeof(command),
		 "set -e; mkdir %s.out; cd %s.out; tee layer | tar -xf -; diff -r %s . | "
		 "grep -v layer && exit 1; echo '%s  layer' | sha256sum -c --quiet; rm -r %s.out",
		 folder, folder, folder, a.layer, folder);
	FILE *f = popen(command, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text.s, 1, text.n, f), text.n);
	assert_int_equal(pclose(f), 0);
	take_away(folder);
}

/* NOLINTEND(cert-env33-c) */

TEST(any_piece_of_a_layer_is_what_the_whole_has_there)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	AUTO(str_done) struct str all = STR_INIT;
	char folder[] = "/tmp/archive_test.XXXXXX";
	struct error err = ERROR_INIT;
	int mended;

	assert_non_null(mkdtemp(folder));
	make(folder, "MAGICNUM");
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), 0);
	assert_int_equal(archive_read(&a, 0, a.size, add, &all), 0);
	for (int64_t from = 0; from < a.size; from += 77777) {
		for (int64_t n = 1; n < a.size - from; n *= 9) {
			AUTO(str_done) struct str piece = STR_INIT;

			assert_int_equal(archive_read(&a, from, n, add, &piece), 0);
			assert_int_equal(piece.n, n);
			assert_memory_equal(piece.s, all.s + from, (size_t)n);
		}
	}
	take_away(folder);
	assert_true(archive_read(&a, 0, a.size, add, &all) < 0);
}

TEST(a_folder_without_open_files_is_no_checkpoint)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	char folder[] = "/tmp/archive_test.XXXXXX";
	struct error err = ERROR_INIT;
	int mended;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), -ENOENT);
	make(folder, "MAGICNUMxx");
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), -EBADMSG);
	make(folder, "MAGICNUM");
	AUTO_FREE char *link = xasprintf("%s/checkpoint/link", folder);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(archive_open(folder, "app", &a, &mended, &err), -EBADMSG);
	take_away(folder);
	assert_null(a.folder);
}

TEST(a_size_of_more_digits_than_there_is_room_for_is_binary)
{
	unsigned char h[TAR_BLOCK];

	tar_header("a", TAR_FILE, INT64_C(8589934591), h);
	assert_memory_equal(h + 124, "77777777777", 12);
	tar_header("a", TAR_FILE, INT64_C(8589934592), h);
	assert_memory_equal(h + 124, "\x80\0\0\0\0\0\0\x02\0\0\0\0", 12);
}
