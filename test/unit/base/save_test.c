/* SPDX-License-Identifier: Apache-2.0 */
#include "base/save.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "test/unit/test.h"

static char folder[] = "/tmp/save_test.XXXXXX";

static bool has_unnamed_files = true;

/* In place of libc's: a file system that may lack O_TMPFILE. */
int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (!has_unnamed_files && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int with_unnamed_files(void **state)
{
	(void)state;
	has_unnamed_files = true;
	return 0;
}

static int without_unnamed_files(void **state)
{
	(void)state;
	has_unnamed_files = false;
	return 0;
}

/* With files that have no name until they are whole, and without. */
#define TEST_BOTH_WAYS(name)                                 \
	static void name(void);                              \
	TEST_WITH(name##_unnamed, with_unnamed_files, NULL)  \
	{                                                    \
		name();                                      \
	}                                                    \
	TEST_WITH(name##_named, without_unnamed_files, NULL) \
	{                                                    \
		name();                                      \
	}                                                    \
	static void name(void)

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text)
{
	AUTO(save_done) struct save s = { 0 };
	struct error err;

	assert_int_equal(save_open(&s, path, &err), 0);
	fputs(text, s.f);
	assert_int_equal(save_commit(&s, &err), 0);
}

static void assert_holds(const char *path, const char *text)
{
	AUTO_FILE FILE *f = fopen(path, "re");
	char buf[64];

	assert_non_null(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	assert_string_equal(buf, text);
}

static int count_files(void)
{
	AUTO_DIR DIR *d = opendir(".");
	int n = 0;

	while (readdir(d))
		n++;
	return n - 2;
}

TEST_BOTH_WAYS(a_file_is_replaced_as_a_whole)
{
	put("a", "one");
	put("a", "two");
	assert_holds("a", "two");
	assert_int_equal(count_files(), 1);
	unlink("a");
}

TEST_BOTH_WAYS(what_is_not_committed_leaves_nothing)
{
	struct error err;

	put("a", "old");
	for (int i = 0; i < 2; i++) {
		AUTO(save_done) struct save s = { 0 };

		assert_int_equal(save_open(&s, i ? "b" : "a", &err), 0);
		fputs("new", s.f);
	}
	assert_holds("a", "old");
	assert_int_equal(count_files(), 1);
	unlink("a");
}

TEST_WITH(a_file_system_without_unnamed_files_will_do, without_unnamed_files, NULL)
{
	AUTO(save_done) struct save s = { 0 };
	struct error err;

	assert_int_equal(save_open(&s, "a", &err), 0);
	assert_false(s.is_unnamed);
	assert_int_equal(count_files(), 1);
	save_done(&s);
	assert_int_equal(count_files(), 0);
}

TEST_WITH(a_killed_program_leaves_nothing, with_unnamed_files, NULL)
{
	int fd = open(".", O_TMPFILE | O_WRONLY, 0600);
	int status;

	if (fd < 0)
		skip();
	close(fd);
	put("a", "old");

	pid_t pid = fork();
	if (pid == 0) {
		struct save s = { 0 };

		if (save_open(&s, "a", NULL) == 0 && fputs("new", s.f) >= 0 && fflush(s.f) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_holds("a", "old");
	assert_int_equal(count_files(), 1);
	unlink("a");
}

TEST_BOTH_WAYS(mode_and_links_stay)
{
	struct stat st;

	put("a", "old");
	assert_int_equal(chmod("a", 0640), 0);
	assert_int_equal(symlink("a", "link"), 0);
	put("link", "new");
	assert_holds("a", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	unlink("a");
	unlink("link");
}

TEST_BOTH_WAYS(a_full_disk_is_an_error)
{
	AUTO(save_done) struct save s = { 0 };
	struct error err;

	assert_int_equal(save_open(&s, "/dev/full", &err), 0);
	fputs("text", s.f);
	assert_int_equal(save_commit(&s, &err), -ENOSPC);
	assert_string_equal(err.msg, "write /dev/full: No space left on device");
}

TEST_BOTH_WAYS(a_folder_that_is_not_there_is_named)
{
	AUTO(save_done) struct save s = { 0 };
	struct error err;

	assert_int_equal(save_open(&s, "missing/plan.json", &err), -ENOENT);
	assert_string_equal(err.msg, "missing/plan.json: No such file or directory");
}

GROUP(enter_folder, leave_folder)
