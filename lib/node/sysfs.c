/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

bool sysfs_exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

bool sysfs_parse_int(const char *s, int64_t *ret)
{
	char *end;

	errno = 0;
	long long value = strtoll(s, &end, 10);
	if (end == s || errno)
		return false;
	end += strspn(end, " \t\n");
	if (*end)
		return false;
	*ret = value;
	return true;
}

char *sysfs_put_int(char *at, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[SYSFS_INT], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--first = '-';
	while (first < digits + sizeof(digits))
		*at++ = *first++;
	return at;
}

int sysfs_pread(int fd, const char *name, char *buf, size_t size, struct error *err)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	if (n < 0)
		return error_errno(err, "read %s", name);
	while (n > 0 && strchr(" \t\n", buf[n - 1]))
		n--;
	buf[n] = '\0';
	return 0;
}

int sysfs_pwrite(int fd, const char *name, const char *text, struct error *err)
{
	size_t len = strlen(text);

	ssize_t n = pwrite(fd, text, len, 0);
	if (n < 0)
		return error_errno(err, "write '%s' to %s", text, name);
	if ((size_t)n != len)
		return error_set(err, -EIO, "write '%s' to %s: only %zd bytes taken", text, name,
				 n);
	return 0;
}

int sysfs_read(int dir, const char *name, char *buf, size_t size, struct error *err)
{
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "read %s", name);
	return sysfs_pread(fd, name, buf, size, err);
}

int sysfs_read_int(int dir, const char *name, int64_t *ret, struct error *err)
{
	char buf[64];

	if (sysfs_read(dir, name, buf, sizeof(buf), err) < 0)
		return err ? err->code : -EIO;
	if (!sysfs_parse_int(buf, ret))
		return error_set(err, -EINVAL, "read %s: '%s' is not a number", name, buf);
	return 0;
}

int sysfs_write(int dir, const char *name, const char *text, struct error *err)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "write %s", name);
	return sysfs_pwrite(fd, name, text, err);
}
