/* SPDX-License-Identifier: Apache-2.0 */
#include "node/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/str.h"
#include "node/sysfs.h"

const struct feature_text feature_texts[FEATURES] = {
	[FEATURE_RT_GROUPS_V1] = { "rtGroupsV1", "RT budgets of cgroup v1",
				   "CONFIG_RT_GROUP_SCHED=y, boot with rt_group_sched=1 (since 6.16) "
				   "and the cpu controller on cgroup v1" },
	[FEATURE_HCBS_MAX] = { "hcbsRtMax", "HCBS budgets, cpu.rt.max",
			       "a kernel with the HCBS patches (RFC v6 or later)" },
	[FEATURE_HCBS_MULTI] = { "hcbsMultiRuntime", "HCBS budgets per CPU",
				 "a kernel with the HCBS patches that have "
				 "cpu.rt_multi_runtime_us" },
	[FEATURE_RT_GROUPS_V2] = { "rtGroupsV2", "HCBS budgets, cpu.rt_runtime_us on cgroup v2",
				   "a kernel with the HCBS patches (RFC v1 to v5)" },
	[FEATURE_DEADLINE] = { "schedDeadline", "SCHED_DEADLINE", "Linux 3.14 or later" },
	[FEATURE_HOST_PIDS] = { "hostPids", "threads of the pods, for their policies",
				"hostPID: true in the helper's pod" },
	[FEATURE_CFS_QUOTA] = { "cfsQuota", "bandwidth cap of cgroup v1",
				"CONFIG_CFS_BANDWIDTH=y and the cpu controller on cgroup v1" },
	[FEATURE_CPU_MAX] = { "cpuMax", "bandwidth cap of cgroup v2",
			      "CONFIG_CFS_BANDWIDTH=y and the cpu controller on cgroup v2" },
	[FEATURE_CPUSET_V1] = { "cpusetV1", "pinning on cgroup v1",
				"the cpuset controller on cgroup v1" },
	[FEATURE_CPUSET_V2] = { "cpusetV2", "pinning on cgroup v2",
				"the cpuset controller on cgroup v2" },
	[FEATURE_BTF] = { "btf", "BPF programs that fit this kernel", "CONFIG_DEBUG_INFO_BTF=y" },
	[FEATURE_TRACE_SWITCH] = { "traceSchedSwitch", "tracepoint sched_switch",
				   "a kernel with BTF and tracepoints" },
	[FEATURE_TRACE_RUNTIME] = { "traceSchedStatRuntime", "tracepoint sched_stat_runtime",
				    "CONFIG_SCHEDSTATS=y" },
	[FEATURE_TRACE_MKDIR] = { "traceCgroupMkdir", "tracepoint cgroup_mkdir",
				  "a kernel with BTF and tracepoints" },
	[FEATURE_TRACE_RMDIR] = { "traceCgroupRmdir", "tracepoint cgroup_rmdir",
				  "a kernel with BTF and tracepoints" },
	[FEATURE_TRACE_NEWTASK] = { "traceTaskNewtask", "tracepoint task_newtask",
				    "a kernel with BTF and tracepoints" },
	[FEATURE_BPF_TIMER] = { "bpfTimer", "timers of BPF programs, for budgets in software",
				"Linux 5.19 or later (seen on 6.1 and later)" },
	[FEATURE_PSI] = { "psi", "pressure stall information",
			  "CONFIG_PSI=y, boot with psi=1 where it is off by default" },
};

bool kernel_is_v2(const struct kernel *k)
{
	return *k->cpu && strcmp(k->cpu, k->unified) == 0;
}

const char *cgroup_kind_name(enum cgroup_kind kind)
{
	static const char *const names[] = { "none", "v1", "v2", "hybrid" };

	return names[kind];
}

static bool has_file(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return *dir && snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       sysfs_exists(AT_FDCWD, path);
}

/* Files with CFTYPE_NOT_ON_ROOT are seen only one level down. */
static bool has_file_below(const char *dir, const char *name)
{
	if (!*dir || has_file(dir, name))
		return *dir;
	AUTO_DIR DIR *d = opendir(dir);
	if (!d)
		return false;
	for (struct dirent *e; (e = readdir(d));) {
		char child[PATH_MAX];

		if (e->d_name[0] == '.' ||
		    snprintf(child, sizeof(child), "%s/%s", dir, e->d_name) >= (int)sizeof(child))
			continue;
		if (has_file(child, name))
			return true;
	}
	return false;
}

static bool has_word(const char *dir, const char *name, const char *word)
{
	char path[PATH_MAX], buf[SYSFS_VALUE];
	size_t len = strlen(word);

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    sysfs_read(AT_FDCWD, path, buf, sizeof(buf), NULL) < 0)
		return false;
	for (const char *at = buf; (at = strstr(at, word)); at += len)
		if ((at == buf || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return true;
	return false;
}

/* A v1 controller is mounted under its own name, or with others: "cpu,cpuacct". */
static void find_v1(const char *root, const char *const *names, const char *file, char *ret)
{
	for (; *names; names++) {
		if (snprintf(ret, PATH_MAX, "%s/%s", root, *names) < PATH_MAX &&
		    has_file(ret, file))
			return;
	}
	*ret = '\0';
}

static void find_unified(const char *root, char *ret)
{
	snprintf(ret, PATH_MAX, "%s", root);
	if (has_file(ret, "cgroup.controllers"))
		return;
	if (snprintf(ret, PATH_MAX, "%s/unified", root) >= PATH_MAX ||
	    !has_file(ret, "cgroup.controllers"))
		*ret = '\0';
}

static void find_hierarchies(const char *root, struct kernel *k)
{
	static const char *const cpu[] = { "cpu,cpuacct", "cpu", "cpuacct,cpu", NULL };
	static const char *const cpuset[] = { "cpuset", NULL };

	find_unified(root, k->unified);
	find_v1(root, cpu, "cpu.shares", k->cpu);
	find_v1(root, cpuset, "cpuset.cpus", k->cpuset);

	bool has_v1 = *k->cpu || *k->cpuset;
	k->cgroup = has_v1 ? (*k->unified ? CGROUP_HYBRID : CGROUP_V1)
			   : (*k->unified ? CGROUP_V2 : CGROUP_NONE);
	k->has[FEATURE_CPUSET_V1] = *k->cpuset;
	k->has[FEATURE_RT_GROUPS_V1] = has_file(k->cpu, "cpu.rt_runtime_us");
	k->has[FEATURE_CFS_QUOTA] = has_file(k->cpu, "cpu.cfs_quota_us");
}

static void probe_unified(struct kernel *k)
{
	bool has_cpu = has_word(k->unified, "cgroup.controllers", "cpu");

	k->has[FEATURE_CPU_MAX] = has_cpu;
	k->has[FEATURE_CPUSET_V2] = has_word(k->unified, "cgroup.controllers", "cpuset");
	k->has[FEATURE_RT_GROUPS_V2] = has_file_below(k->unified, "cpu.rt_runtime_us");
	if (!*k->cpu)
		memcpy(k->cpu, k->unified, sizeof(k->cpu));
	if (!*k->cpuset && k->has[FEATURE_CPUSET_V2])
		memcpy(k->cpuset, k->unified, sizeof(k->cpuset));
	k->has[FEATURE_HCBS_MAX] = has_file_below(k->cpu, "cpu.rt.max");
	k->has[FEATURE_HCBS_MULTI] = has_file_below(k->cpu, "cpu.rt_multi_runtime_us");
}

/* BTF names each tracepoint by the typedef btf_trace_<name>. Its strings are NUL-terminated, so a
 * search in the raw bytes finds them without parsing five megabytes. */
static void probe_btf(const char *sys, struct kernel *k)
{
	static const struct {
		enum feature feature;
		char name[40];
	} points[] = {
		{ FEATURE_TRACE_SWITCH, "btf_trace_sched_switch" },
		{ FEATURE_TRACE_RUNTIME, "btf_trace_sched_stat_runtime" },
		{ FEATURE_TRACE_MKDIR, "btf_trace_cgroup_mkdir" },
		{ FEATURE_TRACE_RMDIR, "btf_trace_cgroup_rmdir" },
		{ FEATURE_TRACE_NEWTASK, "btf_trace_task_newtask" },
		{ FEATURE_BPF_TIMER, "BPF_FUNC_map_lookup_percpu_elem" },
	};
	AUTO(str_done) struct str btf = STR_INIT_MAX(64 << 20);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/kernel/btf/vmlinux", sys);
	if (file_read(path, &btf, NULL) < 0)
		return;
	k->has[FEATURE_BTF] = true;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		k->has[points[i].feature] =
			memmem(btf.s, btf.n, points[i].name, strlen(points[i].name) + 1);
}

/* PROC_PID_INIT_INO of include/linux/proc_ns.h: the PID namespace of the host. In another one the
 * threads of pods are visible if it is the node's, as where the node itself is a container: then
 * process 1 is its init, and not in the helper's cgroup. */
static bool has_host_pids(const char *proc)
{
	static const char initial[] = "pid:[4026531836]";
	char path[PATH_MAX], own[SYSFS_VALUE], first[SYSFS_VALUE];

	snprintf(path, sizeof(path), "%s/self/ns/pid", proc);
	ssize_t n = readlink(path, own, sizeof(own) - 1);
	if (n < 0 || (n == (ssize_t)strlen(initial) && memcmp(own, initial, (size_t)n) == 0))
		return true;
	snprintf(path, sizeof(path), "%s/self/cgroup", proc);
	if (sysfs_read(AT_FDCWD, path, own, sizeof(own), NULL) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/1/cgroup", proc);
	return sysfs_read(AT_FDCWD, path, first, sizeof(first), NULL) == 0 &&
	       strcmp(own, first) != 0;
}

static void probe_proc(const char *proc, struct kernel *k)
{
	char path[PATH_MAX];

	k->has[FEATURE_HOST_PIDS] = has_host_pids(proc);
	k->has[FEATURE_PSI] = has_file(proc, "pressure/cpu");
	k->has[FEATURE_DEADLINE] = has_file(proc, "sys/kernel/sched_deadline_period_max_us");
	k->rt_period_us = 1000000;
	k->rt_runtime_us = 950000;
	snprintf(path, sizeof(path), "%s/sys/kernel/sched_rt_period_us", proc);
	sysfs_read_int(AT_FDCWD, path, &k->rt_period_us, NULL);
	snprintf(path, sizeof(path), "%s/sys/kernel/sched_rt_runtime_us", proc);
	sysfs_read_int(AT_FDCWD, path, &k->rt_runtime_us, NULL);
}

int kernel_probe(const struct kernel_roots *roots, struct kernel *ret, struct error *err)
{
	struct kernel k = { 0 };
	struct utsname name;

	if (!sysfs_exists(AT_FDCWD, roots->cgroup))
		return error_errno(err, "cgroup root %s", roots->cgroup);
	if (uname(&name) == 0)
		snprintf(k.release, sizeof(k.release), "%s", name.release);
	find_hierarchies(roots->cgroup, &k);
	probe_unified(&k);
	probe_btf(roots->sys, &k);
	probe_proc(roots->proc, &k);
	k.cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	*ret = k;
	return 0;
}
