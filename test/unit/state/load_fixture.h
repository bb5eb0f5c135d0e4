/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_STATE_LOAD_FIXTURE_H
#define MCKUBE_TEST_STATE_LOAD_FIXTURE_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "state/load.h"

/* A file with this content, removed by file_done(). */
static inline char *file_of(const void *content, size_t n)
{
	char path[] = "/tmp/mckube-load-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), (ssize_t)n);
	close(fd);
	return xstrdup(path);
}

static inline void file_done(char **path)
{
	if (*path)
		unlink(*path);
	free(*path);
}
#define AUTO_TEMP AUTO(file_done)

/* Loads the paths one over the other. */
static inline int load_paths(const char *const *paths, size_t n, struct cluster *ret,
			     struct error *err)
{
	struct loader *l = loader_new();
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct source src = { .path = paths[i] };

		r = loader_files(l, &src, 1, err);
	}
	if (r == 0)
		loader_finish(l, ret);
	loader_free(l);
	return r;
}

/* Loads a text that must be readable. */
static inline struct cluster load_text(const char *text)
{
	AUTO_TEMP char *path = file_of(text, strlen(text));
	const char *paths[] = { path };
	struct error err = ERROR_INIT;
	struct cluster c = { 0 };

	if (load_paths(paths, 1, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

/* The one problem in a text. */
static inline void has_problem(const char *text, const char *object, const char *message)
{
	AUTO(cluster_done) struct cluster c = load_text(text);

	assert_int_equal(c.problems.n, 1);
	assert_string_equal(cluster_str(&c, c.problems.items[0].object), object);
	assert_string_equal(cluster_str(&c, c.problems.items[0].reason), "Unsupported");
	assert_string_equal(cluster_str(&c, c.problems.items[0].message), message);
}

#endif
