/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tls_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test/unit/test.h"

struct folder {
	char path[32], cert[48], key[48];
};

static void put(const char *path, const char *text)
{
	assert_int_equal(file_write(path, slice_of(text), NULL), 0);
}

static int make(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/mckube-tls-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->cert, sizeof(f->cert), "%s/tls.crt", f->path);
	snprintf(f->key, sizeof(f->key), "%s/tls.key", f->path);
	put(f->cert, "certificate");
	put(f->key, "key");
	*state = f;
	return 0;
}

static int clear(void **state)
{
	struct folder *f = *state;

	unlink(f->cert);
	unlink(f->key);
	rmdir(f->path);
	free(f);
	return 0;
}

static struct tls_files read_files(const struct folder *f)
{
	struct tls_files t;

	assert_int_equal(tls_files_read(f->cert, f->key, &t, NULL), 0);
	return t;
}

TEST_WITH(both_are_read, make, clear)
{
	const struct folder *f = *state;
	struct tls_files t = read_files(f);

	assert_string_equal(t.cert, "certificate");
	assert_string_equal(t.key, "key");
	assert_false(tls_files_have_changed(&t, f->cert, f->key));
	tls_files_done(&t);
	assert_null(t.cert);
	assert_null(t.key);
	tls_files_done(&t);
}

TEST_WITH(either_may_change, make, clear)
{
	const struct folder *f = *state;
	const char *const paths[] = { f->cert, f->key };

	for (int i = 0; i < 2; i++) {
		struct tls_files t = read_files(f);

		put(paths[i], "another");
		assert_true(tls_files_have_changed(&t, f->cert, f->key));
		tls_files_done(&t);
	}
}

/* As a Secret's volume does: what is read is a link, and the link stays. */
TEST_WITH(a_link_to_other_files_has_changed, make, clear)
{
	const struct folder *f = *state;
	char link[64];
	struct tls_files t;

	snprintf(link, sizeof(link), "%s/link", f->path);
	assert_int_equal(symlink(f->cert, link), 0);
	assert_int_equal(tls_files_read(link, f->key, &t, NULL), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(f->key, link), 0);
	assert_true(tls_files_have_changed(&t, link, f->key));
	unlink(link);
	tls_files_done(&t);
}

TEST_WITH(what_is_gone_has_not_changed, make, clear)
{
	const struct folder *f = *state;
	struct tls_files t = read_files(f);

	unlink(f->key);
	assert_false(tls_files_have_changed(&t, f->cert, f->key));
	tls_files_done(&t);
}

TEST_WITH(what_cannot_be_read_is_named, make, clear)
{
	const struct folder *f = *state;
	struct tls_files t;
	struct error err = ERROR_INIT;

	unlink(f->key);
	assert_int_equal(tls_files_read(f->cert, f->key, &t, &err), -ENOENT);
	assert_non_null(strstr(err.msg, f->key));
	assert_null(t.cert);
}

TEST_WITH(a_file_has_a_largest_size, make, clear)
{
	const struct folder *f = *state;
	char *large = xcalloc(TLS_FILE_MAX + 2, 1);
	struct tls_files t;
	struct error err = ERROR_INIT;

	memset(large, 'x', TLS_FILE_MAX + 1);
	put(f->key, large);
	assert_int_equal(tls_files_read(f->cert, f->key, &t, &err), -EFBIG);
	free(large);
}
