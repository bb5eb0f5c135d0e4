/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "test/unit/test.h"

/* An archive of GNU tar, of this form, with checkpoint/files.img, a folder and a long name. */
static int make(const char *format, int64_t *ret_size)
{
	char command[512], path[] = "/tmp/tar_test.XXXXXX";
	struct stat st;
	int fd = mkstemp(path);

	snprintf(
		command, sizeof(command),
		"set -e; d=$(mktemp -d); cd $d; mkdir -p checkpoint/empty; n=$(printf '%%080d/%%069d' 7 7); mkdir -p checkpoint/${n%%%%/*}; "
		"printf hello > checkpoint/files.img; printf x > checkpoint/$n; "
		"tar --format=%s -cf %s checkpoint; rm -r $d",
		format, path);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the test's own */
	close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	assert_int_equal(fstat(fd, &st), 0);
	*ret_size = st.st_size;
	return fd;
}

TEST(a_member_is_found_in_archives_of_all_forms)
{
	static const char *const formats[] = { "ustar", "gnu", "pax" };

	for (size_t i = 0; i < 3; i++) {
		AUTO_FREE struct tar_member *m = calloc(1, sizeof(*m));
		int64_t size, at = 0;
		AUTO_CLOSE int fd = make(formats[i], &size);
		struct error err = ERROR_INIT;
		char text[6] = "";
		int n = 0, long_names = 0;

		assert_int_equal(tar_find(fd, size, "checkpoint/files.img", m, &err), 0);
		assert_int_equal(m->size, 5);
		assert_int_equal(pread(fd, text, 5, m->offset), 5);
		assert_string_equal(text, "hello");
		while (tar_next(fd, size, &at, m, &err) == 1) {
			n++;
			long_names += strlen(m->name) == strlen("checkpoint/") + 150;
		}
		assert_int_equal(n, 5);
		assert_int_equal(long_names, 1);
		assert_int_equal(tar_find(fd, size, "checkpoint/none", m, &err), -ENOENT);
	}
}

TEST(what_is_cut_short_or_none_is_refused)
{
	AUTO_FREE struct tar_member *m = calloc(1, sizeof(*m));
	int64_t size;
	AUTO_CLOSE int fd = make("pax", &size);
	struct error err = ERROR_INIT;

	assert_int_equal(tar_find(fd, TAR_BLOCK + 100, "checkpoint/none", m, &err), -EBADMSG);
	assert_int_equal(pwrite(fd, "\xff\xff\xff", 3, 0), 3);
	assert_int_equal(tar_find(fd, size, "checkpoint/files.img", m, &err), -EBADMSG);
}
