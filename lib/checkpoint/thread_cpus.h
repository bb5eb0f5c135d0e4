/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_THREAD_CPUS_H
#define MCKUBE_CHECKPOINT_THREAD_CPUS_H

#include "base/str.h"
#include "budget/cpuset.h"

/* The threads of a container that sched_setaffinity(2) holds to some of its CPUs, as text: CRIU
 * dumps none of that (criu pull requests 1298 and 2014). A thread is told by its number within the
 * container, which it has again when it is restored, and a CPU by its place among those of the
 * container, from 0, whichever these are: "12:0;13:0-1". */

/* Adds a thread that may run on `its`, where that leaves out some CPUs of the container. One that
 * may run on all of them, or on none, is left out. */
void thread_cpus_add(struct str *text, int tid, const struct cpuset *its,
		     const struct cpuset *container);

/* The next thread of a text, which moves on. 1: there is one, 0: the end, -EBADMSG: no such text.
 */
int thread_cpus_next(struct slice *text, int *ret_tid, struct cpuset *ret_places,
		     struct error *err);

/* The CPUs of a container at these places. Of a container with fewer CPUs, those that are there;
 * an empty set where none is. */
struct cpuset thread_cpus_at(const struct cpuset *places, const struct cpuset *container);

#endif
