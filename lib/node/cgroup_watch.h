/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_WATCH_H
#define MCKUBE_NODE_CGROUP_WATCH_H

#include "base/array.h"
#include "base/error.h"
#include "node/kernel.h"

/* Cgroups of containers as they appear, by inotify: where BPF does not tell. Every folder on the
 * way to a container is watched: kubepods roots, QoS classes and pods, not the containers
 * themselves. A folder that appears together with what is in it is looked through, so nothing is
 * missed; a path may be told twice. */

typedef void (*birth_visitor)(const char *path, void *arg); /* below the cpu hierarchy */

struct births {
	const struct kernel *kernel;
	birth_visitor visit;
	void *arg;
	int fd; /* readable when births_read() has something to do */
	ARRAY(struct birth_folder {
		int wd;
		char *path;
	})
	folders;
};

int births_open(struct births *b, const struct kernel *k, birth_visitor visit, void *arg,
		struct error *err);
void births_close(struct births *b);
void births_read(struct births *b);

#endif
