/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_FAKE_TREE_H
#define MCKUBE_TEST_FAKE_TREE_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/auto.h"

/* A made-up /sys/fs/cgroup, /proc and /sys in a temporary folder. */
struct fake_tree {
	char root[64];
};

static inline void fake_tree_init(struct fake_tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/mckube-fake-XXXXXX");
	if (!mkdtemp(t->root))
		abort();
}

static inline int fake_tree_remove(const char *path, const struct stat *st, int type,
				   struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fake_tree_done(struct fake_tree *t)
{
	nftw(t->root, fake_tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The file below the root, its folders made; "a/b/" makes folders only. */
static inline void fake_file(const struct fake_tree *t, const char *name, const char *text)
{
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", t->root, name);
	for (char *slash = path + strlen(t->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
	if (path[strlen(path) - 1] == '/')
		return;
	AUTO_FILE FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0)
		abort();
}

static inline const char *fake_read(const struct fake_tree *t, const char *name, char buf[256])
{
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", t->root, name);
	AUTO_FILE FILE *f = fopen(path, "r");
	if (!f)
		abort();
	buf[fread(buf, 1, 255, f)] = '\0';
	return buf;
}

#endif
