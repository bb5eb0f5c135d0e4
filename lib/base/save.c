/* SPDX-License-Identifier: Apache-2.0 */
#include "base/save.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

/* The mode of a new file: what open() would have given it. */
static mode_t default_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int open_in_place(struct save *s, struct error *err)
{
	s->f = strcmp(s->path, "-") == 0 ? fdopen(dup(STDOUT_FILENO), "w") : fopen(s->path, "we");
	return s->f ? 0 : error_errno(err, "%s", s->path);
}

static int open_beside(struct save *s, mode_t mode, struct error *err)
{
	s->temp = xasprintf("%s.XXXXXX", s->path);

	int fd = mkostemp(s->temp, O_CLOEXEC);
	if (fd < 0) {
		int code = error_errno(err, "%s", s->path);

		free(TAKE(s->temp));
		return code;
	}
	s->f = fdopen(fd, "w");
	if (!s->f)
		close(fd);
	return s->f && fchmod(fd, mode) == 0 ? 0 : error_errno(err, "%s", s->path);
}

int save_open(struct save *s, const char *path, struct error *err)
{
	char real[PATH_MAX];
	struct stat st;
	bool is_there = strcmp(path, "-") != 0 && stat(path, &st) == 0;
	int code;

	s->path = xstrdup(is_there && realpath(path, real) ? real : path);
	if (strcmp(path, "-") == 0 || (is_there && !S_ISREG(st.st_mode)))
		code = open_in_place(s, err);
	else
		code = open_beside(s, is_there ? st.st_mode & 07777 : default_mode(), err);
	if (code < 0)
		save_done(s);
	return code;
}

/* Makes the rename itself survive a power cut. A file system that cannot do it is no error. */
static void sync_folder(const char *path)
{
	AUTO_FREE char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash)
		slash[slash == folder] = '\0';
	AUTO_CLOSE int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

int save_commit(struct save *s, struct error *err)
{
	FILE *f = TAKE(s->f);
	bool is_good = !ferror(f) && fflush(f) == 0 && (!s->temp || fsync(fileno(f)) == 0);
	int cause = errno;

	if (fclose(f) != 0 && is_good) {
		is_good = false;
		cause = errno;
	}
	if (is_good && s->temp && rename(s->temp, s->path) < 0) {
		is_good = false;
		cause = errno;
	}
	if (!is_good) {
		errno = cause ? cause : EIO;
		return error_errno(err, "write %s", s->path);
	}
	if (s->temp) {
		free(TAKE(s->temp));
		sync_folder(s->path);
	}
	return 0;
}

void save_done(struct save *s)
{
	if (s->f)
		fclose(s->f);
	if (s->temp)
		unlink(s->temp);
	free(s->temp);
	free(s->path);
	*s = (struct save){ 0 };
}
