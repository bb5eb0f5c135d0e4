/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_PRIVILEGE_H
#define MCKUBE_NODE_PRIVILEGE_H

#include <stdbool.h>

#include "base/error.h"

/* What the helper may do, made as little as it needs.
 *
 * To start: CAP_BPF and CAP_PERFMON (programs on scheduler tracepoints), CAP_SYS_NICE (FIFO thread,
 * renice, SCHED_DEADLINE), CAP_IPC_LOCK (mlockall), and with the backend soft
 * CAP_KILL. Cgroup files belong to root and need no
 * capability. Found by leaving each away on Linux 6.18; test/kernel/privilege_test.py does it
 * again. Once BPF runs, CAP_SYS_NICE and CAP_IPC_LOCK remain; CAP_BPF only where the kernel wants
 * it for every bpf(2) call (before 5.19 with unprivileged_bpf_disabled). */

/* Nothing that is started later may gain privileges. */
int privilege_seal(struct error *err);

/* Has it CAP_KILL? Only the backend soft needs that, to continue what it has stopped, and keeps
 * it. */
bool privilege_may_continue(void);

/* Drops all capabilities of this thread, and of those it will start, but the ones that remain, and
 * CAP_KILL where `keeps_kill`. Permanent. `needs_bpf` is asked with CAP_BPF out of effect whether
 * it is needed; NULL: it is not.
 */
int privilege_drop(bool keeps_kill, bool (*needs_bpf)(void *arg), void *arg, struct error *err);

#endif
