/* SPDX-License-Identifier: Apache-2.0 */

/* A kubepods of our own on the real kernel: budgets come from the root down, follow the containers,
 * count what others hold beside them, and are given back at the end. */
#include "node/cgroup/cgroups.h"

#include "rt_group.h"

static char top[64]; /* below the mount */

static const char *in_top(const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, PATH_MAX, "%s/%s", top, name);
	return p;
}

static void make(const char *name)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), RT_MOUNT "/%s", in_top(name));
	mkdir(full, 0755);
}

static void take_away(const char *name)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), RT_MOUNT "/%s", in_top(name));
	for (int i = 0; i < RT_RETRIES && rmdir(full) < 0 && errno != ENOENT; i++)
		usleep(1000);
}

static long long runtime_of(const char *name)
{
	char full[PATH_MAX];
	int64_t value = -7;

	snprintf(full, sizeof(full), RT_MOUNT "/%s/cpu.rt_runtime_us", in_top(name));
	sysfs_read_int(AT_FDCWD, full, &value, NULL);
	return value;
}

static bool check(bool is_good, const char *what)
{
	printf("%s %s\n", is_good ? "PASS" : "FAIL", what);
	return is_good;
}

static const char *const folders[] = {
	"kubepods",
	"kubepods/burstable",
	"kubepods/burstable/pod1",
	"kubepods/burstable/pod1/aa",
	"kubepods/burstable/pod1/bb",
	"kubepods/pod2",
	"kubepods/pod2/cc",
	"kubepods/pod3",
};

static bool budgets_follow_the_containers(struct cgroups *f, struct cgroup *n[3])
{
	struct cpuset all = { { 3 } };
	struct error err = ERROR_INIT;
	bool is_good = true;

	cgroups_want(f, n[0], &all, (struct bandwidth){ 100000, 10000 });
	cgroups_want(f, n[1], &all, (struct bandwidth){ 1000000, 20000 });
	cgroups_want(f, n[2], &all, (struct bandwidth){ 1000000, 50000 });
	is_good &= check(cgroups_apply(f, APPLY_RETRY_MS, &err) == 0, "budgets are taken");
	is_good &= check(cgroups_verify(f, &err) == 0, "and read back");
	is_good &= check(runtime_of("kubepods/burstable/pod1") == 120000 &&
				 runtime_of("kubepods/burstable") == 120000 &&
				 runtime_of("kubepods") == 200000,
			 "groups above are sums, with what others hold beside them");
	cgroups_want(f, n[0], &all, (struct bandwidth){ 100000, 1000 });
	is_good &= check(cgroups_apply(f, APPLY_RETRY_MS, &err) == 0 &&
				 runtime_of("kubepods") == 110000,
			 "a cut goes up to the top");
	cgroups_want(f, n[2], &all, (struct bandwidth){ 1000000, 900000 });
	is_good &= check(cgroups_apply(f, APPLY_RETRY_MS, &err) == -EINVAL &&
				 runtime_of("kubepods/pod2/cc") == 50000 &&
				 runtime_of("kubepods") == 110000,
			 "what does not fit changes nothing");
	printf("# %s\n", err.msg);
	return is_good;
}

static bool removed_container_frees_its_budget(struct cgroups *f, struct cgroup *cc)
{
	struct error err;

	take_away("kubepods/pod2/cc");
	take_away("kubepods/pod2");
	cgroups_remove(f, cc);
	bool is_good = check(cgroups_apply(f, APPLY_RETRY_MS, &err) == 0 &&
				     runtime_of("kubepods") == 110000,
			     "a removed container counts at first, as it may in the kernel");
	usleep((REMOVED_MS + 100) * 1000);
	return check(cgroups_apply(f, APPLY_RETRY_MS, &err) == 0 && runtime_of("kubepods") == 60000,
		     "then its budget is free") &&
	       is_good;
}

static bool all_is_given_back(struct cgroups *f)
{
	size_t n_kept = cgroups_restore(f);

	return check(n_kept == 0 && runtime_of("kubepods") == 30000 &&
			     runtime_of("kubepods/burstable/pod1/aa") == 0,
		     "everything is given back");
}

static bool run(struct cgroups *f)
{
	struct cgroup *n[3];
	struct error err;

	if (cgroups_add(f, in_top(folders[3]), &n[0], &err) < 0 ||
	    cgroups_add(f, in_top(folders[4]), &n[1], &err) < 0 ||
	    cgroups_add(f, in_top(folders[6]), &n[2], &err) < 0)
		return check(false, err.msg);
	bool ok = budgets_follow_the_containers(f, n);
	ok &= removed_container_frees_its_budget(f, n[2]);
	ok &= all_is_given_back(f);
	return ok;
}

int main(void)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	struct kernel k;
	struct cgroups f;
	char full[PATH_MAX];

	snprintf(top, sizeof(top), "mckube-cgroups-%d", getpid());
	snprintf(full, sizeof(full), RT_MOUNT "/%s", top);
	if (kernel_probe(&roots, &k, NULL) < 0 || !k.has[FEATURE_RT_GROUPS_V1] ||
	    rt_group_make(full, 400000, 1000000) < 0) {
		rmdir(full);
		printf("no RT groups of cgroup v1\n");
		return 77;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		make(folders[i]);
	snprintf(full, sizeof(full), RT_MOUNT "/%s", in_top("kubepods"));
	rt_put_patiently(full, "cpu.rt_runtime_us", 30000);
	snprintf(full, sizeof(full), RT_MOUNT "/%s", in_top("kubepods/pod3"));
	rt_put_patiently(full, "cpu.rt_runtime_us", 30000);

	cgroups_init(&f, &k, &backend_cgroup_v1);
	bool is_good = run(&f);
	cgroups_done(&f);
	for (size_t i = ARRAY_LEN(folders); i-- > 0;)
		take_away(folders[i]);
	snprintf(full, sizeof(full), RT_MOUNT "/%s", top);
	rt_group_remove(full);
	return is_good ? 0 : 1;
}
