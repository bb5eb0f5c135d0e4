/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cgroup/cgroups.h"

#include <fcntl.h>

#include "node/container.h"
#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

/* Each dialect of real-time budgets on a made-up tree, in each layout of the kubelet. Ordinary
 * files keep what was written before behind a shorter text, and know nothing of CPUs: the backends'
 * writes go through one that does to the files what the kernel would. */

#define UID   "0a1b2c3d-0001-4444-8888-123456789abc"
#define UID_  "0a1b2c3d_0001_4444_8888_123456789abc"
#define ID    "4f5e6d7c8b9a"
#define SCOPE "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"

static const char *const layouts[] = {
	"kubepods/pod" UID "/" ID,
	"kubepods/burstable/pod" UID "/crio-" ID,
	"kubelet/kubepods/besteffort/pod" UID "/" ID,
	SCOPE "cri-containerd-" ID ".scope",
	SCOPE "docker-" ID ".scope",
	"machine.slice/machine-kubepods.slice/machine-kubepods-pod" UID_ ".slice/crio-" ID ".scope",
};

enum {
	CPUS = 4,
	PERIOD = 100000,
	RUNTIME = 20000,
	RAISED = 45000,
	OTHER = 5000,
	CAPACITY = 950000
};

static const struct dialect {
	const struct backend *backend;
	const char *first[2];		  /* what the files hold in a new group */
	const char *root;		  /* the first file of the root; NULL: it has none */
	const char *container, *kubepods; /* the first file with budgets, on CPUs 1 and 2 */
	const char *other, *both;	  /* a group of others, and kubepods with it */
	const char *twice, *half;	  /* kubepods with two such containers, with half a CPU */
} dialects[] = {
	{ &backend_cgroup_v1,
	  { "0", "1000000" },
	  "950000",
	  "20000",
	  "200000",
	  "50000",
	  "250000",
	  "400000",
	  "500000" },
	{ &backend_hcbs_v2,
	  { "0", "1000000" },
	  NULL,
	  "20000",
	  "200000",
	  "50000",
	  "250000",
	  "400000",
	  "500000" },
	{ &backend_hcbs_max,
	  { "0 1000000" },
	  NULL,
	  "20000 100000",
	  "200000 1000000",
	  "50000 1000000",
	  "250000 1000000",
	  "400000 1000000",
	  "500000 1000000" },
	{ &backend_hcbs_multi,
	  { "0 0 0 0", "1000000" },
	  NULL,
	  "0 20000 20000 0",
	  "0 200000 200000 0",
	  "50000 50000 0 0",
	  "50000 250000 200000 0",
	  "0 400000 400000 0",
	  "0 500000 500000 0" },
};

static const struct dialect *dialect; /* of the running test */

static void put(int fd, const char *text)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* "CPU RUNTIME" into "R R R R". */
static void put_cpu(int fd, int cpu, long long runtime_us)
{
	char old[128] = "", text[128] = "", *at = old;
	size_t n = 0;

	assert_true(pread(fd, old, sizeof(old) - 1, 0) > 0);
	for (int i = 0; i < CPUS; i++) {
		long long value = strtoll(at, &at, 10);

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld", i ? " " : "",
				      i == cpu ? runtime_us : value);
	}
	put(fd, text);
}

static int write_as_kernel(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
			   struct error *err)
{
	int file = field == BUDGET_PERIOD && g->files[1] >= 0;

	if (cpu != CPU_ALL && field == BUDGET_RUNTIME) {
		put_cpu(g->files[0], cpu, to.runtime_us);
		return 0;
	}
	put(g->files[file], "");
	return dialect->backend->write(g, cpu, field, to, err);
}

struct fixture {
	struct fake_tree tree;
	struct kernel kernel;
	struct backend backend;
	struct cgroups cgroups;
	struct cgroup *container;
};

static void make_group(const struct fixture *f, const char *path)
{
	for (int i = 0; i < 2 && dialect->first[i]; i++) {
		char name[512];

		snprintf(name, sizeof(name), "%s/%s", path, dialect->backend->files[i]);
		fake_file(&f->tree, name, dialect->first[i]);
	}
}

/* All groups on the way to the container, as they are before any has a budget. */
static void make_groups(const struct fixture *f, const char *path)
{
	char prefix[512];

	snprintf(prefix, sizeof(prefix), "%s", path);
	make_group(f, prefix);
	for (char *slash; (slash = strrchr(prefix, '/'));) {
		*slash = '\0';
		make_group(f, prefix);
	}
	if (dialect->root) {
		make_group(f, ".");
		fake_file(&f->tree, dialect->backend->files[0], dialect->root);
	}
}

static void fixture_init(struct fixture *f, const char *path)
{
	struct error err = ERROR_INIT;

	memset(f, 0, sizeof(*f));
	fake_tree_init(&f->tree);
	make_groups(f, path);
	snprintf(f->kernel.cpu, sizeof(f->kernel.cpu), "%s", f->tree.root);
	f->kernel.cpus = CPUS;
	f->kernel.rt_period_us = 1000000;
	f->kernel.rt_runtime_us = CAPACITY;
	f->backend = *dialect->backend;
	f->backend.write = write_as_kernel;
	cgroups_init(&f->cgroups, &f->kernel, &f->backend);
	assert_int_equal(cgroups_add(&f->cgroups, path, &f->container, &err), 0);
}

static void fixture_done(struct fixture *f)
{
	cgroups_done(&f->cgroups);
	fake_tree_done(&f->tree);
}

static void assert_file(const struct fixture *f, const char *path, size_t len, const char *expect)
{
	char name[512], buf[256];

	snprintf(name, sizeof(name), "%.*s/%s", (int)len, path, dialect->backend->files[0]);
	assert_string_equal(fake_read(&f->tree, name, buf), expect);
}

static void want(struct fixture *f, int64_t runtime_us)
{
	struct cpuset cpus = { 0 };
	struct error err = ERROR_INIT;

	cpuset_add(&cpus, 1);
	cpuset_add(&cpus, 2);
	cgroups_want(&f->cgroups, f->container, &cpus, (struct bandwidth){ PERIOD, runtime_us });
	cgroups_apply(&f->cgroups, 0, &err);
	assert_string_equal(err.msg, "");
	cgroups_verify(&f->cgroups, &err);
	assert_string_equal(err.msg, "");
}

static void each(void (*test)(struct fixture *f, const char *path, const struct container_path *p))
{
	for (size_t d = 0; d < ARRAY_LEN(dialects); d++) {
		for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
			struct container_path p;
			struct fixture f;

			dialect = &dialects[d];
			fixture_init(&f, layouts[i]);
			assert_true(container_parse(layouts[i], &p));
			test(&f, layouts[i], &p);
			fixture_done(&f);
		}
	}
}

static void comes_and_goes(struct fixture *f, const char *path, const struct container_path *p)
{
	want(f, RUNTIME);
	assert_file(f, path, p->container_len, dialect->container);
	assert_file(f, path, p->pod_len, dialect->kubepods);
	assert_file(f, path, p->root_len, dialect->kubepods);
	want(f, RAISED);
	want(f, RUNTIME);
	assert_file(f, path, p->container_len, dialect->container);
	assert_int_equal(cgroups_restore(&f->cgroups), 0);
	assert_file(f, path, p->container_len, dialect->first[0]);
	assert_file(f, path, p->root_len, dialect->first[0]);
}

TEST(budgets_come_and_go_in_every_dialect_and_layout)
{
	each(comes_and_goes);
}

static void counts_others(struct fixture *f, const char *path, const struct container_path *p)
{
	char other[400], file[500];

	snprintf(other, sizeof(other), "%.*s/other", (int)p->root_len, path);
	make_group(f, other);
	snprintf(file, sizeof(file), "%s/%s", other, dialect->backend->files[0]);
	fake_file(&f->tree, file, dialect->other);
	cgroups_refresh(&f->cgroups);
	want(f, RUNTIME);
	assert_file(f, path, p->root_len, dialect->both);
	assert_file(f, other, strlen(other), dialect->other);
}

TEST(groups_beside_ours_are_counted)
{
	each(counts_others);
}

static void remove_group(const struct fixture *f, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", f->tree.root, path);
	assert_int_equal(nftw(full, fake_tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void replace_container(struct fixture *f, const char *path)
{
	struct error err = ERROR_INIT;

	remove_group(f, path);
	make_group(f, path);
	cgroups_remove(&f->cgroups, f->container);
	assert_int_equal(cgroups_add(&f->cgroups, path, &f->container, &err), 0);
}

/* The kernel would refuse the budget of the new one otherwise, as long as it counts the old one. */
static void makes_room_for_the_next(struct fixture *f, const char *path,
				    const struct container_path *p)
{
	want(f, RUNTIME);
	replace_container(f, path);
	want(f, RUNTIME);
	assert_file(f, path, p->container_len, dialect->container);
	assert_file(f, path, p->pod_len, dialect->twice);
	assert_file(f, path, p->root_len, dialect->twice);
	f->cgroups.removed_ms -= REMOVED_MS;
	want(f, RAISED);
	want(f, RUNTIME);
	assert_file(f, path, p->pod_len, dialect->kubepods);
	assert_file(f, path, p->root_len, dialect->kubepods);
}

TEST(container_in_place_of_another_has_room_while_both_count)
{
	each(makes_room_for_the_next);
}

/* Of 950000 us: 500000 for the old one, and as many for the new one. */
static void makes_no_room_where_there_is_none(struct fixture *f, const char *path,
					      const struct container_path *p)
{
	want(f, PERIOD / 2);
	replace_container(f, path);
	want(f, PERIOD / 2);
	assert_file(f, path, p->pod_len, dialect->half);
	assert_file(f, path, p->root_len, dialect->half);
}

TEST(container_in_place_of_another_is_tried_where_there_is_no_room_for_both)
{
	each(makes_no_room_where_there_is_none);
}

/* What does not fit is refused before the first write. */
static void refuses(struct fixture *f, const char *path, const struct container_path *p)
{
	struct cpuset cpus = { 0 };
	struct error err = ERROR_INIT;

	cpuset_add(&cpus, 1);
	cgroups_want(&f->cgroups, f->container, &cpus, (struct bandwidth){ PERIOD, PERIOD });
	assert_int_equal(cgroups_apply(&f->cgroups, 0, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "us of 1"));
	assert_file(f, path, p->container_len, dialect->first[0]);
	assert_file(f, path, p->root_len, dialect->first[0]);
}

TEST(too_much_changes_nothing)
{
	each(refuses);
}
