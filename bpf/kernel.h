/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BPF_KERNEL_H
#define MCKUBE_BPF_KERNEL_H

/* The fields of the kernel's structs that the programs read: CO-RE finds them in the running
 * kernel. They were checked against Linux 6.1 to 6.18. */

#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	__u64 id;
};
struct cgroup_root {
	int hierarchy_id;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct css_set {
	struct cgroup *dfl_cgrp; /* of cgroup v2 */
};
struct timerqueue_node {
	__s64 expires;
};
struct hrtimer {
	struct timerqueue_node node;
};
struct rt_bandwidth {
	__s64 rt_period;
	struct hrtimer rt_period_timer;
};
struct cfs_bandwidth {
	__u64 quota, runtime;
	struct hrtimer period_timer;
};
struct task_group {
	struct cgroup_subsys_state css;
	struct rt_bandwidth rt_bandwidth;
	struct cfs_bandwidth cfs_bandwidth;
};
struct rq {
	__u64 clock;
};
struct rt_rq {
	__u64 rt_time;
	struct rq *rq;
	struct task_group *tg;
};
struct sched_info {
	unsigned long long last_queued;
};
struct sched_rt_entity {
	struct rt_rq *rt_rq;
};
struct sched_entity {
	__u64 exec_start;
};
struct sched_dl_entity {
	__s64 runtime;
	__u64 dl_runtime, deadline;
};
struct thread_info {
	__u32 cpu;
};
struct task_struct {
	struct thread_info thread_info;
	int prio, pid, tgid, exit_state, nr_cpus_allowed;
	unsigned int policy;
	struct sched_entity se;
	struct sched_rt_entity rt;
	struct sched_dl_entity dl;
	struct sched_info sched_info;
	struct task_group *sched_task_group;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	__u64 start_boottime;
	unsigned int sched_reset_on_fork : 1;
};
#pragma clang attribute pop

#endif
