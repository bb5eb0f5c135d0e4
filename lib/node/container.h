/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CONTAINER_H
#define MCKUBE_NODE_CONTAINER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "budget/budget.h"
#include "node/kernel.h"

/* Where the kubelet and the runtimes put a container's cgroup:
 *
 *	cgroupfs	[ROOT/]kubepods[/QOS]/podUID/ID			containerd, docker
 *			                            /crio-ID		cri-o
 *	systemd		[ROOT.slice/]kubepods.slice[/kubepods-QOS.slice]
 *			/kubepods[-QOS]-podUID.slice/cri-containerd-ID.scope (docker-ID, crio-ID)
 *
 *	joined	[...]/kubepods[-QOS]-podUID.slice:cri-containerd:ID	runc without
 *		the systemd driver under a kubelet with it
 *
 * QOS is burstable or besteffort; Guaranteed pods have none. systemd's names hold the UID with '_'
 * for '-', and those of the slices above them ("a-kubepods-burstable.slice"). Sources: kubelet's
 * pkg/kubelet/cm/{qos,pod}_container_manager_linux.go and cgroup_manager_linux.go; the runtimes'
 * cgroupsPath. What is below a container's folder belongs to it. */

enum { CONTAINER_ID_MAX = 128, POD_UID_MAX = 64 };

/* A path taken apart. Lengths count the bytes of the path up to the end of that folder. */
struct container_path {
	char pod_uid[POD_UID_MAX];     /* as in the API, with '-' */
	char id[CONTAINER_ID_MAX + 1]; /* empty: the path is the pod's own folder */
	enum pod_qos qos;
	size_t root_len;      /* kubepods */
	size_t pod_len;	      /* the pod's folder */
	size_t container_len; /* the container's, 0 where there is none */
};

/* Takes apart a path below the hierarchy's root, with or without a '/' in front. False for anything
 * that is not a pod's folder or below one, also for the monitors of cri-o ("crio-conmon-ID"). */
bool container_parse(const char *path, struct container_path *ret);

/* "containerd://ID", "docker://ID", "cri-o://ID" or "ID" -> ID. Letters, digits, '-' and '_' only:
 * an id becomes part of a path. */
int container_id(const char *text, char ret[CONTAINER_ID_MAX + 1], struct error *err);

/* The UID of a pod, under the same rules. */
bool pod_uid_is_valid(const char *uid);

/* Looks for a container below all kubepods roots of the cpu hierarchy; uid NULL: in all pods.
 * Writes its path relative to the hierarchy. -ENOENT: it is not there. */
int container_find(const struct kernel *k, const char *uid, const char *id, char ret[PATH_MAX],
		   struct error *err);

/* Calls `visit` for each container folder that a pod has. Returns their number. */
typedef void (*container_visitor)(const char *path, const struct container_path *parsed, void *arg);
size_t container_each(const struct kernel *k, const char *uid, container_visitor visit, void *arg);

/* The folder in the cpu hierarchy that a process is in, from /proc/PID/cgroup; if that is below a
 * container's, the container's. *ret_start is the process's start time, to know it again. */
int container_of_pid(const struct kernel_roots *roots, const struct kernel *k, pid_t pid,
		     char ret[PATH_MAX], uint64_t *ret_start, struct error *err);

/* Is it still the same process, or has the number been given to another? */
bool pid_is_same(const struct kernel_roots *roots, pid_t pid, uint64_t start);

#endif
