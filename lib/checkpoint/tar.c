/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

/* Fields of a header, by offset and width. */
enum {
	FILENAME_AT = 0,
	FILENAME_BYTES = 100,
	SIZE_AT = 124,
	SIZE_BYTES = 12,
	SUM_AT = 148,
	SUM_BYTES = 8,
	TYPE_AT = 156,
	USTAR_AT = 257,
	PREFIX_AT = 345,
	PREFIX_BYTES = 155,
	EXTRA_MAX = 1 << 20, /* of a pax header or a long name */
	BASE_256 = 0x80,
};

/* What headers in front of a member say of it. */
struct overrides {
	char name[TAR_NAME_MAX];
	int64_t size; /* -1: nothing */
};

static int cut_short(struct error *err)
{
	return error_set(err, -EBADMSG, "archive is cut short");
}

static int read_at(int fd, int64_t at, void *to, size_t n, struct error *err)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = pread(fd, (char *)to + have, n - have, at + (int64_t)have);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return error_errno(err, "read archive");
		if (r == 0)
			return cut_short(err);
		have += (size_t)r;
	}
	return 0;
}

static bool number(const unsigned char *field, size_t width, int64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	if (field[0] & BASE_256) {
		value = field[0] & (BASE_256 - 1);
		for (i = 1; i < width; i++) {
			if (value >> 55)
				return false;
			value = value << 8 | field[i];
		}
		*ret = (int64_t)value;
		return true;
	}
	while (i < width && field[i] == ' ')
		i++;
	for (; i < width && field[i] && field[i] != ' '; i++) {
		if (field[i] < '0' || field[i] > '7' || value >> 60)
			return false;
		value = value << 3 | (uint64_t)(field[i] - '0');
	}
	*ret = (int64_t)value;
	return true;
}

static bool sum_is_right(const unsigned char *block)
{
	int64_t wanted, sum = 0;

	if (!number(block + SUM_AT, SUM_BYTES, &wanted))
		return false;
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];
	return sum == wanted;
}

static bool is_zero(const unsigned char *block)
{
	for (int i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

static void take_name(const unsigned char *block, struct tar_member *ret)
{
	const char *prefix = (const char *)block + PREFIX_AT;
	bool is_ustar = memcmp(block + USTAR_AT, "ustar\0", 6) == 0;
	char *at = ret->name;

	if (is_ustar && *prefix) {
		size_t n = strnlen(prefix, PREFIX_BYTES);
		memcpy(at, prefix, n);
		at += n;
		*at++ = '/';
	}
	size_t n = strnlen((const char *)block + FILENAME_AT, FILENAME_BYTES);
	memcpy(at, block + FILENAME_AT, n);
	at[n] = '\0';
}

static void set_name(struct overrides *o, const char *name, size_t n)
{
	n = strnlen(name, n);
	if (n >= sizeof(o->name))
		n = sizeof(o->name) - 1;
	memcpy(o->name, name, n);
	o->name[n] = '\0';
}

/* "25 path=some/long/name\n": its length in decimal includes all of it. */
static int take_pax(const char *text, size_t n, struct overrides *o, struct error *err)
{
	while (n) {
		char *end;
		unsigned long length = strtoul(text, &end, 10);
		size_t head = (size_t)(end - text) + 1;

		if (head >= n || *end != ' ' || length <= head || length > n ||
		    text[length - 1] != '\n')
			return error_set(err, -EBADMSG, "archive has a pax record that is none");
		const char *record = text + head;
		size_t m = length - head - 1;
		if (m >= 5 && memcmp(record, "path=", 5) == 0)
			set_name(o, record + 5, m - 5);
		if (m >= 5 && memcmp(record, "size=", 5) == 0)
			o->size = strtoll(record + 5, NULL, 10);
		text += length;
		n -= length;
	}
	return 0;
}

static int take_extra(int fd, const struct tar_member *m, struct overrides *o, struct error *err)
{
	if (m->size > EXTRA_MAX)
		return error_set(err, -EBADMSG, "archive has a header of %lld bytes",
				 (long long)m->size);
	AUTO_FREE char *text = xcalloc(1, (size_t)m->size + 1);
	if (read_at(fd, m->offset, text, (size_t)m->size, err) < 0)
		return err->code;
	if (m->type == 'x')
		return take_pax(text, (size_t)m->size, o, err);
	if (m->type == 'L')
		set_name(o, text, (size_t)m->size);
	return 0;
}

static int take_header(int fd, int64_t end, int64_t *at, struct tar_member *ret, struct error *err)
{
	unsigned char block[TAR_BLOCK];

	if (*at == end)
		return 0;
	if (end - *at < TAR_BLOCK)
		return cut_short(err);
	if (read_at(fd, *at, block, sizeof(block), err) < 0)
		return -EBADMSG;
	if (is_zero(block))
		return 0;
	if (!sum_is_right(block) || !number(block + SIZE_AT, SIZE_BYTES, &ret->size))
		return error_set(err, -EBADMSG, "archive has no tar header at byte %lld",
				 (long long)*at);
	take_name(block, ret);
	ret->type = (char)(block[TYPE_AT] ? block[TYPE_AT] : '0');
	ret->offset = *at + TAR_BLOCK;
	return 1;
}

static int skip_data(int64_t end, int64_t *at, const struct tar_member *m, struct error *err)
{
	if (m->size < 0 || m->size > end - m->offset)
		return cut_short(err);
	*at = m->offset + (m->size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	return *at > end ? cut_short(err) : 0;
}

int tar_next(int fd, int64_t end, int64_t *at, struct tar_member *ret, struct error *err)
{
	struct overrides o = { .size = -1 };

	for (;;) {
		int r = take_header(fd, end, at, ret, err);
		if (r <= 0)
			return r;
		bool is_extra = strchr("xgLK", ret->type) != NULL;
		if (!is_extra && o.size >= 0)
			ret->size = o.size;
		if (skip_data(end, at, ret, err) < 0)
			return err->code;
		if (!is_extra)
			break;
		if (take_extra(fd, ret, &o, err) < 0)
			return err->code;
	}
	if (*o.name)
		memcpy(ret->name, o.name, sizeof(o.name));
	return 1;
}

int tar_find(int fd, int64_t end, const char *name, struct tar_member *ret, struct error *err)
{
	int64_t at = 0;
	int r;

	while ((r = tar_next(fd, end, &at, ret, err)) == 1) {
		const char *found = strncmp(ret->name, "./", 2) == 0 ? ret->name + 2 : ret->name;

		if (ret->type == '0' && strcmp(found, name) == 0)
			return 0;
	}
	return r < 0 ? r : error_set(err, -ENOENT, "archive has no file %s", name);
}
