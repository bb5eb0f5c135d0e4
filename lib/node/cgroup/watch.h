/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_WATCH_H
#define MCKUBE_NODE_CGROUP_WATCH_H

#include "base/array.h"
#include "base/error.h"
#include "node/kernel.h"

/* Creation of containers' cgroups, by inotify: where the overrun source does not see it. Every
 * folder on the way to a container is watched: kubepods roots, QoS classes and pods, not the
 * containers themselves. A folder that appears together with what is in it is looked through, so
 * nothing is missed; a path may be visited twice. */

typedef void (*cgroup_watch_visitor)(const char *path, void *arg); /* below the cpu hierarchy */

struct cgroup_watch {
	const struct kernel *kernel;
	cgroup_watch_visitor visit;
	void *arg;
	int fd; /* readable when cgroup_watch_read() has something to do */
	ARRAY(struct watched_folder {
		int wd;
		char *path;
	})
	folders;
};

int cgroup_watch_open(struct cgroup_watch *w, const struct kernel *k, cgroup_watch_visitor visit,
		      void *arg, struct error *err);
void cgroup_watch_close(struct cgroup_watch *w);
void cgroup_watch_read(struct cgroup_watch *w);

#endif
