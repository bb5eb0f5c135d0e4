/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/test.h"

static char folder[] = "/tmp/file_test.XXXXXX";

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

TEST_BOTH_WAYS(set_user_id_is_not_kept)
{
	struct stat st;

	put("a", "old");
	assert_int_equal(chmod("a", 04755), 0);
	put("a", "new");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	unlink("a");
}

TEST_BOTH_WAYS(mode_of_a_foreign_file_is_not_kept)
{
	struct stat st;

	if (geteuid() != 0)
		skip();
	put("a", "old");
	assert_int_equal(chmod("a", 0666), 0);
	assert_int_equal(chown("a", 65534, 65534), 0);
	mode_t before = umask(077);
	put("a", "new");
	umask(before);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 0);
	unlink("a");
}

/* As a program leaves it that was killed between link and rename. */
static void leave_linked(const char *path, time_t age_s)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					   { .tv_sec = time(NULL) - age_s } };
	struct stat st;

	put("new", "half");
	assert_int_equal(utimensat(AT_FDCWD, "new", times, 0), 0);
	assert_int_equal(stat("new", &st), 0);
	AUTO_FREE char *name = xasprintf("%s.%ju", path, (uintmax_t)st.st_ino);
	assert_int_equal(rename("new", name), 0);
}

TEST_WITH(an_old_leftover_is_removed_by_the_next_save, with_unnamed_files, NULL)
{
	put("a", "one");
	leave_linked("a", 2 * SAVE_STALE_S);
	put("a.12", "not a leftover");
	assert_int_equal(count_files(), 3);
	put("a", "two");
	assert_holds("a", "two");
	assert_int_equal(count_files(), 2);
	unlink("a.12");
	unlink("a");
}

TEST_WITH(a_save_that_is_under_way_is_not_disturbed, with_unnamed_files, NULL)
{
	AUTO(save_done) struct save slow = { 0 };
	struct error err;

	put("a", "one");
	assert_int_equal(save_open(&slow, "a", &err), 0);
	leave_linked("a", 0);
	put("a", "two");
	assert_int_equal(count_files(), 2);
	fputs("three", slow.f);
	assert_int_equal(save_commit(&slow, &err), 0);
	assert_holds("a", "three");
	assert_int_equal(system("rm a.*"), 0);
	unlink("a");
}

TEST(a_file_is_read_whole)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(40000);
	AUTO(str_done) struct str long_text = STR_INIT;
	struct error err;

	str_addf(&long_text, "%040000d", 7);
	put("a", long_text.s);
	assert_int_equal(file_read("a", &text, &err), 0);
	assert_string_equal(text.s, long_text.s);
	unlink("a");
}

TEST(a_file_beyond_the_bound_is_refused)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(10);
	struct error err;

	assert_int_equal(file_read("/dev/zero", &text, &err), -EFBIG);
	assert_string_equal(err.msg, "/dev/zero: larger than 10 bytes");
}

TEST(a_file_that_is_missing_or_a_folder_is_named)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err;

	assert_int_equal(file_read("missing", &text, &err), -ENOENT);
	assert_string_equal(err.msg, "missing: No such file or directory");
	assert_int_equal(file_read(".", &text, &err), -EISDIR);
	assert_string_equal(err.msg, ".: Is a directory");
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
