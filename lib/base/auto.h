/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_AUTO_H
#define MCKUBE_BASE_AUTO_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Resources that clean themselves when they leave scope, so that returning early is always safe.
 *
 *	AUTO_FREE char *path = xasprintf(...);
 *	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	AUTO(str_done) struct str body = STR_INIT;
 *	return TAKE(path);		the caller owns it now, here it is NULL
 */
#define AUTO(done) __attribute__((cleanup(done)))
#define AUTO_FREE  AUTO(auto_free_ptr)
#define AUTO_CLOSE AUTO(auto_close_fd)
#define AUTO_FILE  AUTO(auto_close_file)
#define AUTO_DIR   AUTO(auto_close_dir)

#define TAKE(p)                             \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline void auto_free_ptr(void *pp)
{
	free(*(void **)pp);
}

static inline void auto_close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void auto_close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#endif
