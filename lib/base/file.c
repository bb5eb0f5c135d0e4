/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

int file_read_fd(int fd, const char *name, struct str *out, struct error *err)
{
	char piece[16 << 10];
	ssize_t n = 0;

	while (!out->is_full && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno != EINTR)
			return error_errno(err, "%s", name);
		str_addn(out, piece, n > 0 ? (size_t)n : 0);
	}
	explicit_bzero(piece, sizeof(piece)); /* it may be a key's */
	return out->is_full ? error_set(err, -EFBIG, "%s: larger than %zu bytes", name, out->max)
			    : 0;
}

int file_read(const char *path, struct str *out, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "%s", path) : file_read_fd(fd, path, out, err);
}

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

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The path by which an open file can be linked without privileges, see open(2), O_TMPFILE. */
enum { FD_PATH = 32 };

static const char *fd_path(int fd, char buf[static FD_PATH])
{
	snprintf(buf, FD_PATH, "/proc/self/fd/%d", fd);
	return buf;
}

/* A file without a name; -1 where there is no such thing, or it could not get a name later. */
static int open_unnamed(const char *path)
{
	AUTO_FREE char *folder = folder_of(path);
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char name[FD_PATH];

	if (fd >= 0 && access(fd_path(fd, name), F_OK) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Names the file, beside its place when that is taken: a link cannot replace what is there, a
 * rename can. The number of its inode is one that no other file there has. */
static int give_name(struct save *s, int fd)
{
	char from[FD_PATH];
	struct stat st;

	if (linkat(AT_FDCWD, fd_path(fd, from), AT_FDCWD, s->path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || fstat(fd, &st) < 0)
		return -1;
	AUTO_FREE char *name = xasprintf("%s.%ju", s->path, (uintmax_t)st.st_ino);
	if (linkat(AT_FDCWD, fd_path(fd, from), AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	s->temp = TAKE(name);
	return 0;
}

static int open_beside(struct save *s, mode_t mode, struct error *err)
{
	int fd = open_unnamed(s->path);

	s->is_unnamed = fd >= 0;
	if (!s->is_unnamed) {
		s->temp = xasprintf("%s.XXXXXX", s->path);
		fd = mkostemp(s->temp, O_CLOEXEC);
	}
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
		code = open_beside(
			s, is_there && st.st_uid == geteuid() ? st.st_mode & 0777 : default_mode(),
			err);
	if (code < 0)
		save_done(s);
	return code;
}

/* Is it PATH.INODE of a save that was killed before its rename? */
static bool is_leftover(int folder, const struct dirent *entry, const char *name)
{
	size_t n = strlen(name);
	struct stat st;
	char *end;

	if (strncmp(entry->d_name, name, n) != 0 || entry->d_name[n] != '.')
		return false;
	uintmax_t number = strtoumax(entry->d_name + n + 1, &end, 10);
	return !*end && fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_ino == number && st.st_uid == geteuid() &&
	       time(NULL) - st.st_mtime > SAVE_STALE_S;
}

static void remove_leftovers(const char *path)
{
	AUTO_FREE char *folder = folder_of(path);
	AUTO_DIR DIR *dir = opendir(folder);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_leftover(dirfd(dir), entry, name))
			unlinkat(dirfd(dir), entry->d_name, 0);
}

/* Makes the rename itself survive a power cut. A file system that cannot do it is no error. */
static void sync_folder(const char *path)
{
	AUTO_FREE char *folder = folder_of(path);
	AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

/* Nothing of it is in a buffer any more, and what is not written in place has a name. */
static bool is_whole(struct save *s, FILE *f)
{
	if (ferror(f) || fflush(f) != 0)
		return false;
	if (!s->temp && !s->is_unnamed)
		return true;
	return fsync(fileno(f)) == 0 && (!s->is_unnamed || give_name(s, fileno(f)) == 0);
}

int save_commit(struct save *s, struct error *err)
{
	FILE *f = TAKE(s->f);
	bool is_good = is_whole(s, f);
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
	if (s->temp || s->is_unnamed)
		sync_folder(s->path);
	if (s->temp) {
		free(TAKE(s->temp));
		remove_leftovers(s->path);
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

int file_write(const char *path, struct slice text, struct error *err)
{
	AUTO(save_done) struct save out = { 0 };

	if (save_open(&out, path, err) < 0)
		return err->code;
	fwrite(text.s, 1, text.n, out.f);
	return save_commit(&out, err);
}
