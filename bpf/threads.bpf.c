/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* Reports the threads that enter watched cgroups: processes that are moved there (also in another
 * hierarchy, which does no harm), and children without a real-time policy that are made there
 * (clone3(2) with CLONE_INTO_CGROUP, which cgroup_attach_task does not see) or that did not inherit
 * their parent's policy because that one resets on fork. A child that inherits needs no report, nor
 * does one of a thread that has lowered itself.
 *
 * Only the fields that are read are declared: CO-RE finds them in the running kernel. They were
 * checked against Linux 6.1 and 6.18. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "threads.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	__u64 id;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct task_group {
	struct cgroup_subsys_state css;
};
struct task_struct {
	int pid;
	unsigned int policy;
	unsigned sched_reset_on_fork : 1;
	__u64 start_boottime;
	struct css_set *cgroups;
	struct task_group *sched_task_group;
};
#pragma clang attribute pop

enum { POLICY_FIFO = 1, POLICY_RR = 2, POLICY_DEADLINE = 6 };

/* Is the cpu hierarchy the one of cgroup v2? Its groups need not have the controller. */
const volatile bool is_v2;

__u64 lost; /* reports for which there was no room */

/* By cgroup id; the value means nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} entered SEC(".maps");

static bool is_realtime(struct task_struct *p)
{
	return p->policy == POLICY_FIFO || p->policy == POLICY_RR || p->policy == POLICY_DEADLINE;
}

static struct cgroup *group_of(struct task_struct *p)
{
	return is_v2 ? p->cgroups->dfl_cgrp : p->sched_task_group->css.cgroup;
}

static void report(struct task_struct *p, __u64 cgroup, bool is_process)
{
	struct thread_entered *e = bpf_ringbuf_reserve(&entered, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	e->cgroup = cgroup;
	e->start_ns = p->start_boottime;
	e->tid = (__u32)p->pid;
	e->is_process = is_process;
	bpf_ringbuf_submit(e, 0);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(thread_moved, struct cgroup *to, const char *path, struct task_struct *p,
	     bool threadgroup)
{
	__u64 id = group_of(p)->kn->id;

	if (bpf_map_lookup_elem(&watched, &id))
		report(p, id, threadgroup);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(thread_made, struct task_struct *parent, struct task_struct *child)
{
	struct cgroup *group = group_of(child);
	__u64 id = group->kn->id;

	if (!bpf_map_lookup_elem(&watched, &id) || is_realtime(child))
		return 0;
	if (group_of(parent) != group || is_realtime(parent) ||
	    BPF_CORE_READ_BITFIELD(parent, sched_reset_on_fork))
		report(child, id, false);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
