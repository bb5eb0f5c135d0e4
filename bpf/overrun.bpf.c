/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

/* Sees a container's real-time consumption pass a limit, while its kernel budget is still larger.
 *
 * When a real-time task of a watched group is switched in, the CPU's timer is set for the moment at
 * which the group will have used up its limit. When the timer fires, consumption is what the kernel
 * charged (rt_time, by the tick and at switches) plus what the running task used since. The
 * accounting itself (sched_stat_runtime) is the back-stop; it also sets the timer for a task that
 * becomes real-time while it runs. A group is named by the cgroup of the task's own task group: the
 * task that runs when something is charged does not matter.
 *
 * Where the kernel has no budgets, consumption and the budget are those of soft.bpf.h. */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "budget/use_count.h"
#include "overrun.h"
#include "soft.h"

/* 0 to 99 are FIFO and RR (also boosted tasks), DEADLINE is -1, others are higher. */
enum { MAX_RT_PRIO = 100 };
enum { CLOCK_MONOTONIC_ID = 1, TIMER_CPU_PIN = 1 << 1, AFTER_REFILL_NS = 20000 };

/* A timer is always late: by some microseconds, on a virtual machine by tens. So it is set earlier
 * by what three of four timers of this CPU were late at least; one that comes too early is set once
 * more. Learned in steps, three times as large downwards. */
enum { LEAD_MAX_NS = 40000, LEAD_STEP_NS = 100 };

/* Of the cpu controller: cgroup ids are unique only within a hierarchy. */
const volatile int hierarchy;
const volatile __u32 n_queues = 1;
const volatile bool is_soft; /* budgets are those of soft.bpf.h */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct overrun_group);
} groups SEC(".maps");

/* By cgroup id; user space makes the entries. A period ends seldom, so all CPUs share one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct use_count);
} uses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set by the loader: one for each possible CPU */
	__type(key, __u32);
	__type(value, struct overrun_cpu);
} cpus SEC(".maps");

struct queue {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024); /* 170 events */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, OVERRUN_QUEUES); /* the loader fills the first n_queues */
	__type(key, __u32);
	__array(values, struct queue);
} queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024); /* 128 of them; user space maps all of it, twice */
} cgroup_watch SEC(".maps");

static struct overrun_cpu *this_cpu(void)
{
	__u32 key = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &key);
}

static struct overrun_group *group_of(struct task_struct *p, __u64 *ret_id)
{
	*ret_id = p->sched_task_group->css.cgroup->kn->id;
	return bpf_map_lookup_elem(&groups, ret_id);
}

static void report(const struct overrun_event *event)
{
	__u32 key = event->cpu % n_queues;
	void *queue = bpf_map_lookup_elem(&queues, &key);
	struct overrun_cpu *cpu;

	if (queue && bpf_ringbuf_output(queue, (void *)event, sizeof(*event), 0) == 0)
		return;
	cpu = this_cpu();
	if (cpu)
		__sync_fetch_and_add(&cpu->lost, 1);
}

/* Reports each limit that is passed and was not yet reported in this period. Returns how much may
 * be used until the next one is, ~0 where there is none. */
static __always_inline __u64 compare(struct overrun_group *g, struct overrun_event *event)
{
	__u64 left = ~0ULL;

#pragma unroll
	for (int i = 0; i < OVERRUN_LIMITS; i++) {
		__u64 limit = g->limit_ns[i];

		if (!limit)
			continue;
		if (event->used_ns < limit) {
			if (limit - event->used_ns < left)
				left = limit - event->used_ns;
			continue;
		}
		if (__sync_lock_test_and_set(&g->reported[i], event->period) == event->period)
			continue;
		event->limit = i;
		report(event);
	}
	return left;
}

/* Without the flag, which is new in Linux 6.7, a timer may be moved to another CPU: then it finds
 * nothing there, and the back-stop events at the next tick. */
static __always_inline void arm(struct overrun_cpu *cpu, __u64 now, __u64 ns)
{
	cpu->due_ns = now + ns;
	if (bpf_timer_start(&cpu->timer, ns, TIMER_CPU_PIN) < 0)
		bpf_timer_start(&cpu->timer, ns, 0);
}

static __always_inline void learn_lead(struct overrun_cpu *cpu, __u64 now)
{
	bool is_later = (__s64)(now - cpu->due_ns) > cpu->lead_ns;
	int lead = cpu->lead_ns + (is_later ? LEAD_STEP_NS : -3 * LEAD_STEP_NS);

	cpu->lead_ns = lead < 0 ? 0 : lead > LEAD_MAX_NS ? LEAD_MAX_NS : lead;
}

static __always_inline bool is_realtime(struct task_struct *p)
{
	int prio = p->prio;

	return prio >= 0 && prio < MAX_RT_PRIO;
}

/* Since when the task could have run but for others; 0: unknown, as in a kernel without
 * CONFIG_SCHED_INFO. */
static __always_inline __u64 waits_since(struct task_struct *p, struct rt_rq *rt, __u64 now)
{
	__u64 queued, clock;

	if (!bpf_core_field_exists(p->sched_info.last_queued) || !bpf_core_field_exists(rt->rq))
		return 0;
	queued = p->sched_info.last_queued;
	clock = rt->rq->clock;
	return queued && clock > queued && clock - queued < now ? now - (clock - queued) : 0;
}

/* A task of the group is switched in. */
static __always_inline void count_missed(struct task_struct *p, struct overrun_group *g,
					 struct overrun_cpu *cpu, const struct overrun_event *event)
{
	struct rt_rq *rt = p->rt.rt_rq;
	__u64 length = rt->tg->rt_bandwidth.rt_period, granted = g->granted_ns;
	__u64 since = waits_since(p, rt, event->at_ns);

	if (!granted || !since || length < MISSED_MIN_NS)
		return;
	if (since < g->ran_ns)
		since = g->ran_ns;
	__u64 begin = event->period > event->at_ns ? event->period - length : event->period;
	if (begin > event->at_ns || begin < since + MISSED_MIN_NS)
		return;
	__u64 whole = (begin - since) / length, rest = (begin - since) - whole * length;
	bool is_known = g->period == begin - whole * length;
	__u64 used = is_known ? g->used_ns : 0, had = granted;
	if (is_known && g->had_ns < had)
		had = g->had_ns;
	__u64 left = had > used ? had - used : 0, debt = had > used ? 0 : used - had;
	__u64 later = whole * granted > debt ? whole * granted - debt : 0;
	cpu->missed_ns += later + (rest < left ? rest : left);
}

/* A period of the group has ended on a CPU. */
static __noinline int count_use(__u64 cgroup, __u64 used_ns)
{
	struct use_count *u = bpf_map_lookup_elem(&uses, &cgroup);
	__u64 us = used_ns / 1000;
	__u32 i = use_bucket(us);

	if (!u || i >= USE_BUCKETS)
		return 0;
	__sync_fetch_and_add(&u->periods, 1);
	__sync_fetch_and_add(&u->total_us, us);
	__sync_fetch_and_add(&u->by_use[i], 1);
	return 0;
}

/* `running_ns` is what the task used and the kernel has not charged yet. */
static __always_inline void watch(struct task_struct *p, struct overrun_cpu *cpu, __u64 now,
				  __u64 running_ns, bool is_armed, bool is_switched_in)
{
	struct overrun_event event = { .at_ns = now, .cpu = bpf_get_smp_processor_id() };
	struct overrun_group *g = group_of(p, &event.cgroup);
	__u64 left, refill;

	if (!g)
		return;
	struct rt_rq *rt = p->rt.rt_rq;
	event.used_ns = rt->rt_time + running_ns;
	event.period = rt->tg->rt_bandwidth.rt_period_timer.node.expires;
	left = compare(g, &event);
	if (is_switched_in)
		count_missed(p, g, cpu, &event);
	if (g->period && g->period != event.period)
		count_use(event.cgroup, g->used_ns);
	g->ran_ns = now;
	g->used_ns = event.used_ns;
	g->period = event.period;
	g->had_ns = g->granted_ns;
	if (!is_armed)
		return;
	cpu->armed_for = p->pid;
	refill = event.period > now ? event.period - now + AFTER_REFILL_NS : AFTER_REFILL_NS;
	__u64 lead = cpu->lead_ns;
	if (left > 2 * lead)
		left -= lead;
	arm(cpu, now, left < refill ? left : refill);
}

#include "soft.bpf.h"

static int on_timer(void *map, __u32 *key, struct overrun_cpu *cpu)
{
	struct task_struct *p = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_ns();

	if (is_soft)
		return soft_on_timer(p, cpu, now);
	if (!is_realtime(p)) {
		cpu->armed_for = 0;
		return 0;
	}
	learn_lead(cpu, now);
	__s64 running = now - cpu->clock_offset - p->se.exec_start;
	watch(p, cpu, now, running > 0 ? running : 0, true, false);
	return 0;
}

SEC("syscall")
int prepare(struct overrun_prepare *args)
{
	__u32 key = args->cpu;
	struct overrun_cpu *cpu = bpf_map_lookup_elem(&cpus, &key);

	if (!cpu)
		return -1;
	bpf_timer_init(&cpu->timer, &cpus, CLOCK_MONOTONIC_ID);
	return bpf_timer_set_callback(&cpu->timer, on_timer);
}

/* At a moment at which exec_start was just set to the run queue's clock. Apart from the programs:
 * those then save no registers for the many tasks that they let pass. */
static __noinline int watch_task(struct task_struct *p, __u64 running_ns, bool is_switched_in)
{
	struct overrun_cpu *cpu = this_cpu();
	__u64 now = bpf_ktime_get_ns();

	if (!cpu)
		return 0;
	cpu->clock_offset = now - p->se.exec_start;
	watch(p, cpu, now, running_ns, is_switched_in || cpu->armed_for != p->pid, is_switched_in);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(rt_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return is_realtime(next) ? watch_task(next, 0, true) : 0;
}

/* rt_time does not hold `runtime` yet. A thread that became real-time while it runs gets its timer
 * here. */
SEC("tp_btf/sched_stat_runtime")
int BPF_PROG(rt_charge, struct task_struct *p, __u64 runtime)
{
	return is_realtime(p) ? watch_task(p, runtime, false) : 0;
}

/* A SCHED_DEADLINE thread overruns when its own budget is used up. */
SEC("tp_btf/sched_stat_runtime")
int BPF_PROG(deadline_charge, struct task_struct *p, __u64 runtime)
{
	struct overrun_event event = { .at_ns = bpf_ktime_get_ns() };
	struct overrun_group *g;

	if (p->prio >= 0 || p->dl.runtime - (__s64)runtime > 0)
		return 0;
	g = group_of(p, &event.cgroup);
	if (!g || !g->limit_ns[0])
		return 0;
	event.cpu = bpf_get_smp_processor_id();
	event.used_ns = p->dl.dl_runtime - p->dl.runtime + runtime;
	event.period = p->dl.deadline;
	if (__sync_lock_test_and_set(&g->reported[0], event.period) != event.period)
		report(&event);
	return 0;
}

/* Of a quota only slices of some milliseconds are seen, as CPUs take them from the group's pool. */
SEC("tp_btf/sched_stat_runtime")
int BPF_PROG(quota_charge, struct task_struct *p, __u64 runtime)
{
	struct overrun_event event = { .at_ns = bpf_ktime_get_ns() };
	struct overrun_group *g = group_of(p, &event.cgroup);

	if (!g)
		return 0;
	struct cfs_bandwidth *b = &p->sched_task_group->cfs_bandwidth;
	event.cpu = bpf_get_smp_processor_id();
	event.used_ns = b->quota > b->runtime ? b->quota - b->runtime : 0;
	event.period = b->period_timer.node.expires;
	compare(g, &event);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(group_made, struct cgroup *cgrp, const char *path)
{
	struct cgroup_created *created;

	if (cgrp->root->hierarchy_id != hierarchy)
		return 0;
	created = bpf_ringbuf_reserve(&cgroup_watch, sizeof(*created), 0);
	if (!created) {
		struct overrun_cpu *cpu = this_cpu();

		if (cpu)
			__sync_fetch_and_add(&cpu->lost, 1);
		return 0;
	}
	created->cgroup = cgrp->kn->id;
	created->at_ns = bpf_ktime_get_ns();
	bpf_probe_read_kernel_str(created->path, sizeof(created->path), path);
	bpf_ringbuf_submit(created, 0);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(group_removed, struct cgroup *cgrp, const char *path)
{
	__u64 id = cgrp->kn->id;

	if (cgrp->root->hierarchy_id != hierarchy)
		return 0;
	bpf_map_delete_elem(&groups, &id);
	bpf_map_delete_elem(&uses, &id);
	if (is_soft) {
		bpf_map_delete_elem(&soft_budgets, &id);
		bpf_map_delete_elem(&soft_states, &id);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
