/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_THREADS_H
#define MCKUBE_MIGRATE_AGENT_THREADS_H

#include "base/error.h"
#include "base/str.h"

/* The CPUs that single threads of a container are held to: read where it stands still, set where it
 * was restored. */

/* Adds them to the text, as checkpoint/thread_cpus.h has them. */
int threads_read(const char *cgroup_root, const char *uid, const char *id, struct str *text,
		 struct error *err);

/* Holds the container's threads to the CPUs of such a text. *ret_lost: how many of them could not
 * be, added to what it was. */
int threads_bind(const char *cgroup_root, const char *uid, const char *id, struct slice text,
		 unsigned *ret_lost, struct error *err);

#endif
