/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BPF_SOFT_BPF_H
#define MCKUBE_BPF_SOFT_BPF_H

/* Budgets in software: part of overrun.bpf.c, whose limits, timers and queues it uses.
 *
 * What FIFO and RR threads use is counted when the kernel charges it (sched_stat_runtime), in the
 * account of their group on their CPU. The CPU's timer is set for the moment at which the budget is
 * used up; then the CPU's agent is told, a thread with a higher priority that demotes the group's
 * threads. BPF cannot do that itself. A thread that is switched in as real-time all the same is
 * told, too. If the group has used SOFT_STOP_AFTER_NS more than its budget, the agent is late, and
 * the process that runs is stopped: that works from here, continuing it does not (bpf_send_signal()
 * fails with -EPERM where the CPU is idle).
 *
 * A thread that is not FIFO or RR but was given the priority of one that waits for its mutex is
 * counted, and let run: the waiter may be another container's.
 *
 * A running thread that makes itself FIFO is seen at the next tick only. So where that has happened
 * the timer looks again and again until the end of the period.
 *
 * Timers of BPF run in a soft interrupt. Where others are handled for long, or a tick comes in
 * between, the kernel leaves the rest to ksoftirqd (handle_softirqs(), kernel/softirq.c), which a
 * FIFO thread keeps from running: then they come with the next interrupt, at the tick at the
 * latest. So the agent has a timer of its own, which does not depend on that: see again_ns. */

enum { SOFT_POLICY_FIFO = 1, SOFT_POLICY_RR = 2, SOFT_SIGSTOP = 19 };
enum { SOFT_DEPTH = 4 };	 /* a container may have made groups of its own below its cgroup */
enum { SOFT_TELL_NS = 100000 };	 /* a thread that is told again, or stopped again */
enum { SOFT_ALERT_NS = 200000 }; /* how often an alert timer looks */
enum { SOFT_REACT_NS = 150000 }; /* what the agent has before its first stop in a period */
enum { SOFT_CLONED_BYTES = 16 * 1024 }; /* of a queue: the rest is for what cannot wait */
enum { SOFT_AT_LEAST_NS = 20000 };	/* between two timers */

const volatile bool is_v2;    /* the groups are cgroup v2's */
const volatile bool may_stop; /* the helper may continue what is stopped */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct soft_budget);
} soft_budgets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct soft_state);
} soft_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct soft_stop);
} soft_stops SEC(".maps");

struct soft_queue {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 * 1024); /* 512 events */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* set by the loader: one for each possible CPU */
	__type(key, __u32);
	__array(values, struct soft_queue);
} soft_queues SEC(".maps");

/* For the supervisor: a process was stopped. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024);
} soft_alarm SEC(".maps");

static struct soft_budget *soft_budget_of(struct task_struct *p, __u64 *ret_id)
{
	struct cgroup *c = is_v2 ? p->cgroups->dfl_cgrp : p->sched_task_group->css.cgroup;

	for (int i = 0; i < SOFT_DEPTH; i++) {
		struct cgroup_subsys_state *parent;
		struct soft_budget *b;

		if (!c || !c->level)
			return NULL;
		*ret_id = c->kn->id;
		b = bpf_map_lookup_elem(&soft_budgets, ret_id);
		if (b)
			return b;
		parent = c->self.parent;
		if (!parent)
			return NULL;
		c = parent->cgroup;
	}
	return NULL;
}

/* What wakes the agent says so: the queue may hold events that have not (BPF_RB_NO_WAKEUP), and by
 * itself the kernel wakes only one that has read all (bpf_ringbuf_commit(), kernel/bpf/ringbuf.c).
 */
static void soft_tell(const struct soft_event *event, __u64 flags)
{
	__u32 key = event->cpu;
	void *queue = bpf_map_lookup_elem(&soft_queues, &key);
	struct overrun_cpu *cpu;

	if (queue && event->kind == SOFT_CLONED &&
	    bpf_ringbuf_query(queue, BPF_RB_AVAIL_DATA) > SOFT_CLONED_BYTES)
		return;
	if (queue && bpf_ringbuf_output(queue, (void *)event, sizeof(*event), flags) == 0)
		return;
	cpu = this_cpu();
	if (cpu)
		__sync_fetch_and_add(&cpu->lost, 1);
}

/* The task is the one that runs here. */
static void soft_stop(struct task_struct *p, struct soft_state *s, struct soft_event *event)
{
	struct soft_stop stop = {
		.cgroup = event->cgroup,
		.start_ns = p->group_leader->start_boottime,
		.refill_ns = event->refill_ns,
	};
	__u32 pid = p->tgid;

	if (bpf_map_update_elem(&soft_stops, &pid, &stop, BPF_ANY) < 0)
		return;
	if (bpf_send_signal(SOFT_SIGSTOP) < 0) {
		bpf_map_delete_elem(&soft_stops, &pid);
		return;
	}
	s->stopped_ns = s->told_ns = event->at_ns;
	event->kind = SOFT_STOPPED;
	event->pid = pid;
	event->start_ns = stop.start_ns;
	soft_tell(event, BPF_RB_FORCE_WAKEUP);
	bpf_ringbuf_output(&soft_alarm, &pid, sizeof(pid), 0);
}

/* Returns how much more may be used before the next look. A thread that has ended is no longer
 * found by its number (release_task(), kernel/exit.c), so it cannot be demoted: where many end at
 * once each runs its last microseconds. */
static __always_inline __u64 soft_exhausted(struct task_struct *p, struct soft_state *s,
					    struct soft_event *event, __u64 over_ns,
					    bool is_running)
{
	__u64 now = event->at_ns;

	if ((p->policy != SOFT_POLICY_FIFO && p->policy != SOFT_POLICY_RR) || p->exit_state)
		return ~0ULL;
	if (s->told_refill != event->refill_ns)
		s->first_told_ns = now;
	if (s->told_refill != event->refill_ns || s->told_pid != event->pid ||
	    now - s->told_ns > SOFT_TELL_NS) {
		s->told_refill = event->refill_ns;
		s->told_pid = event->pid;
		s->told_ns = now;
		soft_tell(event, BPF_RB_FORCE_WAKEUP);
	}
	if (over_ns < SOFT_STOP_AFTER_NS)
		return SOFT_STOP_AFTER_NS - over_ns;
	if (now - s->first_told_ns < SOFT_REACT_NS)
		return SOFT_REACT_NS;
	if (may_stop && is_running && now - s->stopped_ns > SOFT_TELL_NS)
		soft_stop(p, s, event);
	return SOFT_TELL_NS;
}

/* `a` is the account with all that was used until now. Sets the timer, unless it is set for this
 * thread. */
static __always_inline void soft_judge(struct task_struct *p, struct overrun_cpu *cpu,
				       struct soft_state *s, const struct soft_account *a,
				       const struct soft_budget *b, struct overrun_event *about,
				       bool is_running, bool is_armed)
{
	struct overrun_group *g = bpf_map_lookup_elem(&groups, &about->cgroup);
	__u64 available = soft_account_available(a, b), left = ~0ULL, next, lead, refill;

	about->used_ns = a->used_ns;
	about->period = soft_account_refill(a);
	if (g)
		left = compare(g, about);
	if (a->used_ns < available) {
		next = available - a->used_ns;
	} else {
		struct soft_event event = {
			.cgroup = about->cgroup,
			.at_ns = about->at_ns,
			.refill_ns = about->period,
			.again_ns = soft_add(about->period, b->runtime_ns),
			.start_ns = p->start_boottime,
			.kind = SOFT_EXHAUSTED,
			.is_bound = p->nr_cpus_allowed == 1,
			.cpu = about->cpu,
			.pid = p->pid,
		};

		if (is_running && cpu->armed_for != p->pid)
			cpu->alert_until_ns = about->period;
		next = soft_exhausted(p, s, &event, a->used_ns - available, is_running);
	}
	if (!is_armed)
		return;
	cpu->armed_for = p->pid;
	left = next < left ? next : left;
	lead = cpu->lead_ns;
	if (left > 2 * lead)
		left -= lead;
	refill = soft_less(about->period, about->at_ns) + AFTER_REFILL_NS;
	left = refill < left ? refill : left;
	arm(cpu, about->at_ns, left < SOFT_AT_LEAST_NS ? SOFT_AT_LEAST_NS : left);
}

/* The account is only read: the tick, which writes it, may interrupt this. */
static __always_inline bool soft_look(struct task_struct *p, struct overrun_cpu *cpu, __u64 now,
				      __u64 running_ns, bool is_running)
{
	struct overrun_event about = { .at_ns = now, .cpu = bpf_get_smp_processor_id() };
	struct soft_budget *b = soft_budget_of(p, &about.cgroup);
	struct soft_account until_now;
	struct soft_state *s;

	if (!b)
		return false;
	s = bpf_map_lookup_elem(&soft_states, &about.cgroup);
	if (!s)
		return false;
	until_now = s->account;
	soft_account_charge(&until_now, b, now, running_ns);
	soft_judge(p, cpu, s, &until_now, b, &about, is_running, true);
	return true;
}

static __always_inline int soft_on_timer(struct task_struct *p, struct overrun_cpu *cpu, __u64 now)
{
	__s64 running = now - cpu->clock_offset - p->se.exec_start;

	if (is_realtime(p)) {
		learn_lead(cpu, now);
		if (soft_look(p, cpu, now, running > 0 ? running : 0, true))
			return 0;
	}
	cpu->armed_for = 0;
	if (now < cpu->alert_until_ns)
		arm(cpu, now, SOFT_ALERT_NS);
	return 0;
}

static __noinline int soft_switch_in(struct task_struct *p)
{
	struct overrun_cpu *cpu = this_cpu();
	__u64 now = bpf_ktime_get_ns();

	if (!cpu)
		return 0;
	cpu->clock_offset = now - p->se.exec_start;
	cpu->armed_for = p->pid;
	if (!soft_look(p, cpu, now, 0, false))
		cpu->armed_for = 0;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(soft_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return is_realtime(next) ? soft_switch_in(next) : 0;
}

/* Charges, and counts the use of the periods that have ended since the last charge. */
static __always_inline void soft_charge_account(struct soft_account *a, const struct soft_budget *b,
						const struct overrun_event *about, __u64 ran_ns)
{
	__u64 period_ns = a->period_ns, number = a->number, used_ns = a->used_ns, early_ns;

	soft_account_charge(a, b, about->at_ns, ran_ns);
	if (!period_ns || a->period_ns != period_ns || a->number == number)
		return;
	early_ns = soft_less(ran_ns, about->at_ns % period_ns);
	if (early_ns && soft_less(about->at_ns, ran_ns) / period_ns == number) {
		used_ns += early_ns;
		early_ns = 0;
	}
	if (used_ns)
		count_use(about->cgroup, used_ns);
	if (early_ns)
		count_use(about->cgroup, early_ns);
}

/* The task may run on another CPU: one that changes its class charges it from there. */
static __noinline int soft_charge_task(struct task_struct *p, __u64 runtime)
{
	bool is_running = bpf_get_current_task_btf() == p;
	struct overrun_event about = {
		.at_ns = bpf_ktime_get_ns(),
		.cpu = is_running ? bpf_get_smp_processor_id() : p->thread_info.cpu,
	};
	struct soft_budget *b = soft_budget_of(p, &about.cgroup);
	struct overrun_cpu *cpu = this_cpu();
	struct soft_state *s;

	if (!b || !cpu)
		return 0;
	s = bpf_map_lookup_percpu_elem(&soft_states, &about.cgroup, about.cpu);
	if (!s)
		return 0;
	soft_charge_account(&s->account, b, &about, runtime);
	if (!is_running)
		return 0;
	cpu->clock_offset = about.at_ns - p->se.exec_start;
	soft_judge(p, cpu, s, &s->account, b, &about, true, cpu->armed_for != p->pid);
	return 0;
}

SEC("tp_btf/sched_stat_runtime")
int BPF_PROG(soft_charge, struct task_struct *p, __u64 runtime)
{
	return is_realtime(p) ? soft_charge_task(p, runtime) : 0;
}

/* While threads are made at a great rate timers are late by milliseconds (the soft interrupts of
 * RCU are left to a thread without priority): each new one is a moment to look. */
static __noinline int soft_look_at_parent(struct task_struct *parent)
{
	struct overrun_cpu *cpu = this_cpu();
	__u64 now = bpf_ktime_get_ns();
	__s64 running;

	if (!cpu)
		return 0;
	running = now - cpu->clock_offset - parent->se.exec_start;
	soft_look(parent, cpu, now, running > 0 ? running : 0, true);
	return 0;
}

/* A thread that a demoted one makes would have been real-time, too. That wakes nothing: it is
 * handled when the budget is refilled. The flag is the agent's mark, see node/soft/threads.h. */
SEC("tp_btf/task_newtask")
int BPF_PROG(soft_newtask, struct task_struct *task, __u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct soft_event event = { .kind = SOFT_CLONED, .cpu = bpf_get_smp_processor_id() };

	if (is_realtime(parent))
		return soft_look_at_parent(parent);
	if (!BPF_CORE_READ_BITFIELD(parent, sched_reset_on_fork) ||
	    !soft_budget_of(parent, &event.cgroup))
		return 0;
	event.at_ns = bpf_ktime_get_ns();
	event.start_ns = task->start_boottime;
	event.pid = task->pid;
	event.parent = parent->pid;
	soft_tell(&event, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
