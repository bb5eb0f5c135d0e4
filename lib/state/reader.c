/* SPDX-License-Identifier: Apache-2.0 */
#include "state/reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/scan.h"
#include "base/yaml.h"
#include "state/default_namespace.h"
#include "state/split_file.h"
#include "state/stream.h"

/* Puts the file before the message; "line N: ..." becomes "file:N: ...". */
static int wrap_file(struct error *err, const char *file)
{
	static const char line_is[] = "line ";
	char *rest;

	if (!err || strncmp(err->msg, line_is, sizeof(line_is) - 1) != 0)
		return error_wrap(err, "%s", file);

	unsigned long line = strtoul(err->msg + sizeof(line_is) - 1, &rest, 10);
	rest += strspn(rest, ": ");
	memmove(err->msg, rest, strlen(rest) + 1);
	return error_wrap(err, "%s:%lu", file, line);
}

/* Is this the first window of a text? Zero bytes are found only in binary files and in UTF-16,
 * which begins with a byte order mark. */
static bool is_text(const struct stream *s)
{
	size_t n = (size_t)(s->end - s->at);

	if (n >= 2 && (memcmp(s->at, "\xff\xfe", 2) == 0 || memcmp(s->at, "\xfe\xff", 2) == 0))
		return true;
	return !memchr(s->at, '\0', n < 4096 ? n : 4096);
}

static int read_json(struct stream *s, const char *file, const struct object_taker *taker,
		     struct error *err)
{
	struct framing f = { .stream = s, .taker = taker, .file = file };
	int r;

	while ((r = framing_next(&f, err)) > 0) {
		f.document++;
		r = framing_document(&f, err);
		if (r < 0)
			break;
	}
	return r;
}

struct yaml_file {
	const char *name;
	const struct object_taker *taker;
	uint32_t n_documents;
	bool has_failed_inside; /* the message names the place already */
};

static int take_document(struct slice json, uint32_t document, uint32_t line, void *arg,
			 struct error *err)
{
	struct yaml_file *y = arg;
	struct stream s;
	struct framing f = {
		.stream = &s,
		.taker = y->taker,
		.file = y->name,
		.document = document,
		.line = line,
	};

	stream_init_text(&s, json);
	y->n_documents++;

	int r = framing_document(&f, err);
	y->has_failed_inside = r < 0;
	stream_done(&s);
	return r;
}

static int read_yaml(struct stream *s, const char *file, const struct object_taker *taker,
		     struct error *err)
{
	const struct yaml_limits limits = {
		.max_bytes = YAML_MAX_BYTES,
		.max_depth = OBJECT_MAX_DEPTH,
		.max_aliased = YAML_MAX_ALIASES,
	};
	struct yaml_file y = { .name = file, .taker = taker };
	AUTO(str_done) struct str text = STR_INIT_MAX(YAML_MAX_BYTES);

	do {
		str_addn(&text, s->at, (size_t)(s->end - s->at));
		s->at = s->end;
		if (stream_more(s, err) < 0)
			return wrap_file(err, file);
	} while (!text.is_full && (!s->is_whole || s->at < s->end));
	if (text.is_full)
		return error_set(err, -EFBIG, "%s: larger than %d MiB; as JSON it could be read",
				 file, YAML_MAX_BYTES >> 20);

	int r = yaml_each(text.s, text.n, &limits, take_document, &y, err);
	if (r < 0)
		return y.has_failed_inside ? r : wrap_file(err, file);
	return y.n_documents ? 0 : error_set(err, -EINVAL, "%s: holds no object", file);
}

/* Does the text begin like a JSON object? A mapping of YAML may begin with a brace too. */
static bool is_json(const struct stream *s)
{
	struct scan scan = { .at = s->at, .end = s->end };

	if (scan_blank(&scan) != '{')
		return false;
	scan.at++;

	int c = scan_blank(&scan);
	return c < 0 || c == '"' || c == '}';
}

static int read_stream(struct stream *s, const char *file, const struct object_taker *taker,
		       struct error *err)
{
	while (s->end - s->at < 4096 && !s->is_whole)
		if (stream_more(s, err) < 0)
			return wrap_file(err, file);
	if (!is_text(s))
		return error_set(err, -EINVAL, "%s: not a text file", file);
	if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
		s->at += 3;

	struct scan scan = { .at = s->at, .end = s->end };
	if (scan_blank(&scan) < 0 && s->is_whole)
		return error_set(err, -EINVAL, "%s: the file is empty", file);
	return is_json(s) ? read_json(s, file, taker, err) : read_yaml(s, file, taker, err);
}

static int read_fd(int fd, const char *file, const struct object_taker *taker, struct error *err)
{
	struct stream s;

	stream_init_fd(&s, fd);
	int r = read_stream(&s, file, taker, err);
	stream_done(&s);
	return r;
}

/* A FIFO is opened without waiting for a writer: one that has none is an empty file. */
static int read_file(const char *path, const struct object_taker *taker, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "%s", path);
	if (S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode))
		return error_set(err, -EINVAL, "%s: not a file", path);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return error_errno(err, "%s", path);
	return read_fd(fd, path, taker, err);
}

struct names {
	ARRAY(char *) list;
};

static void names_done(struct names *n)
{
	array_each(name, &n->list)
		free(*name);
	array_done(&n->list);
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(const char *path, struct names *ret, struct error *err)
{
	AUTO_DIR DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return error_errno(err, "%s", path);
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (entry->d_name[0] != '.')
			*array_add(&ret->list) = xasprintf("%s/%s", path, entry->d_name);
	if (errno)
		return error_errno(err, "%s", path);
	if (ret->list.n > 1)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), cmp_names);
	return 0;
}

static bool has_our_suffix(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot &&
	       (strcmp(dot, ".json") == 0 || strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Folders behind symbolic links are not followed, so there is no way round in circles; links to
 * files are. */
static int read_folder(const char *path, bool recurse, const struct object_taker *taker,
		       size_t *n_files, struct error *err)
{
	AUTO(names_done) struct names names = { 0 };
	int r = list_folder(path, &names, err);

	for (size_t i = 0; i < names.list.n && r == 0; i++) {
		const char *name = names.list.items[i];
		struct stat st;

		if (lstat(name, &st) < 0)
			return error_errno(err, "%s", name);
		if (S_ISDIR(st.st_mode)) {
			if (recurse)
				r = read_folder(name, true, taker, n_files, err);
		} else if (has_our_suffix(name)) {
			(*n_files)++;
			r = read_file(name, taker, err);
		}
	}
	return r;
}

static int take_source(const struct source *src, const struct object_taker *taker,
		       struct error *err)
{
	struct stat st;
	size_t n_files = 0;

	if (strcmp(src->path, "-") == 0)
		return read_fd(STDIN_FILENO, "-", taker, err);
	if (stat(src->path, &st) < 0)
		return error_errno(err, "%s", src->path);
	if (!S_ISDIR(st.st_mode))
		return read_file(src->path, taker, err);

	int r = read_folder(src->path, src->recurse, taker, &n_files, err);
	if (r == 0 && n_files == 0)
		return error_set(err, -ENOENT, "%s: no files *.json, *.yaml or *.yml in it",
				 src->path);
	return r;
}

int objects_take(const struct source *src, const struct object_taker *taker, struct error *err)
{
	struct default_namespace d = { src->ns, taker };
	const struct object_taker named = default_namespace_taker(&d);

	return take_source(src, src->ns ? &named : taker, err);
}

struct visit {
	object_visitor visit;
	void *arg;
};

/* Finds the end of an object, or "items" in it. */
static int measure(struct scan *s)
{
	struct slice key;
	int r = scan_open(s, '{');

	while (r == 0 && (r = scan_member(s, &key)) > 0) {
		if (*s->at == '[' && slice_eq(key, "items"))
			return TAKEN_LIST;
		r = scan_skip(s);
	}
	return r;
}

static int take_whole(const struct object_text *object, const struct list_text *list, void *arg,
		      size_t *ret_used, struct error *err)
{
	const struct visit *v = arg;
	struct scan s = scan_of(object->json);
	struct object_text one = *object;
	int r = measure(&s);

	(void)list;
	if (r == SCAN_BAD) {
		*ret_used = (size_t)(s.at - object->json.s);
		return error_set(err, SCAN_BAD, "%s", s.why);
	}
	if (r != 0)
		return r;
	one.json.n = *ret_used = (size_t)(s.at - object->json.s);
	r = v->visit(&one, v->arg, err);
	if (r < 0)
		*ret_used = SIZE_MAX;
	return r;
}

int objects_read(const struct source *src, object_visitor visit, void *arg, struct error *err)
{
	struct visit v = { visit, arg };
	const struct object_taker taker = { .take = take_whole, .arg = &v };

	return objects_take(src, &taker, err);
}
