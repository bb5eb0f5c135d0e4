/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/pod_group.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/file.h"

/* From a root down: kubepods, a QoS class, the pod; kubelets may have a root of their own above. */
enum { DEPTH_MAX = 5 };

/* cgroupfs calls it pod<uid>, systemd kubepods-...-pod<uid with underscores>.slice. */
static bool is_of_pod(const char *name, const char *uid)
{
	const char *at = strstr(name, "pod");

	for (; at; at = strstr(at + 1, "pod")) {
		const char *c = at + strlen("pod"), *u = uid;

		while (*u && (*c == *u || (*u == '-' && *c == '_')))
			c++, u++;
		if (!*u)
			return true;
	}
	return false;
}

/* cgroupfs calls it by its id, systemd cri-containerd-<id>.scope. */
static bool is_of_container(const char *name, const char *id)
{
	return strstr(name, id) != NULL;
}

static char *find_below(const char *folder, bool (*is_wanted)(const char *name, const char *id),
			const char *id, int depth)
{
	AUTO_DIR DIR *d = opendir(folder);
	char *found = NULL;

	if (!d)
		return NULL;
	for (const struct dirent *e; !found && (e = readdir(d));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		char *path = xasprintf("%s/%s", folder, e->d_name);
		if (is_wanted(e->d_name, id))
			found = xstrdup(path);
		else if (depth > 1)
			found = find_below(path, is_wanted, id, depth - 1);
		free(path);
	}
	return found;
}

static char *pod_group(const char *cgroup_root, const char *controller, const char *uid,
		       bool *ret_is_v1)
{
	AUTO_FREE char *hierarchy = xasprintf("%s/%s", cgroup_root, controller);
	char *v1 = find_below(hierarchy, is_of_pod, uid, DEPTH_MAX);

	*ret_is_v1 = v1 != NULL;
	return v1 ? v1 : find_below(cgroup_root, is_of_pod, uid, DEPTH_MAX);
}

char *pod_group_file(const char *cgroup_root, const char *controller, const char *uid,
		     const char *name, const char *name_v2)
{
	bool is_v1;
	AUTO_FREE char *group = pod_group(cgroup_root, controller, uid, &is_v1);
	AUTO_FREE char *file = group ? xasprintf("%s/%s", group, is_v1 ? name : name_v2) : NULL;

	return file && access(file, F_OK) == 0 ? TAKE(file) : NULL;
}

char *container_group(const char *cgroup_root, const char *controller, const char *uid,
		      const char *id)
{
	bool is_v1;
	AUTO_FREE char *group = pod_group(cgroup_root, controller, uid, &is_v1);

	return group ? find_below(group, is_of_container, id, 1) : NULL;
}

int group_read(const char *group, const char *name, struct str *text, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", group, name);

	return file_read(path, text, err);
}
