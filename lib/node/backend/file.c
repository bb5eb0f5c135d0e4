/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backend/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/sysfs.h"

int group_read_number(const struct group *g, int file, int64_t *ret, struct error *err)
{
	const char *name = g->backend->files[file];
	char buf[64];

	if (sysfs_pread(g->files[file], name, buf, sizeof(buf), err) < 0)
		return err->code;
	if (!sysfs_parse_int(buf, ret))
		return error_set(err, -EINVAL, "read %s: '%s' is not a number", name, buf);
	return 0;
}

int group_write_number(struct group *g, int file, int64_t value, struct error *err)
{
	char buf[SYSFS_INT + 1];

	*sysfs_put_int(buf, value) = '\0';
	return sysfs_pwrite(g->files[file], g->backend->files[file], buf, err);
}

int group_read_numbers(const struct group *g, struct bandwidth *ret, struct error *err)
{
	struct bandwidth b = { 0 };

	if (group_read_number(g, FILE_RUNTIME, &b.runtime_us, err) < 0 ||
	    group_read_number(g, FILE_PERIOD, &b.period_us, err) < 0)
		return err->code;
	*ret = b;
	return 0;
}

int group_write_field(struct group *g, enum budget_field field, struct bandwidth to,
		      struct error *err)
{
	if (field == BUDGET_PERIOD)
		return group_write_number(g, FILE_PERIOD, to.period_us, err);
	return group_write_number(g, FILE_RUNTIME, to.runtime_us, err);
}

bool budget_parse(const char *text, struct bandwidth *ret)
{
	struct bandwidth b = { .runtime_us = RUNTIME_UNLIMITED };
	char *end = (char *)text + 3;

	errno = 0;
	if (strncmp(text, "max ", 4) != 0)
		b.runtime_us = strtoll(text, &end, 10);
	if (errno || end == text || *end != ' ' || !sysfs_parse_int(end, &b.period_us))
		return false;
	*ret = b;
	return true;
}

int group_read_pair(const struct group *g, struct bandwidth *ret, struct error *err)
{
	const char *name = g->backend->files[0];
	char buf[64];

	if (sysfs_pread(g->files[0], name, buf, sizeof(buf), err) < 0)
		return err->code;
	if (!budget_parse(buf, ret))
		return error_set(err, -EINVAL, "read %s: '%s' is not a budget", name, buf);
	return 0;
}

int group_write_pair(struct group *g, struct bandwidth to, struct error *err)
{
	char buf[2 * SYSFS_INT + 2] = "max", *at = buf + 3;

	if (to.runtime_us != RUNTIME_UNLIMITED)
		at = sysfs_put_int(buf, to.runtime_us);
	*at++ = ' ';
	*sysfs_put_int(at, to.period_us) = '\0';
	return sysfs_pwrite(g->files[0], g->backend->files[0], buf, err);
}
