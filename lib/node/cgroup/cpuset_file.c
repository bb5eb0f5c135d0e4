/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cgroup/cpuset_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "node/sysfs.h"

static int file_of(const struct kernel *k, const char *path, char name[PATH_MAX], struct error *err)
{
	if (!*k->cpuset)
		return error_set(err, -ENOENT, "%s: no cpuset controller", path);
	if (snprintf(name, PATH_MAX, "%s/%s/cpuset.cpus", k->cpuset, path) >= PATH_MAX)
		return error_set(err, -ENAMETOOLONG, "%s: path is too long", path);
	return 0;
}

int cpuset_file_read(const struct kernel *k, const char *path, struct cpuset *ret,
		     struct error *err)
{
	char name[PATH_MAX], buf[SYSFS_VALUE];

	if (file_of(k, path, name, err) < 0 ||
	    sysfs_read(AT_FDCWD, name, buf, sizeof(buf), err) < 0)
		return err ? err->code : -ENOENT;
	if (!*buf) {
		*ret = (struct cpuset){ 0 };
		return 0;
	}
	return cpuset_parse(buf, strlen(buf), ret, err);
}

int cpuset_file_write(const struct kernel *k, const char *path, const struct cpuset *cpus,
		      struct error *err)
{
	char name[PATH_MAX], text[CPUSET_TEXT] = "\n";

	if (file_of(k, path, name, err) < 0)
		return err ? err->code : -ENOENT;
	if (cpuset_count(cpus))
		cpuset_format(cpus, text);
	return sysfs_write(AT_FDCWD, name, text, err);
}
