/* SPDX-License-Identifier: Apache-2.0 */
#include "state/reader.h"

#include <fcntl.h>

#include "base/array.h"
#include "test/unit/state/load_fixture.h"
#include "test/unit/test.h"

static int collect(const struct object_text *o, void *arg, struct error *err)
{
	(void)err;
	str_addf(arg, "%u.%u %.*s\n", o->document, o->item, (int)o->json.n, o->json.s);
	return 0;
}

static int read_path(const char *path, bool recurse, struct str *seen, struct error *err)
{
	const struct source src = { .path = path, .recurse = recurse };

	return objects_read(&src, collect, seen, err);
}

static void reads_as(const char *text, const char *expect)
{
	AUTO_TEMP char *path = file_of(text, strlen(text));
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err = ERROR_INIT;

	if (read_path(path, false, &seen, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(seen.s, expect);
}

TEST(objects_of_all_forms_are_found)
{
	reads_as("{\"kind\":\"A\"}", "1.0 {\"kind\":\"A\"}\n");
	reads_as("\xef\xbb\xbf {\"kind\":\"A\"}\n{\"kind\":\"B\"}\n---\n{}\n",
		 "1.0 {\"kind\":\"A\"}\n2.0 {\"kind\":\"B\"}\n3.0 {}\n");
	reads_as("{\"apiVersion\":\"v1\",\"items\":[{\"a\":1} , {\"b\":[2]}],\"kind\":\"List\"}",
		 "1.1 {\"a\":1}\n1.2 {\"b\":[2]}\n");
	reads_as("{\"kind\":\"List\",\"items\":[]}", "");
	reads_as("kind: A\n---\n# none\n---\nitems:\n- kind: B\n- kind: List\n  items: [{x: 1}]\n",
		 "1.0 {\"kind\":\"A\"}\n3.1 {\"kind\":\"B\"}\n3.1 {\"x\":1}\n");
	reads_as("{\"items\":{\"a\":1}}", "1.0 {\"items\":{\"a\":1}}\n");
}

/* The window over a file moves: every object crosses its end somewhere in here. */
TEST(objects_larger_than_the_window_are_whole)
{
	AUTO(str_done) struct str text = STR_INIT, expect = STR_INIT, seen = STR_INIT;
	static const int sizes[] = { 10, 100000, 3, 262000, 131, 600000, 7, 3000000, 1 };
	struct error err = ERROR_INIT;

	str_add(&text, "{\"metadata\":{},\"items\":[");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO(str_done) struct str object = STR_INIT;

		str_addf(&object, "{\"n\":%zu,\"pad\":\"%0*d\"}", i, sizes[i], 7);
		str_addf(&text, "%s%*s%s", i ? "," : "", sizes[i] % 1000, "", object.s);
		str_addf(&expect, "1.%zu %s\n", i + 1, object.s);
	}
	str_add(&text, "],\"kind\":\"List\"}");

	AUTO_TEMP char *path = file_of(text.s, text.n);
	assert_int_equal(read_path(path, false, &seen, &err), 0);
	assert_int_equal(seen.n, expect.n);
	assert_memory_equal(seen.s, expect.s, expect.n);
}

static void fails_with(const void *text, size_t n, const char *why)
{
	AUTO_TEMP char *path = file_of(text, n);
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err = ERROR_INIT;

	assert_true(read_path(path, false, &seen, &err) < 0);
	if (strncmp(err.msg, path, strlen(path)) != 0 || !strstr(err.msg, why))
		fail_msg("%s, not %s", err.msg, why);
}

TEST(bad_files_are_named_with_the_place)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", ": the file is empty" },
		{ " \n\t", ": the file is empty" },
		{ "# nothing\n---\n", ": holds no object" },
		{ "{\"kind\":\"Pod\",\n\"metadata\":{",
		  ":1: the text ends in the middle of an object" },
		{ "{\"items\":[\n{\"a\":1},\n{\"b\":",
		  ":3: the text ends in the middle of an object" },
		{ "{\"items\":[{\"a\":1}\n", "the text ends in the middle of an object" },
		{ "{\"items\":[\n{\"a\":1},\n\n{\"b\":nul}]}", ":4: not a JSON value" },
		{ "{\"items\":[{\"a\":1} {\"b\":1}]}", ":1: a comma" },
		{ "{\"items\":[1]}", ":1: an object was expected" },
		{ "{\"a\":1}\n]", ":2: trailing characters after the object" },
		{ "{\"a\":1} x", ":1: trailing characters after the object" },
		{ "[{\"a\":1}]", ":1: an object was expected" },
		{ "hello\n", ":1: an object was expected" },
		{ "a: 1\nb: {c\n", ": " },
		{ "a: 1\n---\nb: *x\n", ":3: an alias of an anchor that is not there" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails_with(bad[i].text, strlen(bad[i].text), bad[i].why);
	fails_with("\x7f"
		   "ELF\2\1\1\0\0\0",
		   10, ": not a text file");
	fails_with("{\"a\":\"\0\"}", 9, ": not a text file");
}

TEST(an_object_may_not_be_larger_than_the_limit)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "{\"items\":[{\"a\":\"%0*d\"}]}", OBJECT_MAX_BYTES, 1);
	fails_with(text.s, text.n, "an object is larger than 8 MiB");
}

TEST(lists_in_lists_are_limited)
{
	AUTO(str_done) struct str text = STR_INIT;

	for (int i = 0; i < 40; i++)
		str_add(&text, "{\"items\":[");
	fails_with(text.s, text.n, "lists within lists, too deep");
}

/* A hole of 2 GiB: no text, and refused without reading it. */
TEST(huge_files_are_refused_at_once)
{
	AUTO_TEMP char *path = file_of("", 0);
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err;

	assert_int_equal(truncate(path, (off_t)2 << 30), 0);
	assert_true(read_path(path, false, &seen, &err) < 0);
	assert_non_null(strstr(err.msg, "not a text file"));
}

TEST(missing_and_unreadable_files_say_so)
{
	AUTO_TEMP char *path = file_of("{}", 2);
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err;

	assert_int_equal(read_path("/no/such/file.json", false, &seen, &err), -ENOENT);
	assert_string_equal(err.msg, "/no/such/file.json: No such file or directory");
	chmod(path, 0);
	if (geteuid() != 0)
		assert_int_equal(read_path(path, false, &seen, &err), -EACCES);
}

static char *folder_with(const char *const *names, size_t n)
{
	char path[] = "/tmp/mckube-folder-XXXXXX";

	assert_non_null(mkdtemp(path));
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *file = xasprintf("%s/%s", path, names[i]);

		if (strchr(names[i], '.')) {
			AUTO_FILE FILE *f = fopen(file, "w");

			assert_non_null(f);
			fprintf(f, "{\"f\":\"%s\"}", names[i]);
		} else {
			assert_int_equal(mkdir(file, 0700), 0);
		}
	}
	return xstrdup(path);
}

static void folder_done(char **path)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", *path);

	assert_int_equal(system(command), 0);
	free(*path);
}

TEST(folders_are_read_by_name)
{
	static const char *const names[] = {
		"b.yaml", "a.json", "c.yml", "d.txt", ".e.json", "sub", "sub/f.json",
	};
	AUTO(folder_done) char *path = folder_with(names, ARRAY_LEN(names));
	AUTO(str_done) struct str flat = STR_INIT, deep = STR_INIT;
	struct error err;

	assert_int_equal(read_path(path, false, &flat, &err), 0);
	assert_string_equal(flat.s, "1.0 {\"f\":\"a.json\"}\n1.0 {\"f\":\"b.yaml\"}\n"
				    "1.0 {\"f\":\"c.yml\"}\n");
	assert_int_equal(read_path(path, true, &deep, &err), 0);
	assert_non_null(strstr(deep.s, "sub/f.json"));
}

TEST(a_folder_without_objects_is_an_error)
{
	static const char *const names[] = { "x.txt", "sub", "sub/f.json" };
	AUTO(folder_done) char *path = folder_with(names, ARRAY_LEN(names));
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err;

	assert_int_equal(read_path(path, false, &seen, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no files *.json, *.yaml or *.yml in it"));
}

TEST(a_fifo_without_writer_does_not_hang)
{
	AUTO_FREE char *path = xasprintf("/tmp/mckube-fifo-%d", getpid());
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err;

	assert_int_equal(mkfifo(path, 0600), 0);
	int r = read_path(path, false, &seen, &err);
	unlink(path);
	assert_true(r < 0);
	assert_non_null(strstr(err.msg, "the file is empty"));
}

/* What a shell's <(...) gives. */
TEST(pipes_are_read)
{
	static const char text[] = "{\"items\":[{\"a\":1}]}";
	AUTO(str_done) struct str seen = STR_INIT;
	struct error err;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fds[1]);
	AUTO_FREE char *path = xasprintf("/dev/fd/%d", fds[0]);
	assert_int_equal(read_path(path, false, &seen, &err), 0);
	close(fds[0]);
	assert_string_equal(seen.s, "1.1 {\"a\":1}\n");
}

static int refuse(const struct object_text *o, void *arg, struct error *err)
{
	(void)o;
	++*(int *)arg;
	return error_set(err, -EPERM, "no");
}

TEST(a_visitor_ends_the_reading)
{
	AUTO_TEMP char *path = file_of("{\"items\":[{},{}]}", 17);
	const struct source src = { .path = path };
	struct error err;
	int n = 0;

	assert_int_equal(objects_read(&src, refuse, &n, &err), -EPERM);
	assert_string_equal(err.msg, "no");
	assert_int_equal(n, 1);
}
